/** A metric by the minute, in memory. Minutes are counted since 1970. */

export type Statistic = "Sum" | "Average" | "Minimum" | "Maximum" | "SampleCount";
export const STATISTICS: readonly Statistic[] = ["Sum", "Average", "Minimum", "Maximum", "SampleCount"];

export const MINUTE_MS = 60_000;

export function minuteOf(time: Date | number): number {
  return Math.floor(Number(time) / MINUTE_MS);
}

/** What one minute reported. */
export interface MinuteData {
  minute: number;
  sum: number;
  count: number;
  minimum: number;
  maximum: number;
}

/** A metric as an alarm looks at it. */
export interface Series {
  /** The statistic over minutes from, inclusive, to, exclusive; undefined where nothing was reported. */
  statistic(name: Statistic, from: number, to: number): number | undefined;
  /**
   * Minutes within [from, to) at which what is reported changes: a window whose ends pass none of them keeps its
   * statistic.
   */
  edges(name: Statistic, periodMinutes: number, from: number, to: number): number[];
}

/** First index whose minute is not before the given one. */
function lowerBound(minutes: readonly { minute: number }[], minute: number): number {
  let low = 0;
  let high = minutes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((minutes[middle] as { minute: number }).minute < minute) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Data that was reported at moments. */
export class ReportedSeries implements Series {
  private readonly data: readonly MinuteData[];

  /** @param data one entry a minute at most, in any order */
  constructor(data: readonly MinuteData[]) {
    this.data = [...data].sort((one, other) => one.minute - other.minute);
  }

  statistic(name: Statistic, from: number, to: number): number | undefined {
    const end = lowerBound(this.data, to);
    let sum = 0;
    let count = 0;
    let minimum = Number.POSITIVE_INFINITY;
    let maximum = Number.NEGATIVE_INFINITY;
    for (let index = lowerBound(this.data, from); index < end; index++) {
      const one = this.data[index] as MinuteData;
      sum += one.sum;
      count += one.count;
      minimum = Math.min(minimum, one.minimum);
      maximum = Math.max(maximum, one.maximum);
    }
    if (count === 0) return undefined;
    return { Sum: sum, Average: sum / count, Minimum: minimum, Maximum: maximum, SampleCount: count }[name];
  }

  edges(_name: Statistic, _periodMinutes: number, from: number, to: number): number[] {
    return this.data.slice(lowerBound(this.data, from), lowerBound(this.data, to)).map(({ minute }) => minute);
  }
}

/**
 * A quantity that is there all the time, like the length of a queue: known from samples, each good for every minute until
 * the next one. AWS reports it each minute, also in the hours that a driver of the clock leaves out.
 */
export class SampledSeries implements Series {
  private samples: { minute: number; value: number }[] = [];

  /** @param keepMinutes how far back alarms look */
  constructor(private readonly keepMinutes: number) {}

  /** Notes the value of a minute; a later one of the same minute does not hide a higher one. */
  sample(minute: number, value: number): void {
    const last = this.samples.at(-1);
    // A clock that was set back begins anew.
    if (last !== undefined && minute < last.minute) this.samples = [];
    const now = this.samples.at(-1);
    if (now?.minute === minute) now.value = Math.max(now.value, value);
    else if (now?.value !== value) this.samples.push({ minute, value });
    const first = this.indexAt(minute - this.keepMinutes);
    if (first > 0) this.samples.splice(0, first);
  }

  statistic(name: Statistic, from: number, to: number): number | undefined {
    let sum = 0;
    let count = 0;
    let minimum = Number.POSITIVE_INFINITY;
    let maximum = Number.NEGATIVE_INFINITY;
    for (let index = Math.max(0, this.indexAt(from)); index < this.samples.length; index++) {
      const { minute, value } = this.samples[index] as { minute: number; value: number };
      const next = this.samples[index + 1]?.minute ?? Number.POSITIVE_INFINITY;
      const minutes = Math.min(to, next) - Math.max(from, minute);
      if (minutes <= 0) break;
      sum += value * minutes;
      count += minutes;
      minimum = Math.min(minimum, value);
      maximum = Math.max(maximum, value);
    }
    if (count === 0) return undefined;
    return { Sum: sum, Average: sum / count, Minimum: minimum, Maximum: maximum, SampleCount: count }[name];
  }

  edges(name: Statistic, periodMinutes: number, from: number, to: number): number[] {
    const begins = this.samples.map(({ minute }) => minute);
    // An extreme changes when a value enters or leaves; a sum or mean does so with each minute that it moves through.
    const moving = name === "Minimum" || name === "Maximum" ? 1 : periodMinutes;
    const all = begins.flatMap((minute) => Array.from({ length: moving }, (_, step) => minute + step));
    return [...new Set(all)].filter((minute) => minute >= from && minute < to);
  }

  /** Index of the sample that is good at a minute; -1 before the first. */
  private indexAt(minute: number): number {
    return lowerBound(this.samples, minute + 1) - 1;
  }
}
