import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { Client } from "pg";
import { seed } from "../../sandbox/app/index";
import { type Json, startTestHeroku, type TestClient, type TestHeroku, until } from "../support/heroku";

const PGP_KEY = "test-pgp-key";

async function query(url: string, sql: string): Promise<Json[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function counts(url: string): Promise<Record<string, number>> {
  const tables = await query(url, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
  const found: Record<string, number> = {};
  for (const { name } of tables) found[name] = (await query(url, `SELECT count(*)::int AS n FROM ${name}`))[0].n;
  return found;
}

describe("heroku emulator: backups and restores", function () {
  this.timeout(90_000);
  let heroku: TestHeroku;
  let client: TestClient;
  let database: string;
  let url: string;
  before(async () => {
    heroku = await startTestHeroku();
    client = heroku.client;
    await client.createApp("usc-pis");
    database = (await client.addAddon("usc-pis", "heroku-postgresql:essential-0")).id;
    url = (await client.ok("GET", "/apps/usc-pis/config-vars")).DATABASE_URL;
    await seed({ databaseUrl: url, pgpKey: PGP_KEY });
  });
  after(() => heroku.stop());

  const transfers = (): Promise<Json[]> => client.ok("GET", "/client/v11/apps/usc-pis/transfers");
  const publicUrl = (num: number): Promise<Json> =>
    client.ok("POST", `/client/v11/apps/usc-pis/transfers/${num}/actions/public-url`);

  /** Holds a table, so that pg_dump waits until the work is done. */
  async function whileLocked(work: () => Promise<void>): Promise<void> {
    const locker = new Client({ connectionString: url });
    await locker.connect();
    try {
      await locker.query("BEGIN; LOCK TABLE patients_patient IN ACCESS EXCLUSIVE MODE");
      await work();
    } finally {
      await locker.end();
    }
  }

  it("captures, loses everything, restores, and has equal counts and readable columns", async () => {
    const before = await counts(url);
    const backup = await client.capture(database, "usc-pis");
    expect(backup).to.deep.include({ succeeded: true, from_type: "pg_dump", to_type: "gof3r", from_name: "DATABASE" });
    expect(backup.processed_bytes).to.be.greaterThan(10_000);
    await client.ok("PUT", `/client/v11/databases/${database}/reset`);
    expect(await counts(url)).to.deep.equal({});
    const restore = await client.restore(database, "usc-pis", backup.to_url, ["pgcrypto"]);
    expect(restore).to.include({ succeeded: true, to_type: "pg_restore", from_type: "gof3r" });
    expect(restore.num).to.equal(backup.num + 1);
    expect(await counts(url)).to.deep.equal(before);
    const [row] = await query(
      url,
      `SELECT pgp_sym_decrypt(address_encrypted, '${PGP_KEY}') AS a FROM patients_patient LIMIT 1`,
    );
    expect(row.a).to.contain("Nowhere Street");
    // Sequences are ahead: a new row gets a free id.
    await query(url, "INSERT INTO feedback_feedback (patient_id, rating, comments) VALUES (1, 5, 'new')");
  });

  it("hands out a dump that pg_restore takes outside, by an address that needs no key", async () => {
    const backup = await client.capture(database, "usc-pis");
    const { url: address, expires_at } = await publicUrl(backup.num);
    expect(Date.parse(expires_at) - Date.now()).to.be.within(590_000, 601_000);
    const response = await fetch(address);
    const dump = Buffer.from(await response.arrayBuffer());
    expect(response.headers.get("content-length")).to.equal(String(backup.processed_bytes));
    expect(dump.subarray(0, 5).toString()).to.equal("PGDMP");
    const restored = new URL(heroku.postgres.adminUrl);
    restored.pathname = "/outside";
    await query(heroku.postgres.adminUrl, "CREATE DATABASE outside");
    const options = { input: dump, env: { PATH: process.env.PATH } };
    execFileSync(
      join(heroku.postgres.bin, "pg_restore"),
      ["--no-owner", "--exit-on-error", "-d", restored.toString()],
      options,
    );
    expect(await counts(restored.toString())).to.deep.equal(await counts(url));
    const forged = address.replace(/signature=./, "signature=0").replace(/expires=\d/, "expires=9");
    expect((await fetch(forged)).status).to.equal(403);
  });

  it("restores from a public URL into another app's database", async () => {
    await client.createApp("other-app");
    const target = await client.addAddon("other-app", "heroku-postgresql:essential-0");
    const backup = await client.capture(database, "usc-pis");
    const restore = await client.restore(target.id, "other-app", (await publicUrl(backup.num)).url, ["pgcrypto"]);
    expect(restore).to.include({ succeeded: true, from_type: "htcat", num: 1 });
    expect(restore.from_url).to.not.contain("signature");
    const vars = await client.ok("GET", "/apps/other-app/config-vars");
    expect(await counts(vars.DATABASE_URL)).to.deep.equal(await counts(url));
    // Tenants of one server can't read each other.
    const foreign = new URL(vars.DATABASE_URL);
    foreign.pathname = new URL(url).pathname;
    const refusal = await query(foreign.toString(), "SELECT 1").catch((error: Error) => error.message);
    expect(refusal).to.contain("permission denied for database");
    await client.ok("DELETE", "/apps/other-app");
  });

  it("fails loudly for an HTML page, a truncated dump, a 404 and an unknown backup", async () => {
    const backup = await client.capture(database, "usc-pis");
    const dump = Buffer.from(await (await fetch((await publicUrl(backup.num)).url)).arrayBuffer());
    const server = createServer((request, response) => {
      if (request.url === "/html") response.end("<html>not a dump</html>");
      else if (request.url === "/short") response.end(dump.subarray(0, dump.length / 2));
      else response.writeHead(404).end("gone");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await client.createApp("victim");
    const target = await client.addAddon("victim", "heroku-postgresql:essential-0");
    for (const source of [`${base}/html`, `${base}/short`, `${base}/gone`, "gof3r://sandbox/none"]) {
      const restore = await client.restore(target.id, "victim", source);
      expect(restore.succeeded, source).to.equal(false);
      expect(restore.logs.at(-1).level, source).to.equal("error");
    }
    expect(
      (await client.send("POST", `/client/v11/databases/${target.id}/restores`, { backup_url: "file:///etc/passwd" }))
        .status,
    ).to.equal(422);
    await client.ok("DELETE", "/apps/victim");
    server.close();
  });

  it("takes the bytes of the dump before when nothing has changed, once it is told to", async () => {
    const reuse = (on: boolean) => client.ok("POST", "/_control/dumps", { reuse: on });
    const dumped = async () => {
      const { num } = await client.capture(database, "usc-pis");
      const { logs } = await client.ok("GET", `/client/v11/apps/usc-pis/transfers/${num}?verbose=true`);
      const bytes = Buffer.from(await (await fetch((await publicUrl(num)).url)).arrayBuffer());
      const isReused = logs.some(({ message }: Json) => /nothing has changed/.test(message));
      return { bytes, isReused };
    };
    await dumped();
    expect((await dumped()).isReused, "off at first").to.equal(false);
    await reuse(true);
    try {
      const first = await dumped();
      const again = await dumped();
      expect([first.isReused, again.isReused]).to.deep.equal([false, true]);
      expect(again.bytes.equals(first.bytes)).to.equal(true);
      await query(url, "INSERT INTO auth_group (name) VALUES ('one more')");
      const changed = await dumped();
      expect([changed.isReused, changed.bytes.equals(first.bytes)]).to.deep.equal([false, false]);
    } finally {
      await reuse(false);
    }
    expect((await dumped()).isReused, "off again").to.equal(false);
  });

  it("copies one database into another, and nothing that is not its own", async () => {
    await client.createApp("copy-app");
    const target = await client.addAddon("copy-app", "heroku-postgresql:essential-0");
    const to = (await client.ok("GET", "/apps/copy-app/config-vars")).DATABASE_URL;
    const path = `/client/v11/databases/${target.id}/transfers`;
    const names = { from_name: "DATABASE", to_name: "DATABASE", to_url: to };
    const { uuid } = await client.ok("POST", path, { ...names, from_url: url });
    const copy = await client.transfer("copy-app", uuid);
    expect(copy, JSON.stringify(copy.logs)).to.include({
      num: 1,
      from_type: "pg_dump",
      to_type: "pg_restore",
      succeeded: true,
    });
    expect(JSON.stringify(copy)).to.not.contain(new URL(url).password);
    expect(await counts(to)).to.deep.equal(await counts(url));
    for (const from_url of ["postgres://u:p@db.example.org/d", to, "none"])
      expect((await client.send("POST", path, { ...names, from_url })).status, from_url).to.equal(422);
    expect((await client.send("POST", path, { ...names, from_url: url, to_url: url })).status).to.equal(422);
    // A dump that fails is the reason, not what the restore makes of half of it.
    const admin = Object.assign(new URL(heroku.postgres.adminUrl), { pathname: new URL(url).pathname }).toString();
    await query(admin, "CREATE TABLE secret (id int)");
    const { uuid: second } = await client.ok("POST", path, { ...names, from_url: url });
    const failed = await client.transfer("copy-app", second);
    await query(admin, "DROP TABLE secret");
    expect([failed.succeeded, failed.logs.at(-1).message]).to.deep.equal([
      false,
      "pg_dump exited with 1: pg_dump: error: query failed: ERROR:  permission denied for table secret",
    ]);
    await client.ok("DELETE", "/apps/copy-app");
  });

  it("cancels a running capture and lets the next one wait for it", async () => {
    await whileLocked(async () => {
      const first = await client.ok("POST", `/client/v11/databases/${database}/backups`);
      const second = await client.ok("POST", `/client/v11/databases/${database}/backups`);
      const running = await until(
        () => client.ok("GET", `/client/v11/apps/usc-pis/transfers/${first.uuid}`),
        (one) => one.started_at !== null,
      );
      expect(running.finished_at).to.equal(null);
      expect((await client.ok("GET", `/client/v11/apps/usc-pis/transfers/${second.num}`)).started_at).to.equal(null);
      for (const one of [first, second])
        await client.ok("POST", `/client/v11/apps/usc-pis/transfers/${one.uuid}/actions/cancel`);
      const ended = await client.transfer("usc-pis", first.uuid);
      expect(ended).to.include({ succeeded: false });
      expect(ended.canceled_at).to.be.a("string");
    });
    expect((await client.capture(database, "usc-pis")).succeeded).to.equal(true);
    expect((await client.send("POST", "/client/v11/apps/usc-pis/transfers/99/actions/cancel")).status).to.equal(404);
  });

  it("deletes: 410 afterwards, and no public URL", async () => {
    const backup = await client.capture(database, "usc-pis");
    const { url: address } = await publicUrl(backup.num);
    await client.ok("DELETE", `/client/v11/apps/usc-pis/transfers/${backup.num}`);
    expect((await client.send("GET", `/client/v11/apps/usc-pis/transfers/${backup.num}`)).status).to.equal(410);
    expect((await transfers()).map((one) => one.num)).to.not.include(backup.num);
    expect((await fetch(address)).status).to.equal(404);
  });

  it("keeps the plan's number of manual backups; scheduled ones don't count", async () => {
    await client.ok("POST", `/client/v11/databases/${database}/transfer-schedules`, {
      hour: "02",
      timezone: "UTC",
      schedule_name: "DATABASE_URL",
    });
    await client.ok("POST", "/_control/schedules/run", { force: true, wait: true });
    const latest: Json[] = [];
    for (let i = 0; i < 6; i++) latest.push(await client.capture(database, "usc-pis"));
    const backups = (await transfers()).filter((one) => one.to_type === "gof3r" && one.succeeded);
    expect(backups.filter((one) => one.schedule !== null)).to.have.length(1);
    expect(backups.filter((one) => one.schedule === null).map((one) => one.num)).to.deep.equal(
      latest.slice(1).map((one) => one.num),
    );
  });

  it("keeps one schedule a name, checks hour and zone, and forgets it", async () => {
    const path = `/client/v11/databases/${database}/transfer-schedules`;
    const first = await client.ok("POST", path, { hour: "02", timezone: "UTC", schedule_name: "DATABASE_URL" });
    const second = await client.ok("POST", path, {
      hour: "10",
      timezone: "Asia/Manila",
      schedule_name: "DATABASE_URL",
    });
    expect(second.uuid).to.equal(first.uuid);
    expect((await client.ok("GET", path)).map((one: Json) => [one.name, one.hour, one.timezone])).to.deep.equal([
      ["DATABASE_URL", "10", "Asia/Manila"],
    ]);
    for (const bad of [
      { hour: "24", timezone: "UTC" },
      { hour: "02", timezone: "PHT" },
    ])
      expect((await client.send("POST", path, bad)).status, JSON.stringify(bad)).to.equal(400);
    await client.ok("DELETE", `${path}/${first.uuid}`);
    expect(await client.ok("GET", path)).to.deep.equal([]);
    expect((await client.send("DELETE", `${path}/${first.uuid}`)).status).to.equal(404);
  });
});
