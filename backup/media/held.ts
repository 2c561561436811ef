/** What the mirror holds of an asset: read from the bucket, which is the truth, with the last manifest as a short cut. */
import { z } from "zod";
import {
  type AssetFacts,
  type AssetName,
  assetFactsSchema,
  DELIVERY_TYPES,
  RESOURCE_TYPES,
} from "../../clients/cloudinary-schemas";
import type { ObjectVersion, Vault } from "../../clients/vault";
import { Digest } from "../digest";
import { assetPath, mediaKeys, mediaPrefix } from "../layout";
import { inPool } from "./pool";
import { unescapePublicId } from "./public-id";

const READS_AT_ONCE = 16;
/** Name in an object's own metadata. It tells the version of bytes whose facts were not written any more. */
export const VERSION_METADATA = "cloudinary-version";

const nameShape = {
  resourceType: z.enum(RESOURCE_TYPES),
  type: z.enum(DELIVERY_TYPES),
  publicId: z.string().min(1),
};
const bytesShape = {
  version: z.number().int().positive(),
  bytes: z.number().int().nonnegative(),
  format: z.string().optional(),
  /** Both in hex, of what was downloaded. */
  md5: z.string().optional(),
  sha256: z.string().optional(),
  /** S3's id of the version that holds the bytes. */
  versionId: z.string().min(1),
};

/** One asset as the mirror holds it; the form of the manifest. */
export const heldSchema = z.object({
  ...nameShape,
  ...bytesShape,
  key: z.string(),
  facts: assetFactsSchema.optional(),
  factsVersionId: z.string().optional(),
  /** Since when Cloudinary lists it no more, while so many vanished that nobody believes it. */
  vanishedSince: z.iso.datetime().optional(),
});
export type Held = z.infer<typeof heldSchema>;

/** The file beside an asset's bytes. */
const factsFileSchema = z.object({ ...nameShape, ...bytesShape, facts: assetFactsSchema });

export type MirrorVault = Pick<Vault, "side" | "bucket" | "listVersions" | "getText" | "head">;

/** What lies in the mirror now, by path. */
export interface Mirror {
  readonly assets: ReadonlyMap<string, Held>;
  /** ETags of the bytes, by path: what a replacing write has to name. */
  readonly etags: ReadonlyMap<string, string>;
  /** Paths of facts whose bytes are gone: a deletion broke off there. */
  readonly orphans: readonly string[];
  /** When an asset was hidden, by path. */
  readonly hidden: ReadonlyMap<string, Date>;
}

/** @param known the assets of the last manifest: those that still lie there as it says are not read again. */
export async function readMirror(
  vault: MirrorVault,
  system: string,
  known: readonly Held[],
  signal?: AbortSignal,
): Promise<Mirror> {
  const [assets, facts] = await Promise.all(
    (["asset", "facts"] as const).map(async (part) => {
      const prefix = mediaPrefix(system, part);
      const versions = await vault.listVersions(prefix, signal);
      return newest(versions.map((version) => ({ ...version, key: version.key.slice(prefix.length) })));
    }),
  );
  const before = new Map(known.map((held) => [assetPath(held), held]));
  const found = new Map<string, Held>();
  const etags = new Map<string, string>();
  const hidden = new Map<string, Date>();
  const live = [...(assets ?? [])].filter(([path, version]) => {
    if (version.deleteMarker) hidden.set(path, version.modified);
    else etags.set(path, version.etag);
    return !version.deleteMarker;
  });
  await inPool(live, READS_AT_ONCE, async ([path, version]) => {
    const beside = facts?.get(path);
    const factsVersion = beside?.deleteMarker ? undefined : beside?.versionId;
    const last = before.get(path);
    const same = last?.versionId === version.versionId && last.bytes === version.bytes;
    const asKnown = last && same && factsVersion && last.factsVersionId === factsVersion ? last : undefined;
    const held = asKnown ?? (await readHeld(vault, system, path, version, factsVersion, signal));
    // Only the manifest knows it.
    const vanished = last?.vanishedSince ? { vanishedSince: last.vanishedSince } : {};
    if (held) found.set(path, { ...held, ...vanished });
  });
  const orphans = [...(facts ?? [])].filter(([path, version]) => !version.deleteMarker && !etags.has(path));
  return { assets: found, etags, hidden, orphans: orphans.map(([path]) => path) };
}

/** The current version or marker of each key. */
function newest(versions: readonly ObjectVersion[]): Map<string, ObjectVersion> {
  return new Map(versions.filter(({ latest }) => latest).map((version) => [version.key, version]));
}

/** @returns undefined for what no sync wrote: it counts for nothing, and a listed asset is written over it. */
async function readHeld(
  vault: MirrorVault,
  system: string,
  path: string,
  version: ObjectVersion,
  factsVersionId: string | undefined,
  signal?: AbortSignal,
): Promise<Held | undefined> {
  const keys = mediaKeys(system, path);
  const file = factsVersionId === undefined ? undefined : await vault.getText(keys.facts, undefined, signal);
  const told = file && parseFacts(file.text);
  const where = { key: keys.asset, versionId: version.versionId, bytes: version.bytes };
  const facts = told && factsVersionId ? { facts: told.facts, factsVersionId } : {};
  if (told && told.versionId === version.versionId) return { ...told, ...where, ...facts };
  // Bytes were written and their facts not any more, or this is a replica, whose versions have other ids.
  const head = await vault.head(keys.asset, undefined, signal);
  const number = Number(head?.metadata[VERSION_METADATA]);
  const sha256 = head?.checksum?.includes("-") ? undefined : head?.checksum;
  if (!Number.isSafeInteger(number) || number < 1) return undefined;
  const current = told?.version === number && told.bytes === version.bytes;
  return {
    ...nameOf(path, told),
    ...where,
    version: number,
    ...(told?.format && current ? { format: told.format } : {}),
    ...(told?.md5 && current ? { md5: told.md5 } : {}),
    ...(sha256 ? { sha256: Digest.fromBase64(sha256).hex } : {}),
    // Facts of other bytes say nothing of these.
    ...(current ? facts : {}),
  };
}

function nameOf(path: string, told: AssetName | undefined): AssetName {
  const [resourceType, type, ...rest] = path.split("/");
  const publicId = told?.publicId ?? unescapePublicId(rest.join("/")) ?? rest.join("/");
  return z.object(nameShape).parse({ resourceType, type, publicId });
}

/** The text of the facts beside an asset. */
export function factsText(held: Held & { facts: AssetFacts }): string {
  return JSON.stringify(factsFileSchema.parse(held));
}

function parseFacts(text: string): z.infer<typeof factsFileSchema> | undefined {
  try {
    return factsFileSchema.parse(JSON.parse(text));
  } catch {
    // Nobody but a sync writes them; the next one writes them anew.
    return undefined;
  }
}
