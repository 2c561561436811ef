/** Carries out what a sync decided. Nothing here decides more than the order. */
import { BudgetError, MAX_IDS } from "../../clients/cloudinary";
import type { Asset, AssetKind } from "../../clients/cloudinary-schemas";
import { UscPisError } from "../errors";
import { assetPath, mediaKeys } from "../layout";
import { toError } from "../sides";
import type { Held, Mirror } from "./held";
import { KINDS } from "./listing";
import { difference, type Plan } from "./plan";
import { inPool } from "./pool";
import type { MediaPorts, MediaSettings } from "./ports";
import { describeAsset, mirrorAsset } from "./transfer";

const WRITES_AT_ONCE = 8;
/** So many assets failed that something common to them is wrong. */
const TOO_MANY_FAILURES = 20;

/** What came of it, by path. */
export interface Applied {
  readonly fetched: Map<string, Held>;
  readonly described: Map<string, Held>;
  /** Deleted on Cloudinary between listing and download. */
  readonly gone: Set<string>;
  readonly failed: Map<string, string>;
}

/**
 * Asks for the vanished ones by name: a listing that missed one of them is not believed at all.
 * @returns those that are there after all because somebody uploaded them anew meanwhile
 * @throws UscPisError `listing_incomplete`
 */
export async function confirmGone(
  vanished: readonly Held[],
  cloudinary: MediaPorts["cloudinary"],
  signal: AbortSignal,
): Promise<Asset[]> {
  const back: Asset[] = [];
  for (const kind of KINDS) {
    const ids = vanished.filter((held) => sameKind(held, kind)).map(({ publicId }) => publicId);
    for (let start = 0; start < ids.length; start += MAX_IDS) {
      const found = await cloudinary.byIds(kind, ids.slice(start, start + MAX_IDS), signal);
      back.push(...found.filter(({ placeholder }) => !placeholder));
    }
    const missed = back.find((asset) =>
      vanished.some((held) => assetPath(held) === assetPath(asset) && !difference(asset, held)),
    );
    if (missed) {
      throw new UscPisError(
        "listing_incomplete",
        `Cloudinary did not list ${assetPath(missed)}, but has it: nothing is taken for deleted`,
        { hint: "the next run lists again; if it stays so, see docs/runbooks/media.md" },
      );
    }
  }
  return back;
}

function sameKind(a: AssetKind, b: AssetKind): boolean {
  return a.resourceType === b.resourceType && a.type === b.type;
}

/** Downloads and describes. One asset's failure is noted and does not hold up the others; the vault's ends it all. */
export async function applyPlan(
  plan: Pick<Plan, "fetch" | "describe">,
  mirror: Mirror,
  settings: MediaSettings,
  ports: MediaPorts,
  signal: AbortSignal,
): Promise<Applied> {
  const applied: Applied = { fetched: new Map(), described: new Map(), gone: new Set(), failed: new Map() };
  await inPool(plan.describe, WRITES_AT_ONCE, async (asset) => {
    const path = assetPath(asset);
    const held = mirror.assets.get(path) as Held;
    applied.described.set(path, await describeAsset(asset, held, settings, ports, signal));
  });
  await inPool(plan.fetch, settings.downloads ?? 4, async (asset) => {
    signal.throwIfAborted();
    const path = assetPath(asset);
    try {
      const held = await mirrorAsset(asset, mirror.assets.get(path), mirror.etags.get(path), settings, ports, signal);
      if (held) applied.fetched.set(path, held);
      else applied.gone.add(path);
    } catch (error) {
      signal.throwIfAborted();
      if (!isOfOneAsset(error)) throw error;
      applied.failed.set(path, toError(error).message);
      ports.log.warn("an asset could not be mirrored", { path, error: toError(error).message });
      if (applied.failed.size >= TOO_MANY_FAILURES) {
        throw new UscPisError(
          "too_many_failures",
          `${applied.failed.size} assets could not be mirrored, the last: ${toError(error).message}`,
          {
            cause: error,
          },
        );
      }
    }
  });
  return applied;
}

function isOfOneAsset(error: unknown): boolean {
  if (error instanceof BudgetError || !(error instanceof UscPisError)) return false;
  return ["download_failed", "truncated", "media_differs", "stored_differs", "exists"].includes(error.code);
}

/** Hides what is deleted: bytes first, so that what breaks off between leaves facts that the next run finds without bytes. */
export async function hideAssets(
  paths: Iterable<string>,
  { system }: MediaSettings,
  { media }: Pick<MediaPorts, "media">,
  signal: AbortSignal,
): Promise<void> {
  await inPool(paths, WRITES_AT_ONCE, async (path) => {
    const keys = mediaKeys(system, path);
    await media.hide(keys.asset, signal);
    await media.hide(keys.facts, signal);
  });
}
