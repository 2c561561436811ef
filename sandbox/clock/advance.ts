/**
 * Lets virtual time pass: from one due event to the next, each carried out and come to rest before the clock moves on.
 * Nothing is left out in between, as a jump over it all would do.
 */
import { UscPisError } from "../../backup/errors";

export interface MovableClock {
  now(): Date;
  /** Moves forward; a moment that has passed changes nothing. */
  moveTo(at: Date): void;
}

/** Something in the sandbox that happens by the clock. */
export interface EventSource {
  readonly name: string;
  /** When something is due next; in the past when it is overdue. What lies beyond `horizon` need not be told. */
  next(now: Date, horizon: Date): Promise<Date | undefined>;
  /** Carries out what is due. After that `next` must be later than before. */
  run(now: Date): Promise<void>;
}

export interface AdvanceOptions {
  signal?: AbortSignal;
  /** Told after each step. */
  onStep?: (now: Date, sources: readonly string[]) => void;
}

/** So often may the same source be due without the clock moving: an event may set off another at the same moment. */
const MOST_AT_ONE_MOMENT = 100;

/**
 * Advances to `until`. `rest` resolves when nothing runs any more, and rejects when that takes too long.
 *
 * @throws UscPisError `clock_stuck` when a source stays due however often it runs
 */
export async function advance(
  until: Date,
  clock: MovableClock,
  sources: readonly EventSource[],
  rest: () => Promise<void>,
  options: AdvanceOptions = {},
): Promise<void> {
  let standing = { at: Number.NaN, steps: 0 };
  await rest();
  for (;;) {
    options.signal?.throwIfAborted();
    const asked = clock.now();
    const due: { source: EventSource; at: number | undefined }[] = [];
    let earliest = until.getTime();
    // One after another: a source that has to search for its next event need not search beyond the others'.
    for (const source of sources) {
      const at = (await source.next(asked, new Date(earliest)))?.getTime();
      due.push({ source, at });
      earliest = Math.min(earliest, at ?? earliest);
    }
    clock.moveTo(new Date(earliest));
    const now = clock.now();
    const happening = due.filter(({ at }) => at !== undefined && at <= now.getTime()).map(({ source }) => source);
    for (const source of happening) await source.run(now);
    await rest();
    options.onStep?.(
      clock.now(),
      happening.map(({ name }) => name),
    );
    if (happening.length === 0 && clock.now() >= until) return;
    standing = standing.at === earliest ? { at: earliest, steps: standing.steps + 1 } : { at: earliest, steps: 1 };
    if (standing.steps > MOST_AT_ONE_MOMENT) {
      const names = happening.map(({ name }) => name).join(", ") || "nothing";
      throw new UscPisError("clock_stuck", `the clock stands at ${now.toISOString()}: ${names} is due again and again`);
    }
  }
}
