import { expect } from "chai";
import { type Json, startTestHeroku, TEST_KEY, type TestClient, type TestHeroku, until } from "../support/heroku";
import { fails, HerokuCli, succeeds } from "../support/heroku-cli";
import { procfile, WEB } from "../support/heroku-slug";

describe("the official Heroku CLI against the emulator: add-ons and databases", function () {
  this.timeout(360_000);
  let heroku: TestHeroku;
  let client: TestClient;
  let cli: HerokuCli;
  before(async () => {
    heroku = await startTestHeroku();
    client = heroku.client;
    cli = new HerokuCli(heroku.emulator.url, TEST_KEY);
    await client.createApp("usc-pis");
  });
  after(async () => {
    cli?.close();
    await heroku?.stop();
  });

  const app = ["--app", "usc-pis"];
  const good = (...args: string[]) => succeeds(cli, ...args, ...app);
  const bad = (code: number, ...args: string[]) => fails(cli, code, ...args, ...app);
  const vars = () => client.ok("GET", "/apps/usc-pis/config-vars");
  const attached = async (name: string): Promise<Json> =>
    (await client.ok("GET", "/apps/usc-pis/addon-attachments")).find((one: Json) => one.name === name)?.addon;

  it("says that there is no database; sells plans, but none that is retired or unknown", async () => {
    const [capture, info, retired, unknown, service, plans] = await Promise.all([
      bad(1, "pg:backups:capture"),
      good("pg:info"),
      bad(2, "addons:create", "heroku-postgresql:mini"),
      bad(2, "addons:create", "heroku-postgresql:huge"),
      fails(cli, 2, "addons:plans", "sendgrid"),
      succeeds(cli, "addons:plans", "heroku-postgresql"),
    ]);
    expect(capture).to.contain("usc-pis has no databases");
    expect(`${info.stdout}${info.stderr}`).to.contain("usc-pis has no heroku-postgresql databases");
    expect(retired).to.contain("heroku-postgresql:mini has reached its end of life");
    expect(unknown).to.contain('add-on plan of "heroku-postgresql:huge"');
    expect(service).to.contain("Couldn't find that add-on service");
    expect(plans.stdout).to.match(/default +heroku-postgresql:essential-0 +Essential 0 +~\$0\.007\/hour +\$5\/month/);
  });

  it("addons:create --wait, addons, addons:info, addons:wait, pg:wait", async () => {
    const made = await good("addons:create", "heroku-postgresql:essential-0", "--wait");
    expect(made.stderr).to.contain("~$0.007/hour (max $5/month)");
    expect(`${made.stdout}${made.stderr}`).to.match(/Created postgresql-\S+ as DATABASE_URL/);
    const [addons, info, option] = await Promise.all([
      good("addons"),
      good("addons:info", "DATABASE"),
      bad(2, "addons:create", "heroku-postgresql:essential-0", "--follow", "DATABASE_URL"),
      good("addons:wait"),
      good("pg:wait"),
    ]);
    expect(addons.stdout).to.match(/heroku-postgresql \(postgresql-\S+\) +essential-0 +~\$0\.007\/hour +\$5\/month/);
    expect(addons.stdout).to.contain("as DATABASE");
    for (const line of [/Plan: +heroku-postgresql:essential-0/, /Attachments: +usc-pis::DATABASE/, /State: +created/])
      expect(info.stdout).to.match(line);
    expect(option).to.contain("The option follow of heroku-postgresql:essential-0 is not emulated");
  });

  it("pg:info, pg:credentials, pg:credentials:url; an unknown database is named", async () => {
    const [info, unknown, credentials, address] = await Promise.all([
      good("pg:info"),
      bad(1, "pg:info", "NOPE"),
      good("pg:credentials"),
      good("pg:credentials:url", "DATABASE_URL"),
    ]);
    expect(info.stdout).to.match(/=== DATABASE_URL\s/);
    for (const line of [
      /Plan: +Essential 0/,
      /Status: +Available/,
      /Connections: +\d+\/20/,
      /PG Version: +\d+\.\d+\s/,
      /Created: +\d{4}-\d\d-\d\d \d\d:\d\d UTC/,
      /Data Size: +[\d.]+ MB \/ 1 GB/,
      /Continuous Protection: +Off/,
      /Add-on: +postgresql-/,
    ])
      expect(info.stdout).to.match(line);
    expect(unknown).to.contain("Unknown database: NOPE. Valid options are: DATABASE");
    expect(credentials.stdout).to.match(/default +active/);
    expect(address.stdout).to.contain((await vars()).DATABASE_URL.replace(/\?.*/, ""));
  });

  it("pg:promote: an alias first, then a release phase that is watched", async () => {
    const processes = { web: WEB, release: 'test -n "$DATABASE_URL"' };
    await client.deploy("usc-pis", procfile(processes));
    await client.settledRelease("usc-pis");
    const before = (await vars()).DATABASE_URL;
    const old = (await attached("DATABASE")).name;
    const taken = await cli.run("addons:create", "heroku-postgresql:essential-0", "--as", "DATABASE", ...app);
    expect(taken.code, "asks before it replaces DATABASE").to.be.oneOf([0, 1]);
    expect((await vars()).DATABASE_URL).to.equal(before);
    const next = await good("addons:create", "heroku-postgresql:standard-0", "--as", "NEXT");
    expect(`${next.stdout}${next.stderr}`).to.contain("is being created in the background");
    await until(vars, (all) => "NEXT_URL" in all);
    const promoted = await good("pg:promote", "NEXT");
    expect(promoted.stderr).to.match(/alternate alias for existing DATABASE_URL\.\.\. HEROKU_POSTGRESQL_[A-Z]+_URL/);
    expect(promoted.stderr).to.contain("Checking release phase... pg:promote succeeded.");
    expect(promoted.stderr).to.contain(`safe to ignore the failed Detach DATABASE (@ref:${old}) release`);
    const after = await vars();
    expect([after.DATABASE_URL === after.NEXT_URL, Object.values(after).includes(before)]).to.deep.equal([true, true]);
    const [again, info, capture] = await Promise.all([
      bad(2, "pg:promote", "NEXT"),
      good("pg:info"),
      good("pg:backups:capture", "NEXT"),
    ]);
    expect(again).to.match(/postgresql-\S+ is already promoted on usc-pis/);
    expect(info.stdout).to.match(/=== (DATABASE_URL, NEXT_URL|NEXT_URL, DATABASE_URL)\s/);
    expect(capture.stderr).to.contain("Continuous protection is already enabled for this database");
  });

  it("pg:copy and pg:credentials:rotate", async () => {
    const old = Object.keys(await vars()).find((name) => name.startsWith("HEROKU_POSTGRESQL_")) ?? "";
    const [, color = ""] = /^HEROKU_POSTGRESQL_(.+)_URL$/.exec(old) ?? [];
    expect((await good("pg:copy", "DATABASE_URL", old, "--confirm", color)).stderr).to.contain("Copying... done");
    expect((await good("pg:backups")).stdout).to.match(/c002 .* Completed .* DATABASE +\S/);
    const before = (await vars()).DATABASE_URL;
    await good("pg:credentials:rotate", "DATABASE_URL", "--confirm", "usc-pis");
    expect((await vars()).DATABASE_URL).to.not.equal(before);
  });

  it("addons:destroy only when confirmed", async () => {
    const next = (await attached("NEXT")).name;
    expect(await bad(1, "addons:destroy", next, "--confirm", "other")).to.contain("did not match usc-pis. Aborted");
    expect(await attached("NEXT")).to.include({ name: next });
    const gone = await good("addons:destroy", next, "--confirm", "usc-pis");
    expect(gone.stderr).to.contain(`Destroying ${next} on usc-pis... done`);
    expect(await vars()).to.not.have.any.keys("NEXT_URL", "DATABASE_URL");
    expect(await bad(2, "addons:destroy", next, "--confirm", "usc-pis")).to.contain("Couldn't find that add on");
  });
});
