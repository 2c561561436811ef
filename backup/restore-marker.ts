import { z } from "zod";
import type { Vault } from "../clients/vault";
import { UscPisError } from "./errors";
import { restoreMarkerKey } from "./layout";
import { askSides, onFirstSide } from "./sides";

/** What a restore came to: the last line that `restore database` prints, and the state that a recovery keeps. */
export const restoreResultSchema = z.object({
  backupId: z.string(),
  /** Version of the dump that was restored, in the bucket of `side`. */
  versionId: z.string(),
  side: z.enum(["primary", "replica"]),
  sha256: z.string(),
  bytes: z.number().int(),
  takenAt: z.iso.datetime(),
  restoredAt: z.iso.datetime(),
  /** Rows counted after the restore. */
  tables: z.record(z.string(), z.number().int()),
  seconds: z.number(),
});
export type RestoreResult = z.infer<typeof restoreResultSchema>;

const markerSchema = z.object({
  version: z.literal(1),
  system: z.string(),
  databaseId: z.string(),
  state: z.enum(["started", "restored"]),
  /** Grows with each write: the larger one counts where the sides of the vault differ. */
  generation: z.number().int().positive(),
  /** The attempt that wrote it; another attempt that runs beside it sees that it is not its own. */
  attempt: z.string(),
  backupId: z.string(),
  startedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  /** Heroku's transfer, once there is one. */
  transfer: z.string().optional(),
  result: restoreResultSchema.optional(),
});
export type RestoreMarker = z.infer<typeof markerSchema>;

export type MarkerVault = Pick<Vault, "side" | "bucket" | "getText" | "putText">;

/** The newest marker of a database over both sides; undefined when nothing was ever restored into it by us. */
export async function readMarker(
  vaults: readonly MarkerVault[],
  system: string,
  databaseId: string,
  signal?: AbortSignal,
): Promise<RestoreMarker | undefined> {
  const { answers } = await askSides(vaults, (vault) => readSide(vault, system, databaseId, signal), signal);
  let newest: RestoreMarker | undefined;
  for (const { answer } of answers) {
    if (answer && (!newest || answer.marker.generation > newest.generation)) newest = answer.marker;
  }
  return newest;
}

/**
 * Writes the marker that follows the one that was read. Of two restores beside each other one wins.
 * @returns undefined when another one wrote meanwhile.
 */
export async function writeMarker(
  vaults: readonly MarkerVault[],
  after: RestoreMarker | undefined,
  next: Omit<RestoreMarker, "version" | "generation">,
  signal?: AbortSignal,
): Promise<RestoreMarker | undefined> {
  const marker: RestoreMarker = { version: 1, generation: (after?.generation ?? 0) + 1, ...next };
  const key = restoreMarkerKey(next.system, next.databaseId);
  try {
    await onFirstSide(vaults, async (vault) => {
      const seen = await readSide(vault, next.system, next.databaseId, signal);
      if (seen && seen.marker.generation > (after?.generation ?? 0)) {
        throw new UscPisError("exists", `${key} was written by another restore`);
      }
      const condition = seen ? { etag: seen.etag } : ({ absent: true } as const);
      await vault.putText(key, `${JSON.stringify(marker, null, 2)}\n`, condition, signal ? { signal } : {});
    });
    return marker;
  } catch (error) {
    if (error instanceof UscPisError && error.code === "exists") return undefined;
    throw error;
  }
}

async function readSide(vault: MarkerVault, system: string, databaseId: string, signal?: AbortSignal) {
  const key = restoreMarkerKey(system, databaseId);
  const found = await vault.getText(key, undefined, signal);
  if (!found) return undefined;
  const parsed = markerSchema.safeParse(JSON.parse(found.text));
  if (!parsed.success || parsed.data.system !== system || parsed.data.databaseId !== databaseId) {
    throw new UscPisError("bad_marker", `${vault.bucket}/${key} is not a restore marker of ${system}`);
  }
  return { marker: parsed.data, etag: found.etag };
}
