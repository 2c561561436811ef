import { accountArn, bucketArn, type PolicyDocument, policyDocument, type TrustDocument } from "./document";
import { BUCKET_SETTING_ACTIONS, VERSION_ENDING_ACTIONS } from "./vault-bucket";
import { KEY_ENDING_ACTIONS } from "./vault-key";

/**
 * Who may break the glass.
 * @param principals ARNs of the holders. Empty: the account decides by its IAM policies.
 * A second factor is asked for in either case: these rights end backups.
 */
export function breakGlassTrust(account: string, principals: readonly string[]): TrustDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "HoldersWithSecondFactor",
        Effect: "Allow",
        Principal: { AWS: principals.length > 0 ? [...principals] : accountArn(account) },
        Action: "sts:AssumeRole",
        Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } },
      },
    ],
  };
}

/** Rights of the break-glass role: everything that the vault denies to others, on this vault only, and reading it. */
export function breakGlassPolicy(buckets: readonly string[], keyArns: readonly string[]): PolicyDocument {
  const bucketArns = buckets.map(bucketArn);
  const objectArns = bucketArns.map((arn) => `${arn}/*`);
  return policyDocument(
    {
      Sid: "BucketSettings",
      Effect: "Allow",
      Action: [...BUCKET_SETTING_ACTIONS, "s3:GetBucket*", "s3:GetLifecycleConfiguration", "s3:ListBucket*"],
      Resource: bucketArns,
    },
    {
      Sid: "Versions",
      Effect: "Allow",
      Action: [
        ...VERSION_ENDING_ACTIONS,
        "s3:GetObject*",
        "s3:PutObjectLegalHold",
        "s3:PutObjectRetention",
        "s3:DeleteObject",
      ],
      Resource: objectArns,
    },
    {
      Sid: "Keys",
      Effect: "Allow",
      Action: [
        ...KEY_ENDING_ACTIONS,
        "kms:CancelKeyDeletion",
        "kms:EnableKey",
        "kms:DescribeKey",
        "kms:GetKeyPolicy",
        "kms:Decrypt",
      ],
      Resource: [...keyArns],
    },
  );
}
