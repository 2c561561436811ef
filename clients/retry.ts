/** Waiting and trying again, the same way everywhere. Time and chance are handed in, so that tests need neither. */

export interface Pace {
  /** Waits; rejects with the signal's reason as soon as it aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** A number in [0, 1). */
  random(): number;
  now(): Date;
}

export const realPace: Pace = {
  now: () => new Date(),
  random: Math.random,
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, milliseconds);
      signal?.addEventListener("abort", stop, { once: true });
    }),
};

export interface Backoff {
  /** First pause, in ms; it doubles each time. */
  readonly baseMs: number;
  /** Longest pause, in ms. */
  readonly capMs: number;
}

/** Full jitter: anything between nothing and the doubled pause, so that clients do not return in step. */
export function backoffMs(attempt: number, backoff: Backoff, random: number): number {
  return Math.round(random * Math.min(backoff.capMs, backoff.baseMs * 2 ** attempt));
}

/** The pause that a `Retry-After` header asks for, in ms; undefined when there is none or it cannot be read. */
export function retryAfterMs(header: string | null, now: Date): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header.trim()) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
