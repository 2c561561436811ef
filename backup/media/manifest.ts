import { z } from "zod";
import type { Vault } from "../../clients/vault";
import { BackupId } from "../backup-id";
import { DAY_MS } from "../duration";
import { UscPisError } from "../errors";
import { mediaManifestKey, mediaPrefix } from "../layout";
import { heldSchema } from "./held";

export const MEDIA_MANIFEST_VERSION = 1;
/** How far back the last manifest is looked for, in ms: longer than deleted assets stay recoverable would help nobody. */
const LOOK_BACK_MS = 366 * DAY_MS;

const count = z.number().int().nonnegative();

/** What a media backup says of itself. It is written last: what it tells of was in the mirror before. */
export const mediaManifestSchema = z.object({
  version: z.literal(MEDIA_MANIFEST_VERSION),
  id: z.string().refine(BackupId.isValid, "is not a backup id"),
  type: z.literal("media"),
  system: z.string(),
  app: z.string(),
  cloudName: z.string(),
  trigger: z.object({
    kind: z.enum(["schedule", "manual"]),
    requestedBy: z.string(),
    request: z.string().optional(),
  }),
  /** UTC day that it stands for. */
  slot: z.string(),
  startedAt: z.iso.datetime(),
  /** When the listing began that it follows; a listing may go on in a later run. */
  listedAt: z.iso.datetime(),
  completedAt: z.iso.datetime(),
  counts: z.object({
    /** Live assets that Cloudinary listed. */
    listed: count,
    /** What Cloudinary itself counts. */
    counted: count,
    mirrored: count,
    fetched: count,
    described: count,
    deleted: count,
    bytes: count,
  }),
  /** Everything in the mirror, vanished assets that nobody believes deleted included. */
  assets: z.array(heldSchema),
  /** Recoverable by their version until a year after their deletion. */
  deleted: z.array(heldSchema.extend({ deletedAt: z.iso.datetime() })),
  /** Listed assets that the mirror does not hold as they are, and why. */
  differs: z.array(z.object({ path: z.string(), reason: z.string() })),
  assessment: z.object({ status: z.enum(["success", "suspect", "failed"]), reasons: z.array(z.string()) }),
});
export type MediaManifest = z.infer<typeof mediaManifestSchema>;
export type DeletedAsset = MediaManifest["deleted"][number];

/** @throws UscPisError `bad_manifest`, or `other_system` */
export function parseMediaManifest(text: string, expected: { system: string; key: string }): MediaManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UscPisError("bad_manifest", `${expected.key} is not JSON`, { cause });
  }
  const parsed = mediaManifestSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UscPisError("bad_manifest", `${expected.key} is not valid: ${issue?.path.join(".")}: ${issue?.message}`, {
      hint: "a newer version of this project may have written it: update the clone",
    });
  }
  const { system, id } = parsed.data;
  if (system !== expected.system) {
    throw new UscPisError(
      "other_system",
      `${expected.key} belongs to system "${system}", expected "${expected.system}"`,
    );
  }
  if (mediaManifestKey(system, id) !== expected.key) {
    throw new UscPisError("bad_manifest", `${expected.key} tells of backup ${id}, which is another place`);
  }
  return parsed.data;
}

type ManifestVault = Pick<Vault, "list" | "getText">;

/** Ids of manifests, newest first. */
export async function mediaManifestIds(
  vault: ManifestVault,
  system: string,
  now: Date,
  signal?: AbortSignal,
): Promise<string[]> {
  const prefix = mediaPrefix(system, "manifest");
  const since = BackupId.lowerBound(new Date(now.getTime() - LOOK_BACK_MS));
  const keys = await vault.list(prefix, `${prefix}${since}`, signal);
  const ids = keys.map((key) => key.slice(prefix.length).replace(/\.json$/, ""));
  return ids.filter(BackupId.isValid).sort().reverse();
}

/** One manifest; undefined when there is none. @throws UscPisError for one that cannot be read */
export async function readMediaManifest(
  vault: ManifestVault,
  system: string,
  id: string,
  signal?: AbortSignal,
): Promise<MediaManifest | undefined> {
  const key = mediaManifestKey(system, id);
  const found = await vault.getText(key, undefined, signal);
  return found && parseMediaManifest(found.text, { system, key });
}

/** The newest manifest that can be read: the others are only a short cut that is missed. */
export async function newestMediaManifest(
  vault: ManifestVault,
  system: string,
  now: Date,
  signal?: AbortSignal,
): Promise<MediaManifest | undefined> {
  for (const id of (await mediaManifestIds(vault, system, now, signal)).slice(0, 3)) {
    try {
      const manifest = await readMediaManifest(vault, system, id, signal);
      if (manifest) return manifest;
    } catch (error) {
      if (!(error instanceof UscPisError) || !["bad_manifest", "other_system"].includes(error.code)) throw error;
    }
  }
  return undefined;
}
