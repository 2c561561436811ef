import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { tarGz } from "../../../sandbox/app/archive";
import { herokuProvider } from "../../../sandbox/plugins/heroku/provider";
import { installPlugins } from "../../../sandbox/plugins/install";
import { type Json, startTestHeroku, TEST_KEY, type TestHeroku } from "../../support/heroku";
import { RecordingProxy } from "../../support/recording-proxy";
import { type Outcome, TinyProgram } from "../engine/tiny-program";

/** A program with one of each resource type; the second step changes what can be changed, in place or not. */
const SOURCE = `
import * as heroku from "@pulumi/heroku";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const second = config.getBoolean("second") ?? false;
const app = new heroku.App("app", {
  name: "usc-pis", region: "us", stack: "heroku-24", buildpacks: ["heroku/python"],
  configVars: { DEBUG: second ? "False" : "True" }, sensitiveConfigVars: { SECRET_KEY: "whisper-key" },
});
const appId = app.id;
const db = new heroku.Addon("db", { appId, plan: "heroku-postgresql:essential-0", name: second ? "usc-pis-two" : "usc-pis-one" });
new heroku.AddonAttachment("copy", { appId, addonId: db.id, name: second ? "TWO" : "ONE" });
const vars = new heroku.AppConfigAssociation("vars", {
  appId, vars: { ALLOWED_HOSTS: "127.0.0.1", ...(second ? {} : { EXTRA: "1" }) }, sensitiveVars: { PGP_ENCRYPTION_KEY: "whisper-pgp" },
}, { dependsOn: db });
const build = new heroku.Build("build", {
  appId, source: { path: config.require("tarball"), version: second ? "two" : "one" }, buildpacks: ["heroku/python"],
}, { dependsOn: vars });
new heroku.Formation("web", { appId, type: "web", quantity: second ? 0 : 1, size: "basic" }, { dependsOn: build });
new heroku.AppFeature("feature", { appId, name: "runtime-dyno-metadata", ...(second ? { enabled: false } : {}) });
new heroku.Domain("domain", { appId, hostname: second ? "two.example.org" : "one.example.org" });
new heroku.AppWebhook("hook", { appId, level: second ? "sync" : "notify", includes: ["api:release"], url: "https://x.example", secret: "whisper-hook" });
new heroku.Drain("drain", { appId, sensitiveUrl: second ? "https://whisper:b@y.example" : "https://whisper:a@x.example" });
const pipeline = new heroku.Pipeline("pipeline", { name: second ? "usc-pis-two" : "usc-pis-one" });
new heroku.PipelineCoupling("coupling", { appId, pipeline: pipeline.id, stage: second ? "production" : "staging" }, { deleteBeforeReplace: true });
module.exports = { appId };
`;

const TYPES = herokuProvider.resources.length;

describe("stand-in for heroku: every type under the real engine, on the emulator", function () {
  this.timeout(120_000);
  const proxy = new RecordingProxy();
  let heroku: TestHeroku;
  let program: TinyProgram;
  const second = ["--config", "second=true"];
  const run = async (...args: string[]): Promise<Outcome> => {
    const outcome = await program.pulumi(...args, "--yes", "--skip-preview");
    expect(outcome.code, outcome.output).to.equal(0);
    expect(outcome.output).to.not.contain("whisper");
    return outcome;
  };

  before(async () => {
    heroku = await startTestHeroku();
    await proxy.start(heroku.emulator.url);
    program = await TinyProgram.make(SOURCE);
    const sourceRoot = resolve(__dirname, "../../..");
    await installPlugins({ root: join(program.folder, "box"), pulumiHome: join(program.folder, "home"), sourceRoot });
    // Without a release command: processes exist as soon as the build has ended.
    const files = { Procfile: "web: sleep 300\n", "requirements.txt": "" };
    const entries = Object.entries(files).map(([path, text]) => ({ path, content: Buffer.from(text) }));
    const tarball = join(program.folder, "release.tar.gz");
    writeFileSync(tarball, tarGz(entries));
    await program.pulumi("config", "set", "tarball", tarball);
    await program.pulumi("config", "set", "heroku:url", proxy.url);
    await program.pulumi("config", "set", "--secret", "heroku:apiKey", TEST_KEY);
  });
  after(async () => {
    program?.remove();
    await proxy.stop();
    await heroku?.stop();
  });

  it("creates each of them, after a preview that asks nothing", async () => {
    const preview = await program.pulumi("preview");
    expect(preview.output).to.match(new RegExp(`\\+ ${TYPES + 1} to create`));
    expect(proxy.take()).to.deep.equal([]);
    expect((await run("up")).output).to.match(new RegExp(`\\+ ${TYPES + 1} created`));
    const asked = proxy.take().filter((line) => /^POST|^PATCH/.test(line));
    expect(asked).to.include(`PATCH /apps/${await id()}/config-vars`);
  });

  it("keeps no secret in plain text, and `__defaults` nowhere", async () => {
    const { output } = await program.pulumi("stack", "export");
    expect(output).to.not.contain("whisper").and.not.contain("postgres://").and.not.contain("__defaults");
    const { resources } = JSON.parse(output).deployment;
    const ours = resources.filter(({ type }: Json) => type.startsWith("heroku:index/"));
    expect(ours).to.have.lengthOf(TYPES);
    for (const { type, outputs } of ours) expect(outputs, type).to.have.property("__meta");
  });

  it("changes nothing the second time: a plan asks for the app, because of the buildpacks", async () => {
    await run("up", "--expect-no-changes");
    expect(proxy.take()).to.deep.equal([`GET /apps/${await id()}`]);
  });

  it("refreshes to the same", async () => {
    await run("refresh", "--expect-no-changes");
    const [lines, app] = [proxy.take(), `GET /apps/${await id()}`];
    expect(lines.filter((line) => line.startsWith(`${app}/builds/`))).to.have.lengthOf(1);
    // Two for the app, one for the domain, and one for the diff that the engine makes of the refreshed build.
    expect(lines.filter((line) => line === app)).to.have.lengthOf(4);
  });

  it("updates in place what can be, and replaces the rest", async () => {
    const { output } = await run("up", ...second);
    expect(output).to.match(/~ 7 updated/);
    expect(output).to.match(/\+-5 replaced/);
    const app = await id();
    const lines = proxy.take();
    expect(lines.filter((line) => line === `PATCH /apps/${app}`)).to.have.lengthOf(1);
    const { web } = Object.fromEntries(
      (await heroku.client.ok("GET", `/apps/${app}/formation`)).map((one: Json) => [one.type, one.quantity]),
    );
    expect(web).to.equal(0);
    const vars = await heroku.client.ok("GET", `/apps/${app}/config-vars`);
    expect(vars).to.include({ DEBUG: "False", SECRET_KEY: "whisper-key", PGP_ENCRYPTION_KEY: "whisper-pgp" });
    expect(vars).to.not.have.property("EXTRA");
    await run("up", "--expect-no-changes", ...second);
  });

  it("destroys each of them", async () => {
    const { output } = await run("destroy");
    expect(output).to.match(new RegExp(`- ${TYPES + 1} deleted`));
    for (const list of ["/apps", "/pipelines"]) expect(await heroku.client.ok("GET", list)).to.deep.equal([]);
  });

  const id = async (): Promise<string> => (await heroku.client.ok("GET", "/apps/usc-pis")).id;
});
