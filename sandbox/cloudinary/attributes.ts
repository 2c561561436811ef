/** The attributes of stored assets that can be changed: tags, context, metadata, place and name. */
import { findAsset, requireAsset, uploadAnswer } from "./assets";
import { ids, list, metadata, pairs, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { changeEvents, type Event } from "./events";
import { withMetadata } from "./metadata-fields";
import { deliveryType, IDENTIFYING, noEffect, UPDATABLE } from "./parameters";
import type { Params } from "./signature";
import type { Asset } from "./store";

type Answer = Record<string, unknown>;

/** Public ids that one call of tags, context or metadata may name. */
const MAX_IDS = 1000;

/** Runs a change on each asset and answers what the webhooks say of it. Nothing is left half changed when it throws. */
export function changing(assets: readonly Asset[], change: (asset: Asset) => void): Event[] {
  const changes = assets.map((asset) => {
    const after = structuredClone(asset);
    change(after);
    return { before: structuredClone(asset), after };
  });
  for (const [index, { after }] of changes.entries()) Object.assign(assets[index] as Asset, after);
  return changeEvents(changes);
}

/** The updatable attributes, as `explicit` and the Admin API's update share them. */
export function update(env: Environment, asset: Asset, params: Params): Event[] {
  const unknown = Object.keys(params).find(
    (name) => !UPDATABLE.has(name) && !IDENTIFYING.has(name) && !noEffect(name, text(params, name)),
  );
  if (unknown !== undefined) throw notCarriedOut(`updating ${unknown}`);
  const events = changing([asset], (changed) => {
    if (params.tags !== undefined) changed.tags = [...new Set(list(params, "tags"))];
    if (params.context !== undefined) changed.context = pairs(text(params, "context"));
    if (params.metadata !== undefined) {
      changed.metadata = withMetadata(env, changed.metadata, metadata(text(params, "metadata")));
    }
    if (params.asset_folder !== undefined) changed.asset_folder = text(params, "asset_folder");
    if (params.display_name !== undefined) changed.display_name = text(params, "display_name");
  });
  return events.map((event) => ({ ...event, notificationUrl: text(params, "notification_url") }));
}

export async function explicit(env: Environment, resourceType: string, params: Params): Promise<Answer> {
  if (text(params, "type") === "") throw new CloudinaryError(400, "Missing required parameter - type");
  const asset = requireAsset(env, resourceType, deliveryType(text(params, "type")), text(params, "public_id"));
  await env.notifications.fire(...update(env, asset, params));
  return uploadAnswer(env, asset);
}

function named(env: Environment, resourceType: string, params: Params): Asset[] {
  const wanted = ids(params, "public_ids");
  if (wanted.length === 0) throw new CloudinaryError(400, "Missing required parameter - public_ids");
  if (wanted.length > MAX_IDS) throw new CloudinaryError(400, `Too many public_ids (${wanted.length} > ${MAX_IDS})`);
  const type = deliveryType(text(params, "type"));
  return [...new Set(wanted)].flatMap((id) => findAsset(env, resourceType, type, id) ?? []);
}

export async function tags(env: Environment, resourceType: string, params: Params): Promise<Answer> {
  const assets = named(env, resourceType, params);
  const given = list(params, "tag");
  const command = text(params, "command");
  if (given.length === 0 && command !== "remove_all") {
    throw new CloudinaryError(400, "Missing required parameter - tag");
  }
  const commands: Record<string, (before: string[]) => string[]> = {
    add: (before) => [...new Set([...before, ...given])],
    set_exclusive: (before) => [...new Set([...before, ...given])],
    remove: (before) => before.filter((tag) => !given.includes(tag)),
    replace: () => [...new Set(given)],
    remove_all: () => [],
  };
  const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (run === undefined) throw new CloudinaryError(400, `Invalid command ${command}`);
  const others =
    command === "set_exclusive"
      ? Object.values(env.store.state.assets).filter(
          (other) => other.resource_type === resourceType && !other.placeholder && !assets.includes(other),
        )
      : [];
  const events = changing([...assets, ...others], (asset) => {
    const isNamed = assets.some(({ asset_id }) => asset_id === asset.asset_id);
    asset.tags = isNamed ? run(asset.tags) : asset.tags.filter((tag) => !given.includes(tag));
  });
  await env.notifications.fire(...events);
  return { public_ids: assets.map((asset) => asset.public_id) };
}

export async function context(env: Environment, resourceType: string, params: Params): Promise<Answer> {
  const assets = named(env, resourceType, params);
  const command = text(params, "command");
  if (command !== "add" && command !== "remove_all") throw new CloudinaryError(400, `Invalid command ${command}`);
  const given = pairs(text(params, "context"));
  const events = changing(assets, (asset) => {
    asset.context = command === "add" ? { ...asset.context, ...given } : {};
  });
  await env.notifications.fire(...events);
  return { public_ids: assets.map((asset) => asset.public_id) };
}

export async function updateMetadata(env: Environment, resourceType: string, params: Params): Promise<Answer> {
  const assets = named(env, resourceType, params);
  if (text(params, "metadata") === "") throw new CloudinaryError(400, "Missing required parameter - metadata");
  const given = metadata(text(params, "metadata"));
  const events = changing(assets, (asset) => {
    asset.metadata = withMetadata(env, asset.metadata, given);
  });
  await env.notifications.fire(...events);
  return { public_ids: assets.map((asset) => asset.public_id) };
}
