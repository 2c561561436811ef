/** Admin API: triggers, folders, metadata fields. */
import { randomBytes } from "node:crypto";
import { text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { EVENT_TYPES } from "./notifications";
import type { Params } from "./signature";
import type { Trigger } from "./store";

/** Notification URLs for each kind of event (Cloudinary's limit). */
const MAX_URLS_PER_EVENT = 30;

export async function triggers(env: Environment, method: string, id: string | undefined, params: Params) {
  const table = env.store.state.triggers;
  if (id === undefined && method === "GET") {
    const event = text(params, "event_type");
    const found = Object.values(table).filter((trigger) => event === "" || trigger.event_type === event);
    return { triggers: found.map((trigger) => shown(env, trigger)), total: found.length };
  }
  if (id === undefined && method === "POST") {
    const event = text(params, "event_type");
    if (!(EVENT_TYPES as readonly string[]).includes(event)) {
      throw new CloudinaryError(400, `Invalid event_type ${event}`);
    }
    const trigger = { id: randomBytes(32).toString("hex"), uri: validUri(text(params, "uri")), event_type: event };
    const same = Object.values(table).filter((one) => one.event_type === event);
    if (same.some((one) => one.uri === trigger.uri)) throw new CloudinaryError(409, "Trigger already exists");
    if (same.length >= MAX_URLS_PER_EVENT) throw new CloudinaryError(400, `Too many triggers for ${event}`);
    const now = new Date(env.now()).toISOString();
    const stored = { ...trigger, created_at: now, updated_at: now };
    table[stored.id] = stored;
    await env.store.commit();
    return shown(env, stored);
  }
  const trigger = id === undefined ? undefined : table[id];
  if (trigger === undefined) throw new CloudinaryError(404, `Trigger ${id} not found`);
  if (method === "PUT") {
    trigger.uri = validUri(text(params, "new_uri"));
    trigger.updated_at = new Date(env.now()).toISOString();
  } else if (method === "DELETE") delete table[trigger.id];
  else throw notCarriedOut(`${method} triggers/${id}`);
  await env.store.commit();
  return method === "DELETE" ? { message: "deleted" } : shown(env, trigger);
}

function shown(env: Environment, trigger: Trigger) {
  return { ...trigger, product_environment_id: env.cloudName, uri_type: "webhook" };
}

function validUri(value: string): string {
  const url = URL.parse(value);
  if (url === null || !["http:", "https:"].includes(url.protocol))
    throw new CloudinaryError(400, `Invalid uri ${value}`);
  return value;
}

/** Folders: those of the assets, and empty ones that were created. */
export async function folders(env: Environment, method: string, path: string[]) {
  const { state } = env.store;
  const folder = path.join("/");
  const live = Object.values(state.assets).filter((asset) => !asset.placeholder);
  const used = live.flatMap((asset) => parents(asset.asset_folder));
  const known = new Set([...used, ...state.folders.flatMap(parents)]);
  if (method === "POST" && folder !== "") {
    if (!known.has(folder)) state.folders.push(folder);
    await env.store.commit();
    return { success: true, path: folder, name: path.at(-1) };
  }
  if (folder !== "" && !known.has(folder)) throw new CloudinaryError(404, `Can't find folder with path ${folder}`);
  if (method === "DELETE" && folder !== "") {
    if (used.includes(folder)) throw new CloudinaryError(400, "Folder is not empty");
    state.folders = state.folders.filter((one) => one !== folder && !one.startsWith(`${folder}/`));
    await env.store.commit();
    return { deleted: [folder] };
  }
  if (method !== "GET") throw notCarriedOut(`${method} folders`);
  const below = [...known].filter((one) => parent(one) === folder).sort();
  const found = below.map((one) => ({ name: one.split("/").at(-1), path: one }));
  return { folders: found, next_cursor: null, total_count: found.length };
}

function parent(folder: string): string {
  return folder.includes("/") ? folder.slice(0, folder.lastIndexOf("/")) : "";
}

function parents(folder: string): string[] {
  return folder === "" ? [] : [...parents(parent(folder)), folder];
}

/** Structured metadata fields, as declared: values are not checked against them. */
export async function metadataFields(env: Environment, method: string, id: string | undefined, params: Params) {
  const table = env.store.state.metadataFields;
  if (id === undefined && method === "GET") return { metadata_fields: Object.values(table) };
  if (id === undefined && method === "POST") {
    if (text(params, "label") === "" || text(params, "type") === "") {
      throw new CloudinaryError(400, "Missing required parameter - label or type");
    }
    const chosen = text(params, "external_id") || randomBytes(10).toString("hex");
    if (table[chosen] !== undefined) throw new CloudinaryError(409, `external id ${chosen} already exists`);
    const field = { ...params, external_id: chosen };
    table[chosen] = field;
    await env.store.commit();
    return field;
  }
  const field = id === undefined ? undefined : table[id];
  if (id === undefined || field === undefined) throw new CloudinaryError(404, `External ID ${id} doesn't exist`);
  if (method === "GET") return field;
  if (method === "PUT") Object.assign(field, params, { external_id: id });
  else if (method === "DELETE") delete table[id];
  else throw notCarriedOut(`${method} metadata_fields`);
  await env.store.commit();
  return method === "DELETE" ? { message: "ok" } : field;
}
