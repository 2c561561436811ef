/** How long a backup lives is decided by its class. Sources: requirement D3 and the design's "How a backup flows". */
import { DAY_MS } from "./duration";
import { InputError } from "./errors";

/** Longest-lived first, which is the order in which a due class is chosen; `critical` is taken on demand only. */
export const BACKUP_CLASSES = ["critical", "monthly", "weekly", "daily", "hourly"] as const;
export type BackupClass = (typeof BACKUP_CLASSES)[number];

/** Days for each class. */
export type RetentionDays = Readonly<Record<BackupClass, number>>;

/** Shortest retention in whole days that each class may have (D3). */
export const MINIMUM_RETENTION_DAYS: RetentionDays = {
  hourly: 2,
  daily: 7,
  weekly: 28,
  monthly: 92,
  critical: 366,
};

/** @throws InputError unless the text is a class. */
export function parseBackupClass(text: string): BackupClass {
  const found = BACKUP_CLASSES.find((name) => name === text);
  if (!found) throw new InputError(`unknown backup class: got "${text}", expected one of ${BACKUP_CLASSES.join(", ")}`);
  return found;
}

/** Retention with what was configured over the minimum. @throws InputError for a value below it or not whole. */
export function resolveRetention(configured: Partial<Record<BackupClass, number>> = {}): RetentionDays {
  const days: Record<BackupClass, number> = { ...MINIMUM_RETENTION_DAYS, ...configured };
  for (const name of BACKUP_CLASSES) {
    if (!Number.isInteger(days[name]) || days[name] < MINIMUM_RETENTION_DAYS[name]) {
      throw new InputError(
        `invalid retention of ${name} backups: got ${days[name]} days, expected at least ${MINIMUM_RETENTION_DAYS[name]}`,
      );
    }
  }
  return days;
}

/**
 * Until when Object Lock holds a backup: its class's days from the moment it was taken, rounded up to a full minute.
 * Lifecycle rules count whole days from the upload and round up to the next midnight, so they always end it later.
 */
export function retainUntil(backupClass: BackupClass, takenAt: Date, days: RetentionDays): Date {
  const minute = 60_000;
  return new Date(Math.ceil((takenAt.getTime() + days[backupClass] * DAY_MS) / minute) * minute);
}

/** A good backup of the past, as far as choosing a class needs it. */
export interface PastBackup {
  readonly backupClass: BackupClass;
  readonly takenAt: Date;
}

/** First moment of the UTC day, ISO week (Monday) or month that a class stands for; undefined where it has none. */
export function periodStart(backupClass: BackupClass, at: Date): Date | undefined {
  const day = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate());
  switch (backupClass) {
    case "daily":
      return new Date(day);
    case "weekly":
      return new Date(day - ((at.getUTCDay() + 6) % 7) * DAY_MS);
    case "monthly":
      return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1));
    case "critical":
    case "hourly":
      return undefined;
  }
}

/**
 * The longest-lived class that is due: monthly, weekly or daily while its period holds no good backup that lives at
 * least as long, else hourly. A shorter-lived one taken by hand therefore never takes the month's place, while a
 * critical one fills it.
 */
export function dueClass(at: Date, past: readonly PastBackup[]): BackupClass {
  for (const candidate of ["monthly", "weekly", "daily"] as const) {
    const start = periodStart(candidate, at);
    const filled = past.some(
      (backup) =>
        start !== undefined &&
        backup.takenAt >= start &&
        backup.takenAt <= at &&
        BACKUP_CLASSES.indexOf(backup.backupClass) <= BACKUP_CLASSES.indexOf(candidate),
    );
    if (!filled) return candidate;
  }
  return "hourly";
}
