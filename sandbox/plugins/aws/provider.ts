import type { Provider } from "../core/types";
import { AwsClients, isGone } from "./clients";
import { table } from "./dynamodb";
import { role, rolePolicy } from "./iam";
import { findAlias, kmsAlias, kmsKey } from "./kms";
import { eventInvokeConfig, permission } from "./lambda-access";
import { lambdaFunction } from "./lambda-function";
import { dashboard, logGroup, metricAlarm } from "./monitoring";
import { bucket } from "./s3-bucket";
import { bucketLifecycle } from "./s3-lifecycle";
import { bucketReplication } from "./s3-replication";
import {
  bucketEncryption,
  bucketObjectLock,
  bucketOwnership,
  bucketPolicy,
  bucketPublicAccessBlock,
  bucketVersioning,
} from "./s3-settings";
import { schedule, scheduleGroup } from "./scheduler";
import { secret, secretVersion } from "./secrets";
import { topic, topicPolicy, topicSubscription } from "./sns";
import { queue } from "./sqs";

/** The stand-in for pulumi-aws: the resource types that this project uses, on the AWS SDK. */
export const awsProvider: Provider<AwsClients> = {
  name: "aws",
  config: {
    region: {},
    profile: {},
    // Set by the package itself; they skip questions that a stand-in does not ask.
    skipCredentialsValidation: { ignored: true },
    skipMetadataApiCheck: { ignored: true },
    skipRegionValidation: { ignored: true },
  },
  configure({ region, profile }) {
    const where = region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
    if (!where) throw new Error("provider aws: no region; set aws:region or AWS_REGION");
    return new AwsClients(where, profile);
  },
  isGone,
  resources: [
    bucket,
    bucketVersioning,
    bucketEncryption,
    bucketObjectLock,
    bucketLifecycle,
    bucketReplication,
    bucketPublicAccessBlock,
    bucketOwnership,
    bucketPolicy,
    kmsKey,
    kmsAlias,
    role,
    rolePolicy,
    table,
    lambdaFunction,
    permission,
    eventInvokeConfig,
    scheduleGroup,
    schedule,
    queue,
    topic,
    topicPolicy,
    topicSubscription,
    metricAlarm,
    dashboard,
    logGroup,
    secret,
    secretVersion,
  ],
  invokes: {
    "aws:index/getCallerIdentity:getCallerIdentity": async (_args, aws) => {
      const { account, arn, userId } = await aws.identity();
      return { accountId: account, arn, userId, id: account };
    },
    "aws:kms/getAlias:getAlias": async ({ name, region }, aws) =>
      findAlias(aws, String(name), region as string | undefined),
  },
};
