import { expect } from "chai";
import { type Json, startTestHeroku, TEST_KEY, type TestClient, type TestHeroku, until } from "../support/heroku";
import { fails, HerokuCli, succeeds } from "../support/heroku-cli";
import { procfile, WEB } from "../support/heroku-slug";

describe("the official Heroku CLI against the emulator: apps", function () {
  // The first run installs the CLI.
  this.timeout(360_000);
  let heroku: TestHeroku;
  let client: TestClient;
  let cli: HerokuCli;
  before(async () => {
    heroku = await startTestHeroku();
    client = heroku.client;
    cli = new HerokuCli(heroku.emulator.url, TEST_KEY);
  });
  after(async () => {
    cli?.close();
    await heroku?.stop();
  });

  const app = ["--app", "usc-pis"];
  const good = (...args: string[]) => succeeds(cli, ...args, ...app);
  const bad = (code: number, ...args: string[]) => fails(cli, code, ...args, ...app);

  it("apps:create with a region, apps:info; refuses taken names and regions that don't exist", async () => {
    const made = await succeeds(cli, "apps:create", "usc-pis", "--region", "eu");
    expect(made.stderr).to.contain("Creating usc-pis... done, region is eu");
    expect(made.stdout).to.contain((await client.ok("GET", "/apps/usc-pis")).web_url);
    const [info, taken, moon] = await Promise.all([
      good("apps:info"),
      fails(cli, 2, "apps:create", "usc-pis"),
      fails(cli, 2, "apps:create", "moon-app", "--region", "moon"),
    ]);
    expect(info.stdout).to.match(/=== usc-pis\s/);
    for (const line of [/Region: +eu/, /Stack: +heroku-24/, /Owner: +machine@/, /Auto Cert Mgmt: +false/])
      expect(info.stdout).to.match(line);
    expect(taken).to.contain("Name usc-pis is already taken").and.to.contain("Error ID: invalid_params");
    expect(moon).to.contain("Region moon is not valid");
  });

  it("config:set, config, config:get, config:unset", async () => {
    const set = await good("config:set", "A=1", "SITE_URL=https://pis.clinic.example");
    expect(set.stderr).to.contain("Setting A, SITE_URL and restarting usc-pis... done, v2");
    const [all, one, none] = await Promise.all([
      good("config", "--json"),
      good("config:get", "SITE_URL"),
      good("config:get", "NOPE"),
    ]);
    expect(JSON.parse(all.stdout)).to.deep.equal({ A: "1", SITE_URL: "https://pis.clinic.example" });
    expect([one.stdout, none.stdout]).to.deep.equal(["https://pis.clinic.example\n", "\n"]);
    expect((await good("config:unset", "A")).stderr).to.contain("done, v3");
    expect(await client.ok("GET", "/apps/usc-pis/config-vars")).to.have.all.keys("SITE_URL");
  });

  it("maintenance, maintenance:on, maintenance:off", async () => {
    const page = async () =>
      (await client.send("GET", (await client.ok("GET", "/apps/usc-pis")).web_url)).body as string;
    expect((await good("maintenance:on")).stderr).to.contain("Enabling maintenance mode for usc-pis... done");
    expect(await page()).to.contain("Offline for Maintenance");
    expect((await good("maintenance")).stdout).to.equal("on\n");
    expect((await good("maintenance:off")).stderr).to.contain("Disabling maintenance mode for usc-pis... done");
    expect(await page()).to.not.contain("Offline for Maintenance");
    expect((await good("maintenance")).stdout).to.equal("off\n");
  });

  it("releases and releases:rollback: nothing to go back to, then code and config vars", async () => {
    expect(await bad(2, "releases:rollback")).to.contain("No eligible release found for usc-pis to roll back to");
    expect(await bad(2, "run:detached", "ls")).to.contain("no code is deployed");
    const processes = { web: WEB, worker: "sleep 600", release: "echo release phase of $VERSION" };
    for (const version of ["first", "second"]) {
      await client.ok("PATCH", "/apps/usc-pis/config-vars", { VERSION: version });
      await client.deploy("usc-pis", procfile(processes), undefined, version);
      await client.settledRelease("usc-pis");
    }
    const rollback = await good("releases:rollback", "v5");
    expect(rollback.stderr).to.contain("Rolling back usc-pis to v5... done, v8");
    expect(rollback.stdout).to.contain("release phase of first");
    expect((await client.settledRelease("usc-pis")).status).to.equal("succeeded");
    expect((await client.ok("GET", "/apps/usc-pis/config-vars")).VERSION).to.equal("first");
    const [list, short, early] = await Promise.all([
      good("releases"),
      good("releases", "-n", "1"),
      bad(2, "releases:rollback", "v2"),
    ]);
    expect(list.stdout).to.contain("usc-pis Releases - Current: v8");
    for (const line of ["Initial release", "Set A, SITE_URL config vars", "Remove A config vars", "Deploy first"])
      expect(list.stdout).to.contain(line);
    expect(short.stdout).to.contain("Rollback to v5").and.not.contain("Deploy second");
    expect(early).to.contain("Cannot rollback to a release that had no app deployed");
  });

  it("ps and ps:scale, with the account's hours where dynos are eco", async () => {
    const changed = await good("ps:scale", "web=2", "worker+1:Standard-1X");
    expect(changed.stderr).to.contain("now running web at 2:Basic, worker at 1:Standard-1X");
    const [dynos, sizes, unknown] = await Promise.all([good("ps"), good("ps:scale"), bad(2, "ps:scale", "clock=1")]);
    expect(dynos.stdout).to.match(/=== worker \(Standard-1X\): sleep 600 \(1\)\s+worker\.1: (up|starting) /);
    expect(dynos.stdout).to.contain("=== web (Basic)").and.not.contain("Eco");
    expect(sizes.stdout).to.contain("web=2:Basic worker=1:Standard-1X");
    expect(unknown).to.contain("Couldn't find that process type (clock)");
    await good("ps:scale", "worker=0", "web=1:eco");
    expect((await good("ps")).stdout).to.match(/Eco dyno hours quota remaining this month: \d+h \d+m \(\d+%\)/);
  });

  it("run:detached and logs; an attached run is refused", async () => {
    const started = await good("run:detached", "echo one-off of $VERSION");
    const [, name] = /done, (run\.\d+)/.exec(started.stderr) ?? [];
    expect(name).to.be.a("string");
    const { logplex_url } = await client.ok("POST", "/apps/usc-pis/log-sessions", { lines: 200 });
    await until(
      async () => (await client.send("GET", logplex_url)).body as string,
      (text) => text.includes(`app[${name}]: one-off of first`),
    );
    const [logs, attached] = await Promise.all([good("logs"), bad(2, "run", "ls")]);
    expect(logs.stdout).to.contain("one-off of first");
    expect(attached).to.contain("An attached dyno is not emulated: use run:detached");
  });

  it("domains and domains:add, also with --wait; a host name lives on one app", async () => {
    await client.createApp("other-app");
    const added = await good("domains:add", "pis.clinic.example");
    expect(added.stderr).to.contain("Adding pis.clinic.example to usc-pis... done");
    expect(added.stdout).to.contain("has been enqueued for addition");
    const [waited, taken, twice] = await Promise.all([
      good("domains:add", "www.clinic.example", "--wait"),
      fails(cli, 2, "domains:add", "pis.clinic.example", "--app", "other-app"),
      bad(2, "domains:add", "pis.clinic.example"),
    ]);
    expect(waited.stderr).to.contain("Waiting for www.clinic.example... done");
    expect(taken).to.contain("pis.clinic.example is currently in use by another app");
    expect(twice).to.contain("Domain already added to this app");
    const domains: Json[] = await client.ok("GET", "/apps/usc-pis/domains");
    const { stdout } = await good("domains");
    for (const { hostname, cname } of domains)
      expect(stdout)
        .to.contain(hostname)
        .and.to.contain(cname ?? "");
    expect(domains.map((one) => one.status).sort()).to.deep.equal(["none", "succeeded", "succeeded"]);
  });

  it("apps:destroy only when confirmed", async () => {
    // On Node 24 the unanswered question exits with 1, on Node 20 with 0: neither tells that nothing was done.
    expect((await cli.run("apps:destroy", "--app", "other-app")).code).to.be.oneOf([0, 1]);
    expect(await fails(cli, 1, "apps:destroy", "--app", "other-app", "--confirm", "usc-pis")).to.contain(
      "did not match other-app. Aborted",
    );
    await client.ok("GET", "/apps/other-app");
    const gone = await succeeds(cli, "apps:destroy", "--app", "other-app", "--confirm", "other-app");
    expect(gone.stderr).to.contain("Destroying other-app (including all add-ons)... done");
    expect((await client.send("GET", "/apps/other-app")).status).to.equal(404);
  });

  it("fails where it should: a wrong key, an app that is not there, no calls left, an address that is not local", async () => {
    const stranger = new HerokuCli(heroku.emulator.url, "wrong");
    const [refused, missing] = await Promise.all([
      fails(stranger, 1, "config", ...app),
      fails(cli, 2, "releases", "--app", "nowhere"),
    ]);
    stranger.close();
    expect(refused).to.contain("The token provided to HEROKU_API_KEY is invalid");
    expect(missing).to.contain("Couldn't find that app");
    expect(() => new HerokuCli("https://api.heroku.com", TEST_KEY)).to.throw("emulators only");
    const small = await startTestHeroku({ callsPerHour: 1 });
    const hasty = new HerokuCli(small.emulator.url, TEST_KEY);
    try {
      await small.client.createApp("usc-pis");
      expect(await fails(hasty, 2, "maintenance", ...app)).to.contain("Error ID: rate_limit");
    } finally {
      hasty.close();
      await small.stop();
    }
  });
});
