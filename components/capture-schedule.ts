/** When captures are triggered: pure, so that the promise "again within the slot" can be tested without a cloud. */
import { InputError } from "../backup/errors";

/** Minutes between the triggers of one slot. A run takes minutes, and one that finds a good backup does nothing. */
export const RETRY_MINUTES = 15;
/** Triggers in each slot: the first, and two more while it has no good backup. */
export const TRIGGERS_PER_SLOT = 3;
/** Latest first minute, so that all triggers of a slot lie in one hour. */
export const LATEST_MINUTE = 59 - RETRY_MINUTES * (TRIGGERS_PER_SLOT - 1);
/** Intervals that a cron expression can carry. 240 is the longest that keeps RPO (O1). */
export const CAPTURE_INTERVALS = [60, 120, 180, 240] as const;

/**
 * EventBridge Scheduler's expression of the triggers, in UTC.
 * @param minute of the hour, 0 to 29. 17 is clear of Heroku's own job on the hour.
 * @example captureCron(17, 60) === "cron(17,32,47 * * * ? *)"
 */
export function captureCron(minute: number, intervalMinutes: number): string {
  if (!Number.isInteger(minute) || minute < 0 || minute > LATEST_MINUTE) {
    throw new InputError(`capture minute is ${minute}, expected a whole number from 0 to ${LATEST_MINUTE}`);
  }
  if (!CAPTURE_INTERVALS.some((interval) => interval === intervalMinutes)) {
    throw new InputError(
      `capture interval is ${intervalMinutes} minutes, expected one of ${CAPTURE_INTERVALS.join(", ")}`,
    );
  }
  const minutes = Array.from({ length: TRIGGERS_PER_SLOT }, (_, index) => minute + index * RETRY_MINUTES);
  const hours = intervalMinutes === 60 ? "*" : `0/${intervalMinutes / 60}`;
  return `cron(${minutes.join(",")} ${hours} * * ? *)`;
}
