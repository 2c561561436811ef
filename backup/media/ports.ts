import type { Cloudinary } from "../../clients/cloudinary";
import type { Metrics } from "../../clients/metrics";
import type { Vault } from "../../clients/vault";
import type { Log } from "../capture-ports";
import type { PointerVault } from "../current-app";
import type { Download } from "../download";
import type { JobPorts, NotRun } from "../job";
import type { VanishLimit } from "./plan";

/**
 * Days for which no new version of a mirrored asset can be deleted by anyone but the break-glass role. What the lock does
 * not hold any more, the bucket's policy does.
 */
export const MEDIA_LOCK_DAYS = 30;

/** The side of the mirror that is written. */
export type MediaVault = Pick<
  Vault,
  | "side"
  | "bucket"
  | "putStream"
  | "putText"
  | "getText"
  | "list"
  | "listVersions"
  | "head"
  | "hide"
  | "ensureRetention"
>;

/** Everything that a media sync touches outside itself, so that tests stage each failure and the clock. */
export interface MediaPorts extends Omit<JobPorts, "pointers"> {
  readonly cloudinary: Pick<Cloudinary, "cloudName" | "calls" | "page" | "byIds" | "details" | "usage" | "downloadUrl">;
  readonly media: MediaVault;
  /** Both sides of the vault, for the pointer to the current app. */
  readonly vault: PointerVault;
  readonly otherVault: PointerVault;
  /** @param what for messages: the URL is a secret. */
  readonly download: (url: string, what: string, signal?: AbortSignal) => Promise<Download>;
  readonly metrics: Pick<Metrics, "put">;
  readonly log: Log;
}

export interface MediaSettings {
  readonly system: string;
  readonly app: string;
  /** @default VANISH_LIMIT */
  readonly vanishLimit?: VanishLimit;
  /** Downloads at a time. @default 4 */
  readonly downloads?: number;
}

export interface MediaRequest {
  readonly trigger: "schedule" | "manual";
  /** Who or what asked for it: goes into the manifest. */
  readonly requestedBy: string;
  /** Names a manual request: the same one a second time is answered with what the first one made. */
  readonly request?: string;
  /** A person looked: so many deletions at once are meant. */
  readonly acceptDeletions?: boolean;
}

/** What a run that did not fail came to. */
export type MediaResult =
  | {
      readonly outcome: "synced";
      readonly status: "success" | "suspect";
      readonly id: string;
      readonly assets: number;
      readonly bytes: number;
      readonly fetched: number;
      readonly described: number;
      readonly deleted: number;
      /** Gone from Cloudinary, but not marked as deleted. */
      readonly vanished: number;
      /** Requests to Cloudinary's Admin API. */
      readonly calls: number;
      readonly seconds: number;
      readonly bucket: string;
      readonly notes: readonly string[];
    }
  | {
      /** Cloudinary's calls of this hour are used up; the next trigger goes on. */
      readonly outcome: "paused";
      readonly id: string;
      readonly resumeAt: string;
      readonly listed: number;
      readonly notes: readonly string[];
    }
  | { readonly outcome: "already_done"; readonly id: string; readonly slot: string }
  | NotRun;
