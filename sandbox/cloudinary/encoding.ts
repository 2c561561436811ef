/** Cloudinary's text forms of lists, pairs and flags. Pure. */
import { CloudinaryError } from "./errors";
import type { Params } from "./signature";

export function text(params: Params, name: string): string {
  const value = params[name];
  return Array.isArray(value) ? value.join(",") : (value ?? "");
}

/** A list that came as `name[]` or as `a,b,c`. */
export function list(params: Params, name: string): string[] {
  const value = params[name];
  if (value === undefined) return [];
  const items = Array.isArray(value) ? value : value.split(",");
  return items.map((item) => item.trim()).filter((item) => item !== "");
}

/** Ids are never split at commas: a public id may hold one. */
export function ids(params: Params, name: string): string[] {
  const value = params[name];
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).filter((item) => item !== "");
}

export function flag(params: Params, name: string): boolean | undefined {
  const value = text(params, name);
  return value === "" ? undefined : value === "true" || value === "1";
}

/** `key=value|key=value`, where `\|` and `\=` are literal. */
export function pairs(value: string): Record<string, string> {
  if (value === "") return {};
  if (value.startsWith("{"))
    return Object.fromEntries(Object.entries(JSON.parse(value)).map(([k, v]) => [k, String(v)]));
  const result: Record<string, string> = {};
  for (const entry of value.split(/(?<!\\)\|/)) {
    const [key = "", ...rest] = entry.split(/(?<!\\)=/);
    if (rest.length === 0) throw new CloudinaryError(400, `Invalid pair ${entry} (expected key=value)`);
    result[literal(key)] = literal(rest.join("="));
  }
  return result;
}

/** Structured metadata: like pairs, with lists in brackets. */
export function metadata(value: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(pairs(value)).map(([key, entry]) => [
      key,
      entry.startsWith("[") && entry.endsWith("]") ? (JSON.parse(entry) as unknown) : entry,
    ]),
  );
}

function literal(value: string): string {
  return value.replace(/\\([|=])/g, "$1");
}

/** Reads a count within bounds; anything else is refused, as Cloudinary does. */
export function count(params: Params, name: string, fallback: number, maximum: number): number {
  const raw = text(params, name);
  if (raw === "") return fallback;
  const value = Number(raw);
  if (!Number.isInteger(value) || value < 1 || value > maximum) {
    throw new CloudinaryError(400, `Invalid value ${raw} for parameter ${name} (expected 1 to ${maximum})`);
  }
  return value;
}
