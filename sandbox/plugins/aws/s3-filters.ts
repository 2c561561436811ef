/** Filters of rules, which lifecycle and replication have in common. */
import type { LifecycleRule } from "@aws-sdk/client-s3";
import type { Inputs } from "../core/types";
import type { Properties } from "../core/values";
import { tagList } from "./shared";

export const tag: Inputs = { key: { required: true }, value: { required: true } };
export const onOff = ["Enabled", "Disabled"];

const tagMap = (list: { Key?: string; Value?: string }[] | undefined) =>
  list && Object.fromEntries(list.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));

/** A filter with several conditions needs `and` on the wire, exactly as in the program. */
export function filterTo(filter: Properties | undefined) {
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

export function filterFrom(filter: LifecycleRule["Filter"]): Properties | undefined {
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
