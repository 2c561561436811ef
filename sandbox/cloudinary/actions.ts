/** Signed actions on stored assets: destroy, rename, downloads; `attributes.ts` has those that change attributes. */
import { deleteAsset, findAsset, nextVersion, requireAsset, restoreAsset, summary, uploadAnswer } from "./assets";
import { context, explicit, tags, updateMetadata } from "./attributes";
import { flag, ids, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { deleted, renamed, restored } from "./events";
import { deliveryType } from "./parameters";
import type { Params } from "./signature";
import { type Asset, assetKey } from "./store";

type Answer = Record<string, unknown>;
type Action = (env: Environment, resourceType: string, params: Params) => Promise<Answer>;

/** The actions by their last path segment. `upload` and `download` stand apart: they carry bytes. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  destroy,
  rename,
  explicit,
  tags,
  context,
  metadata: updateMetadata,
};

async function destroy(env: Environment, resourceType: string, params: Params): Promise<Answer> {
  const id = text(params, "public_id");
  if (id === "") throw new CloudinaryError(400, "Missing required parameter - public_id");
  const asset = findAsset(env, resourceType, deliveryType(text(params, "type")), id);
  if (asset === undefined) return { result: "not found" };
  deleteAsset(env, asset);
  await env.notifications.fire(deleted([asset], text(params, "notification_url")));
  return { result: "ok" };
}

async function rename(env: Environment, resourceType: string, params: Params): Promise<Answer> {
  const from = text(params, "from_public_id");
  const to = text(params, "to_public_id");
  if (to === "") throw new CloudinaryError(400, "Missing required parameter - to_public_id");
  const type = deliveryType(text(params, "type"));
  const toType = deliveryType(text(params, "to_type") || type);
  const asset = requireAsset(env, resourceType, type, from);
  const inTheWay = findAsset(env, resourceType, toType, to);
  if (inTheWay !== undefined && inTheWay !== asset) {
    if (flag(params, "overwrite") !== true) throw new CloudinaryError(400, `to_public_id(${to}) already exists`);
    deleteAsset(env, inTheWay);
  }
  const key = assetKey(resourceType, toType, to);
  delete env.store.state.assets[assetKey(resourceType, type, from)];
  const current = { ...asset.current, version: nextVersion(env, key) };
  const moved = { ...asset, public_id: to, type: toType, current };
  env.store.state.assets[key] = moved;
  await env.notifications.fire(renamed(moved, from, text(params, "notification_url")));
  return uploadAnswer(env, moved);
}

/** The asset that a signed download URL names; its expiry is part of the signature. */
export function downloadable(env: Environment, resourceType: string, params: Params): Asset {
  requireUnexpired(env, params);
  const type = deliveryType(text(params, "type"));
  const asset = requireAsset(env, resourceType, type, text(params, "public_id"));
  const format = text(params, "format");
  if (format !== "" && asset.resource_type !== "raw" && format !== asset.current.format) {
    throw notCarriedOut(`converting ${asset.current.format} to ${format}`);
  }
  return asset;
}

/** An asset with one of its versions, also a backed-up one, in the place of the current one. */
export function downloadableVersion(env: Environment, params: Params): Asset {
  requireUnexpired(env, params);
  const asset = Object.values(env.store.state.assets).find(({ asset_id }) => asset_id === text(params, "asset_id"));
  const versions = asset === undefined ? [] : [...asset.backups, ...(asset.placeholder ? [] : [asset.current])];
  const current = versions.find(({ version_id }) => version_id === text(params, "version_id"));
  if (asset === undefined || current === undefined) throw new CloudinaryError(404, "Resource version not found");
  return { ...asset, current };
}

function requireUnexpired(env: Environment, params: Params): void {
  const expires = text(params, "expires_at");
  if (expires !== "" && !(Number(expires) >= env.now() / 1000)) {
    throw new CloudinaryError(401, "Download URL has expired");
  }
}

/** Admin API: brings deleted or replaced versions back, by public ids of one kind or by asset ids. */
export async function restore(env: Environment, kind: string | undefined, params: Params): Promise<Answer> {
  const versions = ids(params, "versions");
  const answer: Answer = {};
  const back: Asset[] = [];
  const byAssetId = (id: string) => Object.entries(env.store.state.assets).find(([, one]) => one.asset_id === id)?.[0];
  const wanted = ids(params, kind === undefined ? "asset_ids" : "public_ids");
  if (wanted.length === 0) throw new CloudinaryError(400, "Missing required parameter - public_ids or asset_ids");
  for (const [index, id] of wanted.entries()) {
    const key = kind === undefined ? (byAssetId(id) ?? "") : `${kind}/${id}`;
    const asset = restoreAsset(env, key, versions[index]);
    answer[id] = asset === undefined ? { error: "no_backup" } : summary(env, asset);
    if (asset !== undefined) back.push(asset);
  }
  const events = back.length === 0 ? [] : [restored(back, text(params, "notification_url"))];
  await env.notifications.fire(...events);
  return answer;
}
