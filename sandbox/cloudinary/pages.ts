/** Pages of the Admin API: `max_results` up to 500, and a cursor that stays good across restarts. */
import { fingerprint } from "./assets";
import { count, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError } from "./errors";
import type { Params } from "./signature";

/** Cloudinary's own figures. */
const DEFAULT_RESULTS = 10;
const MAX_RESULTS = 500;

type SortKey = (string | number)[];

/**
 * Cuts a sorted list. The cursor names the last item's sort key rather than a position, so that additions and deletions
 * between two pages neither repeat nor skip what was there throughout. It is bound to its query and ends after a time, as
 * Cloudinary's do.
 */
export function paginate<T>(
  env: Pick<Environment, "now" | "cursorLifetimeMs">,
  items: T[],
  keyOf: (item: T) => SortKey,
  params: Params,
  query: object,
  maximum = MAX_RESULTS,
): { items: T[]; cursor: { next_cursor?: string } } {
  const size = count(params, "max_results", Math.min(DEFAULT_RESULTS, maximum), maximum);
  const after = text(params, "next_cursor");
  const print = fingerprint(query);
  const from = after === "" ? 0 : position(items, keyOf, after, { print, since: env.now() - env.cursorLifetimeMs });
  const page = items.slice(from, from + size);
  const last = page.at(-1);
  if (last === undefined || from + size >= items.length) return { items: page, cursor: {} };
  const cursor = Buffer.from(JSON.stringify({ print, at: env.now(), key: keyOf(last) })).toString("base64url");
  return { items: page, cursor: { next_cursor: cursor } };
}

function position<T>(
  items: T[],
  keyOf: (item: T) => SortKey,
  cursor: string,
  good: { print: string; since: number },
): number {
  let parsed: { print?: string; at?: number; key?: SortKey };
  try {
    parsed = (JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")) as typeof parsed | null) ?? {};
  } catch {
    parsed = {};
  }
  const isGood = parsed.print === good.print && (parsed.at ?? 0) >= good.since;
  if (!isGood || !Array.isArray(parsed.key)) {
    throw new CloudinaryError(400, "Invalid value for parameter next_cursor");
  }
  if (items.length === 0) return 0;
  // The list is sorted in either direction, so the item is looked for; when it is gone, so is what it stood before.
  const wanted = JSON.stringify(parsed.key);
  const at = items.findIndex((item) => JSON.stringify(keyOf(item)) === wanted);
  if (at >= 0) return at + 1;
  const key = parsed.key;
  const descending = compare(keyOf(items[0] as T), keyOf(items.at(-1) as T)) > 0;
  const next = items.findIndex((item) => (descending ? compare(keyOf(item), key) < 0 : compare(keyOf(item), key) > 0));
  return next < 0 ? items.length : next;
}

/** Order of sort keys, element by element. */
export function compare(a: SortKey, b: SortKey): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined || left === right) continue;
    return left < right ? -1 : 1;
  }
  return 0;
}
