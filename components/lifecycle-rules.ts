/** Lifecycle of the vault's buckets, in whole days. Actions of lifecycle are not replicated: both sides carry them. */
import { BACKUP_CLASSES, type BackupClass, type RetentionDays } from "../backup/classes";

/** One rule in the shape that S3 and the provider share. */
export interface LifecycleRule {
  id: string;
  status: "Enabled";
  filter: { prefix: string };
  expiration?: { days: number } | { expiredObjectDeleteMarker: true };
  noncurrentVersionExpiration?: { noncurrentDays: number };
  abortIncompleteMultipartUpload?: { daysAfterInitiation: number };
}

/** Days after which an overwritten pointer, marker or release is dropped: long enough to look into an incident. */
export const SUPERSEDED_DAYS = 90;
/** Days for which a deleted or replaced asset stays recoverable (M2: a year, and a leap day). */
export const MEDIA_NONCURRENT_DAYS = 366;

/**
 * Rules of a vault bucket. A backup expires at the end of its class's retention; expiry only puts a delete marker, so the
 * version itself ends a day after that, both counted by midnights; the last rule sweeps the marker. Without it nearly all bytes
 * would stay for ever.
 * @param retentionDays whole days by class; Object Lock keeps each version for as long, so that neither ends it sooner.
 */
export function vaultLifecycleRules(retentionDays: RetentionDays): LifecycleRule[] {
  return [
    ...BACKUP_CLASSES.map(
      (backupClass): LifecycleRule => ({
        id: `expire-${backupClass}`,
        status: "Enabled",
        filter: { prefix: `${backupClass}/` },
        expiration: { days: wholeDays(backupClass, retentionDays[backupClass]) },
        noncurrentVersionExpiration: { noncurrentDays: 1 },
      }),
    ),
    // Pointer, markers and releases are in use as long as they are current.
    ...["release/", "current/", "restore/"].map(
      (prefix): LifecycleRule => ({
        id: `superseded-${prefix.slice(0, -1)}`,
        status: "Enabled",
        filter: { prefix },
        noncurrentVersionExpiration: { noncurrentDays: SUPERSEDED_DAYS },
      }),
    ),
    sweep(),
  ];
}

/** Rules of a media bucket: current assets never expire, deleted or replaced ones stay for a year (M2). */
export function mediaLifecycleRules(): LifecycleRule[] {
  return [
    {
      id: "noncurrent-media",
      status: "Enabled",
      filter: { prefix: "" },
      noncurrentVersionExpiration: { noncurrentDays: MEDIA_NONCURRENT_DAYS },
    },
    sweep(),
  ];
}

/** Removal of markers without versions, and of uploads that never ended. S3 refuses it in a rule that also expires by days. */
function sweep(): LifecycleRule {
  return {
    id: "sweep",
    status: "Enabled",
    filter: { prefix: "" },
    expiration: { expiredObjectDeleteMarker: true },
    abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
  };
}

function wholeDays(backupClass: BackupClass, days: number): number {
  if (!Number.isInteger(days) || days < 1) {
    throw new RangeError(`retention of class ${backupClass} is ${days}, expected a whole number of days of at least 1`);
  }
  return days;
}
