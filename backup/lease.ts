import type { Pace } from "../clients/retry";
import { UscPisError } from "./errors";
import type { RunStore } from "./run-record";

/** A holder that died blocks others no longer than this, in ms. */
export const LEASE_MS = 90_000;
const RENEW_MS = 30_000;

export interface Lease {
  /** Aborts when the lock is lost, or when the signal that was handed in aborts. */
  readonly signal: AbortSignal;
  /** Gives the lock back. Never throws: the lease runs out by itself. */
  release(): Promise<void>;
}

/**
 * Takes the lock of a kind and keeps it while the process lives. @returns undefined while another run holds it. Losing
 * it does no harm by itself, as every run writes under keys of its own; it only ends the run.
 */
export async function takeLease(
  runs: RunStore,
  kind: string,
  owner: string,
  pace: Pace,
  outer?: AbortSignal,
): Promise<Lease | undefined> {
  if (!(await runs.acquireLock(kind, owner, pace.now(), LEASE_MS))) return undefined;
  const lost = new AbortController();
  let until = pace.now().getTime() + LEASE_MS;
  const timer = setInterval(async () => {
    const asked = pace.now();
    const kept = await runs.renewLock(kind, owner, asked, LEASE_MS).catch(() => undefined);
    if (kept) until = asked.getTime() + LEASE_MS;
    // A renewal that could not be asked for is tried again until the lease has run out.
    else if (kept === false || pace.now().getTime() >= until) {
      lost.abort(new UscPisError("lock_lost", `the lock of ${kind} runs was lost to another run`));
    }
  }, RENEW_MS);
  timer.unref();
  return {
    signal: outer ? AbortSignal.any([outer, lost.signal]) : lost.signal,
    async release() {
      clearInterval(timer);
      await runs.releaseLock(kind, owner).catch(() => undefined);
    },
  };
}
