/** A policy document as data. Documents are made by pure functions, so that tests read them as documents. */
export interface PolicyDocument {
  Version: "2012-10-17";
  Statement: Statement[];
}

/** Condition operator → condition key → value(s). */
export type Conditions = Record<string, Record<string, string | string[]>>;

export interface Statement {
  Sid: string;
  Effect: "Allow" | "Deny";
  Principal?: "*" | { AWS?: string | string[]; Service?: string | string[] };
  Action: string | string[];
  Resource: string | string[];
  Condition?: Conditions;
}

export function policyDocument(...statements: Statement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}

/** Trust policies have no Resource. */
export interface TrustDocument {
  Version: "2012-10-17";
  Statement: (Omit<Statement, "Resource" | "Principal"> & { Principal: NonNullable<Statement["Principal"]> })[];
}

/**
 * Trust in an AWS service.
 * @param condition restricts it to this account's own resources (against the confused deputy), for services that hand
 * in `aws:SourceAccount`. S3 replication is not documented to, and a condition it can't meet fails every object quietly.
 */
export function serviceTrust(service: string, condition?: Conditions): TrustDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "TrustService",
        Effect: "Allow",
        Principal: { Service: service },
        Action: "sts:AssumeRole",
        ...(condition ? { Condition: condition } : {}),
      },
    ],
  };
}

/** ARN of a role by its name. IAM has no region. */
export function roleArn(account: string, name: string): string {
  return `arn:aws:iam::${account}:role/${name}`;
}

/** ARN of the account itself, by which IAM policies of the account decide. */
export function accountArn(account: string): string {
  return `arn:aws:iam::${account}:root`;
}

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

/** The canonical text of a document: what is sent, and what a diff compares. */
export function policyJson(document: PolicyDocument | TrustDocument): string {
  return JSON.stringify(document);
}
