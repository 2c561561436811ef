import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { callerAccount } from "../clients/identity";
import { Vault } from "../clients/vault";
import { Digest } from "./digest";
import { InputError, UscPisError } from "./errors";
import { releaseKey, vaultBucketName } from "./layout";
import { onFirstSide } from "./sides";

/** A version as people name it: it goes into messages and URLs. */
const VERSION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Every gzip stream begins so; an HTML page does not. */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

export interface Release {
  readonly version: string;
  readonly sha256: string;
  readonly bytes: number;
}

type ReleaseVault = Pick<Vault, "side" | "bucket" | "head" | "putStream" | "getStream" | "listVersions">;

/** Puts a source tarball into the vault under its digest; one that is there already is fine. */
export async function addRelease(
  vault: Pick<Vault, "head" | "putStream" | "bucket">,
  system: string,
  version: string,
  file: string,
  signal?: AbortSignal,
): Promise<Release> {
  if (!VERSION.test(version))
    throw new InputError(`invalid version: got "${version}", expected letters, digits, ".", "_", "-"`);
  const { digest, bytes, head } = await hashFile(file);
  if (!head.equals(GZIP_MAGIC))
    throw new InputError(`${file} is not a gzipped tarball: expected it to begin with 1f 8b`);
  const key = releaseKey(system, digest.hex);
  const existing = await vault.head(key, undefined, signal);
  if (!existing) {
    try {
      await vault.putStream(key, createReadStream(file), bytes, signal ? { signal } : {});
    } catch (error) {
      if (!(error instanceof UscPisError) || error.code !== "exists") throw error;
    }
  }
  const stored = await vault.head(key, undefined, signal);
  if (stored?.bytes !== bytes) {
    throw new UscPisError(
      "stored_differs",
      `the vault holds ${stored?.bytes ?? "no"} bytes of release ${version}, expected ${bytes}`,
    );
  }
  return { version, sha256: digest.hex, bytes };
}

/**
 * Brings the tarball of a version from a URL (GitHub's, where `{version}` stands for the version) into the vault.
 * GitHub may pack the same tag anew with other bytes one day, so configuration pins the digest as well.
 */
export async function fetchRelease(
  vault: Pick<Vault, "head" | "putStream" | "bucket">,
  options: {
    system: string;
    version: string;
    url: string;
    directory: string;
    fetch?: typeof fetch;
    signal?: AbortSignal;
  },
): Promise<Release> {
  const { system, version, signal } = options;
  if (!VERSION.test(version))
    throw new InputError(`invalid version: got "${version}", expected letters, digits, ".", "_", "-"`);
  const url = options.url.replaceAll("{version}", encodeURIComponent(version));
  const response = await (options.fetch ?? fetch)(url, signal ? { signal } : {}).catch((cause) => {
    throw new UscPisError(
      "download_failed",
      `fetching release ${version} failed: ${cause.cause?.message ?? cause.message}`,
      { cause },
    );
  });
  if (response.status !== 200 || !response.body) {
    throw new UscPisError(
      "download_failed",
      `fetching release ${version} was answered by ${response.status}, expected 200`,
      {
        hint: "does the tag exist, and may the repository be read?",
      },
    );
  }
  const file = path.join(options.directory, `fetch-${randomUUID()}.tar.gz`);
  try {
    await mkdir(options.directory, { recursive: true });
    await pipeline(Readable.fromWeb(response.body as never), createWriteStream(file));
    return await addRelease(vault, system, version, file, signal);
  } finally {
    await rm(file, { force: true });
  }
}

export interface EnsureReleaseOptions {
  readonly system: string;
  readonly sha256: string;
  readonly primaryRegion: string;
  readonly replicaRegion: string;
  /** @default the account of the caller's credentials, asked of STS only when the file is not here yet */
  readonly account?: string;
  /** @default .releases, relative to the working directory */
  readonly directory?: string;
  /** Sides of the vault, the preferred one first. @default both, by their names */
  readonly vaults?: readonly ReleaseVault[];
  readonly signal?: AbortSignal;
}

/**
 * The tarball as a local file, from the vault if it is not here yet. The path depends on the digest alone, so that
 * neither another machine nor a moved checkout changes what a build was given.
 * @throws UscPisError `no_release`, or `release_differs` when what came is not what was pinned.
 */
export async function ensureRelease(options: EnsureReleaseOptions): Promise<string> {
  const wanted = Digest.parse(options.sha256);
  const directory = options.directory ?? ".releases";
  const file = path.posix.join(directory, `${wanted.hex}.tar.gz`);
  if (await stat(file).catch(() => undefined)) {
    if ((await hashFile(file)).digest.equals(wanted)) return file;
    await rm(file, { force: true });
  }
  await mkdir(directory, { recursive: true });
  const part = path.join(directory, `${wanted.hex}.${randomUUID()}.part`);
  try {
    await onFirstSide(options.vaults ?? (await bothSides(options)), (vault) =>
      fetchFromVault(vault, options.system, wanted, part, options.signal),
    );
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
  return file;
}

async function bothSides(options: EnsureReleaseOptions): Promise<Vault[]> {
  const { system, primaryRegion, replicaRegion } = options;
  const account = options.account ?? (await callerAccount([primaryRegion, replicaRegion]));
  const side = (name: "primary" | "replica", region: string) =>
    new Vault({ side: name, region, bucket: vaultBucketName(system, account, region) });
  return [side("primary", primaryRegion), side("replica", replicaRegion)];
}

async function fetchFromVault(vault: ReleaseVault, system: string, wanted: Digest, part: string, signal?: AbortSignal) {
  const key = releaseKey(system, wanted.hex);
  let stream = await vault.getStream(key, undefined, signal);
  if (!stream) {
    // A deletion only hides the versions below it.
    const versions = (await vault.listVersions(key, signal)).filter((each) => each.key === key && !each.deleteMarker);
    const oldest = versions.at(-1);
    if (oldest) stream = await vault.getStream(key, oldest.versionId, signal);
  }
  if (!stream) {
    throw new UscPisError("no_release", `${vault.bucket} holds no release ${wanted.hex}`, {
      hint: "usc-pis release add VERSION FILE, or usc-pis release fetch VERSION",
    });
  }
  await pipeline(stream, createWriteStream(part), ...(signal ? [{ signal }] : []));
  const { digest } = await hashFile(part);
  if (!digest.equals(wanted)) {
    throw new UscPisError("release_differs", `release in ${vault.bucket} has SHA-256 ${digest}, expected ${wanted}`);
  }
}

async function hashFile(file: string): Promise<{ digest: Digest; bytes: number; head: Buffer }> {
  const hash = createHash("sha256");
  let bytes = 0;
  let head = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(file)) {
      if (head.length < 2) head = Buffer.concat([head, chunk]).subarray(0, 2);
      hash.update(chunk);
      bytes += chunk.length;
    }
  } catch (cause) {
    throw new InputError(`cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
  return { digest: Digest.parse(hash.digest("hex")), bytes, head };
}
