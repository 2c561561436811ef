/** One bucket as the lifecycle runner sees and changes it. */
import type { DeleteObjectsCommandInput, ListObjectVersionsCommandOutput, S3 } from "@aws-sdk/client-s3";
import { UscPisError } from "../../../backup/errors";
import type { Action, Details, StartedUpload, StoredVersion } from "./plan";
import { type Rule, readRules } from "./rules";

/** Objects in one request, at most. */
const BATCH = 1000;
/** Requests at a time where there is one for each object. */
const PARALLEL = 8;

export interface BucketSettings {
  rules: Rule[];
  unsupported: string[];
  hasLock: boolean;
  hasReplication: boolean;
}

const settled = <T>(work: Promise<T>, absent: RegExp): Promise<T | undefined> =>
  work.catch((error: Error) => {
    if (absent.test(error.name)) return undefined;
    throw error;
  });

/** Undefined for a bucket without rules, or one that has just been deleted. */
export async function readSettings(s3: S3, Bucket: string): Promise<BucketSettings | undefined> {
  const lifecycle = await settled(
    s3.getBucketLifecycleConfiguration({ Bucket }),
    /NoSuchLifecycleConfiguration|NoSuchBucket/,
  );
  const { rules, unsupported } = readRules(lifecycle?.Rules ?? []);
  if (rules.length === 0) return undefined;
  const lock = await settled(s3.getObjectLockConfiguration({ Bucket }), /ObjectLockConfigurationNotFound/);
  const replication = await settled(s3.getBucketReplication({ Bucket }), /ReplicationConfigurationNotFound/);
  return { rules, unsupported, hasLock: lock !== undefined, hasReplication: replication !== undefined };
}

/** The versions of each key, newest first, a key at a time. */
export async function* listKeys(s3: S3, Bucket: string): AsyncGenerator<StoredVersion[]> {
  let keys = new Map<string, StoredVersion[]>();
  let KeyMarker: string | undefined;
  let VersionIdMarker: string | undefined;
  do {
    const page = await s3.listObjectVersions({ Bucket, KeyMarker, VersionIdMarker });
    for (const version of versionsOf(page)) {
      const known = keys.get(version.key);
      if (known === undefined) keys.set(version.key, [version]);
      else known.push(version);
    }
    KeyMarker = page.IsTruncated === true ? page.NextKeyMarker : undefined;
    VersionIdMarker = page.NextVersionIdMarker;
    // The last key of a page may go on on the next one.
    const last = KeyMarker === undefined ? undefined : keys.get(KeyMarker);
    for (const versions of keys.values()) if (versions !== last) yield newestFirst(versions);
    keys = new Map(last === undefined ? [] : [[KeyMarker as string, last]]);
  } while (KeyMarker !== undefined);
}

type Listed = StoredVersion & { isLatest: boolean };

function versionsOf({ Versions = [], DeleteMarkers = [] }: ListObjectVersionsCommandOutput): Listed[] {
  const stored = (one: { Key?: string; VersionId?: string; LastModified?: Date; IsLatest?: boolean }) => ({
    key: one.Key ?? "",
    versionId: one.VersionId ?? "null",
    createdAt: one.LastModified ?? new Date(0),
    isLatest: one.IsLatest === true,
  });
  return [
    ...DeleteMarkers.map((marker) => ({ ...stored(marker), isMarker: true, size: 0 })),
    ...Versions.map((version) => ({ ...stored(version), isMarker: false, size: version.Size ?? 0 })),
  ];
}

/** The SDK lists versions and markers apart; of one moment, a marker is put over a version. */
function newestFirst(versions: StoredVersion[]): StoredVersion[] {
  const rank = (version: StoredVersion) => ((version as Listed).isLatest ? 1 : 0);
  return versions.sort((one, other) => rank(other) - rank(one) || other.createdAt.getTime() - one.createdAt.getTime());
}

export async function listUploads(s3: S3, Bucket: string): Promise<StartedUpload[]> {
  const uploads: StartedUpload[] = [];
  let KeyMarker: string | undefined;
  let UploadIdMarker: string | undefined;
  do {
    const page = await s3.listMultipartUploads({ Bucket, KeyMarker, UploadIdMarker });
    for (const { Key: key = "", UploadId: uploadId = "", Initiated: startedAt = new Date(0) } of page.Uploads ?? [])
      uploads.push({ key, uploadId, startedAt });
    const next = page.IsTruncated === true;
    KeyMarker = next ? page.NextKeyMarker : undefined;
    UploadIdMarker = next ? page.NextUploadIdMarker : undefined;
  } while (KeyMarker !== undefined);
  return uploads;
}

/** Reads what a plan has to know of versions; one that is gone by now keeps no details and is deleted in vain. */
export async function readDetails(
  s3: S3,
  Bucket: string,
  versions: readonly StoredVersion[],
  withTags: boolean,
): Promise<void> {
  const waiting = versions.filter(({ isMarker }) => !isMarker);
  const work = async () => {
    for (let version = waiting.pop(); version !== undefined; version = waiting.pop()) {
      const at = { Bucket, Key: version.key, VersionId: version.versionId };
      const head = await settled(s3.headObject(at), /NotFound|NoSuch/);
      if (head === undefined) continue;
      const { TagSet = [] } = withTags ? await s3.getObjectTagging(at) : {};
      version.details = {
        tags: Object.fromEntries(TagSet.map(({ Key = "", Value = "" }) => [Key, Value])),
        retainUntil: head.ObjectLockRetainUntilDate,
        legalHold: head.ObjectLockLegalHoldStatus === "ON",
        replication: head.ReplicationStatus as Details["replication"],
      };
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

/** Carries actions out. @returns how many versions were refused, because a lock came over them in between */
export async function carryOut(s3: S3, Bucket: string, actions: readonly Action[]): Promise<number> {
  let refused = 0;
  const objects = actions.flatMap((action) => {
    if (action.kind === "abort") return [];
    return [{ Key: action.key, ...(action.kind === "delete" ? { VersionId: action.version.versionId } : {}) }];
  });
  for (let at = 0; at < objects.length; at += BATCH) {
    const Delete: DeleteObjectsCommandInput["Delete"] = { Objects: objects.slice(at, at + BATCH), Quiet: true };
    const { Errors = [] } = await s3.deleteObjects({ Bucket, Delete });
    const other = Errors.find(({ Code }) => Code !== "AccessDenied");
    if (other !== undefined) {
      throw new UscPisError(
        "lifecycle",
        `lifecycle can't remove ${Bucket}/${other.Key}: ${other.Code} ${other.Message}`,
      );
    }
    refused += Errors.length;
  }
  for (const action of actions) {
    if (action.kind !== "abort") continue;
    const { key: Key, uploadId: UploadId } = action;
    await settled(s3.abortMultipartUpload({ Bucket, Key, UploadId }), /NoSuchUpload/);
  }
  return refused;
}
