/** Runs backup schedules: once somewhere within the hour of the schedule's zone, and not twice within twelve hours. */
import type { Schedule } from "../model";

const TWELVE_HOURS_MS = 12 * 3600 * 1000;

/** Whether a time zone is known to this machine; Heroku wants a full name of the tz database, or UTC. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return /^[A-Za-z]+(\/[A-Za-z0-9_+-]+)+$/.test(name) || name === "UTC";
  } catch {
    return false;
  }
}

type Slot = Pick<Schedule, "hour" | "timezone" | "lastRunAt">;

/** Making one takes longer than a hundred uses of it. */
const formats = new Map<string, Intl.DateTimeFormat>();

function hourIn(timeZone: string, at: Date): number {
  const known = formats.get(timeZone) ?? new Intl.DateTimeFormat("en", { timeZone, hour: "2-digit", hourCycle: "h23" });
  formats.set(timeZone, known);
  return Number.parseInt(known.format(at), 10);
}

/**
 * Whether a schedule runs at this time. It looks at the clock's hour only: a slot that the clock jumped over is not made
 * up, as Heroku does not make up for one it missed.
 */
export function isDue(schedule: Slot, at: Date): boolean {
  if (hourIn(schedule.timezone, at) !== Number.parseInt(schedule.hour, 10)) return false;
  // A last run in the future was under a clock that has been set back since.
  return schedule.lastRunAt === null || Math.abs(at.getTime() - Date.parse(schedule.lastRunAt)) >= TWELVE_HOURS_MS;
}

/** The next time, at `from` or within the two days after it, at which one of the schedules is due. */
export function nextDue(schedules: readonly Slot[], from: Date): Date | undefined {
  const quarter = 15 * 60_000;
  // Zones differ from UTC by whole quarters of an hour: a slot begins on one of them, or has begun already.
  const begin = Math.ceil(from.getTime() / quarter) * quarter;
  const times = [from.getTime(), ...Array.from({ length: 2 * 96 }, (_, index) => begin + index * quarter)];
  const time = times.find((one) => schedules.some((schedule) => isDue(schedule, new Date(one))));
  return time === undefined ? undefined : new Date(time);
}
