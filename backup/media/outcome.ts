/** What the mirror holds after a sync, as its manifest says it. Pure. */
import type { Asset } from "../../clients/cloudinary-schemas";
import { DAY_MS } from "../duration";
import { assetPath } from "../layout";
import type { Applied } from "./apply";
import type { Held, Mirror } from "./held";
import type { DeletedAsset, MediaManifest } from "./manifest";
import { difference, type Plan } from "./plan";

/** Deleted assets are told of as long as their versions are kept. */
const DELETED_DAYS = 366;
/** Cloudinary's count may lag behind deletions for so long, in ms. */
const COUNT_LAG_MS = 2 * DAY_MS;

export interface After {
  readonly assets: Held[];
  readonly deleted: DeletedAsset[];
  readonly differs: MediaManifest["differs"];
}

/**
 * @param last the manifest before, whose deleted assets are told on.
 * @param hidden paths that this sync hid.
 * @param kept vanished assets that nobody believes deleted.
 */
export function outcome(
  plan: Plan,
  mirror: Mirror,
  applied: Applied,
  hidden: ReadonlySet<string>,
  kept: ReadonlyMap<string, Held>,
  last: Pick<MediaManifest, "assets" | "deleted"> | undefined,
  now: Date,
): After {
  const assets = new Map(mirror.assets);
  for (const path of hidden) assets.delete(path);
  for (const [path, held] of [...applied.described, ...applied.fetched]) assets.set(path, held);
  for (const asset of plan.same) {
    const held = assets.get(assetPath(asset));
    if (held) assets.set(assetPath(asset), seen(held));
  }
  for (const [path, held] of kept) {
    assets.set(path, { ...held, vanishedSince: held.vanishedSince ?? now.toISOString() });
  }
  const expected = [...plan.same, ...plan.describe, ...plan.fetch].filter(
    (asset) => !applied.gone.has(assetPath(asset)),
  );
  return {
    assets: [...assets.values()].sort((a, b) => (assetPath(a) < assetPath(b) ? -1 : 1)),
    deleted: deletedNow(mirror, assets, last, now),
    differs: differences(expected, assets, applied),
  };
}

function seen({ vanishedSince: _, ...held }: Held): Held {
  return held;
}

/** What was deleted within the last year and is not back: by this sync, by one that broke off, or before. */
function deletedNow(
  mirror: Mirror,
  assets: ReadonlyMap<string, Held>,
  last: Pick<MediaManifest, "assets" | "deleted"> | undefined,
  now: Date,
): DeletedAsset[] {
  const deleted = new Map<string, DeletedAsset>();
  for (const each of last?.deleted ?? []) deleted.set(assetPath(each), each);
  for (const held of [...(last?.assets ?? []), ...mirror.assets.values()]) {
    const path = assetPath(held);
    const at = mirror.hidden.get(path) ?? now;
    if (!assets.has(path)) deleted.set(path, { ...seen(held), deletedAt: at.toISOString() });
  }
  const since = now.getTime() - DELETED_DAYS * DAY_MS;
  return [...deleted]
    .filter(([path, { deletedAt }]) => !assets.has(path) && Date.parse(deletedAt) >= since)
    .map(([, each]) => each)
    .sort((a, b) => (a.deletedAt < b.deletedAt ? 1 : -1));
}

function differences(expected: readonly Asset[], assets: ReadonlyMap<string, Held>, applied: Applied) {
  return expected.flatMap((asset) => {
    const path = assetPath(asset);
    const failed = applied.failed.get(path);
    // What changed while it was fetched is newer than its listing.
    const found = applied.fetched.has(path) ? undefined : difference(asset, assets.get(path));
    const reason = failed ?? found;
    return reason === undefined ? [] : [{ path, reason }];
  });
}

/** How many assets Cloudinary may still count although they are gone. */
export function recentlyDeleted(last: Pick<MediaManifest, "deleted"> | undefined, now: Date): number {
  const since = now.getTime() - COUNT_LAG_MS;
  return (last?.deleted ?? []).filter(({ deletedAt }) => Date.parse(deletedAt) >= since).length;
}
