/** Lifecycle rules of a bucket, read once from S3's own form. */
import type { LifecycleRule as S3Rule } from "@aws-sdk/client-s3";

export interface Filter {
  prefix: string;
  tags: { key: string; value: string }[];
  /** Bytes; neither bound is within. */
  largerThan?: number;
  smallerThan?: number;
}

export interface Rule {
  id: string;
  filter: Filter;
  /** Days after creation at which the current version expires. */
  expireDays?: number;
  /** Or the day from which it does. */
  expireDate?: Date;
  /** Removes markers that hide nothing any more. */
  sweepMarkers: boolean;
  /** Days after a version became noncurrent at which it is deleted. */
  noncurrentDays?: number;
  /** As many of the newest noncurrent versions stay, however old. */
  keepNoncurrent: number;
  abortUploadDays?: number;
}

/** Rules that are enabled; actions that are not carried out here are named. */
export function readRules(rules: readonly S3Rule[]): { rules: Rule[]; unsupported: string[] } {
  const unsupported: string[] = [];
  const read = rules
    .filter(({ Status }) => Status === "Enabled")
    .map((rule, index): Rule => {
      const id = rule.ID ?? `rule ${index + 1}`;
      if (rule.Transitions?.length || rule.NoncurrentVersionTransitions?.length) unsupported.push(`${id}: transitions`);
      const { Expiration: expiration, NoncurrentVersionExpiration: noncurrent } = rule;
      return {
        id,
        filter: readFilter(rule),
        expireDays: expiration?.Days,
        expireDate: expiration?.Date,
        sweepMarkers: expiration?.ExpiredObjectDeleteMarker === true,
        noncurrentDays: noncurrent?.NoncurrentDays,
        keepNoncurrent: noncurrent?.NewerNoncurrentVersions ?? 0,
        abortUploadDays: rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation,
      };
    });
  return { rules: read, unsupported };
}

function readFilter({ Filter: filter, Prefix }: S3Rule): Filter {
  const all = filter?.And ?? filter;
  const tags = filter?.And?.Tags ?? (filter?.Tag === undefined ? [] : [filter.Tag]);
  return {
    // The old form has the prefix at the rule itself.
    prefix: all?.Prefix ?? Prefix ?? "",
    tags: tags.map(({ Key = "", Value = "" }) => ({ key: Key, value: Value })),
    largerThan: all?.ObjectSizeGreaterThan,
    smallerThan: all?.ObjectSizeLessThan,
  };
}
