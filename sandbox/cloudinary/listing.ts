/** Admin API: listings of assets, page by page. */
import { summary } from "./assets";
import { flag, ids, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { compare, paginate } from "./pages";
import type { Params } from "./signature";
import { type Asset, assetKey } from "./store";

type Answer = Record<string, unknown>;

/** Ids that one request may name. */
export const MAX_NAMED = 100;

/** Which assets a listing or a deletion is about. */
export interface Filter {
  resourceType?: string;
  type?: string;
  tag?: string;
  folder?: string;
  context?: { key: string; value?: string };
}

export function select(env: Environment, filter: Filter, prefix = ""): Asset[] {
  const { context } = filter;
  return Object.values(env.store.state.assets).filter(
    (asset) =>
      (filter.resourceType === undefined || asset.resource_type === filter.resourceType) &&
      (filter.type === undefined || asset.type === filter.type) &&
      (filter.tag === undefined || asset.tags.includes(filter.tag)) &&
      (filter.folder === undefined || (asset.asset_folder === filter.folder && !asset.placeholder)) &&
      (context === undefined ||
        (context.key in asset.context && hasValue(asset.context[context.key], context.value))) &&
      asset.public_id.startsWith(prefix),
  );
}

function hasValue(found: string | undefined, wanted: string | undefined): boolean {
  return wanted === undefined || found === wanted;
}

/**
 * A page of a listing: newest first unless `direction` says otherwise, but by public id when a prefix is given, as
 * documented. Listings carry no checksum, as on Cloudinary.
 */
export function page(env: Environment, params: Params, filter: Filter): Answer {
  const wanted = ids(params, "public_ids");
  if (wanted.length > 0) return byIds(env, wanted, filter, params);
  if (flag(params, "moderations") === true) throw notCarriedOut("listing moderations");
  const prefix = text(params, "prefix");
  const direction = text(params, "direction") || "desc";
  if (!["asc", "desc", "1", "-1"].includes(direction)) {
    throw new CloudinaryError(400, `Invalid value ${direction} for parameter direction`);
  }
  const startAt = text(params, "start_at") === "" ? undefined : Date.parse(text(params, "start_at"));
  if (Number.isNaN(startAt)) throw new CloudinaryError(400, `Invalid start_at ${text(params, "start_at")}`);
  if (startAt !== undefined && prefix !== "") {
    throw new CloudinaryError(400, "start_at is not supported together with prefix");
  }
  const ascending = prefix !== "" || direction === "asc" || direction === "1";
  const keyOf = (asset: Asset) =>
    prefix === "" ? [Date.parse(asset.created_at), asset.asset_id] : [asset.public_id, asset.asset_id];
  const sorted = select(env, filter, prefix)
    .filter(({ created_at }) => {
      if (startAt === undefined) return true;
      return ascending ? Date.parse(created_at) >= startAt : Date.parse(created_at) <= startAt;
    })
    .sort((a, b) => (ascending ? 1 : -1) * compare(keyOf(a), keyOf(b)));
  const query = { ...filter, prefix, direction, startAt };
  const { items, cursor } = paginate(env, sorted, keyOf, params, query);
  return { resources: items.map((asset) => listed(env, asset, params)), ...cursor };
}

function requireFew(name: string, wanted: readonly string[]): void {
  if (wanted.length > MAX_NAMED) throw new CloudinaryError(400, `Too many ${name} (${wanted.length} > ${MAX_NAMED})`);
}

function byIds(env: Environment, wanted: string[], filter: Filter, params: Params): Answer {
  requireFew("public_ids", wanted);
  const found = wanted.flatMap((id) => {
    const asset = env.store.state.assets[assetKey(filter.resourceType ?? "image", filter.type ?? "upload", id)];
    return asset === undefined ? [] : [asset];
  });
  return { resources: found.map((asset) => listed(env, asset, params)) };
}

export function byAssetIds(env: Environment, params: Params): Answer {
  const wanted = ids(params, "asset_ids");
  requireFew("asset_ids", wanted);
  if (wanted.length === 0) throw new CloudinaryError(400, "Missing required parameter - asset_ids");
  const found = select(env, {}).filter((asset) => wanted.includes(asset.asset_id));
  return { resources: found.map((asset) => listed(env, asset, params)) };
}

/** `fields` names what is shown, whatever the switches say; without it they add tags, context and metadata. */
function listed(env: Environment, asset: Asset, params: Params): Answer {
  const fields = text(params, "fields");
  const custom = Object.keys(asset.context).length > 0 ? { context: { custom: asset.context } } : {};
  const shows = (name: string) => fields !== "" || flag(params, name) === true;
  const all: Answer = {
    ...summary(env, asset),
    ...(shows("tags") ? { tags: asset.tags } : {}),
    ...(shows("context") ? custom : {}),
    ...(shows("metadata") ? { metadata: asset.metadata } : {}),
  };
  if (fields === "") return all;
  const wanted = new Set([...fields.split(",").map((field) => field.trim()), "asset_id", "public_id"]);
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name)));
}
