import type { LifecycleRule } from "@aws-sdk/client-s3";
import type { Inputs } from "../core/types";
import type { Properties } from "../core/values";
import { filterFrom, filterTo, onOff, tag } from "./s3-filters";
import { setting } from "./s3-settings";

/** Objects below this size don't move to another class, unless a rule names sizes of its own. */
const MINIMUM_SIZE = "all_storage_classes_128K";

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
    // The provider's default is sent and kept; the other value is refused, since MiniStack answers this one always.
    transitionDefaultMinimumObjectSize: { computed: true, values: [MINIMUM_SIZE] },
  },
  {
    put: (s3, { bucket, rules }) =>
      s3.putBucketLifecycleConfiguration({
        Bucket: bucket,
        LifecycleConfiguration: { Rules: rules.map(lifecycleTo) },
        TransitionDefaultMinimumObjectSize: MINIMUM_SIZE,
      }),
    async get(s3, bucket) {
      const { Rules, TransitionDefaultMinimumObjectSize } = await s3.getBucketLifecycleConfiguration({
        Bucket: bucket,
      });
      if (!Rules || Rules.length === 0) return undefined;
      return {
        rules: Rules.map(lifecycleFrom),
        transitionDefaultMinimumObjectSize: TransitionDefaultMinimumObjectSize,
      };
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
