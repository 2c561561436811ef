/** Admin API: triggers, each of which sends one kind of event to one address. */
import { randomBytes } from "node:crypto";
import { flag, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { EVENT_TYPES, UNSENT_EVENT_TYPES } from "./events";
import type { Params } from "./signature";
import type { Trigger } from "./store";

/** Addresses for each kind of event (Cloudinary's limit). */
const MAX_URLS_PER_EVENT = 30;

const PARAMS = new Set(["uri", "new_uri", "event_type", "uri_type", "additive", "auth_scheme"]);

export async function triggers(env: Environment, method: string, id: string | undefined, params: Params) {
  if (id === undefined && method === "GET") return listed(env, text(params, "event_type"));
  const unknown = Object.keys(params).find((name) => !PARAMS.has(name) && text(params, name) !== "");
  if (unknown !== undefined) throw notCarriedOut(`${unknown} of a trigger`);
  const scheme = text(params, "auth_scheme") || "default";
  if (scheme !== "default" && scheme !== "legacy_hmac") throw notCarriedOut(`auth_scheme ${scheme}`);
  const kind = text(params, "uri_type") || "webhook";
  if (kind !== "webhook") throw notCarriedOut(`uri_type ${kind}`);
  if (id === undefined && method === "POST") return created(env, params);
  const trigger = id === undefined ? undefined : env.store.state.triggers[id];
  if (trigger === undefined) throw new CloudinaryError(404, `Trigger ${id} not found`);
  if (method === "PUT") return changed(env, trigger, params);
  if (method !== "DELETE") throw notCarriedOut(`${method} triggers/${id}`);
  delete env.store.state.triggers[trigger.id];
  await env.store.commit();
  return { message: "deleted" };
}

function listed(env: Environment, event: string) {
  const found = Object.values(env.store.state.triggers).filter(
    (trigger) => event === "" || trigger.event_type === event,
  );
  return { triggers: found.map((trigger) => shown(env, trigger)), total: found.length };
}

async function created(env: Environment, params: Params) {
  const event = knownEvent(text(params, "event_type"));
  const uri = validUri(text(params, "uri"));
  requireFree(env, event, uri);
  const now = new Date(env.now()).toISOString();
  const stored: Trigger = {
    id: randomBytes(32).toString("hex"),
    uri,
    event_type: event,
    additive: flag(params, "additive") ?? false,
    created_at: now,
    updated_at: now,
  };
  const same = Object.values(env.store.state.triggers).filter((one) => one.event_type === event);
  if (same.length >= MAX_URLS_PER_EVENT) {
    throw new CloudinaryError(400, `Maximum number of triggers (${MAX_URLS_PER_EVENT}) reached for ${event}`);
  }
  env.store.state.triggers[stored.id] = stored;
  await env.store.commit();
  return shown(env, stored);
}

/** The documentation calls the new address `new_uri`, the official Go SDK sends `uri`. */
async function changed(env: Environment, trigger: Trigger, params: Params) {
  const uri = validUri(text(params, "new_uri") || text(params, "uri"));
  const event = text(params, "event_type") || trigger.event_type;
  if (event !== trigger.event_type) throw notCarriedOut("changing a trigger's event_type");
  if (uri !== trigger.uri) requireFree(env, event, uri);
  Object.assign(trigger, {
    uri,
    additive: flag(params, "additive") ?? trigger.additive,
    updated_at: new Date(env.now()).toISOString(),
  });
  await env.store.commit();
  return { message: "updated" };
}

function knownEvent(event: string): string {
  if ((EVENT_TYPES as readonly string[]).includes(event)) return event;
  if ((UNSENT_EVENT_TYPES as readonly string[]).includes(event)) throw notCarriedOut(`the event ${event}`);
  throw new CloudinaryError(400, `Invalid event_type ${event}`);
}

function requireFree(env: Environment, event: string, uri: string): void {
  const taken = Object.values(env.store.state.triggers).some((one) => one.event_type === event && one.uri === uri);
  if (taken) throw new CloudinaryError(409, "Trigger already exists");
}

function validUri(value: string): string {
  const url = URL.parse(value);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.hostname === "") {
    throw new CloudinaryError(400, `Invalid uri ${value}`);
  }
  return value;
}

function shown(env: Environment, trigger: Trigger) {
  return { ...trigger, auth_scheme: "default", product_environment_id: env.cloudName, uri_type: "webhook" };
}
