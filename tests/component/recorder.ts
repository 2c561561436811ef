// biome-ignore-all lint/suspicious/noExplicitAny: messages of the engine's protocol, whose types the SDK keeps to itself
/**
 * Records what a program registers, from the requests themselves: Pulumi's mocks are told neither parent nor options.
 * Types that are not listed here throw, so that a component can't grow a resource unseen.
 */
import * as pulumi from "@pulumi/pulumi";
import { getMonitor } from "@pulumi/pulumi/runtime/settings";

/** Marks of a secret on the wire. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

type Values = Record<string, unknown>;

export interface Recorded {
  type: string;
  name: string;
  urn: string;
  parent: string;
  custom: boolean;
  /** Inputs with secrets opened. */
  inputs: Record<string, any>;
  /** Inputs as sent, secrets wrapped. */
  sent: Record<string, any>;
  protect: boolean;
  retainOnDelete: boolean;
  deleteBeforeReplace: boolean;
  ignoreChanges: string[];
  /** URN of the resource whose deletion takes this one along. */
  deletedWith: string;
  /** URNs, those of dependencies within inputs included. */
  dependsOn: string[];
}

export class Recording {
  readonly resources: Recorded[] = [];
  readonly outputs = new Map<string, Record<string, any>>();

  /** Custom resources of a type; components too if the type is a component's. */
  of(type: string): Recorded[] {
    return this.resources.filter((resource) => resource.type === type);
  }

  /** Exactly one resource by its name. */
  one(name: string): Recorded {
    const found = this.resources.filter((resource) => resource.name === name);
    if (found.length !== 1) throw new Error(`${found.length} resources are named ${name}, expected 1`);
    return found[0] as Recorded;
  }

  /** How many resources of each type there are. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { type } of this.resources) counts[type] = (counts[type] ?? 0) + 1;
    return counts;
  }

  /** Names of those whose parent is not among them: the component itself, if each child lies below it. */
  roots(): string[] {
    const urns = new Set(this.resources.map(({ urn }) => urn));
    return this.resources.filter(({ parent }) => !urns.has(parent)).map(({ name }) => name);
  }

  /** Whether one resource waits for another, directly or through others. */
  waitsFor(later: Recorded, earlier: Recorded, seen = new Set<string>()): boolean {
    if (seen.has(later.urn)) return false;
    seen.add(later.urn);
    return later.dependsOn.some((urn) => {
      if (urn === earlier.urn) return true;
      const between = this.resources.find((resource) => resource.urn === urn);
      return between !== undefined && this.waitsFor(between, earlier, seen);
    });
  }
}

/** Outputs of each known type beside its inputs. */
export type Mocks = Record<string, (name: string, inputs: Values) => Values>;

const none = () => ({});
const arn = (name: string) => ({ arn: `arn:mock:${name}` });

/** Every type that the project registers. */
export const MOCKS: Mocks = {
  "pulumi:pulumi:Stack": none,
  "aws:s3/bucket:Bucket": (_, { bucket }) => ({ arn: `arn:aws:s3:::${bucket}` }),
  "aws:s3/bucketVersioning:BucketVersioning": none,
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": none,
  "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": none,
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": none,
  "aws:s3/bucketReplicationConfig:BucketReplicationConfig": none,
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": none,
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": none,
  "aws:s3/bucketPolicy:BucketPolicy": none,
  "aws:kms/key:Key": (name) => ({ ...arn(name), keyId: `${name}-key-id` }),
  "aws:kms/alias:Alias": arn,
  "aws:iam/role:Role": (_, { name }) => ({ arn: `arn:aws:iam::111122223333:role/${name}` }),
  "aws:iam/rolePolicy:RolePolicy": none,
  "aws:dynamodb/table:Table": arn,
  "aws:lambda/function:Function": arn,
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": none,
  "aws:scheduler/scheduleGroup:ScheduleGroup": arn,
  "aws:scheduler/schedule:Schedule": arn,
  "aws:sqs/queue:Queue": arn,
  "aws:sns/topic:Topic": arn,
  "aws:sns/topicPolicy:TopicPolicy": none,
  "aws:sns/topicSubscription:TopicSubscription": arn,
  "aws:cloudwatch/metricAlarm:MetricAlarm": arn,
  "aws:cloudwatch/dashboard:Dashboard": none,
  "aws:cloudwatch/logGroup:LogGroup": arn,
  "aws:secretsmanager/secret:Secret": arn,
  "aws:secretsmanager/secretVersion:SecretVersion": none,
  "heroku:index/app:App": (_, { name }) => ({
    herokuHostname: `${name}-0123456789ab.herokuapp.com`,
    webUrl: `https://${name}-0123456789ab.herokuapp.com/`,
  }),
  "heroku:index/addon:Addon": (_, { plan }) => ({
    configVarValues: String(plan).startsWith("heroku-redis")
      ? { REDIS_URL: "rediss://:pw@redis.example:6379" }
      : { DATABASE_URL: "postgres://u:p@db.example:5432/d" },
  }),
  "heroku:index/appConfigAssociation:AppConfigAssociation": none,
  "heroku:index/build:Build": none,
  "heroku:index/formation:Formation": none,
  "heroku:index/domain:Domain": () => ({ cname: "target.herokudns.example" }),
  "random:index/randomPassword:RandomPassword": () => ({ result: "generated-secret-key" }),
  "pulumi-nodejs:dynamic/cloudinary:UploadPreset": none,
  "command:local:Command": (_, { create }) => ({
    stdout: String(create).includes("restore database")
      ? '{"backupId":"b1","sha256":"00","tables":{"patients_patient":5}}'
      : "{}",
  }),
};

/** Registers what the program declares and returns it, once everything has settled. */
export async function record<T>(
  program: () => T | Promise<T>,
  calls: Record<string, (inputs: Values) => Values> = {},
): Promise<{ recording: Recording; value: T }> {
  const recording = new Recording();
  const failures: Error[] = [];
  const fail = (message: string): never => {
    const error = new Error(message);
    failures.push(error);
    throw error;
  };
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, custom }) => {
        if (!custom && type.startsWith("usc-pis:")) return { id: undefined, state: {} };
        const mock = MOCKS[type] ?? fail(`unmocked resource type ${type} (${name})`);
        return { id: `${name}-id`, state: { ...inputs, ...mock(name, inputs) } };
      },
      call: ({ token, inputs }) => (calls[token] ?? fail(`unmocked call ${token}`))(inputs),
    },
    "usc-pis",
    "test",
    false,
  );
  listen(recording);
  try {
    const value = await program();
    await pulumi.runtime.disconnect();
    if (failures[0]) throw failures[0];
    return { recording, value };
  } catch (error) {
    // The SDK hands on a refusal of the mocks without its words.
    throw failures[0] ?? error;
  }
}

function listen(recording: Recording): void {
  const monitor = getMonitor() as any;
  const original = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request: any, callback: any) =>
    original(request, (error: unknown, response: any) => {
      if (!error) recording.resources.push(read(request, response));
      callback(error, response);
    });
  const outputs = monitor.registerResourceOutputs.bind(monitor);
  monitor.registerResourceOutputs = (request: any, callback: any) => {
    recording.outputs.set(request.getUrn(), opened(request.getOutputs()?.toJavaScript() ?? {}) as Values);
    outputs(request, callback);
  };
}

function read(request: any, response: any): Recorded {
  const sent = request.getObject()?.toJavaScript() ?? {};
  return {
    type: request.getType(),
    name: request.getName(),
    urn: response.getUrn(),
    parent: request.getParent(),
    custom: request.getCustom(),
    inputs: opened(sent) as Record<string, any>,
    sent,
    protect: request.getProtect() === true,
    retainOnDelete: request.getRetainondelete() === true,
    deleteBeforeReplace: request.getDeletebeforereplace() === true,
    ignoreChanges: request.getIgnorechangesList(),
    deletedWith: request.getDeletedwith(),
    dependsOn: request.getDependenciesList(),
  };
}

/** Whether a value was sent as a secret, as itself or as part of one. */
export function sentAsSecret(value: unknown): boolean {
  return typeof value === "object" && value !== null && (value as Values)[SIGNATURE] === SECRET;
}

function opened(value: unknown): unknown {
  if (sentAsSecret(value)) return opened((value as Values).value);
  if (Array.isArray(value)) return value.map(opened);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, opened(each)]));
  }
  return value;
}

/** The value of an output, for tests. */
export function resolved<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply((value) => resolve(value as T)));
}
