import { currentAppKey } from "../../backup/layout";
import { bucketArn, type Statement } from "./document";

/** Namespace of the project's own CloudWatch metrics. */
export const METRIC_NAMESPACE = "UscPis";

/** Adding locked objects and reading them back; neither deletion nor the end of a lock is among it. */
export const ADD_OBJECTS = [
  "s3:PutObject",
  "s3:PutObjectRetention",
  "s3:GetObject",
  "s3:GetObjectRetention",
  "s3:AbortMultipartUpload",
];

/** What any job that writes backups touches. "Home" is the side that it writes, "other" the side that it only asks. */
export interface JobPolicyArgs {
  system: string;
  /** Vault buckets: the pointer to the current app lies there. */
  homeBucket: string;
  otherBucket: string;
  homeKeyArn: string;
  /** Unknown while the other region does not answer: then its pointer can't be read either. */
  otherKeyArn?: string;
  tableArn: string;
  secretArn: string;
  queueArn: string;
  logGroupArn: string;
}

/** Rights that every such job needs beside those on what it backs up. */
export function jobStatements(args: JobPolicyArgs): Statement[] {
  const home = bucketArn(args.homeBucket);
  const other = bucketArn(args.otherBucket);
  const pointer = currentAppKey(args.system);
  return [
    { Sid: "ReadSecret", Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: args.secretArn },
    // Without ListBucket a missing object is answered by 403, which would hide a true refusal.
    { Sid: "ListVaults", Effect: "Allow", Action: "s3:ListBucket", Resource: [home, other] },
    {
      Sid: "ReadCurrentApp",
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: [`${home}/${pointer}`, `${other}/${pointer}`],
    },
    {
      Sid: "UseHomeKey",
      Effect: "Allow",
      Action: ["kms:GenerateDataKey", "kms:Decrypt"],
      Resource: args.homeKeyArn,
    },
    ...(args.otherKeyArn
      ? [{ Sid: "ReadWithOtherKey", Effect: "Allow" as const, Action: "kms:Decrypt", Resource: args.otherKeyArn }]
      : []),
    {
      Sid: "RecordRuns",
      Effect: "Allow",
      Action: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"],
      Resource: args.tableArn,
    },
    {
      // PutMetricData knows no resources. Both regions are written: the other one carries the dead man's switch. AWS hands
      // in the namespace of every datum, so that IfExists is as strict there as the plain operator.
      Sid: "PutMetrics",
      Effect: "Allow",
      Action: "cloudwatch:PutMetricData",
      Resource: "*",
      Condition: { StringEqualsIfExists: { "cloudwatch:namespace": METRIC_NAMESPACE } },
    },
    {
      Sid: "WriteLogs",
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: `${args.logGroupArn}:*`,
    },
    { Sid: "ReportFailedEvents", Effect: "Allow", Action: "sqs:SendMessage", Resource: args.queueArn },
  ];
}
