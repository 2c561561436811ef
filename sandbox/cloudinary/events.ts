/** What webhooks say: the kinds of events and their bodies, after Cloudinary's documentation of notifications. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Asset, Trigger } from "./store";

/** Kinds of events that a trigger may name and that the emulator sends. */
export const EVENT_TYPES = [
  "all",
  "create_folder",
  "delete",
  "delete_folder",
  "move",
  "move_or_rename_asset_folder",
  "rename",
  "resource_context_changed",
  "resource_display_name_changed",
  "resource_metadata_changed",
  "resource_tags_changed",
  "restore_asset_version",
  "upload",
] as const;

/** Kinds that Cloudinary knows too. Nothing here makes them happen, so a trigger of theirs is refused, not forgotten. */
export const UNSENT_EVENT_TYPES = [
  "access_control_changed",
  "bulk_refresh_auto_fetch",
  "delete_by_token",
  "eager",
  "error",
  "explode",
  "generate_archive",
  "info",
  "invalidate_custom_cdn",
  "moderation",
  "moderation_summary",
  "multi",
  "publish",
  "report",
  "sprite",
] as const;

export type EventType = Exclude<(typeof EVENT_TYPES)[number], "all">;

type Facts = Record<string, unknown>;

export interface Event {
  type: EventType;
  payload: Facts;
  /** The request's own address, in the place of the triggers that are not additive. */
  notificationUrl?: string;
}

/** Kinds whose bodies carry the time and the request's id at their beginning, as documented. */
const STAMPED: readonly EventType[] = ["upload", "rename", "resource_display_name_changed"];

/** Addresses to tell of an event, each once. */
export function recipients(triggers: readonly Trigger[], event: Event): string[] {
  const own = event.notificationUrl ?? "";
  const urls = triggers
    .filter((trigger) => trigger.event_type === event.type || trigger.event_type === "all")
    .filter((trigger) => own === "" || trigger.additive)
    .map((trigger) => trigger.uri);
  return [...new Set([...(own === "" ? [] : [own]), ...urls])];
}

/** The text that is posted and signed. */
export function notificationBody(event: Event, at: { now: number; requestId: string; apiKey: string }): string {
  const time = new Date(at.now).toISOString();
  return JSON.stringify({
    notification_type: event.type,
    ...(STAMPED.includes(event.type) ? { timestamp: time, request_id: at.requestId } : {}),
    ...event.payload,
    notification_context: { triggered_at: time, triggered_by: { source: "api", id: at.apiKey } },
    signature_key: at.apiKey,
  });
}

function reference({ asset_id, public_id, resource_type, type }: Asset): Facts {
  return { asset_id, public_id, resource_type, type };
}

function placed(asset: Asset): Facts {
  const { asset_folder, display_name } = asset;
  return { ...reference(asset), version: asset.current.version, asset_folder, display_name };
}

export function uploaded(answer: Facts, notificationUrl: string): Event {
  // The signature of the answer proves it to the uploader; a notification has its own, in a header.
  const { signature, ...payload } = answer;
  return { type: "upload", payload, notificationUrl };
}

export function deleted(assets: readonly Asset[], notificationUrl = ""): Event {
  return { type: "delete", payload: { resources: assets.map(placed) }, notificationUrl };
}

export function renamed(asset: Asset, from: string, notificationUrl: string): Event {
  const { resource_type, type, asset_id, asset_folder, display_name, public_id } = asset;
  const names = { from_public_id: from, to_public_id: public_id };
  return {
    type: "rename",
    payload: { resource_type, type, asset_id, asset_folder, display_name, ...names },
    notificationUrl,
  };
}

/** Not among the documented bodies: that of a deletion, with the version that came back. */
export function restored(assets: readonly Asset[], notificationUrl: string): Event {
  const resources = assets.map((asset) => ({ ...placed(asset), version_id: asset.current.version_id }));
  return { type: "restore_asset_version", payload: { resources }, notificationUrl };
}

export function folderEvent(type: "create_folder" | "delete_folder", path: string): Event {
  return { type, payload: { source: "api", folder_path: path, folder_name: path.split("/").at(-1) } };
}

/** An asset beside what it was. */
export interface Change {
  before: Asset;
  after: Asset;
}

/** Events of changed attributes: one of each kind for all assets that changed in it, none where nothing did. */
export function changeEvents(changes: readonly Change[]): Event[] {
  const among = (key: keyof Asset) =>
    changes.filter(({ before, after }) => !isDeepStrictEqual(before[key], after[key]));
  const event = (type: EventType, changed: readonly Change[], resources: unknown): Event[] =>
    changed.length === 0 ? [] : [{ type, payload: { source: "api", resources } }];
  const [tags, context, metadata] = [among("tags"), among("context"), among("metadata")];
  const [names, folders] = [among("display_name"), among("asset_folder")];
  return [
    ...event("resource_tags_changed", tags, tags.map(tagChange)),
    ...event("resource_context_changed", context, byPublicId(context, contextChange)),
    ...event("resource_metadata_changed", metadata, byPublicId(metadata, metadataChange)),
    ...event("resource_display_name_changed", names, byPublicId(names, nameChange)),
    ...event("move", folders, byPublicId(folders, folderChange)),
  ];
}

function byPublicId(changes: readonly Change[], of: (change: Change) => Facts): Facts {
  return Object.fromEntries(changes.map((change) => [change.after.public_id, of(change)]));
}

function tagChange({ before, after }: Change): Facts {
  const added = after.tags.filter((tag) => !before.tags.includes(tag));
  const removed = before.tags.filter((tag) => !after.tags.includes(tag));
  return { ...reference(after), added, removed };
}

function contextChange({ before, after }: Change): Facts {
  const pairs = (asset: Asset, wanted: (name: string) => boolean) =>
    Object.entries(asset.context)
      .filter(([name]) => wanted(name))
      .map(([name, value]) => ({ name, value }));
  const { public_id, ...identity } = reference(after);
  return {
    added: pairs(after, (name) => !(name in before.context)),
    removed: pairs(before, (name) => !(name in after.context)),
    updated: pairs(after, (name) => name in before.context && before.context[name] !== after.context[name]),
    ...identity,
  };
}

function metadataChange({ before, after }: Change): Facts {
  const { public_id, ...identity } = reference(after);
  return { previous_metadata: before.metadata, new_metadata: after.metadata, ...identity };
}

function nameChange({ before, after }: Change): Facts {
  const names = { previous_display_name: before.display_name, new_display_name: after.display_name };
  return { ...names, ...reference(after), asset_folder: after.asset_folder };
}

function folderChange({ before, after }: Change): Facts {
  const { public_id, ...identity } = reference(after);
  const folders = { from_asset_folder: before.asset_folder, to_asset_folder: after.asset_folder };
  return { ...folders, display_name: after.display_name, ...identity };
}
