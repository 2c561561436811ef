import { randomUUID } from "node:crypto";
import type { Pace } from "../clients/retry";
import type { Log } from "./capture-ports";
import { type PointerVault, readCurrentApp, requireCurrentApp } from "./current-app";
import { UscPisError } from "./errors";
import { takeLease } from "./lease";
import type { RunRecord, RunStore } from "./run-record";

/** A manual run waits this long for a running one, in ms: most take a minute or two. */
const WAIT_FOR_LOCK_MS = 5 * 60_000;
/** What is left for tidying up and telling after a failure, in ms. A handler's signal must leave more than this. */
export const AFTERMATH_MS = 12_000;

/** What every job that writes backups touches, whatever it backs up. */
export interface JobPorts {
  /** Both sides of the vault, where the pointer to the current app lies. */
  readonly pointers: readonly PointerVault[];
  readonly runs: RunStore;
  readonly pace: Pace;
  readonly log: Log;
}

export interface Job {
  /** Name of the lock: one run of a kind at a time. */
  readonly kind: Exclude<RunRecord["type"], "full">;
  readonly system: string;
  readonly app: string;
  readonly trigger: RunRecord["trigger"];
}

/** A job that did not run, which is no failure. */
export type NotRun = { readonly outcome: "busy" } | { readonly outcome: "refused"; readonly reason: string };

export interface Work<T> {
  /** Told when it failed before the work began; the work itself tells of its own failures. */
  readonly countFailure: () => Promise<void>;
  /** What is there already, as far as can be seen without the lock; undefined when the work has to look for itself. */
  readonly done?: (signal: AbortSignal) => Promise<T | undefined>;
  readonly run: (signal: AbortSignal) => Promise<T>;
}

/** Runs the work of the current app's job, one at a time. A scheduled run gives way to one at work, a manual one waits. */
export async function runJob<T>(
  job: Job,
  ports: JobPorts,
  { countFailure, done, run }: Work<T>,
  signal: AbortSignal,
): Promise<T | NotRun> {
  const { log } = ports;
  try {
    const { pointer, failures } = await readCurrentApp(ports.pointers, job.system, signal);
    for (const { side, error } of failures)
      log.warn(`the ${side} side of the vault does not answer`, { error: error.message });
    requireCurrentApp(pointer, job.app);
  } catch (error) {
    if (error instanceof UscPisError && error.code === "not_current_app") {
      // Not a failure of the system's backups: the metric is the system's, and the current app takes care of them.
      log.warn(error.message, { hint: error.hint });
      return { outcome: "refused", reason: error.message };
    }
    await countFailure();
    throw error;
  }
  // A look that fails decides nothing: the work looks again, and tells.
  const before = await done?.(signal).catch(() => undefined);
  if (before !== undefined) return before;
  const lease = await waitForLease(job, ports, signal).catch(async (error) => {
    await countFailure();
    throw error;
  });
  if (!lease) {
    log.info("another run is at work");
    return { outcome: "busy" };
  }
  try {
    return await run(lease.signal);
  } finally {
    await lease.release();
  }
}

async function waitForLease(job: Job, { runs, pace }: JobPorts, signal: AbortSignal) {
  const owner = randomUUID();
  const start = pace.now().getTime();
  for (;;) {
    const lease = await takeLease(runs, job.kind, owner, pace, signal);
    if (lease || job.trigger === "schedule" || pace.now().getTime() - start > WAIT_FOR_LOCK_MS) return lease;
    await pace.sleep(5_000, signal);
  }
}
