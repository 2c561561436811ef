import { setTimeout as sleep } from "node:timers/promises";
import type { Operation } from "../core/types";

/** Pause between two looks at something that is being made, in milliseconds. */
const POLL = 200;

/** Longest wait for it, in milliseconds. */
const PATIENCE = 120_000;

/** Settings that every client of one provider shares. */
interface Shared {
  region: string;
  profile?: string;
  useQueueUrlAsEndpoint: boolean;
  forcePathStyle: boolean;
}

type Constructor<T> = new (options: Shared) => T;

/**
 * The SDK's clients of one provider, made when first needed and one a region: loading all services at once would cost a
 * second. Endpoint and, without a profile, credentials come from the SDK's own environment variables.
 */
export class AwsClients {
  readonly #made = new Map<string, Promise<unknown>>();

  constructor(
    readonly region: string,
    readonly profile: string | undefined,
  ) {}

  #client<T>(service: string, region: string | undefined, load: () => Promise<Constructor<T>>): Promise<T> {
    const where = region ?? this.region;
    const key = `${service} ${where}`;
    let made = this.#made.get(key) as Promise<T> | undefined;
    if (!made) {
      made = load().then(
        (Client) =>
          new Client({
            region: where,
            ...(this.profile === undefined ? {} : { profile: this.profile }),
            // A queue's url may name another host than the endpoint that we were told to use.
            useQueueUrlAsEndpoint: false,
            forcePathStyle: true,
          }),
      );
      this.#made.set(key, made);
    }
    return made;
  }

  s3 = (region?: string) => this.#client("s3", region, async () => (await import("@aws-sdk/client-s3")).S3);
  kms = (region?: string) => this.#client("kms", region, async () => (await import("@aws-sdk/client-kms")).KMS);
  iam = () => this.#client("iam", undefined, async () => (await import("@aws-sdk/client-iam")).IAM);
  sts = () => this.#client("sts", undefined, async () => (await import("@aws-sdk/client-sts")).STS);
  sns = (region?: string) => this.#client("sns", region, async () => (await import("@aws-sdk/client-sns")).SNS);
  sqs = (region?: string) => this.#client("sqs", region, async () => (await import("@aws-sdk/client-sqs")).SQS);
  dynamodb = (region?: string) =>
    this.#client("dynamodb", region, async () => (await import("@aws-sdk/client-dynamodb")).DynamoDB);
  lambda = (region?: string) =>
    this.#client("lambda", region, async () => (await import("@aws-sdk/client-lambda")).Lambda);
  scheduler = (region?: string) =>
    this.#client("scheduler", region, async () => (await import("@aws-sdk/client-scheduler")).Scheduler);
  cloudwatch = (region?: string) =>
    this.#client("cloudwatch", region, async () => (await import("@aws-sdk/client-cloudwatch")).CloudWatch);
  logs = (region?: string) =>
    this.#client("logs", region, async () => (await import("@aws-sdk/client-cloudwatch-logs")).CloudWatchLogs);
  secrets = (region?: string) =>
    this.#client("secrets", region, async () => (await import("@aws-sdk/client-secrets-manager")).SecretsManager);

  #account: Promise<{ account: string; arn: string; userId: string }> | undefined;

  /** Who we are; asked once. */
  identity() {
    this.#account ??= this.sts().then(async (sts) => {
      const { Account = "", Arn = "", UserId = "" } = await sts.getCallerIdentity({});
      return { account: Account, arn: Arn, userId: UserId };
    });
    return this.#account;
  }
}

const GONE = new Set([
  "NotFound",
  "NotFoundException",
  "NoSuchBucket",
  "NoSuchEntity",
  "NoSuchEntityException",
  "NoSuchBucketPolicy",
  "NoSuchLifecycleConfiguration",
  "NoSuchPublicAccessBlockConfiguration",
  "NoSuchTagSet",
  "OwnershipControlsNotFoundError",
  "ObjectLockConfigurationNotFoundError",
  "ReplicationConfigurationNotFoundError",
  "ServerSideEncryptionConfigurationNotFoundError",
  "ResourceNotFound",
  "ResourceNotFoundException",
  "DashboardNotFoundError",
  "QueueDoesNotExist",
  "AWS.SimpleQueueService.NonExistentQueue",
]);

/** True if the service says that the thing is not there. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && GONE.has(error.name);
}

/** The answer, or nothing if the thing is not there. */
export async function ifFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Looks until something is there. @throws Error after two minutes */
export async function waitFor<T>(
  operation: Operation,
  what: string,
  look: () => Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what}: still waiting after ${PATIENCE / 1000} s`);
    await sleep(POLL, undefined, { signal: operation.signal });
  }
}
