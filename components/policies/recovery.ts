import { BACKUP_CLASSES } from "../../backup/classes";
import { currentAppKey } from "../../backup/layout";
import { accountArn, bucketArn, type PolicyDocument, policyDocument, type TrustDocument } from "./document";

/** What the recovery and break-glass roles may touch. */
export interface VaultGrantArgs {
  system: string;
  /** Names of the vault buckets of both sides. */
  buckets: readonly string[];
  /** Names of the media buckets of both sides. */
  mediaBuckets: readonly string[];
  keyArns: readonly string[];
  tableArns: readonly string[];
}

/** Prefixes that a recovery reads: every class of this system's backups, its releases, pointer and markers. */
export function recoveryReadPrefixes(system: string): string[] {
  return [
    ...BACKUP_CLASSES.map((backupClass) => `${backupClass}/${system}/*`),
    `release/${system}/*`,
    currentAppKey(system),
    `restore/${system}/*`,
  ];
}

/**
 * Rights of the recovery role: read backups and media of its system on both sides, write markers and the current app's
 * pointer.
 */
export function recoveryPolicy({ system, buckets, mediaBuckets, keyArns, tableArns }: VaultGrantArgs): PolicyDocument {
  const objects = (keys: string[]) => buckets.flatMap((bucket) => keys.map((key) => `${bucketArn(bucket)}/${key}`));
  return policyDocument(
    {
      Sid: "ListVault",
      Effect: "Allow",
      Action: ["s3:ListBucket", "s3:ListBucketVersions"],
      Resource: [...buckets, ...mediaBuckets].map(bucketArn),
    },
    {
      // By version too: lifecycle puts a delete marker even over a version under legal hold.
      Sid: "ReadBackups",
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:GetObjectVersion"],
      Resource: objects(recoveryReadPrefixes(system)),
    },
    {
      Sid: "ReadMedia",
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:GetObjectVersion"],
      Resource: mediaBuckets.map((bucket) => `${bucketArn(bucket)}/media/${system}/*`),
    },
    {
      Sid: "WriteMarkersAndPointer",
      Effect: "Allow",
      Action: "s3:PutObject",
      Resource: objects([currentAppKey(system), `restore/${system}/*`]),
    },
    { Sid: "UseKeys", Effect: "Allow", Action: ["kms:Decrypt", "kms:GenerateDataKey"], Resource: [...keyArns] },
    { Sid: "ReadRuns", Effect: "Allow", Action: "dynamodb:Query", Resource: [...tableArns] },
  );
}

/** The account's own identities may assume the recovery role if their policies say so: it can't destroy anything. */
export function recoveryTrust(account: string): TrustDocument {
  return {
    Version: "2012-10-17",
    Statement: [{ Sid: "Account", Effect: "Allow", Principal: { AWS: accountArn(account) }, Action: "sts:AssumeRole" }],
  };
}
