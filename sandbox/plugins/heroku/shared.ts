import type { Input } from "../core/types";
import type { Properties } from "../core/values";
import { HerokuError } from "./client";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Refuses an app's name where the provider wants its UUID. */
export function requireUuid(inputs: Properties): { property: string; reason: string }[] {
  const appId = inputs.appId;
  if (typeof appId !== "string" || UUID.test(appId)) return [];
  return [{ property: "appId", reason: `expected "app_id" to be a valid UUID, got ${appId}` }];
}

export const appId: Input = { required: true, replace: true };
export const name: Input = { autoname: { max: 255 } };

/** `app:x`, the form of most import ids. @throws Error if it has another form */
export async function splitImportId(id: string): Promise<{ id: string; state: Properties }> {
  const [app, rest] = id.split(/:(.*)/);
  if (!app || !rest) throw new Error(`import id ${id}: expected the form app:id`);
  return { id: rest, state: { appId: app } };
}

/** Only apps and add-ons are looked for before they are read, and only this id of error means that they are gone. */
export function isNotFound(error: unknown): boolean {
  return error instanceof HerokuError && error.id === "not_found";
}

/** The values that are still there, of the variables that the program names. */
export function knownVars(named: Properties | undefined, live: Properties): Properties | undefined {
  if (named === undefined) return undefined;
  return Object.fromEntries(Object.keys(named).flatMap((key) => (live[key] == null ? [] : [[key, live[key]]])));
}

/** New values, and null for what is no longer named. @throws Error if a key is in both maps */
export function varChanges(
  plain: { old?: Properties; news?: Properties },
  sensitive: { old?: Properties; news?: Properties },
): Properties {
  const both = Object.keys(plain.news ?? {}).find((key) => key in (sensitive.news ?? {}));
  if (both)
    throw new Error(`[ERROR] ${both} is in both plain and sensitive config vars; a key may be in one of them only`);
  const changes: Properties = {};
  for (const key of Object.keys({ ...plain.old, ...sensitive.old })) changes[key] = null;
  return { ...changes, ...plain.news, ...sensitive.news };
}
