/** Admin API: where the paths below `resources` lead; details, updates and deletions of assets. */
import { restore } from "./actions";
import { deleteAsset, fingerprint, requireAsset, summary } from "./assets";
import { update } from "./attributes";
import { flag, ids, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { deleted as deletedEvent } from "./events";
import { byAssetIds, type Filter, MAX_NAMED, page, select } from "./listing";
import type { Params } from "./signature";
import type { Asset } from "./store";

type Answer = Record<string, unknown>;

/** Assets that one deletion by prefix, tag or `all` takes at most; the rest follows with `next_cursor`. */
const MAX_DELETIONS = 1000;

const RESOURCE_TYPES = ["image", "raw", "video"];
const TYPES = new Set(["upload", "private", "authenticated", "fetch", "facebook", "twitter"]);

/** Everything below `/resources`. `path` is what follows, decoded. */
export async function resources(env: Environment, method: string, path: string[], params: Params): Promise<Answer> {
  const [first = "", second = "", ...rest] = path;
  if (path.length === 0) {
    if (method === "GET") return { resource_types: RESOURCE_TYPES };
    if (method === "DELETE") return removeMany(env, {}, params, "asset_ids");
  }
  if (!RESOURCE_TYPES.includes(first)) return ofEveryType(env, method, path, params);
  if (second === "tags") {
    const filter = { resourceType: first, tag: rest.join("/") };
    if (method === "GET") return page(env, params, filter);
    if (method === "DELETE") return removeMany(env, filter, params);
  }
  if (method === "GET" && second === "context") {
    const key = text(params, "key");
    if (key === "") throw new CloudinaryError(400, "Missing required parameter - key");
    const value = params.value === undefined ? undefined : text(params, "value");
    return page(env, params, { resourceType: first, context: { key, value } });
  }
  if (second === "moderations") throw notCarriedOut("listing by moderation");
  if (method === "GET" && second === "") return page(env, params, { resourceType: first });
  if (!TYPES.has(second)) throw new CloudinaryError(400, `Invalid delivery type ${second}`);
  return ofOneType(env, method, { resourceType: first, type: second }, rest.join("/"), params);
}

async function ofOneType(
  env: Environment,
  method: string,
  filter: { resourceType: string; type: string },
  publicId: string,
  params: Params,
): Promise<Answer> {
  const { resourceType, type } = filter;
  if (publicId === "" && method === "GET") return page(env, params, filter);
  if (publicId === "" && method === "DELETE") return removeMany(env, filter, params);
  if (publicId === "restore" && method === "POST") return restore(env, `${resourceType}/${type}`, params);
  if (publicId === "") throw notCarriedOut(`${method} resources/${resourceType}`);
  return one(env, method, requireAsset(env, resourceType, type, publicId), params);
}

async function ofEveryType(env: Environment, method: string, path: string[], params: Params): Promise<Answer> {
  const [first = "", second = ""] = path;
  const call = `${method} ${path.length === 1 ? first : `${first}/*`}`;
  if (call === "GET by_asset_folder") return page(env, params, { folder: text(params, "asset_folder") });
  if (call === "GET by_asset_ids") return byAssetIds(env, params);
  if (call === "POST restore") return restore(env, undefined, params);
  if (call === "DELETE backup/*") return dropBackups(env, second, ids(params, "version_ids"));
  if (path.length !== 1 || first === "search") throw notCarriedOut(`${method} resources/${path.join("/")}`);
  const asset = select(env, {}).find(({ asset_id, placeholder }) => asset_id === first && !placeholder);
  if (asset === undefined) throw new CloudinaryError(404, `Resource not found - ${first}`);
  return one(env, method, asset, params);
}

async function one(env: Environment, method: string, asset: Asset, params: Params): Promise<Answer> {
  if (method === "POST") await env.notifications.fire(...update(env, asset, params));
  else if (method !== "GET") throw notCarriedOut(`${method} on an asset`);
  return details(env, asset, params);
}

function details(env: Environment, asset: Asset, params: Params): Answer {
  const versions = [...asset.backups, asset.current].map((version) => ({
    version_id: version.version_id,
    version: String(version.version),
    format: version.format,
    size: version.bytes,
    time: version.created_at,
    restorable: asset.backups.includes(version),
  }));
  return {
    ...summary(env, asset),
    etag: asset.current.etag,
    tags: asset.tags,
    ...(Object.keys(asset.context).length > 0 ? { context: { custom: asset.context } } : {}),
    ...(Object.keys(asset.metadata).length > 0 ? { metadata: asset.metadata } : {}),
    original_filename: asset.original_filename,
    derived: [],
    last_updated: { updated_at: asset.uploaded_at },
    ...(flag(params, "versions") === true ? { versions } : {}),
  };
}

async function dropBackups(env: Environment, assetId: string, wanted: string[]): Promise<Answer> {
  const asset = select(env, {}).find(({ asset_id }) => asset_id === assetId);
  if (asset === undefined) throw new CloudinaryError(404, `Resource not found - ${assetId}`);
  const gone = asset.backups.filter(({ version_id }) => wanted.includes(version_id));
  if (gone.length === 0) throw new CloudinaryError(400, `No backed up version of ${assetId} has one of these ids`);
  asset.backups = asset.backups.filter((version) => !gone.includes(version));
  for (const { blob } of gone) env.store.dropBlob(blob);
  await env.store.commit();
  return { asset_id: assetId, deleted_version_ids: gone.map(({ version_id }) => version_id) };
}

async function removeMany(
  env: Environment,
  filter: Filter,
  params: Params,
  idName: "public_ids" | "asset_ids" = "public_ids",
): Promise<Answer> {
  const named = ids(params, idName);
  if (named.length > MAX_NAMED) throw new CloudinaryError(400, `Too many ${idName} (${named.length} > ${MAX_NAMED})`);
  if (text(params, "transformations") !== "") throw notCarriedOut("deleting by transformations");
  const prefix = text(params, "prefix");
  const isBroad = filter.tag !== undefined || prefix !== "" || flag(params, "all") === true;
  if (named.length === 0 && (!isBroad || idName === "asset_ids")) {
    throw new CloudinaryError(400, `Missing required parameter - ${idName}`);
  }
  const idOf = (asset: Asset) => (idName === "asset_ids" ? asset.asset_id : asset.public_id);
  const live = select(env, filter, named.length > 0 ? "" : prefix).filter((asset) => !asset.placeholder);
  const chosen = named.length > 0 ? live.filter((asset) => named.includes(idOf(asset))) : live;
  const batch = chosen.slice(0, MAX_DELETIONS);
  // With `keep_original` only what was derived goes, and here nothing is.
  const keeps = flag(params, "keep_original") === true;
  const answer: Record<string, string> = Object.fromEntries(named.map((id) => [id, "not_found"]));
  const counts: Record<string, { original: number; derived: number }> = {};
  for (const asset of batch) {
    answer[idOf(asset)] = "deleted";
    counts[idOf(asset)] = { original: keeps ? 0 : 1, derived: 0 };
    if (!keeps) deleteAsset(env, asset);
  }
  await env.notifications.fire(
    ...(batch.length > 0 && !keeps ? [deletedEvent(batch, text(params, "notification_url"))] : []),
  );
  const partial = batch.length < chosen.length;
  const cursor = partial ? { next_cursor: fingerprint([filter, batch.at(-1)?.asset_id]) } : {};
  return { deleted: answer, deleted_counts: counts, partial, ...cursor };
}
