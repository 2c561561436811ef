import { InputError } from "./errors";

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export const SECOND_MS = UNITS.s;
export const MINUTE_MS = UNITS.m;
export const HOUR_MS = UNITS.h;
export const DAY_MS = UNITS.d;

/** A length of time. Made from text such as `90s`, `15m`, `2h` or `7d`; never negative, kept in whole milliseconds. */
export class Duration {
  private constructor(readonly milliseconds: number) {}

  /** @throws InputError unless it is a whole, non-negative number of milliseconds. */
  static ofMilliseconds(milliseconds: number): Duration {
    if (!Number.isSafeInteger(milliseconds) || milliseconds < 0) {
      throw new InputError(`invalid duration: got ${milliseconds} ms, expected a whole number of at least 0`);
    }
    return new Duration(milliseconds);
  }

  /** @throws InputError unless the text is a whole number with one of the units ms, s, m, h, d. */
  static parse(text: string): Duration {
    const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
    if (!match)
      throw new InputError(`invalid duration: got "${text}", expected a number with a unit, such as 90s or 2h`);
    return Duration.ofMilliseconds(Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]);
  }

  /** The largest unit that leaves a whole number: 120000 ms print as `2m`. */
  toString(): string {
    for (const unit of ["d", "h", "m", "s"] as const) {
      if (this.milliseconds > 0 && this.milliseconds % UNITS[unit] === 0)
        return `${this.milliseconds / UNITS[unit]}${unit}`;
    }
    return `${this.milliseconds}ms`;
  }
}
