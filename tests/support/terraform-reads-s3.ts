/** Part of terraform-reads.ts: buckets and their settings. */
import { type ReplicationRule, S3 } from "@aws-sdk/client-s3";
import type { Properties } from "../../sandbox/plugins/core/values";
import type { TerraformType } from "./terraform-reads";

const client = (region: string) => new S3({ region, forcePathStyle: true });

/** A setting: its id is the bucket's name, and it has no attributes of the service's own. */
const setting = (
  declaration: string,
  read: (s3: S3, bucket: string) => Promise<Properties>,
  more: Partial<TerraformType> = {},
): TerraformType => ({
  declaration: `s3/${declaration}`,
  read: async (id, region) => ({ bucket: id, region, ...(await read(client(region), id)) }),
  undeclared: {},
  computed: [],
  unread: [],
  ...more,
});

/** The answer, or nothing for an error that says that this setting was never made. */
const unset = async <T>(answer: Promise<T>, code: string): Promise<T | undefined> =>
  answer.catch((error: Error) => {
    if (error.name !== code) throw error;
    return undefined;
  });

const bucket: TerraformType = {
  declaration: "s3/bucket",
  async read(id, region) {
    const s3 = client(region);
    const Bucket = id;
    const head = await s3.headBucket({ Bucket });
    // The provider asks for all of these, although none of them is the program's here: an error would end the refresh.
    await Promise.all([
      s3.getBucketAcl({ Bucket }),
      unset(s3.getBucketCors({ Bucket }), "NoSuchCORSConfiguration"),
      unset(s3.getBucketWebsite({ Bucket }), "NoSuchWebsiteConfiguration"),
      s3.getBucketAccelerateConfiguration({ Bucket }),
      s3.getBucketRequestPayment({ Bucket }),
      s3.getBucketLogging({ Bucket }),
    ]);
    const lock = await unset(s3.getObjectLockConfiguration({ Bucket }), "ObjectLockConfigurationNotFoundError");
    const { TagSet = [] } = (await unset(s3.getBucketTagging({ Bucket }), "NoSuchTagSet")) ?? {};
    const tags = Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value]));
    return {
      bucket: id,
      region: head.BucketRegion,
      bucketRegion: head.BucketRegion,
      objectLockEnabled: lock?.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled",
      tags,
      tagsAll: tags,
    };
  },
  undeclared: {},
  computed: ["bucketRegion", "arn", "bucketDomainName", "bucketRegionalDomainName", "hostedZoneId", "bucketNamespace"]
    .concat(["acl", "grants", "accelerationStatus", "corsRules", "lifecycleRules", "logging", "policy", "versioning"])
    .concat(["objectLockConfiguration", "replicationConfiguration", "requestPayer", "website", "websiteDomain"])
    .concat(["serverSideEncryptionConfiguration", "websiteEndpoint"]),
  unread: ["forceDestroy", "bucketPrefix"],
};

const versioning = setting(
  "bucketVersioning",
  async (s3, Bucket) => {
    const { Status, MFADelete } = await s3.getBucketVersioning({ Bucket });
    return { versioningConfiguration: { status: Status ?? "Disabled", mfaDelete: MFADelete } };
  },
  { unread: ["mfa", "expectedBucketOwner"] },
);

const encryption = setting(
  "bucketServerSideEncryptionConfiguration",
  async (s3, Bucket) => {
    const { ServerSideEncryptionConfiguration: live } = await s3.getBucketEncryption({ Bucket });
    return {
      rules: live?.Rules?.map(({ ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled, ...rest }) => ({
        applyServerSideEncryptionByDefault: byDefault && {
          sseAlgorithm: byDefault.SSEAlgorithm,
          kmsMasterKeyId: byDefault.KMSMasterKeyID,
        },
        bucketKeyEnabled: BucketKeyEnabled,
        ...rest,
      })),
    };
  },
  { unread: ["expectedBucketOwner"] },
);

const objectLock = setting(
  "bucketObjectLockConfiguration",
  async (s3, Bucket) => {
    const { ObjectLockConfiguration: live } = await s3.getObjectLockConfiguration({ Bucket });
    const retention = live?.Rule?.DefaultRetention;
    return {
      objectLockEnabled: live?.ObjectLockEnabled,
      rule: retention && {
        defaultRetention: { mode: retention.Mode, days: retention.Days, years: retention.Years },
      },
    };
  },
  { unread: ["token", "expectedBucketOwner"] },
);

const lifecycle = setting(
  "bucketLifecycleConfiguration",
  async (s3, Bucket) => {
    const { Rules, TransitionDefaultMinimumObjectSize } = await s3.getBucketLifecycleConfiguration({ Bucket });
    return {
      rules: Rules?.map((rule) => ({
        id: rule.ID,
        status: rule.Status,
        prefix: rule.Prefix,
        filter: rule.Filter && {
          prefix: rule.Filter.Prefix,
          tag: rule.Filter.Tag,
          and: rule.Filter.And,
          objectSizeGreaterThan: rule.Filter.ObjectSizeGreaterThan,
          objectSizeLessThan: rule.Filter.ObjectSizeLessThan,
        },
        expiration: rule.Expiration && {
          date: rule.Expiration.Date,
          days: rule.Expiration.Days,
          expiredObjectDeleteMarker: rule.Expiration.ExpiredObjectDeleteMarker,
        },
        noncurrentVersionExpiration: rule.NoncurrentVersionExpiration && {
          noncurrentDays: rule.NoncurrentVersionExpiration.NoncurrentDays,
          newerNoncurrentVersions: rule.NoncurrentVersionExpiration.NewerNoncurrentVersions,
        },
        abortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload && {
          daysAfterInitiation: rule.AbortIncompleteMultipartUpload.DaysAfterInitiation,
        },
        transitions: rule.Transitions,
        noncurrentVersionTransitions: rule.NoncurrentVersionTransitions,
      })),
      transitionDefaultMinimumObjectSize: TransitionDefaultMinimumObjectSize,
    };
  },
  {
    undeclared: { transitionDefaultMinimumObjectSize: "all_storage_classes_128K" },
    unread: ["timeouts", "expectedBucketOwner"],
  },
);

const status = (value: { Status?: string } | undefined) => value && { status: value.Status };

function replicationRule(rule: ReplicationRule): Properties {
  const { Destination: to, SourceSelectionCriteria: criteria } = rule;
  return {
    id: rule.ID,
    priority: rule.Priority,
    status: rule.Status,
    prefix: rule.Prefix,
    filter: rule.Filter && { prefix: rule.Filter.Prefix, tag: rule.Filter.Tag, and: rule.Filter.And },
    deleteMarkerReplication: status(rule.DeleteMarkerReplication),
    existingObjectReplication: status(rule.ExistingObjectReplication),
    sourceSelectionCriteria: criteria && {
      sseKmsEncryptedObjects: status(criteria.SseKmsEncryptedObjects),
      replicaModifications: status(criteria.ReplicaModifications),
    },
    destination: to && {
      bucket: to.Bucket,
      account: to.Account,
      storageClass: to.StorageClass,
      accessControlTranslation: to.AccessControlTranslation,
      encryptionConfiguration: to.EncryptionConfiguration && {
        replicaKmsKeyId: to.EncryptionConfiguration.ReplicaKmsKeyID,
      },
      metrics: to.Metrics && {
        ...status(to.Metrics),
        eventThreshold: to.Metrics.EventThreshold && { minutes: to.Metrics.EventThreshold.Minutes },
      },
      replicationTime: to.ReplicationTime && {
        ...status(to.ReplicationTime),
        time: to.ReplicationTime.Time && { minutes: to.ReplicationTime.Time.Minutes },
      },
    },
  };
}

const replication = setting(
  "bucketReplicationConfig",
  async (s3, Bucket) => {
    const { ReplicationConfiguration: live } = await s3.getBucketReplication({ Bucket });
    return { role: live?.Role, rules: live?.Rules?.map(replicationRule) };
  },
  { unread: ["token"] },
);

const publicAccess = setting(
  "bucketPublicAccessBlock",
  async (s3, Bucket) => {
    const { PublicAccessBlockConfiguration: live } = await s3.getPublicAccessBlock({ Bucket });
    return {
      blockPublicAcls: live?.BlockPublicAcls,
      blockPublicPolicy: live?.BlockPublicPolicy,
      ignorePublicAcls: live?.IgnorePublicAcls,
      restrictPublicBuckets: live?.RestrictPublicBuckets,
    };
  },
  { unread: ["skipDestroy"] },
);

const ownership = setting("bucketOwnershipControls", async (s3, Bucket) => {
  const { OwnershipControls } = await s3.getBucketOwnershipControls({ Bucket });
  return { rule: { objectOwnership: OwnershipControls?.Rules?.[0]?.ObjectOwnership } };
});

const policy = setting("bucketPolicy", async (s3, Bucket) => ({
  policy: (await s3.getBucketPolicy({ Bucket })).Policy,
}));

const types = [bucket, versioning, encryption, objectLock, lifecycle, replication, publicAccess, ownership, policy];

/** By token, which the declaration's name gives. */
export const BUCKET_TYPES: { [token: string]: TerraformType } = Object.fromEntries(
  types.map((type) => {
    const name = type.declaration.split("/")[1] ?? "";
    return [`aws:s3/${name}:${name[0]?.toUpperCase()}${name.slice(1)}`, type];
  }),
);
