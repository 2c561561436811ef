/** Which of Heroku's own backups go: manual ones by number, scheduled ones by age. Decisions only. */
import type { Transfer } from "../model";
import type { Retention } from "../plans";

const WEEK_MS = 7 * 24 * 3600 * 1000;

type Backup = Pick<Transfer, "num" | "createdAt" | "succeeded" | "scheduleId">;

/** Manual backups of one database beyond the number that is kept: the oldest successful ones. Scheduled ones don't count. */
export function surplusManual<T extends Backup>(backups: readonly T[], kept: number): T[] {
  return backups
    .filter((one) => one.succeeded && one.scheduleId === null)
    .sort((a, b) => b.num - a.num)
    .slice(kept);
}

/** The same day some months earlier, or the last of that month where it is shorter. */
function monthsBefore(at: Date, months: number): number {
  const then = new Date(at);
  then.setUTCDate(1);
  then.setUTCMonth(then.getUTCMonth() - months);
  const lastDay = new Date(Date.UTC(then.getUTCFullYear(), then.getUTCMonth() + 1, 0)).getUTCDate();
  then.setUTCDate(Math.min(at.getUTCDate(), lastDay));
  return then.getTime();
}

/**
 * Scheduled backups of one schedule that end: all of the last seven days stay, older ones only as the oldest successful
 * one after each weekly and each monthly threshold, as far back as the plan goes.
 */
export function expiredScheduled<T extends Backup>(backups: readonly T[], at: Date, { weeks, months }: Retention): T[] {
  const age = (backup: T) => Date.parse(backup.createdAt);
  const good = backups.filter((one) => one.succeeded).sort((a, b) => age(a) - age(b));
  const thresholds = [
    ...Array.from({ length: weeks }, (_, index) => at.getTime() - (index + 1) * WEEK_MS),
    ...Array.from({ length: months }, (_, index) => monthsBefore(at, index + 1)),
  ];
  const stays = new Set(thresholds.map((threshold) => good.find((one) => age(one) > threshold)));
  return backups.filter((one) => age(one) <= at.getTime() - WEEK_MS && !stays.has(one));
}

/** After a manual backup, manual ones beyond the plan's number go; after a scheduled one, those of its schedule by age. */
export function evicted(
  transfers: readonly Transfer[],
  latest: Transfer,
  keeps: { manual: number; scheduled: Retention },
  at: Date,
): Transfer[] {
  const backups = transfers
    .filter((one) => one.toType === "gof3r" && one.finishedAt !== null && one.deletedAt === null)
    .filter((one) => one.appId === latest.appId && one.fromName === latest.fromName);
  if (latest.scheduleId === null) return surplusManual(backups, keeps.manual);
  const ofSchedule = backups.filter((one) => one.scheduleId === latest.scheduleId);
  return expiredScheduled(ofSchedule, at, keeps.scheduled);
}
