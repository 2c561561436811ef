import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { DeleteObjectCommand, GetObjectRetentionCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import type { CaptureResult } from "../../backup/capture-ports";
import { claimCurrentApp } from "../../backup/current-app";
import { backupKeys, recoveryRoleName, runTableName } from "../../backup/layout";
import { type Manifest, parseManifest } from "../../backup/manifest";
import { restoreDatabase } from "../../backup/restore";
import { inspectDatabase } from "../../clients/database";
import { Heroku } from "../../clients/heroku";
import { realPace } from "../../clients/retry";
import { Vault } from "../../clients/vault";
import { handler } from "../../functions/capture/handler";
import {
  BUCKETS,
  CLINIC_SQL,
  functionEnvironment,
  lambdaContext,
  newApp,
  PRIMARY,
  REPLICA,
  ROOT,
  roleEnvironment,
  SYSTEM,
  sql,
  startTestAws,
  startTestHeroku,
  TEST_KEY,
  type TestAws,
  type TestHeroku,
  withEnvironment,
} from "./capture-support";

type Captured = Extract<CaptureResult, { outcome: "captured" }>;

describe("capture and restore against MiniStack, PostgreSQL and the Heroku emulator", function () {
  this.timeout(120_000);
  let aws: TestAws;
  let heroku: TestHeroku;
  let source: Awaited<ReturnType<typeof newApp>>;

  before(async () => {
    aws = await startTestAws();
    heroku = await startTestHeroku();
    source = await newApp(heroku, "usc-pis");
    await sql(source.url, ...CLINIC_SQL);
  });
  after(async () => {
    await heroku?.stop();
    await aws?.stop();
  });

  const vaults = () => [
    new Vault({ side: "primary", region: PRIMARY, bucket: BUCKETS.primary }),
    new Vault({ side: "replica", region: REPLICA, bucket: BUCKETS.replica }),
  ];
  const asRecovery = async <T>(work: () => Promise<T>) =>
    withEnvironment(await roleEnvironment(aws, recoveryRoleName(SYSTEM)), work);
  const runHandler = async (event: object, milliseconds?: number) =>
    withEnvironment(
      { ...(await roleEnvironment(aws, `${SYSTEM}-capture`)), ...functionEnvironment(aws, heroku, "usc-pis") },
      () => handler(event, lambdaContext(milliseconds)),
    );
  const s3 = () => new S3Client({ region: PRIMARY, endpoint: aws.url, credentials: ROOT });
  const readManifest = (result: Captured): Promise<Manifest> =>
    asRecovery(async () => {
      const key = backupKeys(result.class, SYSTEM, result.id).manifest;
      const found = await vaults()[0]?.getText(key);
      return parseManifest(found?.text ?? "", { system: SYSTEM });
    });
  const restorePorts = () => ({
    heroku: new Heroku({ apiKey: TEST_KEY, apiUrl: heroku.emulator.url, dataApiUrl: heroku.emulator.url }),
    vaults: vaults(),
    inspect: inspectDatabase as (url: string) => ReturnType<typeof inspectDatabase>,
    pace: realPace,
    log: { info: () => undefined, warn: () => undefined },
  });

  it("refuses to write before the app is claimed", async () => {
    expect(await runHandler({ trigger: "schedule", requestedBy: "scheduler" })).to.include({ outcome: "refused" });
  });

  const faults = (...rules: object[]) => heroku.client.ok("POST", "/_control/faults", { rules });

  let first: Captured;
  it("takes a backup with the rights of the function's role alone", async () => {
    await asRecovery(() =>
      claimCurrentApp(vaults(), {
        system: SYSTEM,
        app: "usc-pis",
        claimedBy: "test",
        takeOver: false,
        now: new Date(),
      }),
    );
    const result = await runHandler({ trigger: "schedule", requestedBy: "scheduler" });
    expect(result).to.include({ outcome: "captured", status: "success", exact: true });
    first = result as Captured;
    const manifest = await readManifest(first);
    expect(manifest.rows.tables.patients_patient).to.deep.equal({ atLeast: 5, atMost: 5 });
    expect(manifest.migrations).to.deep.equal(["auth.0001_initial", "patients.0001_initial"]);
    expect(manifest.database.extensions.map((each) => each.name)).to.include("pgcrypto");
    expect(manifest.database.plan).to.equal("heroku-postgresql:essential-0");

    const head = await s3().send(
      new HeadObjectCommand({ Bucket: BUCKETS.primary, Key: manifest.dump.key, ChecksumMode: "ENABLED" }),
    );
    expect(head.ContentLength).to.equal(manifest.dump.bytes);
    expect(Buffer.from(head.ChecksumSHA256 ?? "", "base64").toString("hex")).to.equal(manifest.dump.sha256);
    expect(head.ServerSideEncryption).to.equal("aws:kms");
    expect(head.SSEKMSKeyId).to.equal(aws.keys.primary);
    expect(head.ReplicationStatus).to.equal("COMPLETED");
    for (const Key of [manifest.dump.key, backupKeys(first.class, SYSTEM, first.id).manifest]) {
      const { Retention } = await s3().send(new GetObjectRetentionCommand({ Bucket: BUCKETS.primary, Key }));
      expect(Retention?.Mode).to.equal("GOVERNANCE");
      expect(Retention?.RetainUntilDate?.toISOString().slice(0, 19)).to.equal(manifest.retainUntil.slice(0, 19));
    }
    const transfers = await heroku.client.ok("GET", "/client/v11/apps/usc-pis/transfers");
    expect(transfers.filter((each: { deleted_at?: string }) => !each.deleted_at)).to.deep.equal([]);
    const schedules = await heroku.client.ok("GET", `/client/v11/databases/${source.database}/transfer-schedules`);
    expect(schedules.map((each: { hour: unknown }) => Number(each.hour))).to.deep.equal([2]);
    expect(first.notes).to.deep.equal(["Heroku's own daily backup was missing: set to 02:00 UTC"]);
  });

  it("records the run, and does nothing more in this slot", async () => {
    const table = new DynamoDBClient({ region: PRIMARY, endpoint: aws.url, credentials: ROOT });
    const Key = { pk: { S: "run" }, sk: { S: first.id } };
    const { Item } = await table.send(new GetItemCommand({ TableName: runTableName(SYSTEM), Key }));
    expect(Item?.status?.S).to.equal("success");
    const startedAt = JSON.parse(Item?.record?.S ?? "{}").startedAt;
    expect(Number(Item?.expiresAt?.N)).to.equal(Math.ceil(Date.parse(startedAt) / 1000 + 400 * 86_400));
    expect(await runHandler({ trigger: "schedule", requestedBy: "scheduler" })).to.deep.include({
      outcome: "already_done",
      id: first.id,
    });
  });

  it("cannot delete what it wrote", async () => {
    const key = backupKeys(first.class, SYSTEM, first.id).dump;
    const { versionId } = (await asRecovery(async () => vaults()[0]?.head(key))) ?? {};
    const environment = await roleEnvironment(aws, `${SYSTEM}-capture`);
    await withEnvironment(environment, async () => {
      const own = new S3Client({ region: PRIMARY });
      for (const VersionId of [undefined, versionId]) {
        const refused = await own
          .send(new DeleteObjectCommand({ Bucket: BUCKETS.primary, Key: key, VersionId }))
          .catch((error) => error.name);
        expect(refused).to.equal("AccessDenied");
      }
    });
  });

  it("fails in its own words on an HTML page in the dump's place, and the next run is good", async () => {
    const page = "<!DOCTYPE html><html><body>Application error</body></html>".padEnd(4000);
    await faults({
      method: "GET",
      path: "^/_backups/",
      status: 200,
      body: page,
      headers: { "content-type": "text/html" },
    });
    const error = await runHandler({ trigger: "manual", requestedBy: "test", class: "hourly" }).catch((cause) => cause);
    await faults();
    expect(error).to.be.instanceOf(Error);
    expect(error.name).to.equal("not_a_dump");
    expect(error.message).to.contain("an HTML or XML page");
    const again = await runHandler({ trigger: "manual", requestedBy: "test", class: "hourly" });
    expect(again).to.include({ outcome: "captured", status: "success", class: "hourly" });
  });

  it("survives limits and passing errors of Heroku's API, and a capture that is cut off fails clearly", async () => {
    await faults(
      { method: "GET", path: "/transfers/", status: 503, times: 1 },
      { method: "GET", path: "/config-vars", status: 429, headers: { "retry-after": "1" }, times: 1 },
      { method: "POST", path: "/backups$", status: 429, headers: { "retry-after": "1" }, times: 1 },
      { method: "GET", path: "^/_backups/", cut: true, times: 1 },
    );
    const result = await runHandler({ trigger: "manual", requestedBy: "test", class: "hourly" });
    expect(result).to.include({ outcome: "captured", status: "success" });
    await faults({ method: "GET", path: "/transfers/", delayMs: 60_000 });
    const late = await runHandler({ trigger: "manual", requestedBy: "test" }, 23_000).catch((cause) => cause);
    await faults();
    expect(late.name).to.equal("time_limit");
    expect(late.message).to.contain("did not end within its 3 s");
    await faults({ path: "/apps/usc-pis/config-vars", status: 401 });
    const expired = await runHandler({ trigger: "manual", requestedBy: "test" }).catch((cause) => cause);
    await faults();
    expect(expired.name).to.equal("unauthorized");
    expect(expired.message).to.contain("expired").and.not.contain(TEST_KEY);
  });

  it("restores the newest backup into another app's database, past a delete marker", async () => {
    const target = await newApp(heroku, "usc-pis-r1");
    for (const key of await asRecovery(async () => (await vaults()[0]?.list("hourly/")) ?? [])) {
      await s3().send(new DeleteObjectCommand({ Bucket: BUCKETS.primary, Key: key }));
    }
    const request = { system: SYSTEM, app: "usc-pis-r1", database: target.database };
    const result = await asRecovery(() => restoreDatabase(request, restorePorts()));
    expect(result.tables).to.deep.equal((await inspectDatabase(source.url)).tables);
    expect(result).to.include({ side: "primary" });
    expect(result.backupId).to.not.equal(first.id);
    await sql(target.url, "DELETE FROM patients_patient WHERE id = 1");
    const again = await asRecovery(() => restoreDatabase(request, restorePorts()));
    expect(again, "done once").to.deep.equal(result);
    expect((await inspectDatabase(target.url)).tables.patients_patient).to.equal(4);
  });

  it("restores a chosen one from the replica, and refuses a database with patients", async () => {
    const target = await newApp(heroku, "usc-pis-r2");
    const request = { system: SYSTEM, app: "usc-pis-r2", database: target.addon, backup: first.id };
    const lost = new Vault({ side: "primary", region: PRIMARY, bucket: "usc-pis-vault-lost" });
    await asRecovery(async () => {
      const ports = { ...restorePorts(), vaults: [lost, vaults()[1] as Vault] };
      const result = await restoreDatabase(request, ports);
      expect(result).to.include({ backupId: first.id, side: "replica" });
      const other = { system: SYSTEM, app: "usc-pis", database: source.database };
      const error = await restoreDatabase(other, restorePorts()).catch((cause) => cause);
      expect(error.code).to.equal("database_not_empty");
    });
  });
});
