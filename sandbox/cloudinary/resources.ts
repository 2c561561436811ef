/** Admin API: listing, details, update and deletion of assets; tags, folders and usage. */
import { applyUpdates, deletedFacts, restore } from "./actions";
import { deleteAsset, fingerprint, requireAsset, summary } from "./assets";
import { flag, ids, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { compare, paginate } from "./pages";
import type { Params } from "./signature";
import { type Asset, assetKey } from "./store";

type Answer = Record<string, unknown>;

/** Assets that one deletion by prefix, tag or `all` takes at most; the rest follows with `next_cursor`. */
const MAX_DELETIONS = 1000;
/** Ids that one request may name. */
const MAX_NAMED = 100;

const TYPES = new Set(["upload", "private", "authenticated", "fetch", "facebook", "twitter"]);

/** Everything below `/resources`. `path` is what follows, decoded. */
export async function resources(env: Environment, method: string, path: string[], params: Params): Promise<Answer> {
  const [first = "", second = "", ...rest] = path;
  if (method === "GET" && path.length === 0) return { resource_types: ["image", "raw", "video"] };
  if (method === "GET" && second === "tags") return page(env, params, { resourceType: first, tag: rest.join("/") });
  if (method === "DELETE" && second === "tags") {
    return removeMany(env, { resourceType: first, tag: rest.join("/") }, params);
  }
  if (!["image", "raw", "video"].includes(first)) {
    if (method === "GET" && path.length === 1) return byAssetId(env, first, params);
    throw notCarriedOut(`${method} resources/${path.join("/")}`);
  }
  if (method === "GET" && second === "") return page(env, params, { resourceType: first });
  if (!TYPES.has(second)) throw new CloudinaryError(400, `Invalid delivery type ${second}`);
  const publicId = rest.join("/");
  if (publicId === "" && method === "GET") return page(env, params, { resourceType: first, type: second });
  if (publicId === "" && method === "DELETE") return removeMany(env, { resourceType: first, type: second }, params);
  if (publicId === "restore" && method === "POST") return restore(env, first, second, params);
  if (publicId === "" || (method !== "GET" && method !== "POST")) throw notCarriedOut(`${method} resources/${first}`);
  const asset = requireAsset(env, first, second, publicId);
  if (method === "POST") {
    applyUpdates(asset, params);
    await env.store.commit();
  }
  return details(env, asset, params);
}

interface Filter {
  resourceType: string;
  type?: string;
  tag?: string;
}

function select(env: Environment, filter: Filter, params: Params): Asset[] {
  const prefix = text(params, "prefix");
  return Object.values(env.store.state.assets).filter(
    (asset) =>
      asset.resource_type === filter.resourceType &&
      (filter.type === undefined || asset.type === filter.type) &&
      (filter.tag === undefined || asset.tags.includes(filter.tag)) &&
      asset.public_id.startsWith(prefix),
  );
}

/** A page of a listing: newest first unless `direction` says otherwise. Listings carry no checksum, as on Cloudinary. */
function page(env: Environment, params: Params, filter: Filter): Answer {
  const wanted = ids(params, "public_ids");
  if (wanted.length > MAX_NAMED)
    throw new CloudinaryError(400, `Too many public_ids (${wanted.length} > ${MAX_NAMED})`);
  if (wanted.length > 0) {
    const found = wanted.flatMap((id) => {
      const asset = env.store.state.assets[assetKey(filter.resourceType, filter.type ?? "upload", id)];
      return asset === undefined ? [] : [asset];
    });
    return { resources: found.map((asset) => listed(env, asset, params)) };
  }
  const direction = text(params, "direction") || "desc";
  const ascending = direction === "asc" || direction === "1";
  const startAt = text(params, "start_at") === "" ? undefined : Date.parse(text(params, "start_at"));
  if (Number.isNaN(startAt)) throw new CloudinaryError(400, `Invalid start_at ${text(params, "start_at")}`);
  const key = (asset: Asset) => [Date.parse(asset.created_at), asset.asset_id];
  const sorted = select(env, filter, params)
    .filter((asset) => {
      if (startAt === undefined) return true;
      const created = Date.parse(asset.created_at);
      return ascending ? created >= startAt : created <= startAt;
    })
    .sort((a, b) => (ascending ? 1 : -1) * compare(key(a), key(b)));
  const query = { ...filter, prefix: text(params, "prefix"), direction, startAt };
  const { items, cursor } = paginate(sorted, key, params, query);
  return { resources: items.map((asset) => listed(env, asset, params)), ...cursor };
}

function listed(env: Environment, asset: Asset, params: Params): Answer {
  const all: Answer = {
    ...summary(env, asset),
    ...(flag(params, "tags") === true ? { tags: asset.tags } : {}),
    ...(flag(params, "context") === true && Object.keys(asset.context).length > 0
      ? { context: { custom: asset.context } }
      : {}),
    ...(flag(params, "metadata") === true ? { metadata: asset.metadata } : {}),
  };
  const fields = text(params, "fields");
  if (fields === "") return all;
  const wanted = new Set([...fields.split(",").map((field) => field.trim()), "asset_id", "public_id"]);
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name)));
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

function byAssetId(env: Environment, assetId: string, params: Params): Answer {
  const asset = Object.values(env.store.state.assets).find((one) => one.asset_id === assetId && !one.placeholder);
  if (asset === undefined) throw new CloudinaryError(404, `Resource not found - ${assetId}`);
  return details(env, asset, params);
}

async function removeMany(env: Environment, filter: Filter, params: Params): Promise<Answer> {
  const named = ids(params, "public_ids");
  if (named.length > MAX_NAMED) throw new CloudinaryError(400, `Too many public_ids (${named.length} > ${MAX_NAMED})`);
  const broad = filter.tag !== undefined || text(params, "prefix") !== "" || flag(params, "all") === true;
  if (named.length === 0 && !broad) throw new CloudinaryError(400, "Missing required parameter - public_ids");
  const live = select(env, filter, named.length > 0 ? {} : params).filter((asset) => !asset.placeholder);
  const chosen = named.length > 0 ? live.filter((asset) => named.includes(asset.public_id)) : live;
  const batch = chosen.slice(0, MAX_DELETIONS);
  const deleted: Record<string, string> = Object.fromEntries(named.map((id) => [id, "not_found"]));
  const counts: Record<string, { original: number; derived: number }> = {};
  for (const asset of batch) {
    deleted[asset.public_id] = "deleted";
    counts[asset.public_id] = { original: 1, derived: 0 };
    if (flag(params, "keep_original") !== true) deleteAsset(env, asset);
  }
  await env.store.commit();
  if (batch.length > 0 && flag(params, "keep_original") !== true) {
    env.notifications.fire("delete", { resources: batch.map(deletedFacts) });
  }
  const partial = batch.length < chosen.length;
  const cursor = partial ? { next_cursor: fingerprint([filter, batch.at(-1)?.asset_id]) } : {};
  return { deleted, deleted_counts: counts, partial, ...cursor };
}

/** Tags in use with one resource type. */
export function tagNames(env: Environment, resourceType: string, params: Params): Answer {
  const prefix = text(params, "prefix");
  const names = new Set(select(env, { resourceType }, {}).flatMap((asset) => asset.tags));
  const sorted = [...names].filter((name) => name.startsWith(prefix)).sort();
  const { items, cursor } = paginate(sorted, (name) => [name], params, { tags: resourceType, prefix });
  return { tags: items, ...cursor };
}

/** The account's usage; only what a backup compares (assets and bytes) is measured. */
export function usage(env: Environment): Answer {
  const assets = Object.values(env.store.state.assets);
  const versions = assets.flatMap((asset) => [...asset.backups, ...(asset.placeholder ? [] : [asset.current])]);
  const live = assets.filter((asset) => !asset.placeholder).length;
  return {
    plan: "Free",
    last_updated: new Date(env.now()).toISOString().slice(0, 10),
    date_requested: new Date(env.now()).toISOString(),
    objects: { usage: live },
    storage: { usage: versions.reduce((sum, version) => sum + version.bytes, 0) },
    requests: 0,
    resources: live,
    derived_resources: 0,
    media_limits: {
      image_max_size_bytes: 10_485_760,
      video_max_size_bytes: 104_857_600,
      raw_max_size_bytes: 10_485_760,
    },
  };
}
