/** What there is after the simulated time: runs, versions in both buckets, mails. Read as the account's root. */
import { DynamoDBClient, paginateQuery } from "@aws-sdk/client-dynamodb";
import { ListObjectVersionsCommand, S3Client } from "@aws-sdk/client-s3";
import { BACKUP_CLASSES } from "../../backup/classes";
import { runTableName, vaultBucketName } from "../../backup/layout";
import { type RunRecord, runRecordSchema } from "../../backup/run-record";
import { certificateFiles } from "../aws/certificate";
import { PROFILES } from "../aws/identities";
import { type Mail, readInbox } from "../aws/mail";
import { serviceUrl } from "../environment";
import type { Workbench } from "../rehearsal/context";
import { SCOPE } from "../supervisor/services";
import type { ExpectedBackup, Told } from "./model";

/** Every recorded run, oldest first. */
export async function readRuns(bench: Workbench): Promise<RunRecord[]> {
  const client = new DynamoDBClient(await bench.access(PROFILES.root));
  const input = {
    TableName: runTableName(SCOPE.system),
    KeyConditionExpression: "pk = :run",
    ExpressionAttributeValues: { ":run": { S: "run" } },
  };
  try {
    const runs: RunRecord[] = [];
    for await (const { Items = [] } of paginateQuery({ client }, input))
      for (const item of Items) runs.push(runRecordSchema.parse(JSON.parse(item.record?.S ?? "null")));
    return runs;
  } finally {
    client.destroy();
  }
}

export type FoundState = ExpectedBackup["state"] | "broken";

export interface FoundBackups {
  /** State of each backup that has left anything, by id. */
  states: Map<string, FoundState>;
  versions: number;
  bytes: number;
  /** Delete markers over nothing. */
  loneMarkers: number;
}

interface KeyVersions {
  current: boolean;
  versions: number;
}

/** What one side of the vault holds of backups. */
export async function readVault(bench: Workbench, region: string): Promise<FoundBackups> {
  const s3 = new S3Client({ ...(await bench.access(PROFILES.root, region)), forcePathStyle: true });
  const Bucket = vaultBucketName(SCOPE.system, SCOPE.account, region);
  const keys = new Map<string, KeyVersions>();
  let bytes = 0;
  try {
    for (const backupClass of BACKUP_CLASSES) {
      let next: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
      while (next !== undefined) {
        const page: Awaited<ReturnType<typeof list>> = await list(s3, Bucket, `${backupClass}/`, next);
        for (const { Key = "", IsLatest = false, Size = 0 } of page.Versions ?? []) {
          const known = keys.get(Key) ?? { current: false, versions: 0 };
          keys.set(Key, { current: known.current || IsLatest, versions: known.versions + 1 });
          bytes += Size;
        }
        for (const { Key = "" } of page.DeleteMarkers ?? [])
          if (!keys.has(Key)) keys.set(Key, { current: false, versions: 0 });
        const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page;
        next = IsTruncated === true ? { KeyMarker: NextKeyMarker, VersionIdMarker: NextVersionIdMarker } : undefined;
      }
    }
  } finally {
    s3.destroy();
  }
  return judge(keys, bytes);
}

function list(s3: S3Client, Bucket: string, Prefix: string, from: object) {
  return s3.send(new ListObjectVersionsCommand({ Bucket, Prefix, ...from }));
}

/** A backup is its dump and its manifest: both current, both hidden, or none left. */
function judge(keys: Map<string, KeyVersions>, bytes: number): FoundBackups {
  const parts = new Map<string, KeyVersions[]>();
  let versions = 0;
  let loneMarkers = 0;
  for (const [key, found] of keys) {
    versions += found.versions;
    if (found.versions === 0) loneMarkers++;
    const id = key.split("/")[2] ?? "";
    parts.set(id, [...(parts.get(id) ?? []), found]);
  }
  const states = new Map<string, FoundState>();
  for (const [id, both] of parts) {
    const left = both.filter((part) => part.versions > 0);
    if (left.length === 0) states.set(id, "gone");
    else if (left.length !== 2) states.set(id, "broken");
    else if (left.every((part) => part.current)) states.set(id, "current");
    else states.set(id, left.some((part) => part.current) ? "broken" : "hidden");
  }
  return { states, versions, bytes, loneMarkers };
}

export async function readMails(bench: Workbench): Promise<Mail[]> {
  const url = serviceUrl(bench.state, "aws");
  return (await readInbox({ url, certificate: certificateFiles(bench.paths.aws).cert })).mails;
}

/** What the mails tell of each alarm after a moment. */
export function toldByAlarm(mails: readonly Mail[], since: Date): Map<string, Told[]> {
  const told = new Map<string, Told[]>();
  for (const mail of mails) {
    const [, state, alarm] = /^(ALARM|OK): "([^"]+)"/.exec(mail.subject) ?? [];
    if (state === undefined || alarm === undefined || new Date(mail.time) < since) continue;
    told.set(alarm, [...(told.get(alarm) ?? []), { state: state as Told["state"], at: new Date(mail.time) }]);
  }
  return told;
}
