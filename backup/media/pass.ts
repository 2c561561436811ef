import { Digest } from "../digest";
import { mediaManifestKey } from "../layout";
import { writeOnce } from "../stored";
import { applyPlan, confirmGone, hideAssets } from "./apply";
import { readMirror } from "./held";
import type { Progress } from "./listing";
import { type MediaManifest, mediaManifestSchema } from "./manifest";
import { type After, outcome, recentlyDeleted } from "./outcome";
import { planSync, requireComplete, suspicion, VANISH_LIMIT } from "./plan";
import type { MediaPorts, MediaRequest, MediaSettings } from "./ports";
import { mediaRetainUntil } from "./transfer";

/** What a pass stands on: a complete listing, and the manifest before. */
export interface Pass {
  readonly id: string;
  readonly startedAt: string;
  readonly slot: string;
  readonly progress: Progress;
  readonly last: MediaManifest | undefined;
}

export interface Passed {
  readonly manifest: MediaManifest;
  /** Of the manifest's text. */
  readonly digest: Digest;
  /** Gone from Cloudinary, but not marked as deleted. */
  readonly vanished: number;
}

/** From a complete listing to a mirror that equals it, and the manifest that says so. */
export async function mirrorListing(
  pass: Pass,
  request: MediaRequest,
  settings: MediaSettings,
  ports: MediaPorts,
  signal: AbortSignal,
): Promise<Passed> {
  const { cloudinary, media, pace } = ports;
  const { last, progress } = pass;
  const before = await readMirror(media, settings.system, last?.assets ?? [], signal);
  const listed = planSync(progress.assets, before.assets);
  const back = await confirmGone([...listed.vanished.values()], cloudinary, signal);
  const plan = back.length === 0 ? listed : planSync([...progress.assets, ...back], before.assets);
  await requireWhole(pass, plan.vanished.size + back.length, ports, signal);

  const accepted = request.acceptDeletions === true;
  const limit = settings.vanishLimit ?? VANISH_LIMIT;
  const doubt = accepted ? undefined : suspicion(plan.vanished.size, before.assets.size, limit);
  // Once in doubt, an asset stays until it is back or a person decides.
  const kept = new Map([...plan.vanished].filter(([, held]) => doubt || (!accepted && held.vanishedSince)));
  const applied = await applyPlan(plan, before, settings, ports, signal);
  const hide = new Set([...plan.vanished.keys()].filter((path) => !kept.has(path)));
  const orphans = before.orphans.filter((path) => !applied.fetched.has(path));
  await hideAssets([...hide, ...orphans], settings, ports, signal);

  const after = outcome(plan, before, applied, hide, kept, last, pace.now());
  const manifest = tell(pass, after, request, settings, ports, {
    listed: plan.fetch.length + plan.describe.length + plan.same.length,
    fetched: applied.fetched.size,
    described: applied.described.size,
    deleted: hide.size,
    assessment: assess(after, kept.size, doubt),
  });
  const text = `${JSON.stringify(manifest)}\n`;
  await writeOnce(mediaManifestKey(settings.system, manifest.id), text, mediaRetainUntil(pace.now()), media, signal);
  return { manifest, digest: Digest.ofBytes(text), vanished: kept.size };
}

/** Cloudinary's count is asked for once more before the listing is refused: assets come and go meanwhile. */
async function requireWhole(
  { progress, last, startedAt }: Pass,
  confirmed: number,
  { cloudinary }: MediaPorts,
  signal: AbortSignal,
): Promise<void> {
  const explained = recentlyDeleted(last, new Date(startedAt)) + confirmed;
  const seen = progress.assets.length;
  let counted = progress.counted ?? 0;
  if (seen + explained < counted) counted = Math.min(counted, (await cloudinary.usage(signal)).resources);
  requireComplete(seen, counted, explained);
}

function assess({ differs }: After, kept: number, doubt: string | undefined): MediaManifest["assessment"] {
  const reasons = differs.map(({ path, reason }) => `${path}: ${reason}`);
  if (doubt) reasons.unshift(doubt);
  else if (kept > 0) reasons.unshift(`${kept} assets are still gone from Cloudinary, and nobody said that they may go`);
  return { status: differs.length > 0 ? "failed" : kept > 0 ? "suspect" : "success", reasons: reasons.slice(0, 100) };
}

type Done = Pick<MediaManifest["counts"], "listed" | "fetched" | "described" | "deleted"> &
  Pick<MediaManifest, "assessment">;

function tell(
  { id, startedAt, slot, progress }: Pass,
  after: After,
  request: MediaRequest,
  { system, app }: MediaSettings,
  { cloudinary, pace }: MediaPorts,
  { assessment, ...counts }: Done,
): MediaManifest {
  return mediaManifestSchema.parse({
    version: 1,
    id,
    type: "media",
    system,
    app,
    cloudName: cloudinary.cloudName,
    trigger: {
      kind: request.trigger,
      requestedBy: request.requestedBy,
      ...(request.request === undefined ? {} : { request: request.request }),
    },
    slot,
    startedAt,
    listedAt: progress.startedAt,
    completedAt: pace.now().toISOString(),
    counts: {
      ...counts,
      counted: progress.counted ?? 0,
      mirrored: after.assets.length,
      bytes: after.assets.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    ...after,
    assessment,
  } satisfies MediaManifest);
}
