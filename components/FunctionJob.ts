import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { Function as LambdaFunction } from "@pulumi/aws/lambda/function";
import { FunctionEventInvokeConfig } from "@pulumi/aws/lambda/functionEventInvokeConfig";
import { Secret } from "@pulumi/aws/secretsmanager/secret";
import { SecretVersion } from "@pulumi/aws/secretsmanager/secretVersion";
import { Queue } from "@pulumi/aws/sqs/queue";
import * as pulumi from "@pulumi/pulumi";
import { runTableName, vaultBucketName } from "../backup/layout";
import { bundleFunction } from "./bundle";
import { JobSchedule } from "./JobSchedule";
import { projectTags } from "./options";
import { type PolicyDocument, policyJson, serviceTrust } from "./policies/document";
import type { JobPolicyArgs } from "./policies/job";

/** One side of the vault as the jobs see it. */
export interface JobSide {
  region: string;
  /** ARN of the vault's key in that region; unknown while the region does not answer. */
  keyArn?: string;
}

/** Whose job it is and which sides of the vault it works with: the same for every job of an app. */
export interface JobPlace {
  system: string;
  /** Account number of twelve digits. */
  account: string;
  /** The app that is backed up. Everything here is named after it, so that two apps don't collide. */
  appName: string;
  /** The side that the jobs run in and write to; its key must be known. */
  home: Required<JobSide>;
  /** The side that holds the replicas, and the dead man's switch. */
  other: JobSide;
}

/** Arguments of {@link FunctionJob}. */
export interface FunctionJobArgs extends JobPlace {
  /** Names everything with the app's name before it, the function's folder, and its schedule. */
  jobName: string;
  /** What the function does, for people who look at the console. */
  description: string;
  /** Credentials by name, as one JSON object. Secrets: they lie in Secrets Manager, not in the function's environment. */
  secret: Record<string, pulumi.Input<string>>;
  /** Whose credentials they are. */
  secretDescription: string;
  /** Rights of the function. */
  policy: (common: JobPolicyArgs) => PolicyDocument;
  /** Environment beside what every job gets. */
  environment: Record<string, string>;
  /** MiB; processor and network grow with it. */
  memorySize: number;
  schedule: {
    /** EventBridge Scheduler's expression, in UTC. */
    expression: string;
    description: string;
    /** Seconds until the next trigger, which is the retry: events are given up then. */
    retrySeconds: number;
  };
}

/** Seconds that Lambda allows at most. A run ends itself shortly before, in its own words. */
const TIMEOUT_SECONDS = 900;

/** A function that backs something up on a schedule: function, role, secret, log, schedule, dead letter queue. */
export class FunctionJob extends pulumi.ComponentResource {
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

  constructor(name: string, args: FunctionJobArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:backup:FunctionJob", name, {}, opts);
    const { region } = args.home;
    const fullName = `${args.appName}-${args.jobName}`;
    const common = { region, tags: projectTags(args.system, args.appName) };

    const secret = this.secret(name, args, common);
    const queue = new Queue(
      `${name}-dlq`,
      // The longest that SQS keeps a message: somebody has to look at it.
      { name: `${fullName}-dlq`, messageRetentionSeconds: 14 * 86_400, sqsManagedSseEnabled: true, ...common },
      { parent: this },
    );
    const logs = new LogGroup(
      `${name}-logs`,
      { name: `/aws/lambda/${fullName}`, retentionInDays: 400, ...common },
      { parent: this },
    );
    const { role, policy } = this.role(name, args, secret, queue, logs);
    const lambda = new LambdaFunction(
      `${name}-function`,
      {
        name: fullName,
        description: args.description,
        role: role.arn,
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        handler: "index.handler",
        code: new pulumi.asset.FileArchive(bundleFunction(args.jobName)),
        memorySize: args.memorySize,
        timeout: TIMEOUT_SECONDS,
        environment: {
          variables: secret.arn.apply((secretArn) => ({ ...jobEnvironment(args, secretArn), ...args.environment })),
        },
        loggingConfig: { logFormat: "JSON", logGroup: logs.name },
        ...common,
      },
      { parent: this, dependsOn: policy },
    );
    new FunctionEventInvokeConfig(
      `${name}-invocation`,
      {
        functionName: lambda.name,
        // The next trigger is the retry; one of the service's own would run into it.
        maximumRetryAttempts: 0,
        maximumEventAgeInSeconds: args.schedule.retrySeconds,
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
        jobName: args.jobName,
        description: args.schedule.description,
        expression: args.schedule.expression,
        functionArn: lambda.arn,
        queueArn: queue.arn,
        input: { trigger: "schedule", requestedBy: "schedule" },
        deliverySeconds: args.schedule.retrySeconds,
      },
      { parent: this },
    );

    this.nodes = { function: lambda, role, secret, queue, logs, schedule };
    this.functionName = lambda.name;
    this.deadLetterQueueName = queue.name;
    this.registerOutputs({ functionName: this.functionName, deadLetterQueueName: this.deadLetterQueueName });
  }

  private secret(name: string, args: FunctionJobArgs, common: Common): Secret {
    const secret = new Secret(
      `${name}-secret`,
      {
        name: `${args.appName}/${args.jobName}`,
        description: args.secretDescription,
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
        secretString: pulumi.secret(pulumi.output(args.secret).apply((values) => JSON.stringify(values))),
        region: common.region,
      },
      { parent: this },
    );
    return secret;
  }

  private role(name: string, args: FunctionJobArgs, secret: Secret, queue: Queue, logs: LogGroup) {
    const { system, account, home, other } = args;
    const role = new Role(
      `${name}-role`,
      {
        name: `${args.appName}-${args.jobName}`,
        // Lambda hands in no aws:SourceAccount when it assumes a function's role.
        assumeRolePolicy: policyJson(serviceTrust("lambda.amazonaws.com")),
        tags: projectTags(system, args.appName),
      },
      { parent: this },
    );
    const policy = new RolePolicy(
      `${name}-role-policy`,
      {
        name: args.jobName,
        role: role.name,
        policy: pulumi.all([secret.arn, queue.arn, logs.arn]).apply(([secretArn, queueArn, logGroupArn]) =>
          policyJson(
            args.policy({
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
}

interface Common {
  region: string;
  tags: Record<string, string>;
}

/** Environment that every job gets; functions/environment.ts reads it. "Primary" is the side that it writes. */
export function jobEnvironment({ system, account, appName, home, other }: JobPlace, secretArn: string) {
  return {
    SYSTEM: system,
    APP: appName,
    PRIMARY_REGION: home.region,
    REPLICA_REGION: other.region,
    VAULT_BUCKET: vaultBucketName(system, account, home.region),
    REPLICA_BUCKET: vaultBucketName(system, account, other.region),
    RUN_TABLE: runTableName(system),
    SECRET_ARN: secretArn,
  };
}
