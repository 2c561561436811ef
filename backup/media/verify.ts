import type { Vault } from "../../clients/vault";
import { assetPath } from "../layout";
import { type Held, type MirrorVault, readMirror } from "./held";
import { listAll, newProgress } from "./listing";
import { newestMediaManifest } from "./manifest";
import { recentlyDeleted } from "./outcome";
import { difference, planSync, requireComplete } from "./plan";
import type { MediaPorts } from "./ports";

/** Whether the mirror is what Cloudinary lists (V3), asset by asset. */
export interface Parity {
  /** `pass` when every listed asset is in the mirror with equal size and version. */
  readonly status: "pass" | "fail";
  readonly bucket: string;
  readonly listed: number;
  readonly mirrored: number;
  readonly bytes: number;
  readonly differs: readonly { readonly path: string; readonly reason: string }[];
  /** In the mirror, and listed no more: the next sync hides them, or a person has to look. */
  readonly vanished: readonly string[];
  /** Equal bytes, but tags, context, metadata or folder changed since they were written. */
  readonly described: readonly string[];
}

/**
 * Compares without changing anything. Everything is listed and read anew; of the last manifest only the deletions are
 * believed, behind which Cloudinary's count may lag.
 * @throws UscPisError `listing_incomplete`, BudgetError
 */
export async function verifyMedia(
  system: string,
  cloudinary: MediaPorts["cloudinary"],
  media: MirrorVault & Pick<Vault, "list">,
  now: Date,
  signal: AbortSignal,
): Promise<Parity> {
  const progress = newProgress("verify", now);
  const [mirror] = await Promise.all([readMirror(media, system, [], signal), listAll(cloudinary, progress, signal)]);
  const plan = planSync(progress.assets, mirror.assets);
  const last = await newestMediaManifest(media, system, now, signal);
  requireComplete(progress.assets.length, progress.counted ?? 0, recentlyDeleted(last, now) + plan.vanished.size);
  const differs = plan.fetch.map((asset) => {
    const path = assetPath(asset);
    return { path, reason: difference(asset, mirror.assets.get(path)) ?? "" };
  });
  const held: Held[] = [...mirror.assets.values()];
  return {
    status: differs.length === 0 ? "pass" : "fail",
    bucket: media.bucket,
    listed: plan.fetch.length + plan.describe.length + plan.same.length,
    mirrored: held.length,
    bytes: held.reduce((sum, { bytes }) => sum + bytes, 0),
    differs,
    vanished: [...plan.vanished.keys()].sort(),
    described: plan.describe.map(assetPath),
  };
}
