import type { LifecycleRule, ReplicationRule } from "@aws-sdk/client-s3";
import type { Inputs } from "../core/types";
import type { Properties } from "../core/values";
import { setting } from "./s3-settings";
import { compact, tagList } from "./shared";

const tag: Inputs = { key: { required: true }, value: { required: true } };
const onOff = ["Enabled", "Disabled"];

const tagMap = (list: { Key?: string; Value?: string }[] | undefined) =>
  list && Object.fromEntries(list.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));

/** A filter with several conditions needs `and` on the wire, exactly as in the program. */
function filterTo(filter: Properties | undefined) {
  if (!filter) return { Prefix: "" };
  const { and, prefix, tag: one } = filter;
  if (and) {
    return {
      And: {
        Prefix: and.prefix,
        Tags: and.tags && tagList(and.tags),
        ObjectSizeGreaterThan: and.objectSizeGreaterThan,
        ObjectSizeLessThan: and.objectSizeLessThan,
      },
    };
  }
  if (one) return { Tag: { Key: one.key, Value: one.value } };
  const { objectSizeGreaterThan: more, objectSizeLessThan: less } = filter;
  if (more !== undefined) return { ObjectSizeGreaterThan: more };
  if (less !== undefined) return { ObjectSizeLessThan: less };
  return { Prefix: prefix ?? "" };
}

function filterFrom(filter: LifecycleRule["Filter"]): Properties | undefined {
  if (!filter) return undefined;
  const and = filter.And && {
    prefix: filter.And.Prefix,
    tags: tagMap(filter.And.Tags),
    objectSizeGreaterThan: filter.And.ObjectSizeGreaterThan,
    objectSizeLessThan: filter.And.ObjectSizeLessThan,
  };
  return {
    and,
    prefix: filter.Prefix,
    tag: filter.Tag && { key: filter.Tag.Key, value: filter.Tag.Value },
    objectSizeGreaterThan: filter.ObjectSizeGreaterThan,
    objectSizeLessThan: filter.ObjectSizeLessThan,
  };
}

const sizes: Inputs = { objectSizeGreaterThan: {}, objectSizeLessThan: {} };

export const bucketLifecycle = setting(
  "BucketLifecycleConfiguration",
  {
    rules: {
      required: true,
      fields: {
        id: { required: true },
        status: { required: true, values: onOff },
        filter: {
          fields: { and: { fields: { prefix: {}, tags: {}, ...sizes } }, prefix: {}, tag: { fields: tag }, ...sizes },
        },
        abortIncompleteMultipartUpload: { fields: { daysAfterInitiation: {} } },
        expiration: { fields: { date: {}, days: {}, expiredObjectDeleteMarker: {} } },
        noncurrentVersionExpiration: { fields: { newerNoncurrentVersions: {}, noncurrentDays: {} } },
        noncurrentVersionTransitions: {
          compare: "set",
          fields: { newerNoncurrentVersions: {}, noncurrentDays: {}, storageClass: { required: true } },
        },
        transitions: { compare: "set", fields: { date: {}, days: {}, storageClass: { required: true } } },
      },
    },
  },
  {
    put: (s3, { bucket, rules }) =>
      s3.putBucketLifecycleConfiguration({
        Bucket: bucket,
        LifecycleConfiguration: { Rules: rules.map(lifecycleTo) },
      }),
    async get(s3, bucket) {
      const { Rules } = await s3.getBucketLifecycleConfiguration({ Bucket: bucket });
      return Rules && Rules.length > 0 ? { rules: Rules.map(lifecycleFrom) } : undefined;
    },
    remove: (s3, bucket) => s3.deleteBucketLifecycle({ Bucket: bucket }),
  },
);

function lifecycleTo(rule: Properties): LifecycleRule {
  const { expiration, noncurrentVersionExpiration: noncurrent } = rule;
  return {
    ID: rule.id,
    Status: rule.status,
    Filter: filterTo(rule.filter),
    AbortIncompleteMultipartUpload: rule.abortIncompleteMultipartUpload && {
      DaysAfterInitiation: rule.abortIncompleteMultipartUpload.daysAfterInitiation,
    },
    Expiration: expiration && {
      Date: expiration.date === undefined ? undefined : new Date(expiration.date),
      Days: expiration.days,
      ExpiredObjectDeleteMarker: expiration.expiredObjectDeleteMarker,
    },
    NoncurrentVersionExpiration: noncurrent && {
      NewerNoncurrentVersions: noncurrent.newerNoncurrentVersions,
      NoncurrentDays: noncurrent.noncurrentDays,
    },
    NoncurrentVersionTransitions: rule.noncurrentVersionTransitions?.map((move: Properties) => ({
      NewerNoncurrentVersions: move.newerNoncurrentVersions,
      NoncurrentDays: move.noncurrentDays,
      StorageClass: move.storageClass,
    })),
    Transitions: rule.transitions?.map((move: Properties) => ({
      Date: move.date === undefined ? undefined : new Date(move.date),
      Days: move.days,
      StorageClass: move.storageClass,
    })),
  };
}

const instant = (date: Date | undefined) => date?.toISOString().replace(/\.000Z$/, "Z");

function lifecycleFrom(rule: LifecycleRule): Properties {
  return {
    id: rule.ID,
    status: rule.Status,
    filter: filterFrom(rule.Filter),
    abortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload && {
      daysAfterInitiation: rule.AbortIncompleteMultipartUpload.DaysAfterInitiation,
    },
    expiration: rule.Expiration && {
      date: instant(rule.Expiration.Date),
      days: rule.Expiration.Days,
      expiredObjectDeleteMarker: rule.Expiration.ExpiredObjectDeleteMarker,
    },
    noncurrentVersionExpiration: rule.NoncurrentVersionExpiration && {
      newerNoncurrentVersions: rule.NoncurrentVersionExpiration.NewerNoncurrentVersions,
      noncurrentDays: rule.NoncurrentVersionExpiration.NoncurrentDays,
    },
    noncurrentVersionTransitions: rule.NoncurrentVersionTransitions?.map((move) => ({
      newerNoncurrentVersions: move.NewerNoncurrentVersions,
      noncurrentDays: move.NoncurrentDays,
      storageClass: move.StorageClass,
    })),
    transitions: rule.Transitions?.map((move) => ({
      date: instant(move.Date),
      days: move.Days,
      storageClass: move.StorageClass,
    })),
  };
}

const status: Inputs = { status: { required: true, values: onOff } };

export const bucketReplication = setting(
  "BucketReplicationConfig",
  {
    role: { required: true },
    rules: {
      required: true,
      fields: {
        id: { computed: true },
        priority: {},
        ...status,
        filter: { fields: { and: { fields: { prefix: {}, tags: {} } }, prefix: {}, tag: { fields: tag } } },
        deleteMarkerReplication: { fields: status },
        existingObjectReplication: { fields: status },
        sourceSelectionCriteria: {
          fields: { replicaModifications: { fields: status }, sseKmsEncryptedObjects: { fields: status } },
        },
        destination: {
          required: true,
          fields: {
            bucket: { required: true },
            account: {},
            storageClass: {},
            accessControlTranslation: { fields: { owner: { required: true } } },
            encryptionConfiguration: { fields: { replicaKmsKeyId: { required: true } } },
            metrics: { fields: { ...status, eventThreshold: { fields: { minutes: { required: true } } } } },
            replicationTime: {
              fields: { ...status, time: { required: true, fields: { minutes: { required: true } } } },
            },
          },
        },
      },
    },
  },
  {
    put: (s3, { bucket, role, rules }) =>
      s3.putBucketReplication({
        Bucket: bucket,
        ReplicationConfiguration: { Role: role, Rules: rules.map(replicationTo) },
      }),
    async get(s3, bucket) {
      const { ReplicationConfiguration: live } = await s3.getBucketReplication({ Bucket: bucket });
      return live && { role: live.Role, rules: (live.Rules ?? []).map(replicationFrom) };
    },
    remove: (s3, bucket) => s3.deleteBucketReplication({ Bucket: bucket }),
  },
);

const statusTo = (value: Properties | undefined) => value && { Status: value.status };

function replicationTo(rule: Properties): ReplicationRule {
  const { destination, sourceSelectionCriteria: criteria } = rule;
  const { metrics, replicationTime: time, encryptionConfiguration: encryption } = destination;
  return {
    ID: rule.id,
    Priority: rule.priority,
    Status: rule.status,
    Filter: rule.filter && filterTo(rule.filter),
    DeleteMarkerReplication: statusTo(rule.deleteMarkerReplication),
    ExistingObjectReplication: statusTo(rule.existingObjectReplication),
    SourceSelectionCriteria: criteria && {
      ReplicaModifications: statusTo(criteria.replicaModifications),
      SseKmsEncryptedObjects: statusTo(criteria.sseKmsEncryptedObjects),
    },
    Destination: {
      Bucket: destination.bucket,
      Account: destination.account,
      StorageClass: destination.storageClass,
      AccessControlTranslation: destination.accessControlTranslation && {
        Owner: destination.accessControlTranslation.owner,
      },
      EncryptionConfiguration: encryption && { ReplicaKmsKeyID: encryption.replicaKmsKeyId },
      Metrics: metrics && {
        Status: metrics.status,
        EventThreshold: metrics.eventThreshold && { Minutes: metrics.eventThreshold.minutes },
      },
      ReplicationTime: time && { Status: time.status, Time: { Minutes: time.time.minutes } },
    },
  };
}

const statusFrom = (value: { Status?: string } | undefined) => value && { status: value.Status };

function replicationFrom(rule: ReplicationRule): Properties {
  const { Destination: destination, SourceSelectionCriteria: criteria } = rule;
  return {
    id: rule.ID,
    priority: rule.Priority,
    status: rule.Status,
    filter: filterFrom(rule.Filter),
    deleteMarkerReplication: statusFrom(rule.DeleteMarkerReplication),
    existingObjectReplication: statusFrom(rule.ExistingObjectReplication),
    sourceSelectionCriteria:
      criteria &&
      compact({
        replicaModifications: statusFrom(criteria.ReplicaModifications),
        sseKmsEncryptedObjects: statusFrom(criteria.SseKmsEncryptedObjects),
      }),
    destination: destination && {
      bucket: destination.Bucket,
      account: destination.Account,
      storageClass: destination.StorageClass,
      accessControlTranslation: destination.AccessControlTranslation && {
        owner: destination.AccessControlTranslation.Owner,
      },
      encryptionConfiguration: destination.EncryptionConfiguration && {
        replicaKmsKeyId: destination.EncryptionConfiguration.ReplicaKmsKeyID,
      },
      metrics: destination.Metrics && {
        status: destination.Metrics.Status,
        eventThreshold: destination.Metrics.EventThreshold && { minutes: destination.Metrics.EventThreshold.Minutes },
      },
      replicationTime: destination.ReplicationTime && {
        status: destination.ReplicationTime.Status,
        time: { minutes: destination.ReplicationTime.Time?.Minutes },
      },
    },
  };
}
