/** Safe looks into properties, of which a preview does not know all. Pure. */
import type { Checked } from "./model";

/** A value that only the update will know. Rules don't complain of it: the same rule runs again in the update. */
export const UNKNOWN = Symbol("unknown until the update");
export type Peeked = unknown | typeof UNKNOWN;

/** The value at a path, undefined if there is none, UNKNOWN if a preview can't tell. */
export function peek(value: unknown, ...path: (string | number)[]): Peeked {
  let at: unknown = value;
  for (const step of path) {
    if (at === undefined || at === null) return undefined;
    try {
      at = (at as Record<string | number, unknown>)[step];
    } catch (error) {
      // Pulumi's policy server answers the reading of an unknown value by throwing; the class is internal to it.
      if ((error as Error).constructor.name === "UnknownValueError") return UNKNOWN;
      throw error;
    }
  }
  return at;
}

/** The elements of a list at a path, each possibly UNKNOWN; UNKNOWN if the whole list is. */
export function items(value: unknown, ...path: (string | number)[]): Peeked[] | typeof UNKNOWN {
  const found = peek(value, ...path);
  if (found === UNKNOWN) return UNKNOWN;
  if (!Array.isArray(found)) return [];
  return Array.from({ length: found.length }, (_, index) => peek(found, index));
}

/** Names and values of a map at a path; nothing if it is unknown as a whole. */
export function entries(value: unknown, ...path: (string | number)[]): [string, Peeked][] {
  const found = peek(value, ...path);
  if (found === UNKNOWN || typeof found !== "object" || found === null) return [];
  return Object.keys(found).map((key) => [key, peek(found, key)]);
}

/** Whether a value is this one, or may turn out to be. */
export function isOrUnknown(value: Peeked, wanted: unknown): boolean {
  return value === UNKNOWN || value === wanted;
}

/** A value for a message. */
export function shown(value: Peeked): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

/** The region of a resource: its own, else its provider's. */
export function regionOf(resource: Checked): Peeked {
  return peek(resource.props, "region") ?? peek(resource.provider?.props, "region");
}
