import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { Function as LambdaFunction } from "@pulumi/aws/lambda/function";
import { FunctionEventInvokeConfig } from "@pulumi/aws/lambda/functionEventInvokeConfig";
import { Secret } from "@pulumi/aws/secretsmanager/secret";
import { SecretVersion } from "@pulumi/aws/secretsmanager/secretVersion";
import { Queue } from "@pulumi/aws/sqs/queue";
import * as pulumi from "@pulumi/pulumi";
import type { RetentionDays } from "../backup/classes";
import { runTableName, vaultBucketName } from "../backup/layout";
import { bundleFunction } from "./bundle";
import { captureCron, RETRY_MINUTES } from "./capture-schedule";
import { JobSchedule } from "./JobSchedule";
import { projectTags } from "./options";
import { capturePolicy } from "./policies/capture";
import { policyJson, serviceTrust } from "./policies/document";

/** One side of the vault as the jobs see it. */
export interface JobSide {
  region: string;
  /** ARN of the vault's key in that region; unknown while the region does not answer. */
  keyArn?: string;
}

/** Arguments of {@link BackupJobs}. */
export interface BackupJobsArgs {
  system: string;
  /** Account number of twelve digits. */
  account: string;
  /** The app whose database is captured. Everything here is named after it, so that two apps don't collide. */
  appName: string;
  /** The side that the jobs run in and write to; its key must be known. */
  home: Required<JobSide>;
  /** The side that holds the replicas, and the dead man's switch. */
  other: JobSide;
  /** Object Lock of each class, in whole days; the same as the vault's lifecycle. */
  retentionDays: RetentionDays;
  /** Minute of the hour of the first trigger. @default 17: clear of Heroku's job at 02:00 */
  minute?: number;
  /** Minutes between slots. @default 60 */
  captureIntervalMinutes?: number;
  /** Heroku's own schedule, which the job puts back when it is missing. */
  herokuSchedule: string;
  /** Heroku token. A secret: it lies in Secrets Manager, not in the function's environment. */
  herokuApiKey: pulumi.Input<string>;
  /** Addresses of Heroku's APIs, where they are not Heroku's own. */
  endpoints?: { herokuApi?: string; herokuDataApi?: string };
}

/** Seconds that Lambda allows at most. A run ends itself shortly before, in its own words. */
const TIMEOUT_SECONDS = 900;

/** The hourly capture: function, role, secret, log, schedule, dead letter queue (D2, D4, D6, A1). */
export class BackupJobs extends pulumi.ComponentResource {
  readonly functionName: pulumi.Output<string>;
  readonly deadLetterQueueName: pulumi.Output<string>;
  readonly nodes: {
    function: LambdaFunction;
    role: Role;
    secret: Secret;
    queue: Queue;
    logs: LogGroup;
    schedule: JobSchedule;
  };

  constructor(name: string, args: BackupJobsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:backup:BackupJobs", name, {}, opts);
    const region = args.home.region;
    const common = { region, tags: projectTags(args.system, args.appName) };

    const secret = this.secret(name, args, common);
    const queue = new Queue(
      `${name}-dlq`,
      // The longest that SQS keeps a message: somebody has to look at it.
      {
        name: `${args.appName}-capture-dlq`,
        messageRetentionSeconds: 14 * 86_400,
        sqsManagedSseEnabled: true,
        ...common,
      },
      { parent: this },
    );
    const logs = new LogGroup(
      `${name}-logs`,
      { name: `/aws/lambda/${args.appName}-capture`, retentionInDays: 400, ...common },
      { parent: this },
    );
    const { role, policy } = this.captureRole(name, args, secret, queue, logs);
    const lambda = this.captureFunction(name, args, common, { role, policy, secret, logs });
    new FunctionEventInvokeConfig(
      `${name}-invocation`,
      {
        functionName: lambda.name,
        // The next trigger of the slot is the retry; one of the service's own would run into it.
        maximumRetryAttempts: 0,
        maximumEventAgeInSeconds: RETRY_MINUTES * 60,
        destinationConfig: { onFailure: { destination: queue.arn } },
        region,
      },
      { parent: this, dependsOn: policy },
    );
    const schedule = new JobSchedule(
      `${name}-schedule`,
      {
        ...common,
        account: args.account,
        appName: args.appName,
        jobName: "capture",
        description: `Database of ${args.appName}; further triggers within a slot do nothing once it has a good backup`,
        expression: captureCron(args.minute ?? 17, args.captureIntervalMinutes ?? 60),
        functionArn: lambda.arn,
        queueArn: queue.arn,
        input: { trigger: "schedule", requestedBy: "schedule" },
        deliverySeconds: RETRY_MINUTES * 60,
      },
      { parent: this },
    );

    this.nodes = { function: lambda, role, secret, queue, logs, schedule };
    this.functionName = lambda.name;
    this.deadLetterQueueName = queue.name;
    this.registerOutputs({ functionName: this.functionName, deadLetterQueueName: this.deadLetterQueueName });
  }

  private secret(name: string, args: BackupJobsArgs, common: Common): Secret {
    const secret = new Secret(
      `${name}-secret`,
      {
        name: `${args.appName}/capture`,
        description: `Heroku token of the captures of ${args.appName}`,
        // A copy of a secret of the stack: without a waiting time its name is free for the next recovery at once.
        recoveryWindowInDays: 0,
        ...common,
      },
      { parent: this },
    );
    new SecretVersion(
      `${name}-secret-value`,
      {
        secretId: secret.id,
        secretString: pulumi.secret(
          pulumi.output(args.herokuApiKey).apply((herokuApiKey) => JSON.stringify({ herokuApiKey })),
        ),
        region: common.region,
      },
      { parent: this },
    );
    return secret;
  }

  private captureRole(name: string, args: BackupJobsArgs, secret: Secret, queue: Queue, logs: LogGroup) {
    const { system, account, home, other } = args;
    const role = new Role(
      `${name}-role`,
      {
        name: `${args.appName}-capture`,
        // Lambda hands in no aws:SourceAccount when it assumes a function's role.
        assumeRolePolicy: policyJson(serviceTrust("lambda.amazonaws.com")),
        tags: projectTags(system, args.appName),
      },
      { parent: this },
    );
    const policy = new RolePolicy(
      `${name}-role-policy`,
      {
        name: "capture",
        role: role.name,
        policy: pulumi.all([secret.arn, queue.arn, logs.arn]).apply(([secretArn, queueArn, logGroupArn]) =>
          policyJson(
            capturePolicy({
              system,
              homeBucket: vaultBucketName(system, account, home.region),
              otherBucket: vaultBucketName(system, account, other.region),
              homeKeyArn: home.keyArn,
              otherKeyArn: other.keyArn,
              tableArn: `arn:aws:dynamodb:${home.region}:${account}:table/${runTableName(system)}`,
              secretArn,
              queueArn,
              logGroupArn,
            }),
          ),
        ),
      },
      { parent: this },
    );
    return { role, policy };
  }

  private captureFunction(
    name: string,
    args: BackupJobsArgs,
    common: Common,
    { role, policy, secret, logs }: { role: Role; policy: RolePolicy; secret: Secret; logs: LogGroup },
  ): LambdaFunction {
    return new LambdaFunction(
      `${name}-function`,
      {
        name: `${args.appName}-capture`,
        description: `Captures the database of ${args.appName} into the vault`,
        role: role.arn,
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        handler: "index.handler",
        code: new pulumi.asset.FileArchive(bundleFunction("capture")),
        // A dump is streamed, not held; processor and network grow with memory.
        memorySize: 1024,
        timeout: TIMEOUT_SECONDS,
        environment: { variables: secret.arn.apply((secretArn) => captureEnvironment(args, secretArn)) },
        loggingConfig: { logFormat: "JSON", logGroup: logs.name },
        ...common,
      },
      { parent: this, dependsOn: policy },
    );
  }
}

interface Common {
  region: string;
  tags: Record<string, string>;
}

/** Environment of the capture function; functions/environment.ts reads it. "Primary" is the side that it writes. */
export function captureEnvironment(args: BackupJobsArgs, secretArn: string): Record<string, string> {
  const { system, account, home, other, endpoints = {} } = args;
  return {
    SYSTEM: system,
    APP: args.appName,
    PRIMARY_REGION: home.region,
    REPLICA_REGION: other.region,
    VAULT_BUCKET: vaultBucketName(system, account, home.region),
    REPLICA_BUCKET: vaultBucketName(system, account, other.region),
    RUN_TABLE: runTableName(system),
    SECRET_ARN: secretArn,
    RETENTION_DAYS: JSON.stringify(args.retentionDays),
    HEROKU_SCHEDULE: args.herokuSchedule,
    CAPTURE_INTERVAL_MINUTES: String(args.captureIntervalMinutes ?? 60),
    ...(endpoints.herokuApi ? { HEROKU_API_URL: endpoints.herokuApi } : {}),
    ...(endpoints.herokuDataApi ? { HEROKU_DATA_API_URL: endpoints.herokuDataApi } : {}),
  };
}
