import type { RunRecord, RunStore } from "../run-record";
import { askSides, type SideFailure } from "../sides";
import { type MediaManifest, mediaManifestIds, newestMediaManifest } from "./manifest";
import type { MediaVault } from "./ports";

/** Records to look through for the last syncs. */
const LOOK_BACK = 100;

/** What is known of the mirror without asking Cloudinary: the newest manifest of either side, and the last runs. */
export interface MediaStatus {
  readonly side: string | undefined;
  readonly bucket: string | undefined;
  readonly manifests: number;
  readonly newest: MediaManifest | undefined;
  readonly runs: readonly RunRecord[];
  readonly failures: readonly SideFailure[];
}

type StatusVault = Pick<MediaVault, "side" | "bucket" | "list" | "getText">;

/** @throws UscPisError `vault_unreachable` when no side answers. The table is a convenience: without it there are no runs. */
export async function mediaStatus(
  system: string,
  media: readonly StatusVault[],
  tables: readonly Pick<RunStore, "newest">[],
  now: Date,
  signal: AbortSignal,
): Promise<MediaStatus> {
  const { answers, failures } = await askSides(
    media,
    async (vault) => ({
      manifests: (await mediaManifestIds(vault, system, now, signal)).length,
      newest: await newestMediaManifest(vault, system, now, signal),
    }),
    signal,
  );
  // Of two sides with the same manifest the first is meant: the other is its replica.
  const best = answers.reduce((a, b) => ((b.answer.newest?.id ?? "") > (a.answer.newest?.id ?? "") ? b : a));
  const records = await Promise.allSettled(tables.map((table) => table.newest(LOOK_BACK)));
  const runs = records
    .flatMap((result) => (result.status === "fulfilled" ? result.value : []))
    .filter(({ type }) => type === "media")
    .sort((a, b) => (a.id < b.id ? 1 : -1));
  return {
    side: best.answer.newest && best.vault.side,
    bucket: best.answer.newest && best.vault.bucket,
    manifests: best.answer.manifests,
    newest: best.answer.newest,
    runs,
    failures,
  };
}
