/** Which settings belong to which bucket. Every bucket of this program keeps backups or media, so rules look at all. */
import type { Checked, Finding } from "./model";
import { peek, UNKNOWN } from "./peek";
import { BUCKET } from "./types";

export function bucketsOf(resources: readonly Checked[]): Checked[] {
  return resources.filter((resource) => resource.type === BUCKET);
}

/** Whether a property of a resource refers to this bucket: by where its value came from, by name, or by ARN. */
export function refersTo(resource: Checked, property: string, value: unknown, bucket: Checked): boolean {
  const origins = resource.propertyDependencies?.[property] ?? [];
  if (origins.some((origin) => origin.urn === bucket.urn)) return true;
  const name = peek(bucket.props, "bucket");
  return typeof name === "string" && (value === name || value === `arn:aws:s3:::${name}`);
}

/** The settings of a type that belong to a bucket. */
export function settingsOf(resources: readonly Checked[], type: string, bucket: Checked): Checked[] {
  return resources.filter(
    (resource) => resource.type === type && refersTo(resource, "bucket", peek(resource.props, "bucket"), bucket),
  );
}

/**
 * A finding for each bucket that has no good setting of a type. A setting whose bucket a preview can't tell counts for
 * none: then the rule complains in the preview rather than miss it in the update.
 */
export function bucketsWithout(
  resources: readonly Checked[],
  type: string,
  what: string,
  problem: (setting: Checked, bucket: Checked) => string | undefined,
): Finding[] {
  return bucketsOf(resources).flatMap((bucket) => {
    const settings = settingsOf(resources, type, bucket);
    if (settings.length === 0) return [{ urn: bucket.urn, message: `bucket ${label(bucket)} has no ${what}` }];
    return settings.flatMap((setting) => {
      const message = problem(setting, bucket);
      return message === undefined ? [] : [{ urn: setting.urn, message: `bucket ${label(bucket)}: ${message}` }];
    });
  });
}

export function label(bucket: Checked): string {
  const name = peek(bucket.props, "bucket");
  return typeof name === "string" && name !== "" ? name : bucket.name;
}

/** Whether a bucket, by its name from backup/layout.ts, keeps media; undefined if the name can't tell. */
export function keepsMedia(name: unknown): boolean | undefined {
  if (name === UNKNOWN || typeof name !== "string") return undefined;
  if (/-media-\d{12}-/.test(name)) return true;
  return /-vault-\d{12}-/.test(name) ? false : undefined;
}
