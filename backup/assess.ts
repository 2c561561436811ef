import { CRITICAL_TABLES } from "./critical-tables";
import type { Manifest, RowBounds } from "./manifest";

/** A dump below this share of the last good one is suspect. Clinic data only grow; half of it cannot go unnoticed. */
export const SUSPECT_BELOW = 0.5;

/**
 * Judges a dump whose bytes are proven against the last good backup (D6). Two things make it suspect: much smaller, or
 * a critical table that had rows and has none now, which in a small database hardly shows in the size.
 */
export function assess(
  current: { readonly bytes: number; readonly rows: RowBounds },
  previous: Pick<Manifest, "id" | "rows" | "dump"> | undefined,
): Manifest["assessment"] {
  if (!previous) return { status: "success", reasons: [] };
  const reasons: string[] = [];
  if (current.bytes < previous.dump.bytes * SUSPECT_BELOW) {
    reasons.push(`${current.bytes} bytes, less than half of the ${previous.dump.bytes} of ${previous.id}`);
  }
  for (const name of CRITICAL_TABLES) {
    const had = previous.rows.tables[name]?.atLeast ?? 0;
    if (had > 0 && (current.rows.tables[name]?.atMost ?? 0) === 0) {
      reasons.push(`table ${name} is empty, ${previous.id} had ${had} rows`);
    }
  }
  return { status: reasons.length === 0 ? "success" : "suspect", reasons, comparedWith: previous.id };
}
