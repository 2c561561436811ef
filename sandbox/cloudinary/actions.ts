/** Signed actions on stored assets: destroy, rename, explicit, tags, context, metadata, download. */
import { parse as parsePath } from "node:path";
import { deleteAsset, findAsset, nextVersion, requireAsset, restoreAsset, summary, uploadAnswer } from "./assets";
import { flag, ids, list, metadata, pairs, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { DELIVERY_TYPES } from "./parameters";
import type { Params } from "./signature";
import { type Asset, assetKey } from "./store";

type Answer = Record<string, unknown>;
type Action = (env: Environment, resourceType: string, params: Params) => Promise<Answer>;

/** Public ids that one call of tags, context or metadata may name. */
const MAX_IDS = 1000;

/** The actions by their last path segment. `upload` and `download` stand apart: they carry bytes. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  destroy,
  rename,
  explicit,
  tags,
  context,
  metadata: updateMetadata,
};

function deliveryType(params: Params): string {
  const type = text(params, "type") || "upload";
  if (!(DELIVERY_TYPES as readonly string[]).includes(type)) throw notCarriedOut(`delivery type ${type}`);
  return type;
}

/** What a `delete` notification says of each asset. */
export function deletedFacts(asset: Asset): Answer {
  const { asset_id, public_id, resource_type, type, display_name, asset_folder } = asset;
  return { asset_id, public_id, resource_type, type, version: asset.current.version, display_name, asset_folder };
}

async function destroy(env: Environment, resourceType: string, params: Params): Promise<Answer> {
  const asset = findAsset(env, resourceType, deliveryType(params), text(params, "public_id"));
  if (asset === undefined) return { result: "not found" };
  deleteAsset(env, asset);
  await env.store.commit();
  env.notifications.fire("delete", { resources: [deletedFacts(asset)] }, text(params, "notification_url"));
  return { result: "ok" };
}

async function rename(env: Environment, resourceType: string, params: Params): Promise<Answer> {
  const from = text(params, "from_public_id");
  const to = text(params, "to_public_id");
  if (to === "") throw new CloudinaryError(400, "Missing required parameter - to_public_id");
  const type = deliveryType(params);
  const toType = text(params, "to_type") || type;
  if (!(DELIVERY_TYPES as readonly string[]).includes(toType)) throw notCarriedOut(`delivery type ${toType}`);
  const asset = requireAsset(env, resourceType, type, from);
  const inTheWay = findAsset(env, resourceType, toType, to);
  if (inTheWay !== undefined && inTheWay !== asset) {
    if (flag(params, "overwrite") !== true) throw new CloudinaryError(400, `to_public_id(${to}) already exists`);
    deleteAsset(env, inTheWay);
  }
  const key = assetKey(resourceType, toType, to);
  delete env.store.state.assets[assetKey(resourceType, type, from)];
  const current = { ...asset.current, version: nextVersion(env, key) };
  const renamed = { ...asset, public_id: to, type: toType, display_name: parsePath(to).base, current };
  env.store.state.assets[key] = renamed;
  await env.store.commit();
  const answer = uploadAnswer(env, renamed);
  env.notifications.fire(
    "rename",
    { ...answer, from_public_id: from, to_public_id: to },
    text(params, "notification_url"),
  );
  return answer;
}

async function explicit(env: Environment, resourceType: string, params: Params): Promise<Answer> {
  const asset = requireAsset(env, resourceType, deliveryType(params), text(params, "public_id"));
  applyUpdates(asset, params);
  await env.store.commit();
  return uploadAnswer(env, asset);
}

/** The updatable attributes, as `explicit` and the Admin API's update share them. */
export function applyUpdates(asset: Asset, params: Params): void {
  if (params.tags !== undefined) asset.tags = [...new Set(list(params, "tags"))];
  if (params.context !== undefined) asset.context = pairs(text(params, "context"));
  if (params.metadata !== undefined) Object.assign(asset.metadata, metadata(text(params, "metadata")));
  if (params.asset_folder !== undefined) asset.asset_folder = text(params, "asset_folder");
  if (params.display_name !== undefined) asset.display_name = text(params, "display_name");
}

function named(env: Environment, resourceType: string, params: Params): Asset[] {
  const wanted = ids(params, "public_ids");
  if (wanted.length === 0) throw new CloudinaryError(400, "Missing required parameter - public_ids");
  if (wanted.length > MAX_IDS) throw new CloudinaryError(400, `Too many public_ids (${wanted.length} > ${MAX_IDS})`);
  const type = deliveryType(params);
  return wanted.flatMap((id) => findAsset(env, resourceType, type, id) ?? []);
}

async function tags(env: Environment, resourceType: string, params: Params): Promise<Answer> {
  const assets = named(env, resourceType, params);
  const given = list(params, "tag");
  const command = text(params, "command");
  if (command === "set_exclusive") {
    for (const other of Object.values(env.store.state.assets)) {
      if (other.resource_type === resourceType) other.tags = other.tags.filter((tag) => !given.includes(tag));
    }
  }
  for (const asset of assets) {
    if (command === "add" || command === "set_exclusive") asset.tags = [...new Set([...asset.tags, ...given])];
    else if (command === "remove") asset.tags = asset.tags.filter((tag) => !given.includes(tag));
    else if (command === "replace") asset.tags = given;
    else if (command === "remove_all") asset.tags = [];
    else throw new CloudinaryError(400, `Invalid command ${command}`);
  }
  await env.store.commit();
  env.notifications.fire("resource_tags_changed", { resources: assets.map(deletedFacts) });
  return { public_ids: assets.map((asset) => asset.public_id) };
}

async function context(env: Environment, resourceType: string, params: Params): Promise<Answer> {
  const assets = named(env, resourceType, params);
  const command = text(params, "command");
  for (const asset of assets) {
    if (command === "add") asset.context = { ...asset.context, ...pairs(text(params, "context")) };
    else if (command === "remove_all") asset.context = {};
    else throw new CloudinaryError(400, `Invalid command ${command}`);
  }
  await env.store.commit();
  env.notifications.fire("resource_context_changed", { resources: assets.map(deletedFacts) });
  return { public_ids: assets.map((asset) => asset.public_id) };
}

async function updateMetadata(env: Environment, resourceType: string, params: Params): Promise<Answer> {
  const assets = named(env, resourceType, params);
  for (const asset of assets) Object.assign(asset.metadata, metadata(text(params, "metadata")));
  await env.store.commit();
  env.notifications.fire("resource_metadata_changed", { resources: assets.map(deletedFacts) });
  return { public_ids: assets.map((asset) => asset.public_id) };
}

/** The asset that a signed download URL names; its expiry is part of the signature. */
export function downloadable(env: Environment, resourceType: string, params: Params): Asset {
  const expires = text(params, "expires_at");
  if (expires !== "" && Number(expires) < env.now() / 1000) throw new CloudinaryError(401, "Download URL has expired");
  const asset = requireAsset(env, resourceType, deliveryType(params), text(params, "public_id"));
  const format = text(params, "format");
  if (format !== "" && asset.resource_type !== "raw" && format !== asset.current.format) {
    throw notCarriedOut(`converting ${asset.current.format} to ${format}`);
  }
  return asset;
}

/** Admin API: brings deleted or replaced versions back. */
export async function restore(env: Environment, resourceType: string, type: string, params: Params): Promise<Answer> {
  const versions = ids(params, "versions");
  const answer: Answer = {};
  for (const [index, id] of ids(params, "public_ids").entries()) {
    const asset = restoreAsset(env, assetKey(resourceType, type, id), versions[index]);
    answer[id] = asset === undefined ? { error: "no_backup" } : summary(env, asset);
    if (asset !== undefined) env.notifications.fire("restore", { resources: [deletedFacts(asset)] });
  }
  await env.store.commit();
  return answer;
}
