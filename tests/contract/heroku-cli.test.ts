import { expect } from "chai";
import { startTestHeroku, TEST_KEY, type TestClient, type TestHeroku } from "../support/heroku";
import { type CliResult, HerokuCli } from "../support/heroku-cli";

describe("the official Heroku CLI against the emulator", function () {
  // The first run installs the CLI.
  this.timeout(360_000);
  let heroku: TestHeroku;
  let client: TestClient;
  let cli: HerokuCli;
  before(async () => {
    heroku = await startTestHeroku();
    client = heroku.client;
    cli = new HerokuCli(heroku.emulator.url, TEST_KEY);
    await client.createApp("usc-pis");
    await client.addAddon("usc-pis", "heroku-postgresql:essential-0");
    await client.ok("PATCH", "/apps/usc-pis/config-vars", { SITE_URL: "https://pis.clinic.example" });
  });
  after(async () => {
    cli?.close();
    await heroku?.stop();
  });

  /** Runs a command, which has to exit with 0. */
  async function good(...args: string[]): Promise<CliResult> {
    const result = await cli.run(...args);
    expect(result.code, `heroku ${args.join(" ")}\n${result.stderr}`).to.equal(0);
    return result;
  }

  it("pg:backups:capture and pg:backups", async () => {
    // Exit 0 is no proof of success: the list is.
    await good("pg:backups:capture", "--app", "usc-pis");
    const { stdout } = await good("pg:backups", "--app", "usc-pis");
    expect(stdout).to.match(/b001 .* Completed .* DATABASE/);
  });

  it("pg:backups:schedule and pg:backups:schedules", async () => {
    expect((await good("pg:backups:schedules", "--app", "usc-pis")).stderr).to.contain("No backup schedules found");
    await good("pg:backups:schedule", "DATABASE_URL", "--at", "02:00 UTC", "--app", "usc-pis");
    const { stdout } = await good("pg:backups:schedules", "--app", "usc-pis");
    expect(stdout).to.contain("DATABASE_URL: daily at 02:00 UTC");
  });

  it("pg:info", async () => {
    const { stdout } = await good("pg:info", "--app", "usc-pis");
    expect(stdout).to.match(/=== DATABASE_URL\s/);
    expect(stdout).to.match(/Plan: +Essential 0/);
    expect(stdout).to.match(/Status: +Available/);
  });

  it("config", async () => {
    const { stdout } = await good("config", "--json", "--app", "usc-pis");
    expect(JSON.parse(stdout)).to.deep.equal(await client.ok("GET", "/apps/usc-pis/config-vars"));
    expect(stdout).to.contain("https://pis.clinic.example");
  });

  it("releases", async () => {
    const { stdout } = await good("releases", "--app", "usc-pis");
    expect(stdout).to.contain("Current: v3");
    for (const line of ["Initial release", "Attach DATABASE", "Set SITE_URL config vars"])
      expect(stdout).to.contain(line);
  });

  it("maintenance:on", async () => {
    const { stderr } = await good("maintenance:on", "--app", "usc-pis");
    expect(stderr).to.contain("done");
    const app = await client.ok("GET", "/apps/usc-pis");
    expect(app.maintenance).to.equal(true);
    expect((await client.send("GET", app.web_url)).body).to.contain("Offline for Maintenance");
  });

  it("fails where it should: a wrong key, an app that is not there, a retired plan", async () => {
    const stranger = new HerokuCli(heroku.emulator.url, "wrong");
    const refused = await stranger.run("config", "--app", "usc-pis");
    stranger.close();
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.contain("HEROKU_API_KEY is invalid");
    const missing = await cli.run("releases", "--app", "nowhere");
    expect([missing.code, missing.stderr.includes("Couldn't find that app")]).to.deep.equal([2, true]);
    const retired = await cli.run("addons:create", "heroku-postgresql:mini", "--app", "usc-pis");
    expect(retired.code).to.equal(2);
    expect(() => new HerokuCli("https://api.heroku.com", TEST_KEY)).to.throw("emulators only");
  });
});
