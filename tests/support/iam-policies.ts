/** Policy documents for tests. */
const statement = (more: object) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...more }] });

/** A role that a service may take. */
export const trust = (Service: string) => statement({ Principal: { Service }, Action: "sts:AssumeRole" });

/** A role that any identity of the account may take. */
export const trustUser = statement({ Principal: { AWS: "arn:aws:iam::000000000000:root" }, Action: "sts:AssumeRole" });

/** One action on everything. */
export const identityPolicy = (action: string) => statement({ Action: [action], Resource: "*" });

/** One action on one resource, for the account. */
export const resourcePolicy = (action: string, resource: string) =>
  statement({ Principal: { AWS: "arn:aws:iam::000000000000:root" }, Action: action, Resource: resource });
