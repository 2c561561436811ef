import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { KMSClient, ListAliasesCommand, ScheduleKeyDeletionCommand } from "@aws-sdk/client-kms";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import {
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { ListSchedulesCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { ListSecretsCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { ListTopicsCommand, SNSClient } from "@aws-sdk/client-sns";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { Client } from "pg";
import { vaultBucketName } from "../../backup/layout";
import { PROFILES } from "../../sandbox/aws/identities";
import { childEnvironment, STACKS, type StackRole } from "../../sandbox/environment";
import { downSandbox } from "../../sandbox/lifecycle";
import { adminUrl } from "../../sandbox/postgres/cluster";
import { compareTables } from "../../sandbox/rehearsal/compare";
import { readContents } from "../../sandbox/rehearsal/contents";
import type { AwsAccess, Workbench } from "../../sandbox/rehearsal/context";
import { run } from "../../sandbox/rehearsal/run";
import type { Rehearsal } from "../../sandbox/rehearsal/steps";
import { APPS } from "../../sandbox/stacks";
import { projectRoot } from "../../sandbox/supervisor/paths";
import { SCOPE } from "../../sandbox/supervisor/services";
import { aws } from "../support/aws-cli";
import { herokuRequest, runSteps, startRehearsal } from "../support/sandbox";

const exec = promisify(execFile);
const [primaryRegion, replicaRegion] = SCOPE.regions;
const VAULT = vaultBucketName(SCOPE.system, SCOPE.account, primaryRegion);
const REPLICA = vaultBucketName(SCOPE.system, SCOPE.account, replicaRegion);

/** The whole scenario, slower than `npm start`: what is looked at in between is what `npm start` takes for granted. */
describe("the stacks come up, are lost, and come back", function () {
  this.timeout(300_000);
  this.bail(true);

  let rehearsal: Rehearsal;
  let bench: Workbench;

  before("a primary stack with data and a backup", async () => {
    rehearsal = await startRehearsal();
    bench = rehearsal.bench;
    await runSteps(rehearsal, "vault", "release", "primary", "seed", "capture");
  });
  after("nothing is left running", () => (bench ? downSandbox(bench.paths) : undefined));

  const s3 = (access: AwsAccess) => new S3Client({ ...access, forcePathStyle: true, maxAttempts: 1 });
  const sql = async <T>(url: string, text: string): Promise<T[]> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows as T[];
    } finally {
      await client.end();
    }
  };
  /** Fails with the engine's words when anything would change. */
  const unchanged = async (role: StackRole) => {
    expect(await bench.deploy(role, { args: ["--expect-no-changes"] }), STACKS[role]).to.deep.equal([]);
  };

  describe("the primary stack", () => {
    it("is unchanged by a second up, as is the vault", async () => {
      await unchanged("vault");
      await unchanged("primary");
    });

    it("passes the policy pack in a preview that expects no changes", async () => {
      for (const role of ["vault", "primary"] as const) {
        const text = await bench.pulumi(role, ["preview", "--policy-pack", "policies", "--expect-no-changes"]);
        expect(text, STACKS[role]).to.match(/Policies:[\s\S]*usc-pis/);
      }
    });

    it("is stopped by the pack once it is no rehearsal, because its data are unprotected", async () => {
      await bench.pulumi("vault", ["stack", "tag", "rm", "usc-pis:rehearsal"]);
      try {
        const refused = await bench.pulumi("vault", ["preview", "--policy-pack", "policies"]).catch((error) => error);
        expect(refused).to.be.instanceOf(Error);
        expect(refused.message).to.match(/protect/i);
      } finally {
        await bench.pulumi("vault", ["stack", "tag", "set", "usc-pis:rehearsal", "true"]);
      }
    });

    it("keeps no secret in plain text in the state", async () => {
      const config = await bench.heroku.configVars(APPS.primary);
      const secrets = {
        "Heroku token": bench.state.heroku.apiKey,
        "Cloudinary secret": bench.state.cloudinary.apiSecret,
        "database password": new URL(config.DATABASE_URL ?? "").password,
        SECRET_KEY: config.SECRET_KEY,
        PGP_ENCRYPTION_KEY: config.PGP_ENCRYPTION_KEY,
        EMAIL_HOST_PASSWORD: config.EMAIL_HOST_PASSWORD,
        REDIS_URL: config.REDIS_URL,
      };
      const encrypted = JSON.stringify(await bench.exportStack("primary"));
      const shown = await bench.pulumi("primary", ["stack", "export", "--show-secrets"]);
      for (const [name, secret] of Object.entries(secrets)) {
        expect(secret, name).to.be.a("string").and.have.length.above(8);
        expect(encrypted, name).not.to.include(secret);
        // The control: they are in the state, encrypted.
        expect(shown, name).to.include(secret);
      }
    });

    it("mirrors the clinic's media by the deployed function, and verifies them asset by asset", async () => {
      const { media } = rehearsal.report;
      type Result = { status: string; assets: number; bytes: number };
      const result = await bench.cli<Result>(["media", "sync", "--app", APPS.primary]);
      expect(result).to.include({ status: "success", assets: media?.assets, bytes: media?.bytes });
      const parity = await bench.cli<{ status: string; listed: number }>(["media", "verify", "--side", "replica"]);
      expect(parity).to.include({ status: "pass", listed: media?.assets });
    });

    it("finds a config var that was changed by hand, and puts it back", async () => {
      const value = async () => (await bench.heroku.configVars(APPS.primary)).RATE_LIMIT_ENABLED;
      expect(await value()).to.equal("True");
      await herokuRequest(bench, "PATCH", `/apps/${APPS.primary}/config-vars`, { RATE_LIMIT_ENABLED: "False" });
      await bench.pulumi("primary", ["refresh", "--yes", "--skip-preview"]);
      const operations = await bench.deploy("primary");
      expect(operations.map(({ op, type }) => `${op} ${type}`)).to.include(
        "update heroku:index/appConfigAssociation:AppConfigAssociation",
      );
      expect(await value()).to.equal("True");
      await unchanged("primary");
    });
  });

  describe("the vault", () => {
    it("finds a lifecycle rule that its deployer changed by hand, and puts it back", async () => {
      const client = s3(await bench.access(PROFILES.vaultDeployer));
      const rules = async () =>
        (await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: VAULT }))).Rules ?? [];
      const before = await rules();
      const changed = before.map((rule) =>
        rule.ID?.includes("hourly") && rule.Expiration?.Days ? { ...rule, Expiration: { Days: 1 } } : rule,
      );
      expect(changed).not.to.deep.equal(before);
      await client.send(
        new PutBucketLifecycleConfigurationCommand({ Bucket: VAULT, LifecycleConfiguration: { Rules: changed } }),
      );
      await bench.pulumi("vault", ["refresh", "--yes", "--skip-preview"]);
      expect(await bench.deploy("vault")).to.have.lengthOf(1);
      expect(await rules()).to.deep.equal(before);
      await unchanged("vault");
    });

    it("refuses everyone else who would weaken it", async () => {
      const sessions: Record<string, AwsAccess> = {
        deployer: await bench.access(PROFILES.deployer),
        administrator: await bench.access(PROFILES.administrator),
        capture: await bench.assume(`${APPS.primary}-capture`),
        recovery: await bench.assume(`${SCOPE.system}-recovery`),
      };
      const [version] =
        (
          await s3(await bench.access(PROFILES.root)).send(
            new ListObjectVersionsCommand({ Bucket: VAULT, Prefix: rehearsal.report.backup?.key ?? "-" }),
          )
        ).Versions ?? [];
      const object = { Bucket: VAULT, Key: version?.Key, VersionId: version?.VersionId };
      expect(object.VersionId).to.be.a("string");
      const rule = { ID: "all", Status: "Enabled" as const, Filter: { Prefix: "" }, Expiration: { Days: 1 } };
      const alias = `alias/${SCOPE.system}-vault`;
      const keys = new KMSClient(await bench.access(PROFILES.root));
      const key = (await keys.send(new ListAliasesCommand({}))).Aliases?.find((each) => each.AliasName === alias);
      expect(key?.TargetKeyId).to.be.a("string");
      for (const [name, access] of Object.entries(sessions)) {
        const client = s3(access);
        const attempts: Record<string, () => Promise<unknown>> = {
          lifecycle: () =>
            client.send(
              new PutBucketLifecycleConfigurationCommand({ Bucket: VAULT, LifecycleConfiguration: { Rules: [rule] } }),
            ),
          versioning: () =>
            client.send(
              new PutBucketVersioningCommand({ Bucket: VAULT, VersioningConfiguration: { Status: "Suspended" } }),
            ),
          policy: () =>
            client.send(
              new PutBucketPolicyCommand({ Bucket: VAULT, Policy: '{"Version":"2012-10-17","Statement":[]}' }),
            ),
          "locked version": () => client.send(new DeleteObjectCommand(object)),
          "locked version with bypass": () =>
            client.send(new DeleteObjectCommand({ ...object, BypassGovernanceRetention: true })),
          key: () => new KMSClient(access).send(new ScheduleKeyDeletionCommand({ KeyId: key?.TargetKeyId })),
        };
        for (const [what, attempt] of Object.entries(attempts)) {
          const refused = await attempt().catch((error: Error) => error);
          expect((refused as Error).name, `${name}: ${what}`).to.match(/^AccessDenied/);
        }
      }
    });

    it("shows the unmodified AWS CLI versions, locks, lifecycle, encryption and finished replication", async () => {
      const env = childEnvironment(bench.paths, bench.state);
      env.AWS_PROFILE = PROFILES.root;
      for (const [bucket, region] of [
        [VAULT, primaryRegion],
        [REPLICA, replicaRegion],
      ] as const) {
        const of = (command: string) => aws(env, "s3api", command, "--bucket", bucket, "--region", region);
        expect((await of("get-bucket-versioning")).Status).to.equal("Enabled");
        const lock = (await of("get-object-lock-configuration")).ObjectLockConfiguration;
        expect(lock.ObjectLockEnabled).to.equal("Enabled");
        expect(lock.Rule.DefaultRetention.Mode).to.equal("GOVERNANCE");
        const days = Object.fromEntries(
          (await of("get-bucket-lifecycle-configuration")).Rules.filter((rule: any) => rule.Expiration?.Days).map(
            (rule: any) => [rule.Filter.Prefix.replace("/", ""), rule.Expiration.Days],
          ),
        );
        expect(days).to.include.keys("hourly", "daily", "weekly", "monthly", "critical");
        expect(days.hourly).to.be.at.least(2);
        expect(days.critical).to.be.at.least(365);
        const encryption = (await of("get-bucket-encryption")).ServerSideEncryptionConfiguration.Rules[0];
        expect(encryption.ApplyServerSideEncryptionByDefault.SSEAlgorithm).to.equal("aws:kms");
      }
      const versions = (bucket: string, region: string) =>
        aws(env, "s3api", "list-object-versions", "--bucket", bucket, "--region", region);
      const sources = (await versions(VAULT, primaryRegion)).Versions as { Key: string; VersionId: string }[];
      const copies = (await versions(REPLICA, replicaRegion)).Versions as { Key: string }[];
      expect(sources.length).to.be.at.least(4);
      for (const { Key, VersionId } of sources) {
        const of = ["--bucket", VAULT, "--key", Key, "--version-id", VersionId, "--region", primaryRegion];
        const head = await aws(env, "s3api", "head-object", ...of);
        expect(head.ReplicationStatus, Key).to.equal("COMPLETED");
        expect(head.ServerSideEncryption, Key).to.equal("aws:kms");
      }
      const count = (list: { Key: string }[]) => list.map(({ Key }) => Key).sort();
      expect(count(copies)).to.deep.equal(count(sources));
    });

    it("ships dumps that pg_restore restores anywhere", async () => {
      const { postgres } = bench.state;
      const { backup } = rehearsal.report;
      if (!postgres || !backup) throw new Error("no database server or no backup");
      const folder = mkdtempSync(join(tmpdir(), "usc-pis-dump-"));
      const admin = adminUrl(postgres);
      const elsewhere = new URL(admin);
      elsewhere.pathname = "/elsewhere";
      try {
        const env = { ...childEnvironment(bench.paths, bench.state), AWS_PROFILE: PROFILES.root };
        const dump = join(folder, "database.dump");
        await aws(env, "s3api", "get-object", "--bucket", VAULT, "--key", backup.key, dump);
        await sql(admin, "CREATE DATABASE elsewhere");
        await exec(join(postgres.bin, "pg_restore"), [
          "--no-owner",
          "--exit-on-error",
          "--dbname",
          elsewhere.toString(),
          dump,
        ]);
        expect(compareTables(rehearsal.source ?? {}, await readContents(elsewhere.toString()))).to.satisfy(
          (tables: { status: string }[]) => tables.every(({ status }) => status === "pass"),
        );
        // A row less, and the same comparison fails.
        await sql(
          elsewhere.toString(),
          "DELETE FROM django_session WHERE ctid = (SELECT min(ctid) FROM django_session)",
        );
        const failed = compareTables(rehearsal.source ?? {}, await readContents(elsewhere.toString())).filter(
          ({ status }) => status === "fail",
        );
        expect(failed).to.have.lengthOf(1);
        expect(failed[0]).to.include({ table: "django_session", reason: "1 row missing" });
      } finally {
        await sql(admin, "DROP DATABASE IF EXISTS elsewhere WITH (FORCE)");
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });

  describe("the recovery stack", () => {
    const restores = async () =>
      (await bench.heroku.transfers(APPS.recovery)).filter(({ to_type }) => to_type === "pg_restore");

    it("is killed in the middle of its restore, and the next up ends with the right data", async () => {
      await runSteps(rehearsal, "loss");
      // Answers about transfers come late, so that the kill finds the restore at work.
      const rules = [{ path: "/client/v11/apps/[^/]+/transfers/", method: "GET", delayMs: 4_000 }];
      await herokuRequest(bench, "POST", "/_control/faults", { rules });
      const kill = new AbortController();
      const killed = run("pulumi", ["up", "--yes", "--skip-preview", "--non-interactive", "--stack", STACKS.recovery], {
        what: "pulumi up that is killed",
        env: childEnvironment(bench.paths, bench.state, { stack: "recovery" }),
        sandboxRoot: bench.paths.root,
        log: join(bench.paths.logs, "pulumi-killed.log"),
        signal: kill.signal,
        graceMs: 0,
      }).catch((error: Error) => error);
      const deadline = Date.now() + 120_000;
      while (!(await restores().catch(() => [])).some(() => true)) {
        if (Date.now() > deadline) throw new Error("no restore began within 120 s");
        await sleep(100);
      }
      kill.abort(new Error("killed"));
      expect(await killed).to.be.instanceOf(Error);
      await herokuRequest(bench, "POST", "/_control/faults", { rules: [] });
      // What a restore that broke off leaves: some of the rows.
      const url = await bench.databaseUrl(APPS.recovery);
      await sql(url, "TRUNCATE patients_medicalrecord CASCADE").catch(() => undefined);

      // The engine's lock outlives a kill; its message names this command.
      await bench.pulumi("recovery", ["cancel", "--yes"]);
      await runSteps(rehearsal, "recovery", "compare");
      expect(rehearsal.report.tables).not.to.be.empty;
      for (const table of rehearsal.report.tables) expect(table.status, table.reason).to.equal("pass");
      await runSteps(rehearsal, "checks", "capture-again");
    });

    it("is unchanged by a second up", () => unchanged("recovery"));

    it("does not restore again because a token was rotated", async () => {
      const url = await bench.databaseUrl(APPS.recovery);
      await sql(url, "INSERT INTO auth_group (name) VALUES ('written after the recovery')");
      const before = (await restores()).length;
      const token = `rotated-${Date.now()}`;
      await herokuRequest(bench, "POST", "/_control/keys", { keys: [bench.state.heroku.apiKey, token] });
      for (const key of ["usc-pis:herokuApiKey", "heroku:apiKey"]) {
        await bench.pulumi("recovery", ["config", "set", "--secret", key, token]);
      }
      const operations = await bench.deploy("recovery");
      const made = operations.filter(({ op }) => op !== "update").map(({ type }) => type);
      // A secret's version is replaced, as its value is part of what it is; nothing else is, and no command is run anew.
      expect([...new Set(made)]).to.deep.equal(["aws:secretsmanager/secretVersion:SecretVersion"]);
      expect(await restores()).to.have.lengthOf(before);
      const rows = await sql(url, "SELECT 1 FROM auth_group WHERE name = 'written after the recovery'");
      expect(rows).to.have.lengthOf(1);
    });

    it("is unchanged from a checkout that was moved", async () => {
      const moved = mkdtempSync(join(tmpdir(), "usc-pis-moved-"));
      try {
        const left = ["node_modules", ".git", ".sandbox", ".tools", "dist"];
        for (const name of readdirSync(projectRoot)) {
          if (!left.includes(name)) cpSync(join(projectRoot, name), join(moved, name), { recursive: true });
        }
        symlinkSync(join(projectRoot, "node_modules"), join(moved, "node_modules"));
        const env = childEnvironment(bench.paths, bench.state, { stack: "recovery" });
        const args = ["up", "--yes", "--expect-no-changes", "--non-interactive", "--stack", STACKS.recovery];
        await exec("pulumi", args, { cwd: moved, env, maxBuffer: 16 * 1024 * 1024 });
      } finally {
        rmSync(moved, { recursive: true, force: true });
      }
    });
  });

  describe("destroy", () => {
    it("leaves nothing of the primary and the recovery stack, and does not touch the vault", async () => {
      const root = (region: string) => bench.access(PROFILES.root, region);
      const versions = async (bucket: string, region: string) =>
        (await s3(await root(region)).send(new ListObjectVersionsCommand({ Bucket: bucket }))).Versions?.map(
          ({ Key, VersionId }) => `${Key} ${VersionId}`,
        );
      const vault = async () => [await versions(VAULT, primaryRegion), await versions(REPLICA, replicaRegion)];
      const before = await vault();
      expect(before[0]).not.to.be.empty;

      await runSteps(rehearsal, "destroy");

      expect(await vault()).to.deep.equal(before);
      const { names, ...counts } = await herokuRequest(bench, "GET", "/_control/inventory");
      expect(names).to.deep.equal({ apps: [], addons: [], databases: [], domains: [] });
      for (const [what, count] of Object.entries(counts)) expect(count, `Heroku: ${what}`).to.equal(0);
      const cloudinary = await (await fetch(`${bench.state.services.cloudinary?.url}/_control/inventory`)).json();
      expect(cloudinary).to.include({ triggers: 0 });
      for (const region of SCOPE.regions) {
        const access = await root(region);
        const left = {
          functions: (await new LambdaClient(access).send(new ListFunctionsCommand({}))).Functions,
          schedules: (await new SchedulerClient(access).send(new ListSchedulesCommand({}))).Schedules,
          secrets: (await new SecretsManagerClient(access).send(new ListSecretsCommand({}))).SecretList,
          topics: (await new SNSClient(access).send(new ListTopicsCommand({}))).Topics,
          queues: (await new SQSClient(access).send(new ListQueuesCommand({}))).QueueUrls,
          alarms: (await new CloudWatchClient(access).send(new DescribeAlarmsCommand({}))).MetricAlarms,
        };
        for (const [what, list] of Object.entries(left)) expect(list ?? [], `${region}: ${what}`).to.deep.equal([]);
      }
      await unchanged("vault");
    });
  });
});
