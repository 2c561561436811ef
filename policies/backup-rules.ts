/** Captures often enough, and kept long enough (O1, D2, D3, M2). */
import { BACKUP_CLASSES, MINIMUM_RETENTION_DAYS } from "../backup/classes";
import { keepsMedia } from "./buckets";
import { longestGapMinutes } from "./cron";
import type { Checked, ResourceRule } from "./model";
import { items, peek, shown, UNKNOWN } from "./peek";
import { BUCKET_LIFECYCLE, FUNCTION, SCHEDULE } from "./types";

/** RPO: at most 4 hours of data lost (O1). */
export const MAX_CAPTURE_GAP_MINUTES = 240;
/** Days for which a deleted asset stays recoverable: a year, and a leap day (M2). */
export const MEDIA_NONCURRENT_DAYS = 366;

/** Whether a schedule is one of captures: it, or the function that it starts, is named so. */
function startsCaptures({ name, props }: Checked): boolean {
  const words = [name, peek(props, "name"), peek(props, "target", "arn")];
  return words.some((word) => typeof word === "string" && /capture/i.test(word));
}

export const frequentCaptures: ResourceRule = {
  name: "captures-run-every-four-hours",
  description: "Captures are at most 4 hours apart, every day of the year.",
  remediation: "Set backup.captureIntervalMinutes to 240 or less; to pause captures use the runbook, not the program",
  severity: "critical",
  requirement: "O1",
  types: [SCHEDULE],
  check: (schedule) => {
    if (!startsCaptures(schedule)) return undefined;
    const state = peek(schedule.props, "state") ?? "ENABLED";
    if (state !== UNKNOWN && state !== "ENABLED") return `the schedule of captures is ${shown(state)}`;
    const expression = peek(schedule.props, "scheduleExpression");
    if (expression === UNKNOWN) return undefined;
    const gap = typeof expression === "string" ? longestGapMinutes(expression) : undefined;
    if (gap === undefined) return `${shown(expression)} does not run every day, or is not understood`;
    return gap <= MAX_CAPTURE_GAP_MINUTES ? undefined : `${shown(expression)} leaves ${gap} minutes between captures`;
  },
};

/** Days of each class in a lifecycle configuration; rules without filter, or with a shorter prefix, reach it too. */
function reaching(rules: unknown[], backupClass: string): unknown[] {
  const prefix = `${backupClass}/`;
  return rules.filter((rule) => {
    if (rule === UNKNOWN || peek(rule, "status") === "Disabled") return false;
    const own = peek(rule, "filter", "prefix") ?? peek(rule, "filter", "and", "prefix") ?? peek(rule, "prefix") ?? "";
    return typeof own === "string" && (prefix.startsWith(own) || own.startsWith(prefix));
  });
}

export const keptBackups: ResourceRule = {
  name: "backups-are-kept-long-enough",
  description: "No lifecycle rule ends a backup before its class's retention is over.",
  remediation: "Use vaultLifecycleRules with at least the days of requirement D3",
  severity: "critical",
  requirement: "D3",
  types: [BUCKET_LIFECYCLE],
  check: ({ props }) => {
    const rules = items(props, "rules");
    if (rules === UNKNOWN || keepsMedia(peek(props, "bucket")) === true) return undefined;
    for (const backupClass of BACKUP_CLASSES) {
      const least = MINIMUM_RETENTION_DAYS[backupClass];
      for (const rule of reaching(rules, backupClass)) {
        if (peek(rule, "expiration", "date") !== undefined) return `a rule ends ${backupClass} backups on a date`;
        const days = peek(rule, "expiration", "days");
        if (typeof days === "number" && days > 0 && days < least) {
          return `${backupClass} backups end after ${days} days, expected at least ${least}`;
        }
      }
    }
    return undefined;
  },
};

export const endedBackups: ResourceRule = {
  name: "expired-backups-end",
  description: "Each class of backups expires, and its noncurrent versions go: otherwise dead bytes pile up for ever.",
  remediation: "Use vaultLifecycleRules, on the replica too: actions of lifecycle are not replicated",
  severity: "medium",
  requirement: "D3",
  types: [BUCKET_LIFECYCLE],
  check: ({ props }) => {
    const rules = items(props, "rules");
    if (rules === UNKNOWN || rules.includes(UNKNOWN) || keepsMedia(peek(props, "bucket")) !== false) return undefined;
    for (const backupClass of BACKUP_CLASSES) {
      const reached = reaching(rules, backupClass);
      const has = (...path: string[]) => reached.some((rule) => Number(peek(rule, ...path) ?? 0) > 0);
      if (!has("expiration", "days")) return `${backupClass} backups never expire`;
      if (!has("noncurrentVersionExpiration", "noncurrentDays")) return `noncurrent ${backupClass} backups never end`;
    }
    return undefined;
  },
};

export const keptMedia: ResourceRule = {
  name: "media-are-kept",
  description: "Current media never expire; deleted and replaced ones stay recoverable for a year.",
  remediation: "Use mediaLifecycleRules",
  severity: "critical",
  requirement: "M2",
  types: [BUCKET_LIFECYCLE],
  check: ({ props }) => {
    const rules = items(props, "rules");
    if (rules === UNKNOWN || keepsMedia(peek(props, "bucket")) !== true) return undefined;
    for (const rule of rules.filter((one) => peek(one, "status") !== "Disabled")) {
      if (Number(peek(rule, "expiration", "days") ?? 0) > 0 || peek(rule, "expiration", "date") !== undefined) {
        return "current media expire";
      }
      const days = peek(rule, "noncurrentVersionExpiration", "noncurrentDays");
      if (typeof days === "number" && days < MEDIA_NONCURRENT_DAYS) {
        return `deleted media end after ${days} days, expected ${MEDIA_NONCURRENT_DAYS}`;
      }
    }
    return undefined;
  },
};

export const lockedCaptures: ResourceRule = {
  name: "captures-lock-long-enough",
  description: "The capture function locks each class for at least its retention.",
  remediation: "Set backup.retentionDays to at least the days of requirement D3",
  severity: "critical",
  requirement: "D3",
  types: [FUNCTION],
  check: ({ props }) => {
    const text = peek(props, "environment", "variables", "RETENTION_DAYS");
    return typeof text === "string" ? shortClasses(text) : undefined;
  },
};

function shortClasses(text: string): string | undefined {
  let days: Record<string, unknown>;
  try {
    days = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return "RETENTION_DAYS is not JSON";
  }
  const short = BACKUP_CLASSES.filter((name) => !(Number(days[name]) >= MINIMUM_RETENTION_DAYS[name]));
  return short.length === 0 ? undefined : `RETENTION_DAYS of ${short.join(", ")} is under D3`;
}
