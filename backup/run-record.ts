import { z } from "zod";
import { BACKUP_CLASSES } from "./classes";

/** Records of runs are kept this long (A1). */
export const RUN_RECORD_DAYS = 400;

/** One run, as the table holds it (A1). Rebuilt from manifests and verdicts if the table is lost. */
export const runRecordSchema = z.object({
  /** Backup id: time-ordered, so that the table lists runs in order. */
  id: z.string(),
  type: z.enum(["database", "media", "full"]),
  status: z.enum(["in_progress", "success", "failed", "suspect"]),
  class: z.enum(BACKUP_CLASSES).optional(),
  app: z.string(),
  trigger: z.enum(["schedule", "manual"]),
  requestedBy: z.string(),
  /** Names a manual request, so that one that arrives twice is done once. */
  request: z.string().optional(),
  slot: z.string(),
  startedAt: z.iso.datetime(),
  completedAt: z.iso.datetime().optional(),
  bytes: z.number().int().nonnegative().optional(),
  /** Media only: how many the mirror holds. */
  assets: z.number().int().nonnegative().optional(),
  /** SHA-256 in hex. */
  checksum: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  /** What was put right or went wrong beside the backup. */
  notes: z.array(z.string()).default([]),
  /** Heroku's own copy, from the moment we asked for it until it is removed. */
  herokuCopy: z
    .object({ app: z.string(), uuid: z.string(), num: z.number().int(), state: z.enum(["present", "removed"]) })
    .optional(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

/** Where runs are recorded, and the lock that lets one run at a time work. */
export interface RunStore {
  /** Takes the lock of a kind, or one whose lease has run out. @returns false while another owner holds it. */
  acquireLock(kind: string, owner: string, now: Date, leaseMs: number): Promise<boolean>;
  /** @returns false when the lock is no longer this owner's. */
  renewLock(kind: string, owner: string, now: Date, leaseMs: number): Promise<boolean>;
  /** Does nothing when the lock is another's. */
  releaseLock(kind: string, owner: string): Promise<void>;
  put(record: RunRecord): Promise<void>;
  get(id: string): Promise<RunRecord | undefined>;
  /** Newest first. */
  newest(limit: number): Promise<RunRecord[]>;
}
