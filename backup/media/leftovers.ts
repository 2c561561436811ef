import { toError } from "../sides";
import { readMediaManifest } from "./manifest";
import type { MediaPorts } from "./ports";

/** Runs to look back at: more than two days of hourly captures and the syncs among them. */
const LOOK_BACK = 80;

/**
 * Closes the records of syncs that broke off; the lock is ours, so every one still in progress is dead, but for the one
 * that Cloudinary's limit stopped and this run goes on with. Never throws: a leftover must not stop a sync.
 * @returns what was done or could not be, in words.
 */
export async function closeDeadSyncs(
  system: string,
  goesOn: string | undefined,
  { runs, media, pace }: Pick<MediaPorts, "runs" | "media" | "pace">,
  signal: AbortSignal,
): Promise<string[]> {
  const notes: string[] = [];
  try {
    for (const record of await runs.newest(LOOK_BACK)) {
      if (record.type !== "media" || record.status !== "in_progress" || record.id === goesOn) continue;
      const manifest = await readMediaManifest(media, system, record.id, signal).catch(() => undefined);
      const error = { code: "interrupted", message: "the run broke off without a word" };
      const closed = manifest
        ? {
            status: manifest.assessment.status,
            completedAt: manifest.completedAt,
            bytes: manifest.counts.bytes,
            assets: manifest.counts.mirrored,
          }
        : { status: "failed" as const, completedAt: pace.now().toISOString(), error };
      await runs.put({ ...record, ...closed });
      notes.push(`run ${record.id} had broken off: ${closed.status}`);
    }
  } catch (error) {
    signal.throwIfAborted();
    notes.push(`looking for syncs that broke off failed: ${toError(error).message}`);
  }
  return notes;
}
