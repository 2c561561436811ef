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

export function isDue(schedule: Pick<Schedule, "hour" | "timezone" | "lastRunAt">, at: Date): boolean {
  const parts = new Intl.DateTimeFormat("en", { timeZone: schedule.timezone, hour: "2-digit", hourCycle: "h23" });
  if (Number.parseInt(parts.format(at), 10) !== Number.parseInt(schedule.hour, 10)) return false;
  return schedule.lastRunAt === null || at.getTime() - Date.parse(schedule.lastRunAt) >= TWELVE_HOURS_MS;
}
