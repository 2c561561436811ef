import type { Input } from "../core/types";
import type { Properties } from "../core/values";
import type { AwsClients } from "./clients";

/** The region argument that every regional resource has: the provider's region unless it says another. */
export const region: Input = { replace: true, default: (aws: AwsClients) => aws.region };

export const tags: Input = {};

/** Tags as a list of Key and Value. */
export const tagList = (map: Properties | undefined) =>
  Object.entries(map ?? {}).map(([Key, Value]) => ({ Key, Value: String(Value) }));

/** The map of a list of tags, both as input and as `tagsAll`. */
export function tagsOf(list: { Key?: string; Value?: string }[] | undefined) {
  return tagsFrom(Object.fromEntries((list ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""])));
}

export const tagsFrom = (map: { [key: string]: string } | undefined) => ({ tags: map ?? {}, tagsAll: map ?? {} });

/** Keys that are no longer wanted. */
export const removedTags = (olds: Properties, news: Properties) =>
  Object.keys(olds.tags ?? {}).filter((key) => !(key in (news.tags ?? {})));

/** The object without members that are undefined, or undefined if nothing is left. */
export function compact<T extends object>(value: T): T | undefined {
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return members.length === 0 ? undefined : (Object.fromEntries(members) as T);
}

export const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
