import type { S3 } from "@aws-sdk/client-s3";
import type { Inputs, ResourceType } from "../core/types";
import type { Properties } from "../core/values";
import { type AwsClients, ifFound } from "./clients";
import { region } from "./shared";

/** One setting of a bucket that is written, read and removed as a whole; its id is the bucket's name. */
export function setting(
  name: string,
  inputs: Inputs,
  how: {
    put(s3: S3, inputs: Properties): Promise<unknown>;
    get(s3: S3, bucket: string): Promise<Properties | undefined>;
    remove(s3: S3, bucket: string): Promise<unknown>;
  },
  check?: ResourceType<AwsClients>["check"],
): ResourceType<AwsClients> {
  return {
    token: `aws:s3/${name[0]?.toLowerCase()}${name.slice(1)}:${name}`,
    inputs: { bucket: { required: true, replace: true }, ...inputs, region },
    outputs: {},
    check,
    async create(given, aws) {
      await how.put(await aws.s3(given.region), given);
      return { id: given.bucket };
    },
    async read(id, state, aws) {
      const live = await ifFound(how.get(await aws.s3(state.region), id));
      return live && { bucket: id, region: state.region ?? aws.region, ...live };
    },
    async update({ news, client: aws }) {
      await how.put(await aws.s3(news.region), news);
      return {};
    },
    async delete(id, state, aws) {
      await how.remove(await aws.s3(state.region), id);
    },
  };
}

export const bucketVersioning = setting(
  "BucketVersioning",
  {
    versioningConfiguration: {
      required: true,
      fields: { status: { required: true, values: ["Enabled", "Suspended", "Disabled"] } },
    },
  },
  {
    async put(s3, { bucket, versioningConfiguration: { status } }) {
      if (status === "Disabled") return;
      await s3.putBucketVersioning({ Bucket: bucket, VersioningConfiguration: { Status: status } });
    },
    async get(s3, bucket) {
      const { Status } = await s3.getBucketVersioning({ Bucket: bucket });
      return { versioningConfiguration: { status: Status ?? "Disabled" } };
    },
    async remove(s3, bucket) {
      const lock = await ifFound(s3.getObjectLockConfiguration({ Bucket: bucket }));
      // AWS refuses to suspend versioning under an object lock, and the provider lets it be then.
      if (lock?.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled") return;
      await s3.putBucketVersioning({ Bucket: bucket, VersioningConfiguration: { Status: "Suspended" } });
    },
  },
);

export const bucketEncryption = setting(
  "BucketServerSideEncryptionConfiguration",
  {
    rules: {
      required: true,
      compare: "set",
      fields: {
        applyServerSideEncryptionByDefault: {
          fields: {
            kmsMasterKeyId: {},
            sseAlgorithm: { required: true, values: ["AES256", "aws:kms", "aws:kms:dsse"] },
          },
        },
        bucketKeyEnabled: {},
      },
    },
  },
  {
    put: (s3, { bucket, rules }) =>
      s3.putBucketEncryption({
        Bucket: bucket,
        ServerSideEncryptionConfiguration: {
          Rules: rules.map((rule: Properties) => ({
            ApplyServerSideEncryptionByDefault: rule.applyServerSideEncryptionByDefault && {
              SSEAlgorithm: rule.applyServerSideEncryptionByDefault.sseAlgorithm,
              KMSMasterKeyID: rule.applyServerSideEncryptionByDefault.kmsMasterKeyId,
            },
            BucketKeyEnabled: rule.bucketKeyEnabled ?? false,
          })),
        },
      }),
    async get(s3, bucket) {
      const { ServerSideEncryptionConfiguration: live } = await s3.getBucketEncryption({ Bucket: bucket });
      return {
        rules: (live?.Rules ?? []).map((rule) => ({
          applyServerSideEncryptionByDefault: rule.ApplyServerSideEncryptionByDefault && {
            sseAlgorithm: rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm,
            kmsMasterKeyId: rule.ApplyServerSideEncryptionByDefault.KMSMasterKeyID,
          },
          bucketKeyEnabled: rule.BucketKeyEnabled ?? false,
        })),
      };
    },
    remove: (s3, bucket) => s3.deleteBucketEncryption({ Bucket: bucket }),
  },
);

export const bucketObjectLock = setting(
  "BucketObjectLockConfiguration",
  {
    objectLockEnabled: { default: "Enabled", values: ["Enabled"], replace: true },
    rule: {
      fields: {
        defaultRetention: {
          required: true,
          fields: { mode: { values: ["GOVERNANCE", "COMPLIANCE"] }, days: {}, years: {} },
        },
      },
    },
  },
  {
    put: (s3, { bucket, rule }) =>
      s3.putObjectLockConfiguration({
        Bucket: bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: "Enabled",
          Rule: rule && {
            DefaultRetention: {
              Mode: rule.defaultRetention.mode,
              Days: rule.defaultRetention.days,
              Years: rule.defaultRetention.years,
            },
          },
        },
      }),
    async get(s3, bucket) {
      const { ObjectLockConfiguration: live } = await s3.getObjectLockConfiguration({ Bucket: bucket });
      if (!live) return undefined;
      const retention = live.Rule?.DefaultRetention;
      return {
        objectLockEnabled: live.ObjectLockEnabled,
        rule: retention && {
          defaultRetention: { mode: retention.Mode, days: retention.Days, years: retention.Years },
        },
      };
    },
    // A lock can't be taken off a bucket: only the default for new objects ends.
    remove: (s3, bucket) =>
      s3.putObjectLockConfiguration({ Bucket: bucket, ObjectLockConfiguration: { ObjectLockEnabled: "Enabled" } }),
  },
);

export const bucketPublicAccessBlock = setting(
  "BucketPublicAccessBlock",
  {
    blockPublicAcls: { default: false },
    blockPublicPolicy: { default: false },
    ignorePublicAcls: { default: false },
    restrictPublicBuckets: { default: false },
  },
  {
    put: (s3, inputs) =>
      s3.putPublicAccessBlock({
        Bucket: inputs.bucket,
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: inputs.blockPublicAcls,
          BlockPublicPolicy: inputs.blockPublicPolicy,
          IgnorePublicAcls: inputs.ignorePublicAcls,
          RestrictPublicBuckets: inputs.restrictPublicBuckets,
        },
      }),
    async get(s3, bucket) {
      const { PublicAccessBlockConfiguration: live } = await s3.getPublicAccessBlock({ Bucket: bucket });
      return {
        blockPublicAcls: live?.BlockPublicAcls ?? false,
        blockPublicPolicy: live?.BlockPublicPolicy ?? false,
        ignorePublicAcls: live?.IgnorePublicAcls ?? false,
        restrictPublicBuckets: live?.RestrictPublicBuckets ?? false,
      };
    },
    remove: (s3, bucket) => s3.deletePublicAccessBlock({ Bucket: bucket }),
  },
);

export const bucketOwnership = setting(
  "BucketOwnershipControls",
  {
    rule: {
      required: true,
      fields: {
        objectOwnership: {
          required: true,
          values: ["BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"],
        },
      },
    },
  },
  {
    put: (s3, { bucket, rule }) =>
      s3.putBucketOwnershipControls({
        Bucket: bucket,
        OwnershipControls: { Rules: [{ ObjectOwnership: rule.objectOwnership }] },
      }),
    async get(s3, bucket) {
      const { OwnershipControls } = await s3.getBucketOwnershipControls({ Bucket: bucket });
      return { rule: { objectOwnership: OwnershipControls?.Rules?.[0]?.ObjectOwnership } };
    },
    remove: (s3, bucket) => s3.deleteBucketOwnershipControls({ Bucket: bucket }),
  },
);

export const bucketPolicy = setting(
  "BucketPolicy",
  { policy: { required: true, compare: "policy" } },
  {
    put: (s3, { bucket, policy }) => s3.putBucketPolicy({ Bucket: bucket, Policy: policy }),
    async get(s3, bucket) {
      const { Policy } = await s3.getBucketPolicy({ Bucket: bucket });
      return Policy === undefined ? undefined : { policy: Policy };
    },
    remove: (s3, bucket) => s3.deleteBucketPolicy({ Bucket: bucket }),
  },
);
