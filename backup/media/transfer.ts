/** One asset from Cloudinary into the mirror. The webhook's single events and the daily sync go the same way. */
import { createHash } from "node:crypto";
import type { Asset } from "../../clients/cloudinary-schemas";
import type { Uploaded } from "../../clients/vault-upload";
import { Digest } from "../digest";
import { DownloadRefused } from "../download";
import { DAY_MS, MINUTE_MS } from "../duration";
import { UscPisError } from "../errors";
import { assetPath, mediaKeys } from "../layout";
import { verifyStored } from "../stored";
import { factsText, type Held, VERSION_METADATA } from "./held";
import { difference } from "./plan";
import { MEDIA_LOCK_DAYS, type MediaPorts, type MediaSettings } from "./ports";

const ATTEMPTS = 3;
const PAUSE_MS = 2_000;

type Ports = Pick<MediaPorts, "cloudinary" | "media" | "download" | "pace" | "log">;

/** Until when a version written now is locked, in whole minutes. */
export function mediaRetainUntil(now: Date): Date {
  return new Date(Math.ceil((now.getTime() + MEDIA_LOCK_DAYS * DAY_MS) / MINUTE_MS) * MINUTE_MS);
}

/**
 * Brings the bytes of an asset into the mirror, then its facts: without facts the bytes are found again, and not fetched
 * twice. What changed on Cloudinary since it was listed is asked for anew.
 * @param etag of the bytes that the mirror holds now, which are replaced and stay below as an older version.
 * @returns undefined when Cloudinary does not have the asset any more.
 * @throws UscPisError that names the asset
 */
export async function mirrorAsset(
  listed: Asset,
  held: Held | undefined,
  etag: string | undefined,
  settings: Pick<MediaSettings, "system">,
  ports: Ports,
  signal: AbortSignal,
): Promise<Held | undefined> {
  let asset = listed;
  // The listing is older than what somebody else, told of a change, brought here meanwhile.
  if (held && held.version > listed.version) {
    const now = await refreshed(listed, ports, signal);
    if (!now) return undefined;
    if (!difference(now, held)) return describeAsset(now, held, settings, ports, signal);
    asset = now;
  }
  for (let attempt = 1; ; attempt++) {
    try {
      const bytes = await fetchBytes(asset, etag, settings, ports, signal);
      return await describeAsset(asset, bytes, settings, ports, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (attempt >= ATTEMPTS || !isOfCloudinary(error)) throw error;
      ports.log.warn("mirroring an asset failed, trying again", {
        asset: assetPath(asset),
        attempt,
        error: String(error),
      });
      await ports.pace.sleep(PAUSE_MS * attempt, signal);
      const now = await refreshed(asset, ports, signal);
      if (!now) return undefined;
      asset = now;
    }
  }
}

/** Writes what else is known of an asset whose bytes are in the mirror. */
export async function describeAsset(
  asset: Asset,
  held: Held,
  { system }: Pick<MediaSettings, "system">,
  { media, pace }: Pick<Ports, "media" | "pace">,
  signal: AbortSignal,
): Promise<Held> {
  const { resourceType, type, publicId, format, facts } = asset;
  const { factsVersionId: _, vanishedSince: __, ...bytes } = held;
  const described = { ...bytes, resourceType, type, publicId, ...(format ? { format } : {}), facts };
  const key = mediaKeys(system, assetPath(asset)).facts;
  const written = await media.putText(key, factsText(described), undefined, {
    retainUntil: mediaRetainUntil(pace.now()),
    signal,
  });
  return { ...described, ...(written.versionId ? { factsVersionId: written.versionId } : {}) };
}

/** The asset as Cloudinary has it now, checksum included. */
async function refreshed(asset: Asset, { cloudinary }: Ports, signal: AbortSignal): Promise<Asset | undefined> {
  const now = await cloudinary.details(asset, asset.publicId, signal);
  return now?.placeholder ? undefined : now;
}

/** Failures that another attempt, or another way, may mend; those of the vault end the run. */
function isOfCloudinary(error: unknown): boolean {
  return error instanceof UscPisError && ["download_failed", "truncated", "media_differs"].includes(error.code);
}

async function fetchBytes(
  asset: Asset,
  etag: string | undefined,
  { system }: Pick<MediaSettings, "system">,
  ports: Ports,
  signal: AbortSignal,
): Promise<Held> {
  const { media, pace } = ports;
  const key = mediaKeys(system, assetPath(asset)).asset;
  const until = mediaRetainUntil(pace.now());
  const hash = createHash("md5");
  const body = await openOriginal(asset, ports, signal);
  let stored: Uploaded;
  try {
    stored = await media.putStream(key, checked(asset, body, hash), asset.bytes, {
      retainUntil: until,
      metadata: { [VERSION_METADATA]: String(asset.version) },
      ...(etag === undefined ? {} : { replaces: etag }),
      signal,
    });
  } finally {
    await body.cancel();
  }
  await verifyStored(key, stored, until, media, signal);
  const { resourceType, type, publicId, version, format } = asset;
  return {
    ...{ resourceType, type, publicId, version, ...(format ? { format } : {}) },
    ...{ bytes: stored.bytes, sha256: Digest.parse(stored.sha256).hex, md5: hash.digest("hex"), key },
    versionId: stored.versionId ?? "null",
  };
}

type Original = Awaited<ReturnType<Ports["download"]>>;

/**
 * Opens the original: where it is delivered, else by a signed download, which private and authenticated assets need, and
 * formats (PDF, ZIP) whose delivery an environment may have switched off. A delivery that is not as long as the original
 * was converted on the way.
 */
async function openOriginal(asset: Asset, ports: Ports, signal: AbortSignal): Promise<Original> {
  const what = `asset ${assetPath(asset)}`;
  if (asset.type === "upload") {
    const body = await ports.download(asset.url, what, signal).catch((error) => {
      if (error instanceof DownloadRefused) return undefined;
      throw error;
    });
    if (body?.contentLength === asset.bytes) return body;
    await body?.cancel();
  }
  const body = await ports.download(ports.cloudinary.downloadUrl(asset), what, signal);
  if (body.contentLength === asset.bytes) return body;
  await body.cancel();
  const found = body.contentLength === undefined ? "no Content-Length" : `${body.contentLength} bytes`;
  throw new UscPisError(
    "media_differs",
    `${what} differs from its listing: got ${found}, expected ${asset.bytes} bytes`,
  );
}

/** Hands the bytes on, and fails before their end is told when they are not what Cloudinary says. */
async function* checked(asset: Asset, { body, etag }: Original, hash: ReturnType<typeof createHash>) {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    hash.update(chunk);
    yield chunk;
  }
  if (bytes !== asset.bytes) {
    throw new UscPisError("truncated", `asset ${assetPath(asset)} came with ${bytes} bytes, expected ${asset.bytes}`);
  }
  const md5 = hash.copy().digest("hex");
  // The checksum of the details counts; an entity tag is one only where it has its form, and a cache may make its own.
  const wanted = asset.md5 ?? /^"([0-9a-f]{32})"$/.exec(etag ?? "")?.[1];
  if (wanted !== undefined && wanted !== md5) {
    throw new UscPisError(
      "media_differs",
      `asset ${assetPath(asset)} is damaged: its bytes have MD5 ${md5}, expected ${wanted}`,
    );
  }
}
