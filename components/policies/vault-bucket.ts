import { bucketArn, type PolicyDocument, policyDocument, type Statement } from "./document";
import { everyoneBut } from "./guard";

/** Actions that change what a bucket promises. Denied to all but the vault's deployer and the break-glass role (D8). */
export const BUCKET_SETTING_ACTIONS = [
  "s3:DeleteBucket",
  "s3:DeleteBucketPolicy",
  "s3:PutBucketPolicy",
  "s3:PutBucketAcl",
  "s3:PutBucketObjectLockConfiguration",
  "s3:PutBucketOwnershipControls",
  "s3:PutBucketPublicAccessBlock",
  "s3:PutBucketVersioning",
  "s3:PutEncryptionConfiguration",
  "s3:PutLifecycleConfiguration",
  "s3:PutReplicationConfiguration",
] as const;

/** Actions that end a version before its time. */
export const VERSION_ENDING_ACTIONS = ["s3:BypassGovernanceRetention", "s3:DeleteObjectVersion"] as const;

/** What the policy of a vault bucket is made of. */
export interface VaultBucketPolicyArgs {
  bucket: string;
  /** ARN of the key of this bucket's region. */
  keyArn: string;
  /** ARNs of the roles that no denial binds: the vault's deployer and the break-glass role. */
  exemptRoleArns: readonly string[];
}

/** Policy of a vault bucket: it grants nothing, it only denies. Rights are given by the policies of roles. */
export function vaultBucketPolicy(args: VaultBucketPolicyArgs): PolicyDocument {
  const bucket = bucketArn(args.bucket);
  const objects = `${bucket}/*`;
  const others = everyoneBut(args.exemptRoleArns);
  const deny = (
    Sid: string,
    Action: string | string[],
    Resource: string | string[],
    Condition: Statement["Condition"],
  ) => ({ Sid, Effect: "Deny", Principal: "*", Action, Resource, Condition }) satisfies Statement;

  return policyDocument(
    deny("TlsOnly", "s3:*", [bucket, objects], { Bool: { "aws:SecureTransport": "false" } }),
    ...encryptionStatements(deny, objects, args.keyArn),
    deny("SettingsStay", [...BUCKET_SETTING_ACTIONS], bucket, others),
    deny("VersionsStay", [...VERSION_ENDING_ACTIONS], objects, others),
    deny("HoldsStay", "s3:PutObjectLegalHold", objects, {
      ...others,
      StringEquals: { "s3:object-lock-legal-hold": "OFF" },
    }),
  );
}

type Deny = (sid: string, action: string | string[], resource: string, condition: Statement["Condition"]) => Statement;

/**
 * Wrong encryption headers are refused, absent ones are not: then the bucket's default (its own key) applies. A negated
 * operator is true for an absent key, hence the `Null` tests; `aws:kms` without a key would mean the account's
 * `aws/s3` key, which no replication role may use.
 */
function encryptionStatements(deny: Deny, objects: string, keyArn: string): Statement[] {
  const algorithm = "s3:x-amz-server-side-encryption";
  const key = "s3:x-amz-server-side-encryption-aws-kms-key-id";
  return [
    deny("OtherAlgorithmsRefused", "s3:PutObject", objects, {
      Null: { [algorithm]: "false" },
      StringNotEquals: { [algorithm]: "aws:kms" },
    }),
    deny("OtherKeysRefused", "s3:PutObject", objects, {
      Null: { [key]: "false" },
      StringNotEquals: { [key]: keyArn },
    }),
    deny("KeylessKmsRefused", "s3:PutObject", objects, {
      StringEquals: { [algorithm]: "aws:kms" },
      Null: { [key]: "true" },
    }),
    deny("CustomerKeysRefused", "s3:PutObject", objects, {
      Null: { "s3:x-amz-server-side-encryption-customer-algorithm": "false" },
    }),
  ];
}
