/** A real MiniStack with a vault in two regions, least-privilege roles, and the Heroku emulator over a real PostgreSQL. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  PutBucketEncryptionCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import type { Context } from "aws-lambda";
import { Client } from "pg";
import { MINIMUM_RETENTION_DAYS } from "../../backup/classes";
import { mediaBucketName, recoveryRoleName, runTableName, vaultBucketName, vaultKeyAlias } from "../../backup/layout";
import { capturePolicy } from "../../components/policies/capture";
import { mediaSyncPolicy } from "../../components/policies/media-sync";
import { recoveryPolicy, recoveryTrust } from "../../components/policies/recovery";
import { replicationPolicy } from "../../components/policies/replication";
import { pythonPath, serverArguments } from "../../sandbox/aws/server";
import { freePort } from "../../sandbox/heroku/runtime/ports";
import { startTestHeroku, TEST_KEY, type TestHeroku } from "../support/heroku";
import { trust } from "../support/iam-policies";
import { plainEnvironment } from "../support/ministack";
import { ACCOUNT as CLOUDINARY } from "./cloudinary-support";

export const SYSTEM = "usc-pis";
export const ACCOUNT = "000000000000";
export const PRIMARY = "ap-southeast-1";
export const REPLICA = "ap-northeast-1";
export const ROOT = { accessKeyId: "test", secretAccessKey: "test" };
export const BUCKETS = {
  primary: vaultBucketName(SYSTEM, ACCOUNT, PRIMARY),
  replica: vaultBucketName(SYSTEM, ACCOUNT, REPLICA),
};

export const MEDIA_BUCKETS = {
  primary: mediaBucketName(SYSTEM, ACCOUNT, PRIMARY),
  replica: mediaBucketName(SYSTEM, ACCOUNT, REPLICA),
};

export interface TestAws {
  url: string;
  keys: { primary: string; replica: string };
  secretArn: string;
  mediaSecretArn: string;
  stop(): Promise<void>;
}

export async function startTestAws(): Promise<TestAws> {
  const folder = mkdtempSync(join(tmpdir(), "capture-aws-"));
  const port = await freePort();
  const child = spawn(pythonPath(), serverArguments(port), {
    // Python looks for modules in the working folder first: not in the project.
    cwd: folder,
    env: plainEnvironment(folder, port),
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    await ready(url, child);
    const aws = await makeVault(url);
    return {
      url,
      ...aws,
      async stop() {
        const gone = new Promise((resolve) => child.once("exit", resolve));
        if (child.exitCode === null && child.kill("SIGTERM")) await gone;
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (child.exitCode !== null) throw new Error(`MiniStack exited with ${child.exitCode}`);
    const answer = await fetch(`${url}/_ministack/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("MiniStack does not answer");
}

async function makeVault(endpoint: string) {
  const at = (region: string) => ({ region, endpoint, credentials: ROOT });
  const keys: Record<string, string> = {};
  for (const [side, region] of [
    ["primary", PRIMARY],
    ["replica", REPLICA],
  ] as const) {
    const kms = new KMSClient(at(region));
    const key = (await kms.send(new CreateKeyCommand({}))).KeyMetadata;
    await kms.send(new CreateAliasCommand({ AliasName: vaultKeyAlias(SYSTEM), TargetKeyId: key?.KeyId }));
    keys[side] = key?.Arn ?? "";
    const s3 = new S3Client(at(region));
    for (const Bucket of [BUCKETS[side], MEDIA_BUCKETS[side]]) {
      const CreateBucketConfiguration = { LocationConstraint: region } as const;
      await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true, CreateBucketConfiguration }));
      await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
      const byDefault = { SSEAlgorithm: "aws:kms", KMSMasterKeyID: keys[side] } as const;
      const Rules = [{ ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled: true }];
      await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
    }
    await new DynamoDBClient(at(region)).send(
      new CreateTableCommand({
        TableName: runTableName(SYSTEM),
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [
          { AttributeName: "pk", AttributeType: "S" },
          { AttributeName: "sk", AttributeType: "S" },
        ],
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
      }),
    );
  }
  for (const [buckets, markers, role] of [
    [BUCKETS, "Disabled", "replication"],
    [MEDIA_BUCKETS, "Enabled", "media-replication"],
  ] as const) {
    await new S3Client(at(PRIMARY)).send(
      new PutBucketReplicationCommand({
        Bucket: buckets.primary,
        ReplicationConfiguration: {
          Role: `arn:aws:iam::${ACCOUNT}:role/${role}`,
          Rules: [
            {
              ID: "all",
              Priority: 1,
              Status: "Enabled",
              Filter: { Prefix: "" },
              Destination: {
                Bucket: `arn:aws:s3:::${buckets.replica}`,
                EncryptionConfiguration: { ReplicaKmsKeyID: keys.replica },
              },
              DeleteMarkerReplication: { Status: markers },
              SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Enabled" } },
            },
          ],
        },
      }),
    );
  }
  const secret = async (Name: string, value: object) => {
    const command = new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) });
    return (await new SecretsManagerClient(at(PRIMARY)).send(command)).ARN ?? "";
  };
  const { apiKey: cloudinaryApiKey, apiSecret: cloudinaryApiSecret } = CLOUDINARY;
  const made = {
    keys: { primary: keys.primary ?? "", replica: keys.replica ?? "" },
    secretArn: await secret("capture", { herokuApiKey: TEST_KEY }),
    mediaSecretArn: await secret("media-sync", { cloudinaryApiKey, cloudinaryApiSecret }),
  };
  await makeRoles(endpoint, made);
  return made;
}

/** The roles with the very documents that the components give them: a right that is missing fails here. */
async function makeRoles(endpoint: string, { keys, secretArn, mediaSecretArn }: Omit<TestAws, "url" | "stop">) {
  const iam = new IAMClient({ region: PRIMARY, endpoint, credentials: ROOT });
  const table = (region: string) => `arn:aws:dynamodb:${region}:${ACCOUNT}:table/${runTableName(SYSTEM)}`;
  const job = {
    system: SYSTEM,
    homeBucket: BUCKETS.primary,
    otherBucket: BUCKETS.replica,
    homeKeyArn: keys.primary,
    otherKeyArn: keys.replica,
    tableArn: table(PRIMARY),
    queueArn: `arn:aws:sqs:${PRIMARY}:${ACCOUNT}:dlq`,
    logGroupArn: `arn:aws:logs:${PRIMARY}:${ACCOUNT}:log-group:jobs`,
  };
  const replication = (buckets: typeof BUCKETS, deleteMarkers: boolean) =>
    replicationPolicy({
      source: { bucket: buckets.primary, keyArn: keys.primary, region: PRIMARY },
      destination: { bucket: buckets.replica, keyArn: keys.replica, region: REPLICA },
      deleteMarkers,
    });
  const policies = {
    [`${SYSTEM}-capture`]: capturePolicy({ ...job, secretArn }),
    [`${SYSTEM}-media-sync`]: mediaSyncPolicy({
      ...job,
      secretArn: mediaSecretArn,
      mediaBucket: MEDIA_BUCKETS.primary,
    }),
    replication: replication(BUCKETS, false),
    "media-replication": replication(MEDIA_BUCKETS, true),
    [recoveryRoleName(SYSTEM)]: recoveryPolicy({
      system: SYSTEM,
      buckets: [BUCKETS.primary, BUCKETS.replica],
      mediaBuckets: [MEDIA_BUCKETS.primary, MEDIA_BUCKETS.replica],
      keyArns: [keys.primary, keys.replica],
      tableArns: [table(PRIMARY), table(REPLICA)],
    }),
  };
  for (const [RoleName, policy] of Object.entries(policies)) {
    const AssumeRolePolicyDocument = RoleName.endsWith("replication")
      ? trust("s3.amazonaws.com")
      : JSON.stringify(recoveryTrust(ACCOUNT));
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const PolicyDocument = JSON.stringify(policy);
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "rights", PolicyDocument }));
  }
}

/** Credentials of a role in the form of the SDK's environment variables. */
export async function roleEnvironment(aws: TestAws, role: string): Promise<Record<string, string>> {
  const sts = new STSClient({ region: PRIMARY, endpoint: aws.url, credentials: ROOT });
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/${role}`, RoleSessionName: "test" }),
  );
  return {
    AWS_ENDPOINT_URL: aws.url,
    AWS_REGION: PRIMARY,
    AWS_ACCESS_KEY_ID: Credentials?.AccessKeyId ?? "",
    AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey ?? "",
    AWS_SESSION_TOKEN: Credentials?.SessionToken ?? "",
  };
}

/** Works with these variables of the environment, and puts back what was there. */
export async function withEnvironment<T>(variables: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  Object.assign(process.env, variables);
  try {
    return await work();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** The function's environment, as the components set it. */
export function functionEnvironment(aws: TestAws, heroku: TestHeroku, app: string): Record<string, string> {
  return {
    SYSTEM,
    APP: app,
    PRIMARY_REGION: PRIMARY,
    REPLICA_REGION: REPLICA,
    VAULT_BUCKET: BUCKETS.primary,
    REPLICA_BUCKET: BUCKETS.replica,
    RUN_TABLE: runTableName(SYSTEM),
    SECRET_ARN: aws.secretArn,
    HEROKU_API_URL: heroku.emulator.url,
    HEROKU_DATA_API_URL: heroku.emulator.url,
    RETENTION_DAYS: JSON.stringify(MINIMUM_RETENTION_DAYS),
    HEROKU_SCHEDULE: "02:00 UTC",
    POWERTOOLS_LOG_LEVEL: "SILENT",
  };
}

export function lambdaContext(milliseconds = 300_000): Context {
  const end = Date.now() + milliseconds;
  return {
    functionName: "capture",
    functionVersion: "1",
    memoryLimitInMB: "512",
    awsRequestId: "request",
    invokedFunctionArn: "arn",
    getRemainingTimeInMillis: () => end - Date.now(),
  } as Context;
}

export async function sql(databaseUrl: string, ...statements: string[]): Promise<void> {
  const url = new URL(databaseUrl);
  url.searchParams.delete("sslmode");
  const client = new Client({ connectionString: url.toString() });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Some of the clinic's tables, with people in them. */
export const CLINIC_SQL = [
  "CREATE EXTENSION IF NOT EXISTS pgcrypto",
  "CREATE TABLE authentication_user (id serial PRIMARY KEY, name text)",
  "CREATE TABLE patients_patient (id serial PRIMARY KEY, user_id int REFERENCES authentication_user, secret bytea)",
  "CREATE TABLE django_migrations (id serial PRIMARY KEY, app text, name text)",
  "INSERT INTO authentication_user (name) SELECT 'user ' || n FROM generate_series(1, 7) n",
  "INSERT INTO patients_patient (user_id, secret) SELECT n, pgp_sym_encrypt('p' || n, 'key') FROM generate_series(1, 5) n",
  "INSERT INTO django_migrations (app, name) VALUES ('patients', '0001_initial'), ('auth', '0001_initial')",
];

export async function newApp(
  heroku: TestHeroku,
  name: string,
): Promise<{ database: string; addon: string; url: string }> {
  await heroku.client.createApp(name);
  const addon = await heroku.client.addAddon(name, "heroku-postgresql:essential-0");
  const vars = await heroku.client.ok("GET", `/apps/${name}/config-vars`);
  return { database: addon.id, addon: addon.name, url: vars.DATABASE_URL };
}

export { startTestHeroku, TEST_KEY, type TestHeroku };
