import { BACKUP_CLASSES } from "../../backup/classes";
import { currentAppKey } from "../../backup/layout";
import { bucketArn, type PolicyDocument, policyDocument } from "./document";

/** Namespace of the project's own CloudWatch metrics. */
export const METRIC_NAMESPACE = "UscPis";

/** What the capture function touches. "Home" is the side that it writes, "other" the side that it only asks. */
export interface CapturePolicyArgs {
  system: string;
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

/**
 * Rights of the capture function, and no more: it can add backups of its own system, but neither delete nor unlock
 * anything, nor touch another system's backups.
 */
export function capturePolicy(args: CapturePolicyArgs): PolicyDocument {
  const home = bucketArn(args.homeBucket);
  const other = bucketArn(args.otherBucket);
  const pointer = currentAppKey(args.system);
  return policyDocument(
    { Sid: "ReadToken", Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: args.secretArn },
    {
      // Without ListBucket a missing object is answered by 403, which would hide a true refusal.
      Sid: "ListVault",
      Effect: "Allow",
      Action: ["s3:ListBucket", "s3:ListBucketMultipartUploads"],
      Resource: home,
    },
    { Sid: "ListOtherSide", Effect: "Allow", Action: "s3:ListBucket", Resource: other },
    {
      Sid: "AddBackups",
      Effect: "Allow",
      Action: [
        "s3:PutObject",
        "s3:PutObjectRetention",
        "s3:GetObject",
        "s3:GetObjectRetention",
        "s3:AbortMultipartUpload",
      ],
      Resource: BACKUP_CLASSES.map((backupClass) => `${home}/${backupClass}/${args.system}/*`),
    },
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
  );
}

/** Rights of the scheduler: start this one function, and leave what it could not deliver in the dead letter queue. */
export function schedulerPolicy(functionArn: string, queueArn: string): PolicyDocument {
  return policyDocument(
    { Sid: "StartCapture", Effect: "Allow", Action: "lambda:InvokeFunction", Resource: functionArn },
    { Sid: "KeepUndelivered", Effect: "Allow", Action: "sqs:SendMessage", Resource: queueArn },
  );
}
