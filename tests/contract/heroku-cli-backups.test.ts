import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Client } from "pg";
import { ensureCertificate, trustCertificate } from "../../sandbox/aws/certificate";
import { pythonPath } from "../../sandbox/aws/server";
import { type Json, startTestHeroku, TEST_KEY, type TestClient, type TestHeroku, until } from "../support/heroku";
import { fails, HerokuCli, succeeds } from "../support/heroku-cli";

async function query(url: string, sql: string): Promise<Json[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe("the official Heroku CLI against the emulator: pg:backups", function () {
  this.timeout(360_000);
  const folder = mkdtempSync(join(tmpdir(), "heroku-cli-backups-"));
  let heroku: TestHeroku;
  let client: TestClient;
  let cli: HerokuCli;
  let database: string;
  let url: string;
  let adminUrl: string;
  before(async () => {
    const tls = await ensureCertificate(folder, pythonPath());
    trustCertificate(tls.cert);
    heroku = await startTestHeroku({ tls });
    client = heroku.client;
    cli = new HerokuCli(heroku.emulator.url, TEST_KEY, { certificate: tls.cert });
    await client.createApp("usc-pis");
    database = (await client.addAddon("usc-pis", "heroku-postgresql:essential-0")).id;
    url = (await client.ok("GET", "/apps/usc-pis/config-vars")).DATABASE_URL;
    adminUrl = Object.assign(new URL(heroku.postgres.adminUrl), { pathname: new URL(url).pathname }).toString();
  });
  after(async () => {
    cli?.close();
    await heroku?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const app = ["--app", "usc-pis"];
  const confirm = ["--confirm", "usc-pis"];
  const good = (...args: string[]) => succeeds(cli, ...args, ...app);
  const bad = (code: number, ...args: string[]) => fails(cli, code, ...args, ...app);
  const patients = async () => (await query(url, "SELECT count(*)::int AS n FROM patients")).map((row) => row.n);
  const fill = (count: number) =>
    query(
      url,
      `CREATE TABLE IF NOT EXISTS patients (id int); TRUNCATE patients;
      INSERT INTO patients SELECT generate_series(1, ${count})`,
    );

  it("says that there is nothing, with the exit code of each command", async () => {
    const [list, url, info, cancel, restore, schedules] = await Promise.all([
      good("pg:backups"),
      bad(1, "pg:backups:url"),
      bad(1, "pg:backups:info"),
      bad(2, "pg:backups:cancel"),
      bad(1, "pg:backups:restore", ...confirm),
      good("pg:backups:schedules"),
    ]);
    for (const what of ["No backups.", "No restores found.", "No copies found."]) expect(list.stdout).to.contain(what);
    expect(url).to.contain("No backups on usc-pis. Capture one with heroku pg:backups:capture");
    expect(info).to.contain("No backups. Capture one with heroku pg:backups:capture");
    expect(cancel).to.contain("No active backups/transfers");
    expect(restore).to.contain("No backups for usc-pis");
    expect(schedules.stderr).to.contain("No backup schedules found on usc-pis");
  });

  it("capture, list, info, url and download: the dump that came is the dump that is stored", async () => {
    await fill(5);
    const capture = await good("pg:backups:capture");
    expect(capture.stderr).to.contain("Backing up DATABASE to b001... done");
    const [list, info, address, download, unknown, bare] = await Promise.all([
      good("pg:backups"),
      good("pg:backups:info"),
      good("pg:backups:url", "b001"),
      good("pg:backups:download", "b001", "--output", "b001.dump"),
      bad(2, "pg:backups:info", "b077"),
      bad(1, "pg:backups:info", "1"),
    ]);
    const { processed_bytes: bytes } = await client.ok("GET", "/client/v11/apps/usc-pis/transfers/1");
    expect(list.stdout).to.match(/b001 .* Completed \S+ .*KB +DATABASE/);
    for (const line of [/Backup b001/, /Status: +Completed/, /Type: +Manual/, /% compression\)/, /pg_dump done/])
      expect(info.stdout).to.match(line);
    expect(address.stdout).to.match(/^https:\/\/127\.0\.0\.1:\d+\/_backups\//);
    expect(download.stderr).to.contain("done, #1");
    const dump = readFileSync(join(cli.home, "b001.dump"));
    expect([dump.length, dump.subarray(0, 5).toString()]).to.deep.equal([bytes, "PGDMP"]);
    expect(Buffer.from(await (await fetch(address.stdout.trim())).arrayBuffer()).equals(dump)).to.equal(true);
    expect(unknown).to.contain("Couldn't find that transfer").and.to.contain("not_found");
    expect(bare).to.contain("Invalid ID: 1");
  });

  it("restores by id, and nothing without the app's name", async () => {
    await fill(9);
    // On Node 24 the unanswered question exits with 1, on Node 20 with 0: neither tells that nothing was done.
    const [asked, wrong, missing] = await Promise.all([
      cli.run("pg:backups:restore", "b001", "DATABASE_URL", ...app),
      bad(1, "pg:backups:restore", "b001", "DATABASE_URL", "--confirm", "other"),
      bad(1, "pg:backups:restore", "a001", "DATABASE_URL", ...confirm),
    ]);
    expect(asked.code).to.be.oneOf([0, 1]);
    expect(wrong).to.contain("Confirmation other did not match usc-pis. Aborted");
    expect(missing).to.contain("Backup a001 not found for usc-pis");
    expect(await patients()).to.deep.equal([9]);
    const { stderr } = await good("pg:backups:restore", "b001", "DATABASE_URL", ...confirm);
    expect(stderr).to.contain("Restoring... done");
    expect(await patients()).to.deep.equal([5]);
    expect((await good("pg:backups")).stdout).to.match(/r002 .* Completed .* DATABASE/);
  });

  it("restores from a URL with extensions, and another app's backup by its id", async () => {
    await client.createApp("other-app");
    await client.addAddon("other-app", "heroku-postgresql:essential-0");
    const other = (await client.ok("GET", "/apps/other-app/config-vars")).DATABASE_URL;
    const { url: address } = await client.ok("POST", "/client/v11/apps/usc-pis/transfers/1/actions/public-url");
    const there = ["DATABASE_URL", "--app", "other-app", "--confirm", "other-app"];
    await succeeds(cli, "pg:backups:restore", address, ...there, "--extensions", "pgcrypto,extra.citext");
    const extensions = await query(
      other,
      "SELECT extname, nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace ORDER BY 1",
    );
    expect(extensions.map((row) => `${row.nspname}.${row.extname}`)).to.include.members([
      "extra.citext",
      "public.pgcrypto",
    ]);
    await query(other, "DROP TABLE patients");
    await succeeds(cli, "pg:backups:restore", "usc-pis::b001", ...there);
    expect(await query(other, "SELECT count(*)::int AS n FROM patients")).to.deep.equal([{ n: 5 }]);
    const none = await fails(cli, 1, "pg:backups:restore", "usc-pis::b044", ...there);
    expect(none).to.contain("Backup b044 not found for usc-pis");
  });

  it("ends with 2 and the last lines of the log when a capture fails", async () => {
    await query(adminUrl, "CREATE TABLE secret (id int)");
    const words = await bad(2, "pg:backups:capture");
    await query(adminUrl, "DROP TABLE secret");
    expect(words).to.contain("An error occurred and the backup did not finish");
    expect(words).to.contain("permission denied for table secret");
    expect(words).to.contain("Run heroku pg:backups:info b003 for more details");
    expect((await good("pg:backups")).stdout).to.match(/b003 .* Failed /);
  });

  it("cancels what runs, and does nothing to what has ended", async () => {
    const locker = new Client({ connectionString: url });
    await locker.connect();
    await locker.query("BEGIN; LOCK TABLE patients IN ACCESS EXCLUSIVE MODE");
    const { num, uuid } = await client.ok("POST", `/client/v11/databases/${database}/backups`);
    await until(
      () => client.ok("GET", `/client/v11/apps/usc-pis/transfers/${uuid}`),
      (one) => one.started_at !== null,
    );
    expect((await good("pg:backups")).stdout).to.match(/b004 .* Running \(processed /);
    expect((await good("pg:backups:cancel")).stderr).to.contain("Cancelling b004... done");
    await locker.end();
    const [list, info, ended] = await Promise.all([
      good("pg:backups"),
      good("pg:backups:info", "b004"),
      good("pg:backups:cancel", "b001"),
    ]);
    expect(num).to.equal(4);
    expect(list.stdout).to.match(/b004 .* Failed /);
    expect(info.stdout).to.match(/Status: +Canceled/);
    expect(ended.stderr).to.contain("Cancelling b001... done");
    expect(await client.ok("GET", "/client/v11/apps/usc-pis/transfers/1")).to.include({
      succeeded: true,
      canceled_at: null,
    });
  });

  it("schedule, schedules and unschedule; the server knows the zones, the CLI the hours", async () => {
    const set = (at: string, code = 0) =>
      code === 0
        ? good("pg:backups:schedule", "DATABASE_URL", "--at", at)
        : bad(code, "pg:backups:schedule", "DATABASE_URL", "--at", at);
    const [minutes, hour, zone, nothing] = await Promise.all([
      set("02:30 UTC", 1),
      set("24:00 UTC", 1),
      set("02:00 Mars/Olympus", 2),
      bad(1, "pg:backups:unschedule"),
    ]);
    for (const words of [minutes, hour]) expect(words).to.contain("Invalid schedule format");
    expect(zone).to.contain("Invalid timezone: Mars/Olympus");
    expect(nothing).to.contain("No schedules on usc-pis");
    await set("02:00 UTC");
    expect((await good("pg:backups:schedules")).stdout).to.contain("DATABASE_URL: daily at 02:00 UTC");
    await client.ok("POST", "/_control/schedules/run", { force: true, wait: true });
    const [list, scheduled, none] = await Promise.all([
      good("pg:backups"),
      good("pg:backups:info", "a005"),
      bad(1, "pg:backups:restore", "b005", "DATABASE_URL", ...confirm),
    ]);
    expect(list.stdout).to.match(/a005 .* Completed .* DATABASE/);
    expect(scheduled.stdout).to.match(/Type: +Scheduled/);
    expect(none).to.contain("Backup b005 not found");
    await good("pg:backups:unschedule");
    expect(await bad(1, "pg:backups:unschedule", "DATABASE_URL")).to.contain("No daily backups found for postgresql-");
    expect(await client.ok("GET", `/client/v11/databases/${database}/transfer-schedules`)).to.deep.equal([]);
  });

  it("deletes only when confirmed, also by typing; afterwards it is gone", async () => {
    expect((await cli.run("pg:backups:delete", "b001", ...app)).code).to.be.oneOf([0, 1]);
    await client.ok("GET", "/client/v11/apps/usc-pis/transfers/1");
    const typed = await cli.answer("usc-pis\n", "pg:backups:delete", "b001", ...app);
    expect([typed.code, typed.stderr.includes("Deleting backup b001 on usc-pis... done")]).to.deep.equal([0, true]);
    const [again, info, bare] = await Promise.all([
      bad(2, "pg:backups:delete", "b001", ...confirm),
      bad(2, "pg:backups:info", "b001"),
      bad(1, "pg:backups:delete", "1", ...confirm),
    ]);
    for (const words of [again, info]) expect(words).to.contain("That transfer has been deleted");
    expect(bare).to.contain("Invalid Backup: 1");
  });
});
