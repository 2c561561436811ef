/** How far apart the triggers of an EventBridge schedule are. Pure. */

const DAY_MINUTES = 24 * 60;
const UNIT_MINUTES: Record<string, number> = { minute: 1, hour: 60, day: DAY_MINUTES };

/**
 * The longest time between two triggers, in minutes.
 * @returns undefined for an expression that is not understood, or does not run every day of the year.
 */
export function longestGapMinutes(expression: string): number | undefined {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate !== null) return Number(rate[1]) * (UNIT_MINUTES[rate[2] ?? ""] ?? Number.NaN);
  const fields = /^cron\(([^)]+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  if (fields?.length !== 6) return undefined;
  const [minuteField = "", hourField = "", ...dateFields] = fields;
  if (!dateFields.every((field) => field === "*" || field === "?")) return undefined;
  const minutes = expand(minuteField, 60);
  const hours = expand(hourField, 24);
  if (minutes === undefined || hours === undefined) return undefined;
  const times = hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute)).sort((a, b) => a - b);
  const [first] = times;
  if (first === undefined) return undefined;
  return times.reduce((longest, time, index) => Math.max(longest, (times[index + 1] ?? first + DAY_MINUTES) - time), 0);
}

/** Values of one cron field: `*`, numbers, ranges and steps, separated by commas. */
function expand(field: string, size: number): number[] | undefined {
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
    if (match === null) return undefined;
    const [, from, to, step] = match;
    const start = Number(from ?? 0);
    // `5` is one value, `5/10` runs to the end of the range.
    const end = to !== undefined ? Number(to) : from !== undefined && step === undefined ? start : size - 1;
    const by = Number(step ?? 1);
    if (start >= size || end >= size || start > end || by < 1) return undefined;
    for (let value = start; value <= end; value += by) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}
