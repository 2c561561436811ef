/** Admin API: what the product environment uses, its settings, and the tags in use. */

import { text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError } from "./errors";
import { paginate } from "./pages";
import type { Params } from "./signature";

/** Credits of the free plan; a gigabyte of storage costs one. */
const CREDITS = 25;
const BYTES_A_CREDIT = 1024 ** 3;

/** The account's usage. Storage and counts are measured, backups included; delivery and transformations are not. */
export function usage(env: Environment) {
  const assets = Object.values(env.store.state.assets);
  const versions = assets.flatMap((asset) => [...asset.backups, ...(asset.placeholder ? [] : [asset.current])]);
  const live = assets.filter((asset) => !asset.placeholder).length;
  const bytes = versions.reduce((sum, version) => sum + version.bytes, 0);
  const credits = Math.round((bytes / BYTES_A_CREDIT) * 100) / 100;
  return {
    plan: "Free",
    last_updated: new Date(env.now()).toISOString().slice(0, 10),
    date_requested: `${new Date(env.now()).toISOString().slice(0, 10)}T00:00:00Z`,
    transformations: { usage: 0, credits_usage: 0 },
    objects: { usage: live },
    bandwidth: { usage: 0, credits_usage: 0 },
    storage: { usage: bytes, credits_usage: credits },
    credits: { usage: credits, limit: CREDITS, used_percent: Math.round((credits / CREDITS) * 10_000) / 100 },
    requests: 0,
    resources: live,
    derived_resources: 0,
    media_limits: {
      image_max_size_bytes: env.maxBytes.image,
      video_max_size_bytes: env.maxBytes.video,
      raw_max_size_bytes: env.maxBytes.raw,
    },
  };
}

export function config(env: Environment, withSettings: boolean) {
  const shown = { cloud_name: env.cloudName, created_at: new Date(0).toISOString() };
  return withSettings ? { ...shown, settings: { folder_mode: "dynamic" } } : shown;
}

/** Tags in use with one resource type. */
export function tagNames(env: Environment, resourceType: string, params: Params) {
  if (!["image", "raw", "video"].includes(resourceType)) {
    throw new CloudinaryError(400, `Invalid resource_type ${resourceType}`);
  }
  const prefix = text(params, "prefix");
  const tagged = Object.values(env.store.state.assets).filter((asset) => asset.resource_type === resourceType);
  const names = new Set(tagged.flatMap((asset) => asset.tags));
  const sorted = [...names].filter((name) => name.startsWith(prefix)).sort();
  const { items, cursor } = paginate(env, sorted, (name) => [name], params, { tags: resourceType, prefix });
  return { tags: items, ...cursor };
}
