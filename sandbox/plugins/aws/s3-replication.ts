import type { ReplicationRule } from "@aws-sdk/client-s3";
import type { Inputs } from "../core/types";
import type { Properties } from "../core/values";
import { filterFrom, filterTo, onOff, tag } from "./s3-filters";
import { setting } from "./s3-settings";
import { compact } from "./shared";

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
