import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { capture } from "../../backup/capture";
import { MINIMUM_RETENTION_DAYS } from "../../backup/classes";
import { openDownload } from "../../backup/download";
import { runTableName } from "../../backup/layout";
import { ensureRelease } from "../../backup/release";
import { inspectDatabase } from "../../clients/database";
import { Heroku } from "../../clients/heroku";
import { realPace } from "../../clients/retry";
import { RunTable } from "../../clients/runs";
import { Vault } from "../../clients/vault";
import {
  ACCOUNT,
  BUCKETS,
  CLINIC_SQL,
  newApp,
  PRIMARY,
  REPLICA,
  SYSTEM,
  sql,
  startTestAws,
  startTestHeroku,
  TEST_KEY,
  type TestAws,
  type TestHeroku,
  withEnvironment,
} from "./capture-support";

interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

describe("the command line against MiniStack, PostgreSQL and the Heroku emulator", function () {
  this.timeout(180_000);
  let aws: TestAws;
  let heroku: TestHeroku;
  let source: Awaited<ReturnType<typeof newApp>>;
  let folder: string;
  const running = new Set<ChildProcess>();

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "restore-cli-"));
    aws = await startTestAws();
    heroku = await startTestHeroku();
    source = await newApp(heroku, "usc-pis");
    await sql(source.url, ...CLINIC_SQL);
  });
  after(async () => {
    for (const child of running) child.kill("SIGKILL");
    await heroku?.stop();
    await aws?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The root keys are bound by nothing: what a command does as the recovery role it must assume by itself. */
  const environment = () => ({
    PATH: process.env.PATH ?? "",
    HOME: folder,
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    HEROKU_API_KEY: TEST_KEY,
    HEROKU_API_URL: heroku.emulator.url,
    HEROKU_DATA_API_URL: heroku.emulator.url,
  });
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, [join(__dirname, "../../cli/bin.js"), ...args], {
      cwd: folder,
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    const ran: Ran = { code: null, stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => (ran.stdout += chunk));
    child.stderr.on("data", (chunk) => (ran.stderr += chunk));
    const ended = new Promise<Ran>((resolve) =>
      child.once("close", (code) => {
        running.delete(child);
        resolve({ ...ran, code });
      }),
    );
    return { child, ended, ran };
  };
  const usc = (...args: string[]) => start(...args).ended;
  const lastJson = (ran: Ran) => JSON.parse(ran.stdout.trim().split("\n").at(-1) ?? "");
  const faults = (...rules: object[]) => heroku.client.ok("POST", "/_control/faults", { rules });
  const restores = async (app: string) =>
    (await heroku.client.ok("GET", `/client/v11/apps/${app}/transfers`)).filter(
      (each: { to_type: string }) => each.to_type === "pg_restore",
    );

  it("claims the vault once, and again only by taking over", async () => {
    const claimed = await usc("vault", "claim", "--app", "usc-pis");
    expect(claimed.code, claimed.stderr).to.equal(0);
    expect((await usc("vault", "claim", "--app", "usc-pis")).stdout).to.contain("already");
    const other = await usc("vault", "claim", "--app", "usc-pis-r");
    expect(other.code).to.equal(1);
    expect(other.stderr).to.contain("--take-over").and.not.contain("    at ");
    expect((await usc("vault", "claim", "--app", "usc-pis-r", "--take-over")).code).to.equal(0);
    expect((await usc("vault", "claim", "--app", "usc-pis", "--take-over")).code).to.equal(0);
  });

  it("schedules and unschedules Heroku's daily backup, however often", async () => {
    for (const words of ["created", "unchanged"]) {
      const ran = await usc("backup", "schedule", "--app", "usc-pis", "--at", "02:00 UTC");
      expect(ran.code, ran.stderr).to.equal(0);
      expect(ran.stdout).to.contain(words);
    }
    expect((await usc("backup", "schedule", "--app", "usc-pis", "--at", "04:00 Asia/Manila")).stdout).to.contain(
      "was 02:00 UTC",
    );
    for (const words of ["removed", "there was no"]) {
      expect((await usc("backup", "unschedule", "--app", "usc-pis")).stdout).to.contain(words);
    }
    expect((await usc("backup", "unschedule", "--app", "gone-long-ago")).code).to.equal(0);
  });

  it("lists and shows backups as the recovery role", async () => {
    await withEnvironment(
      { AWS_ENDPOINT_URL: aws.url, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
      async () => {
        const vault = (side: "primary" | "replica", region: string) =>
          new Vault({ side, region, bucket: BUCKETS[side] });
        await capture(
          { trigger: "manual", requestedBy: "test" },
          {
            system: SYSTEM,
            app: "usc-pis",
            retention: MINIMUM_RETENTION_DAYS,
            herokuSchedule: { hour: 2, timezone: "UTC" },
          },
          {
            heroku: new Heroku({ apiKey: TEST_KEY, apiUrl: heroku.emulator.url, dataApiUrl: heroku.emulator.url }),
            vault: vault("primary", PRIMARY),
            otherVault: vault("replica", REPLICA),
            inspect: (url) => inspectDatabase(url),
            download: (url) => openDownload(url),
            runs: new RunTable({ table: runTableName(SYSTEM), region: PRIMARY }),
            metrics: { put: async () => [] },
            pace: realPace,
            log: { info: () => undefined, warn: () => undefined },
          },
          new AbortController().signal,
        );
      },
    );
    const listed = await usc("--json", "backup", "list");
    expect(listed.code, listed.stderr).to.equal(0);
    const [backup] = lastJson(listed);
    expect(backup).to.deep.include({ status: "success", class: "monthly", sides: ["primary", "replica"] });
    expect(lastJson(await usc("backup", "show", backup.id, "--json")).id).to.equal(backup.id);
    expect(lastJson(await usc("backup", "list", "--runs", "--json"))[0]).to.include({
      id: backup.id,
      status: "success",
    });
    expect((await usc("backup", "show", "b001")).code).to.equal(2);
  });

  it("restores, says what it did, and tells it again", async () => {
    const target = await newApp(heroku, "usc-pis-c1");
    const ran = await usc("restore", "database", "--app", "usc-pis-c1", "--database", target.database);
    expect(ran.code, ran.stderr).to.equal(0);
    const result = lastJson(ran);
    expect(result.tables).to.include({ patients_patient: 5, authentication_user: 7 });
    const status = await usc("restore", "status", "--app", "usc-pis-c1", "--database", target.database);
    expect(lastJson(status)).to.deep.equal(result);
    const none = await usc("restore", "status", "--app", "usc-pis", "--database", source.database);
    expect(none.code).to.equal(1);
    const refused = await usc("restore", "database", "--app", "usc-pis", "--database", source.database);
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.contain("patients_patient 5").and.contain(`--overwrite ${source.addon}`);
  });

  it("killed while Heroku restores, the next one ends with the right data after one restore", async () => {
    const target = await newApp(heroku, "usc-pis-c2");
    const args = ["restore", "database", "--app", "usc-pis-c2", "--database", target.database] as const;
    await faults({ method: "GET", path: "/transfers/.", delayMs: 4_000, times: 1 });
    const { child, ended, ran } = start(...args);
    for (let i = 0; i < 300 && !ran.stderr.includes("Heroku restores"); i++)
      await new Promise((r) => setTimeout(r, 50));
    child.kill("SIGKILL");
    expect((await ended).code).to.equal(null);
    await faults();
    const again = await usc(...args);
    expect(again.code, again.stderr).to.equal(0);
    expect(lastJson(again).tables).to.include({ patients_patient: 5 });
    expect(await restores("usc-pis-c2")).to.have.lengthOf(1);
  });

  it("two beside each other end with one database that holds the backup", async () => {
    const target = await newApp(heroku, "usc-pis-c3");
    const args = ["restore", "database", "--app", "usc-pis-c3", "--database", target.database] as const;
    const both = await Promise.all([usc(...args), usc(...args)]);
    for (const ran of both) expect(ran.code, ran.stderr).to.equal(0);
    expect(lastJson(both[0] as Ran).backupId).to.equal(lastJson(both[1] as Ran).backupId);
    expect((await inspectDatabase(target.url)).tables).to.include({ patients_patient: 5, authentication_user: 7 });
  });

  it("Ctrl-C ends it with a word", async () => {
    const target = await newApp(heroku, "usc-pis-c4");
    await faults({ method: "GET", path: "/transfers/.", delayMs: 10_000 });
    const { child, ended, ran } = start("restore", "database", "--app", "usc-pis-c4", "--database", target.database);
    for (let i = 0; i < 300 && !ran.stderr.includes("Heroku restores"); i++)
      await new Promise((r) => setTimeout(r, 50));
    child.kill("SIGINT");
    const result = await ended;
    await faults();
    expect(result.code).to.equal(1);
    expect(result.stderr).to.contain("interrupted");
  });

  it("keeps a release in the vault and gives it back, also from the replica", async () => {
    const file = join(folder, "app.tar.gz");
    writeFileSync(file, gzipSync("the source"));
    const added = await usc("release", "add", "v1.0.0", file);
    expect(added.code, added.stderr).to.equal(0);
    const release = lastJson(added);
    expect(lastJson(await usc("release", "add", "v1.0.0", file))).to.deep.equal(release);
    expect((await usc("release", "add", "v1.0.0", join(__dirname, "restore.test.ts"))).code).to.equal(2);
    await withEnvironment(
      { AWS_ENDPOINT_URL: aws.url, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
      async () => {
        const directory = join(folder, "releases");
        const options = {
          system: SYSTEM,
          sha256: release.sha256,
          primaryRegion: PRIMARY,
          replicaRegion: REPLICA,
          directory,
        };
        const path = await ensureRelease({ ...options, account: ACCOUNT });
        expect(path).to.match(new RegExp(`${release.sha256}.tar.gz$`));
        writeFileSync(path, "damaged");
        const lost = new Vault({ side: "primary", region: PRIMARY, bucket: "usc-pis-vault-lost" });
        const replica = new Vault({ side: "replica", region: REPLICA, bucket: BUCKETS.replica });
        expect(await ensureRelease({ ...options, vaults: [lost, replica] })).to.equal(path);
        const missing = { ...options, sha256: "0".repeat(64) };
        expect((await ensureRelease(missing).catch((cause) => cause)).code).to.equal("no_release");
      },
    );
  });
});
