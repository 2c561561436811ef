import type { DatabaseFacts } from "../clients/database";
import type { Heroku } from "../clients/heroku";
import type { Metrics } from "../clients/metrics";
import type { Pace } from "../clients/retry";
import type { Vault } from "../clients/vault";
import type { BackupClass, RetentionDays } from "./classes";
import type { PointerVault } from "./current-app";
import type { Download } from "./download";
import type { RunStore } from "./run-record";
import type { DailySchedule } from "./slot";

export interface Log {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
}

/** Everything a capture touches outside itself, so that tests stage each failure and the clock. */
export interface CapturePorts {
  readonly heroku: Pick<
    Heroku,
    | "configVars"
    | "currentRelease"
    | "addon"
    | "resolveAttachment"
    | "transfers"
    | "transfer"
    | "startCapture"
    | "publicUrl"
    | "deleteTransfer"
    | "cancelTransfer"
    | "schedules"
    | "setSchedule"
    | "deleteSchedule"
  >;
  /** The side that backups are written to. */
  readonly vault: Pick<
    Vault,
    "side" | "bucket" | "putStream" | "putText" | "getText" | "list" | "head" | "ensureRetention" | "abortUploads"
  >;
  /** The other side: only the pointer to the current app is read there. */
  readonly otherVault: PointerVault;
  readonly inspect: (databaseUrl: string, signal?: AbortSignal) => Promise<DatabaseFacts>;
  readonly download: (url: string, signal?: AbortSignal) => Promise<Download>;
  readonly runs: RunStore;
  readonly metrics: Pick<Metrics, "put">;
  readonly pace: Pace;
  readonly log: Log;
}

export interface CaptureSettings {
  readonly system: string;
  readonly app: string;
  readonly retention: RetentionDays;
  /** Heroku's own daily backup (D1). */
  readonly herokuSchedule: DailySchedule;
  /** @default 60 */
  readonly intervalMinutes?: number;
  /** Larger dumps are refused before they are fetched. @default LARGEST_DUMP_BYTES */
  readonly maxDumpBytes?: number;
}

/** 20 GiB: what Heroku's captures are meant for, and what a function carries within its 15 minutes. */
export const LARGEST_DUMP_BYTES = 20 * 1024 ** 3;

export interface CaptureRequest {
  readonly trigger: "schedule" | "manual";
  /** Who or what asked for it: goes into the manifest. */
  readonly requestedBy: string;
  /** @default the longest-lived class that is due */
  readonly class?: BackupClass;
  /** Names a manual request: the same one a second time is answered with what the first one made. */
  readonly request?: string;
}

/** What a run that did not fail came to. */
export type CaptureResult =
  | {
      readonly outcome: "captured";
      readonly status: "success" | "suspect";
      readonly id: string;
      readonly class: BackupClass;
      readonly bytes: number;
      readonly sha256: string;
      readonly seconds: number;
      readonly takenAt: string;
      readonly exact: boolean;
      readonly bucket: string;
      readonly notes: readonly string[];
    }
  | { readonly outcome: "already_done"; readonly id: string; readonly slot: string }
  | { readonly outcome: "busy" }
  | { readonly outcome: "refused"; readonly reason: string };
