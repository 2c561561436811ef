/** The Range header of lists: `version ..; order=desc,max=15`, `id ]LAST..; max=200`, and Next-Range in the answer. */
import { ApiError } from "./http";

export interface ListRange {
  attribute: string;
  /** Lower end; empty for the beginning. */
  start: string;
  /** Whether the lower end itself is left out (`]`). */
  exclusive: boolean;
  end: string;
  max: number;
  descending: boolean;
}

/** Page size when none is asked for, and the largest one allowed (Platform API: 200 and 1000). */
const DEFAULT_MAX = 200;
const LARGEST_MAX = 1000;

export function parseRange(header: string | undefined, fallback: string, allowed: readonly string[]): ListRange {
  const range: ListRange = {
    attribute: fallback,
    start: "",
    exclusive: false,
    end: "",
    max: DEFAULT_MAX,
    descending: false,
  };
  if (header === undefined || header.trim() === "") return range;
  const [, attribute, bracket, start, end, options] =
    /^\s*([a-z_]+)\s+(\])?([^;\s]*?)\.\.([^;\s]*)\s*(?:;(.*))?$/.exec(header) ?? [];
  if (attribute === undefined || !allowed.includes(attribute))
    throw new ApiError(
      416,
      "requested_range_not_satisfiable",
      `Invalid Range header, expected one of: ${allowed.join(", ")}.`,
    );
  range.attribute = attribute;
  range.exclusive = bracket === "]";
  range.start = start ?? "";
  range.end = end ?? "";
  for (const option of (options ?? "").split(/[;,]/)) {
    const [name, value] = option.split("=").map((part) => part.trim());
    if (name === "max") range.max = Math.min(LARGEST_MAX, Math.max(1, Number.parseInt(value ?? "", 10) || DEFAULT_MAX));
    if (name === "order") range.descending = value === "desc";
  }
  return range;
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

/** Sorts and cuts a list; `next` is the Next-Range header when something is left. */
export function applyRange<T extends object>(items: readonly T[], range: ListRange): { page: T[]; next?: string } {
  const value = (item: T) => (item as Record<string, unknown>)[range.attribute] as string | number;
  const bound = (raw: string) => (typeof value(items[0] as T) === "number" ? Number(raw) : raw);
  const sign = range.descending ? -1 : 1;
  const sorted = [...items].sort((a, b) => sign * compare(value(a), value(b)));
  const within = sorted.filter((item) => {
    if (range.start !== "") {
      const order = sign * compare(value(item), bound(range.start));
      if (order < 0 || (range.exclusive && order === 0)) return false;
    }
    return range.end === "" || sign * compare(value(item), bound(range.end)) <= 0;
  });
  const page = within.slice(0, range.max);
  const last = page.at(-1);
  if (within.length <= page.length || last === undefined) return { page };
  const order = range.descending ? ", order=desc" : "";
  return { page, next: `${range.attribute} ]${value(last)}..${range.end}; max=${range.max}${order}` };
}
