/**
 * What S3 Lifecycle does to a bucket at a moment, as AWS documents it: days are counted from creation, or from the moment
 * a version became noncurrent, and end at the midnight (UTC) that follows. No clock, no network.
 */
import type { Filter, Rule } from "./rules";

/** What a listing does not tell of a version. */
export interface Details {
  tags: Readonly<Record<string, string>>;
  /** End of its retention. */
  retainUntil?: Date;
  legalHold: boolean;
  /** Replication has to be over, or lifecycle waits. */
  replication?: "PENDING" | "FAILED" | "COMPLETED" | "REPLICA";
}

export interface StoredVersion {
  key: string;
  versionId: string;
  isMarker: boolean;
  createdAt: Date;
  size: number;
  /** What is not known yet stands in nothing's way: a first plan tells which details matter. */
  details?: Details;
}

export interface StartedUpload {
  key: string;
  uploadId: string;
  startedAt: Date;
}

export type Action =
  /** Hides the current version below a delete marker; in a bucket without versions it is gone. */
  | { kind: "expire"; key: string; version: StoredVersion }
  /** Deletes one version or marker for good. */
  | { kind: "delete"; key: string; version: StoredVersion }
  | { kind: "abort"; key: string; uploadId: string };

const DAY_MS = 86_400_000;

/** The midnight from which something is due. */
export function dueAt(begin: Date, days: number): Date {
  return new Date(Math.ceil((begin.getTime() + days * DAY_MS) / DAY_MS) * DAY_MS);
}

/** The midnight after a moment, at which the next run is due. */
export function nextRun(after: Date): Date {
  return new Date((Math.floor(after.getTime() / DAY_MS) + 1) * DAY_MS);
}

/** Plans for one key. @param versions of that key, newest first */
export function planKey(rules: readonly Rule[], versions: readonly StoredVersion[], now: Date): Action[] {
  const [current, ...noncurrent] = versions;
  if (current === undefined) return [];
  const actions: Action[] = [];
  if (current.isMarker) {
    if (noncurrent.length === 0 && rules.some((rule) => sweeps(rule, current, now))) actions.push(remove(current));
  } else if (rules.some((rule) => expires(rule, current, now)) && isReplicated(current)) {
    // A lock does not keep a marker off: the version below it stays.
    actions.push({ kind: "expire", key: current.key, version: current });
  }
  for (const [index, version] of noncurrent.entries()) {
    const successor = versions[index] as StoredVersion;
    const isDue = rules.some((rule) => expiresNoncurrent(rule, version, successor, index, now));
    if (isDue && isReplicated(version) && !isLocked(version, now)) actions.push(remove(version));
  }
  return actions;
}

/** Plans for uploads that were begun and never ended. */
export function planUploads(rules: readonly Rule[], uploads: readonly StartedUpload[], now: Date): Action[] {
  const isDue = ({ key, startedAt }: StartedUpload) =>
    rules.some(
      ({ filter, abortUploadDays: days }) =>
        days !== undefined && key.startsWith(filter.prefix) && isPrefixOnly(filter) && dueAt(startedAt, days) <= now,
    );
  return uploads.filter(isDue).map(({ key, uploadId }) => ({ kind: "abort", key, uploadId }));
}

/** Whether nobody may delete the version now. */
export function isLocked({ details }: StoredVersion, now: Date): boolean {
  if (details === undefined) return false;
  return details.legalHold || (details.retainUntil !== undefined && details.retainUntil > now);
}

/** The version without what keeps it: shows what would be due. */
export function released(version: StoredVersion): StoredVersion {
  const { details } = version;
  return details === undefined ? version : { ...version, details: { tags: details.tags, legalHold: false } };
}

function isReplicated({ details }: StoredVersion): boolean {
  return details?.replication !== "PENDING" && details?.replication !== "FAILED";
}

function remove(version: StoredVersion): Action {
  return { kind: "delete", key: version.key, version };
}

function expires(rule: Rule, version: StoredVersion, now: Date): boolean {
  if (!matches(rule.filter, version)) return false;
  return isPast(rule, version, now);
}

function isPast({ expireDays, expireDate }: Rule, { createdAt }: StoredVersion, now: Date): boolean {
  if (expireDays !== undefined) return dueAt(createdAt, expireDays) <= now;
  return expireDate !== undefined && expireDate <= now;
}

/** A marker that is left alone goes by a rule for such, or when it is itself as old as what expires. */
function sweeps(rule: Rule, marker: StoredVersion, now: Date): boolean {
  if (!matches(rule.filter, marker)) return false;
  return rule.sweepMarkers || isPast(rule, marker, now);
}

function expiresNoncurrent(
  rule: Rule,
  version: StoredVersion,
  successor: StoredVersion,
  newerNoncurrent: number,
  now: Date,
): boolean {
  if (rule.noncurrentDays === undefined || newerNoncurrent < rule.keepNoncurrent) return false;
  return matches(rule.filter, version) && dueAt(successor.createdAt, rule.noncurrentDays) <= now;
}

function matches(filter: Filter, { key, isMarker, size, details }: StoredVersion): boolean {
  if (!key.startsWith(filter.prefix)) return false;
  // A marker has neither tags nor a size.
  if (isMarker) return isPrefixOnly(filter);
  if (filter.largerThan !== undefined && size <= filter.largerThan) return false;
  if (filter.smallerThan !== undefined && size >= filter.smallerThan) return false;
  return details === undefined || filter.tags.every((tag) => details.tags[tag.key] === tag.value);
}

function isPrefixOnly({ tags, largerThan, smallerThan }: Filter): boolean {
  return tags.length === 0 && largerThan === undefined && smallerThan === undefined;
}
