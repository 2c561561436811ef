import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { Client } from "pg";
import { buildRelease, seed } from "../../sandbox/app/index";
import { Children, processStartTime } from "../../sandbox/heroku/runtime/children";
import { TEST_KEY, TestClient, until } from "../support/heroku";
import { startTestPostgres, type TestPostgres } from "../support/heroku-postgres";

const PROJECT = resolve(__dirname, "../..");
const CONTROL = "control-token";

describe("heroku emulator as a process", function () {
  this.timeout(90_000);
  const folder = mkdtempSync(join(tmpdir(), "heroku-restart-"));
  const started: ChildProcess[] = [];
  let postgres: TestPostgres;
  let config: string;
  before(async () => {
    postgres = await startTestPostgres();
    config = join(folder, "config.json");
    const { adminUrl, bin } = postgres;
    const options = {
      dataDir: join(folder, "data"),
      postgres: { adminUrl, bin },
      apiKeys: [TEST_KEY],
      controlToken: CONTROL,
    };
    writeFileSync(config, JSON.stringify(options), { mode: 0o600 });
  });
  after(async () => {
    for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(): Promise<{ child: ChildProcess; client: TestClient }> {
    const main = join(PROJECT, "sandbox/heroku/main.ts");
    const child = spawn(process.execPath, ["-r", "ts-node/register/transpile-only", main, config], {
      cwd: PROJECT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    started.push(child);
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith("{")) continue;
      const ready = JSON.parse(line) as { ready: boolean; url: string; pid: number };
      expect(ready).to.include({ ready: true, pid: child.pid });
      child.stdout.resume();
      return { child, client: new TestClient(ready.url, TEST_KEY, CONTROL) };
    }
    throw new Error("the emulator ended before it was ready");
  }

  const ended = (child: ChildProcess) => new Promise((done) => child.once("exit", done));
  const recorded = (): { pid: number; startTime: string; what: string }[] =>
    JSON.parse(readFileSync(join(folder, "data/processes.json"), "utf8"));

  it("leaves no process after kill -9, and resumes: unfinished work has failed, dynos run again", async () => {
    const first = await start();
    await first.client.createApp("usc-pis");
    const database = await first.client.addAddon("usc-pis", "heroku-postgresql:essential-0");
    await first.client.ok("PATCH", "/apps/usc-pis/config-vars", { SECRET_KEY: "s", ALLOWED_HOSTS: "127.0.0.1" });
    const { path } = await buildRelease({ version: "1.0.0", outDir: folder });
    await first.client.deploy("usc-pis", readFileSync(path));
    await first.client.settledRelease("usc-pis");
    const { DATABASE_URL } = await first.client.ok("GET", "/apps/usc-pis/config-vars");
    await seed({ databaseUrl: DATABASE_URL, pgpKey: "k" });
    const good = await first.client.capture(database.id, "usc-pis");
    const locker = new Client({ connectionString: DATABASE_URL });
    await locker.connect();
    await locker.query("BEGIN; LOCK TABLE patients_patient IN ACCESS EXCLUSIVE MODE");
    const { uuid } = await first.client.ok("POST", `/client/v11/databases/${database.id}/backups`);
    await until(
      async () => recorded().map((one) => one.what),
      (list) => list.includes("pg_dump") && list.includes("usc-pis web.1"),
    );
    const children = recorded();
    first.child.kill("SIGKILL");
    await ended(first.child);

    // Dynos end by themselves; the waiting pg_dump is ended by the next start.
    const isAlive = (one: { pid: number; startTime: string }) => processStartTime(one.pid) === one.startTime;
    const dynos = children.filter((one) => one.what !== "pg_dump");
    await until(
      async () => dynos.filter(isAlive).length,
      (count) => count === 0,
      10,
    );
    const second = await start();
    await until(
      async () => children.filter(isAlive).length,
      (count) => count === 0,
      5,
    );
    await locker.end();

    expect(await second.client.transfer("usc-pis", uuid)).to.include({ succeeded: false });
    const app = await second.client.ok("GET", "/apps/usc-pis");
    const health = await second.client.send("GET", `${app.web_url}api/health/`);
    expect(health.body.counts).to.include({ patients_patient: 5 });
    expect((await second.client.restore(database.id, "usc-pis", good.to_url)).succeeded).to.equal(true);
    expect((await second.client.ok("GET", "/_control/inventory")).apps).to.equal(1);

    const before = recorded();
    second.child.kill("SIGTERM");
    await ended(second.child);
    expect(second.child.exitCode).to.equal(0);
    expect(before.filter(isAlive)).to.deep.equal([]);
  });

  it("remembers rotated keys", async () => {
    const first = await start();
    await first.client.ok("POST", "/_control/keys", { keys: ["rotated"] });
    first.child.kill("SIGKILL");
    await ended(first.child);
    const second = await start();
    expect((await second.client.send("GET", "/account")).status).to.equal(401);
    await new TestClient(second.client.url, "rotated").ok("GET", "/account");
    second.child.kill("SIGTERM");
    await ended(second.child);
  });

  it("says what is missing, and refuses addresses that are not loopback", async () => {
    const bad = join(folder, "bad.json");
    writeFileSync(bad, JSON.stringify({ ...JSON.parse(readFileSync(config, "utf8")), host: "0.0.0.0" }));
    for (const [args, expected] of [
      [[bad], "loopback"],
      [[], "no configuration"],
    ] as const) {
      const main = join(PROJECT, "sandbox/heroku/main.ts");
      const child = spawn(process.execPath, ["-r", "ts-node/register/transpile-only", main, ...args], {
        cwd: PROJECT,
        stdio: ["ignore", "ignore", "pipe"],
      });
      let words = "";
      child.stderr.on("data", (chunk) => {
        words += chunk;
      });
      await ended(child);
      expect(child.exitCode).to.equal(1);
      expect(words).to.contain(expected);
    }
  });

  it("never ends a process that only has a leftover's number", () => {
    const stranger = spawn("sleep", ["30"], { detached: true, stdio: "ignore" });
    try {
      const records = [{ pid: stranger.pid, startTime: "0", what: "somebody else" }];
      writeFileSync(join(folder, "processes.json"), JSON.stringify(records));
      expect(new Children(folder).endLeftovers()).to.deep.equal([]);
      expect(processStartTime(stranger.pid ?? 0)).to.be.a("string");
      // The control: with its true start time it would have been ended.
      const known = [{ ...records[0], startTime: processStartTime(stranger.pid ?? 0) }];
      writeFileSync(join(folder, "processes.json"), JSON.stringify(known));
      expect(new Children(folder).endLeftovers()).to.have.length(1);
    } finally {
      stranger.kill("SIGKILL");
    }
  });
});
