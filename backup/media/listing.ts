/** Listing everything that Cloudinary holds, page by page, over more than one run if its hourly limit wants it so. */
import { z } from "zod";
import {
  type Asset,
  type AssetKind,
  assetFactsSchema,
  DELIVERY_TYPES,
  RESOURCE_TYPES,
} from "../../clients/cloudinary-schemas";
import { HttpError } from "../../clients/http";
import { HOUR_MS } from "../duration";
import type { MediaPorts } from "./ports";

/** An older listing tells of a world that is gone: it begins anew. In ms; the triggers of a day lie within. */
const LONGEST_LISTING_MS = 12 * HOUR_MS;

/** Every kind of asset whose original Cloudinary holds. */
export const KINDS: readonly AssetKind[] = RESOURCE_TYPES.flatMap((resourceType) =>
  DELIVERY_TYPES.map((type) => ({ resourceType, type })),
);

const progressSchema = z.object({
  version: z.literal(1),
  /** Run that began it. */
  id: z.string(),
  startedAt: z.iso.datetime(),
  /** What Cloudinary counted before the first page. */
  counted: z.number().int().nonnegative().optional(),
  /** Kinds that are listed to their end. */
  done: z.number().int().min(0).max(KINDS.length),
  /** Where the next page of the kind at work begins. */
  cursor: z.string().optional(),
  assets: z.array(
    z.object({
      resourceType: z.enum(RESOURCE_TYPES),
      type: z.enum(DELIVERY_TYPES),
      publicId: z.string(),
      version: z.number(),
      bytes: z.number(),
      format: z.string().optional(),
      url: z.string(),
      placeholder: z.boolean(),
      facts: assetFactsSchema,
    }),
  ),
});
export type Progress = z.infer<typeof progressSchema>;

export function newProgress(id: string, now: Date): Progress {
  return { version: 1, id, startedAt: now.toISOString(), done: 0, assets: [] };
}

/**
 * A listing that had to stop, if it can be gone on with.
 * @param lastListedAt when the listing began that the last manifest follows: one that ended there has nothing left to do.
 */
export function resumable(text: string | undefined, now: Date, lastListedAt: string | undefined): Progress | undefined {
  if (text === undefined) return undefined;
  let progress: Progress;
  try {
    progress = progressSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
  const age = now.getTime() - Date.parse(progress.startedAt);
  const ended = lastListedAt !== undefined && progress.startedAt <= lastListedAt;
  return ended || age > LONGEST_LISTING_MS || age < 0 ? undefined : progress;
}

export function isComplete(progress: Progress): boolean {
  return progress.done === KINDS.length;
}

/**
 * Lists to the end, noting each page in `progress`, which says after a failure how far it came.
 * @throws BudgetError when the hour's calls are used up
 */
export async function listAll(
  cloudinary: MediaPorts["cloudinary"],
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  progress.counted ??= (await cloudinary.usage(signal)).resources;
  let fresh = false;
  while (!isComplete(progress)) {
    const kind = KINDS[progress.done] as AssetKind;
    let page: { assets: Asset[]; next: string | undefined };
    try {
      page = await cloudinary.page(kind, progress.cursor, signal);
    } catch (error) {
      if (fresh || !isStaleCursor(error, progress)) throw error;
      // Cloudinary forgets cursors after a while.
      Object.assign(progress, { done: 0, cursor: undefined, assets: [] });
      fresh = true;
      continue;
    }
    progress.assets.push(...page.assets);
    progress.cursor = page.next;
    if (page.next === undefined) progress.done++;
  }
}

function isStaleCursor(error: unknown, progress: Progress): boolean {
  return progress.cursor !== undefined && error instanceof HttpError && error.status === 400;
}
