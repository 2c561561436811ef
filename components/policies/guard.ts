import type { Conditions } from "./document";

/**
 * Condition of every denial of the vault: true for everyone but the given roles.
 *
 * For a session of an assumed role `aws:PrincipalArn` is the ARN of the role, not of the session. The session's own form
 * is listed too, because some evaluators (and `aws:userid`-less tools) hand in that one; it names the same role, so that
 * nobody else gains by it.
 */
export function everyoneBut(roleArns: readonly string[]): Conditions {
  return { ArnNotLike: { "aws:PrincipalArn": roleArns.flatMap(formsOfRole) } };
}

/** `arn:aws:iam::A:role/path/name` and `arn:aws:sts::A:assumed-role/name/*`. Other principals (users) stay as they are. */
export function formsOfRole(arn: string): string[] {
  const match = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(arn);
  return match ? [arn, `arn:aws:sts::${match[1]}:assumed-role/${match[2]}/*`] : [arn];
}
