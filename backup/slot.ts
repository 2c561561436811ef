import { DAY_MS, MINUTE_MS } from "./duration";
import { InputError } from "./errors";

/** Longest interval between captures that still keeps RPO (O1). */
export const LONGEST_CAPTURE_INTERVAL_MINUTES = 240;

/** A stretch of time that must end with a good backup. Slots follow each other without gaps from midnight UTC. */
export interface Slot {
  /** Start in UTC, as `2026-05-23T14:00Z`. */
  readonly name: string;
  readonly start: Date;
  /** First moment of the next slot. */
  readonly end: Date;
}

/** @throws InputError unless slots of this length divide a day and are at most four hours. */
export function checkCaptureInterval(minutes: number): number {
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > LONGEST_CAPTURE_INTERVAL_MINUTES || 1440 % minutes !== 0) {
    throw new InputError(
      `invalid capture interval: got ${minutes} minutes, expected a divisor of 1440 of at most ${LONGEST_CAPTURE_INTERVAL_MINUTES}`,
    );
  }
  return minutes;
}

/** The slot that a moment lies in. It depends on the clock alone, so that a late or repeated trigger finds the same one. */
export function slotOf(at: Date, intervalMinutes = 60): Slot {
  const length = checkCaptureInterval(intervalMinutes) * MINUTE_MS;
  const midnight = Math.floor(at.getTime() / DAY_MS) * DAY_MS;
  const start = new Date(midnight + Math.floor((at.getTime() - midnight) / length) * length);
  return { name: `${start.toISOString().slice(0, 16)}Z`, start, end: new Date(start.getTime() + length) };
}

/** When Heroku takes its own daily backup. Heroku accepts whole hours only. */
export interface DailySchedule {
  readonly hour: number;
  readonly timezone: string;
}

/** @throws InputError unless the text is like `02:00 UTC`; the zone may be left out. */
export function parseDailySchedule(text: string): DailySchedule {
  const match = /^(\d{1,2}):00(?:\s*([A-Za-z][A-Za-z0-9_+\-/]*))?$/.exec(text.trim());
  const hour = Number(match?.[1]);
  const timezone = match?.[2] ?? "UTC";
  if (!match || hour > 23 || !isTimeZone(timezone)) {
    throw new InputError(
      `invalid daily schedule: got "${text}", expected a whole hour and a zone, such as "02:00 UTC"`,
    );
  }
  return { hour, timezone };
}

export function formatDailySchedule(schedule: DailySchedule): string {
  return `${String(schedule.hour).padStart(2, "0")}:00 ${schedule.timezone}`;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
