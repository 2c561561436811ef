import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { S3 } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { installPlugins } from "../../../sandbox/plugins/install";
import { HerokuRecorder, oneApp } from "../../support/heroku-recorder";
import { type MiniStack, startMiniStack } from "../../support/ministack";
import { TinyProgram } from "../engine/tiny-program";

const SOURCE = `
import * as aws from "@pulumi/aws";
import * as command from "@pulumi/command";
import * as heroku from "@pulumi/heroku";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

const config = new pulumi.Config();
if (config.getBoolean("hang")) {
  new command.local.Command("hang", { create: "sleep 300" });
} else {
  const there = new aws.Provider("there", { region: "ap-northeast-1" });
  const bucket = new aws.s3.Bucket("here", { bucket: "tiny-here", tags: { a: config.require("tag") } });
  const other = new aws.s3.Bucket("there", { bucket: "tiny-there" }, { provider: there });
  const password = new random.RandomPassword("key", { length: 40 });
  const app = new heroku.App("app", {
    name: "usc-pis", region: "us", configVars: { BUCKET: bucket.bucket }, sensitiveConfigVars: { SECRET_KEY: password.result },
  });
  const db = new heroku.Addon("db", { appId: app.uuid, name: "usc-pis-db", plan: "heroku-postgresql:essential-0" });
  const say = new command.local.Command("say", { create: pulumi.interpolate\`echo "add-on \${db.id}"\` });
  module.exports = {
    regions: [bucket.bucketRegion, other.bucketRegion],
    account: aws.getCallerIdentityOutput().accountId,
    said: say.stdout,
    values: db.configVarValues,
  };
}
`;

describe("stand-in plugins under the real engine", function () {
  this.timeout(180_000);
  const recorder = new HerokuRecorder();
  let ministack: MiniStack;
  let program: TinyProgram;
  let stub: ReturnType<typeof oneApp>;

  before(async () => {
    ministack = await startMiniStack();
    await recorder.start();
    stub = oneApp(recorder);
    const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
    program = await TinyProgram.make(SOURCE, {
      ...{ AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY },
      AWS_EC2_METADATA_DISABLED: "true",
    });
    await installPlugins({
      root: join(program.folder, "sandbox"),
      pulumiHome: join(program.folder, "home"),
      sourceRoot: resolve(__dirname, "../../.."),
    });
    for (const [key, value] of [
      ["tag", "one"],
      ["aws:region", "ap-southeast-1"],
      ["heroku:url", recorder.url],
    ]) {
      await program.pulumi("config", "set", key ?? "", value ?? "");
    }
    await program.pulumi("config", "set", "--secret", "heroku:apiKey", "whisper");
  });
  after(async () => {
    program?.remove();
    await recorder.stop();
    await ministack?.stop();
  });

  it("previews without touching Heroku", async () => {
    const preview = await program.pulumi("preview");
    expect(preview.code, preview.output).to.equal(0);
    expect(preview.output).to.match(/\+ 8 to create/);
    expect(recorder.requests).to.have.lengthOf(0);
  });

  it("creates everything, each provider with its own configuration", async () => {
    const up = await program.pulumi("up", "--yes", "--skip-preview");
    expect(up.code, up.output).to.equal(0);
    expect(up.output).to.not.contain("whisper").and.not.contain("postgres://secret");
    const outputs = JSON.parse((await program.pulumi("stack", "output", "--json", "--show-secrets")).output);
    expect(outputs).to.deep.equal({
      regions: ["ap-southeast-1", "ap-northeast-1"],
      account: "000000000000",
      said: `add-on ${stub.addon}`,
      values: { DATABASE_URL: "postgres://secret" },
    });
    const authorization = recorder.requests[0]?.headers.authorization?.split(" ")[1] ?? "";
    expect(Buffer.from(authorization, "base64").toString()).to.equal(":whisper");
  });

  it("keeps secrets encrypted and names the bridge in the state", async () => {
    const { output } = await program.pulumi("stack", "export");
    expect(output).to.not.contain("whisper").and.not.contain("postgres://secret");
    const { resources } = JSON.parse(output).deployment;
    const provider = resources.find(({ type }: { type: string }) => type === "pulumi:providers:heroku");
    expect(provider.inputs.__internal).to.include({ name: "terraform-provider", version: "1.1.3" });
  });

  it("changes nothing the second time, and neither does a refresh", async () => {
    for (const what of ["up", "refresh"]) {
      const again = await program.pulumi(what, "--yes", "--skip-preview", "--expect-no-changes");
      expect(again.code, again.output).to.equal(0);
    }
  });

  it("finds what a person changed, and puts it back", async () => {
    const s3 = new S3({ region: "ap-southeast-1", forcePathStyle: true });
    await s3.putBucketTagging({ Bucket: "tiny-here", Tagging: { TagSet: [{ Key: "a", Value: "by hand" }] } });
    stub.vars.BUCKET = "by hand";
    const refresh = await program.pulumi("refresh", "--yes", "--skip-preview");
    expect(refresh.output).to.match(/~ 2 updated/);
    const up = await program.pulumi("up", "--yes", "--skip-preview", "--diff");
    expect(up.output).to.match(/~ 2 updated/);
    expect(stub.vars.BUCKET).to.equal("tiny-here");
    const { TagSet } = await s3.getBucketTagging({ Bucket: "tiny-here" });
    expect(TagSet).to.deep.equal([{ Key: "a", Value: "one" }]);
  });

  it("updates in place what the program changes", async () => {
    const up = await program.pulumi("up", "--yes", "--skip-preview", "--config", "tag=two");
    expect(up.output).to.match(/~ 1 updated/);
  });

  it("destroys everything and leaves no process", async () => {
    const down = await program.pulumi("destroy", "--yes", "--skip-preview");
    expect(down.code, down.output).to.equal(0);
    expect(await gone(program)).to.deep.equal([]);
  });

  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    it(`leaves no process when the engine gets ${signal} while a command runs`, async () => {
      await program.pulumi("config", "set", "hang", "true");
      const engine = program.start("up", "--yes", "--skip-preview");
      const ended = new Promise((done) => engine.once("close", done));
      for (let tries = 0; tries < 300 && !sleeping(program); tries++) await sleep(100);
      expect(sleeping(program), "the command does not run").to.equal(true);
      // run.js starts the engine as its child; the signal goes where a person's would.
      for (const pid of program.pids("/bin/pulumi up")) process.kill(pid, signal);
      await ended;
      expect(await gone(program)).to.deep.equal([]);
      await program.pulumi("cancel", "--yes");
    });
  }
});

const sleeping = (program: TinyProgram) => program.processes().some((line) => line.startsWith("sleep 300"));

async function gone(program: TinyProgram): Promise<string[]> {
  for (let tries = 0; tries < 50 && program.processes().length > 0; tries++) await sleep(100);
  return program.processes();
}
