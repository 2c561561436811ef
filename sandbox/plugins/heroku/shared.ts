import type { Input } from "../core/types";
import type { Properties } from "../core/values";
import { HerokuError } from "./client";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Refuses a name where the provider wants a UUID. */
export function requireUuid(inputs: Properties, property = "appId", terraformName = "app_id") {
  const value = inputs[property];
  if (typeof value !== "string" || UUID.test(value)) return [];
  return [{ property, reason: `expected "${terraformName}" to be a valid UUID, got ${value}` }];
}

export const appId: Input = { required: true, replace: true };
export const name: Input = { autoname: { max: 255 } };

/** The halves of `app:x`, the form of most import ids. @throws Error if it has another form */
export function importHalves(id: string): { app: string; rest: string } {
  const [app, rest] = id.split(/:(.*)/);
  if (!app || !rest) throw new Error(`import id ${id}: expected the form app:id`);
  return { app, rest };
}

/** Only apps and add-ons are looked for before they are read, and only this id of error means that they are gone. */
export function isNotFound(error: unknown): boolean {
  return error instanceof HerokuError && error.id === "not_found";
}

/** The values that are still there, of the variables that the program names. */
export function knownVars(named: Properties | undefined, live: Properties): Properties {
  return Object.fromEntries(Object.keys(named ?? {}).flatMap((key) => (live[key] == null ? [] : [[key, live[key]]])));
}

/** @throws Error if a key is in both maps */
export function refuseDuplicates(plain: Properties | undefined, sensitive: Properties | undefined): void {
  const both = Object.keys(sensitive ?? {}).filter((key) => key in (plain ?? {}));
  if (both.length > 0) throw new Error(`[ERROR] Detected duplicate config vars: [${both.join(" ")}]`);
}

/** What a map of variables was, and what it is to be. */
export interface VarChange {
  old?: Properties;
  news?: Properties;
}

/** New values, and null for what is no longer named. */
export function varChanges(...maps: VarChange[]): Properties {
  const gone = maps.flatMap(({ old }) => Object.keys(old ?? {}).map((key) => [key, null]));
  return Object.assign(Object.fromEntries(gone), ...maps.map(({ news }) => news));
}
