/** What a sync does, decided from what Cloudinary lists and what the mirror holds. Pure. */
import type { Asset, AssetFacts } from "../../clients/cloudinary-schemas";
import { UscPisError } from "../errors";
import { assetPath } from "../layout";
import type { Held } from "./held";

export interface Plan {
  /** New or changed: their bytes are downloaded. */
  readonly fetch: readonly Asset[];
  /** Bytes as they are, but what else is known of them changed. */
  readonly describe: readonly Asset[];
  /** Bytes and facts as they are. */
  readonly same: readonly Asset[];
  /** In the mirror, and listed no more; by path. */
  readonly vanished: ReadonlyMap<string, Held>;
}

/** @param listed everything that Cloudinary listed; placeholders of deleted assets count as gone. */
export function planSync(listed: Iterable<Asset>, held: ReadonlyMap<string, Held>): Plan {
  const fetch: Asset[] = [];
  const describe: Asset[] = [];
  const same: Asset[] = [];
  const seen = new Set<string>();
  for (const asset of listed) {
    const path = assetPath(asset);
    if (asset.placeholder || seen.has(path)) continue;
    seen.add(path);
    const mirrored = held.get(path);
    if (!mirrored || difference(asset, mirrored)) fetch.push(asset);
    else if (describes(mirrored, asset.facts)) same.push(asset);
    else describe.push(asset);
  }
  return { fetch, describe, same, vanished: new Map([...held].filter(([path]) => !seen.has(path))) };
}

/** How the mirror's bytes differ from what is listed, in words; undefined where they don't (V3). */
export function difference(asset: Pick<Asset, "version" | "bytes">, held: Held | undefined): string | undefined {
  if (!held) return "is not in the mirror";
  if (held.version !== asset.version) return `is version ${held.version} in the mirror, expected ${asset.version}`;
  if (held.bytes !== asset.bytes) return `has ${held.bytes} bytes in the mirror, expected ${asset.bytes}`;
  return undefined;
}

function describes(held: Held, facts: AssetFacts): boolean {
  return held.facts !== undefined && canonical(held.facts) === canonical(facts);
}

/** JSON with sorted names: Cloudinary promises no order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/** So many may be gone at once without anybody asking why: mistakes and attacks take more than a person's tidying up. */
export interface VanishLimit {
  /** Share of the mirror, from 0 to 1. */
  readonly share: number;
  /** Never fewer than this. */
  readonly count: number;
}

export const VANISH_LIMIT: VanishLimit = { share: 0.2, count: 10 };

/** Why nobody believes that so many assets were deleted; undefined when it can be. */
export function suspicion(vanished: number, held: number, limit: VanishLimit): string | undefined {
  if (vanished <= limit.count || vanished <= held * limit.share) return undefined;
  return `${vanished} of ${held} assets are gone from Cloudinary at once: none of them was marked as deleted`;
}

/**
 * Refuses a listing that is shorter than Cloudinary's own count: one that was capped or cut must never pass for deletions.
 * @param seen what was listed, placeholders of deleted assets too, since nobody says whether they are counted.
 * @param explained assets known to be deleted lately: the count may lag behind.
 * @throws UscPisError `listing_incomplete`
 */
export function requireComplete(seen: number, counted: number, explained: number): void {
  if (seen + explained >= counted) return;
  throw new UscPisError(
    "listing_incomplete",
    `Cloudinary listed ${seen} assets, but counts ${counted}: nothing is taken for deleted`,
    { hint: "the next run lists again; if it stays so, see docs/runbooks/media.md" },
  );
}
