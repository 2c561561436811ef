import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { TinyProgram } from "./tiny-program";

const SOURCE = `
import * as pulumi from "@pulumi/pulumi";
import * as dynamic from "@pulumi/pulumi/dynamic";

const config = new pulumi.Config();
const provider = {
  async create(inputs: any) { return { id: "thing-1", outs: { ...inputs, echoed: "<" + inputs.text + ">" } }; },
  async update(_id: string, _olds: any, inputs: any) { return { outs: { ...inputs, echoed: "<" + inputs.text + ">" } }; },
};
class Thing extends dynamic.Resource {
  declare readonly echoed: pulumi.Output<string>;
  constructor(name: string, args: { text: string }) { super(provider, name, { ...args, echoed: undefined }); }
}
if (config.getBoolean("fail")) throw new pulumi.RunError("the program said no");
if (config.getBoolean("hang")) { console.log("hanging now"); setInterval(() => {}, 1000); }
export const noCheckLetsThisPass: number = "text";
export const hidden = config.getSecret("hidden");
export const where = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack(), process.cwd(), pulumi.runtime.getRootDirectory()];
export const node = process.version;
export const echoed = new Thing("thing", { text: config.require("text") }).echoed;
`;

const POLICY = `
import { PolicyPack } from "@pulumi/policy";
new PolicyPack("tiny", { policies: [{
  name: "no-bad-text", description: "Text is not bad.", enforcementLevel: "mandatory",
  validateResource: (args, report) => { if (args.props.text === "bad") report("the text is bad"); },
}] });
`;

describe("engine and language host", function () {
  this.timeout(120_000);
  let program: TinyProgram;

  before(async () => {
    program = await TinyProgram.make(SOURCE);
    program.write("policies/PulumiPolicy.yaml", "description: tiny\nruntime: nodejs\n");
    program.write("policies/package.json", JSON.stringify({ name: "tiny-pack", version: "0.0.1", main: "index.ts" }));
    program.write("policies/index.ts", POLICY);
    await program.pulumi("config", "set", "text", "good");
    await program.pulumi("config", "set", "--secret", "hidden", "whisper");
  });
  after(() => program.remove());

  it("runs a TypeScript program with its configuration, secrets, tsconfig and a dynamic resource", async () => {
    const up = await program.pulumi("up", "--yes", "--skip-preview");
    expect(up.code, up.output).to.equal(0);
    expect(up.output)
      .to.match(/\+ 2 created/)
      .and.not.include("whisper");
    const outputs = JSON.parse((await program.pulumi("stack", "output", "--json", "--show-secrets")).output);
    expect(outputs.echoed).to.equal("<good>");
    expect(outputs.hidden).to.equal("whisper");
    expect(outputs.where).to.deep.equal(["organization", "tiny", "dev", `${program.folder}/src`, program.folder]);
    expect(Number(outputs.node.slice(1).split(".")[0])).to.be.at.least(22);
  });

  it("keeps a secret encrypted in the exported state", async () => {
    const { output } = await program.pulumi("stack", "export");
    const types = JSON.parse(output).deployment.resources.map((resource: { type: string }) => resource.type);
    expect(types).to.include.members(["pulumi:pulumi:Stack", "pulumi-nodejs:dynamic:Resource"]);
    expect(output).to.include("ciphertext").and.not.include("whisper");
  });

  it("changes nothing the second time, and refreshes", async () => {
    const up = await program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    expect(up.code, up.output).to.equal(0);
    const refresh = await program.pulumi("refresh", "--yes", "--skip-preview");
    expect(refresh.code, refresh.output).to.equal(0);
  });

  it("runs a policy pack: a compliant preview passes, a violation stops it", async () => {
    const good = await program.pulumi("preview", "--policy-pack", "policies");
    expect(good.code, good.output).to.equal(0);
    expect(good.output).to.include("tiny@v0.0.1");
    const bad = await program.pulumi("preview", "--policy-pack", "policies", "--config", "text=bad");
    expect(bad.code, bad.output).to.not.equal(0);
    expect(bad.output).to.include("the text is bad");
    await program.pulumi("config", "set", "text", "good");
  });

  it("ends a failing program with its own words, once", async () => {
    const failed = await program.pulumi("preview", "--config", "fail=true");
    await program.pulumi("config", "rm", "fail");
    expect(failed.code, failed.output).to.not.equal(0);
    expect(failed.output).to.include("the program said no").and.not.include("ended with exit code");
  });

  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    it(`leaves no process behind after ${signal} to the engine in the middle of a program`, async function () {
      if (process.platform !== "linux") this.skip();
      const child = program.start("preview", "--config", "hang=true");
      let output = "";
      child.stdout?.on("data", (text) => (output += text));
      const closed = new Promise((resolve) => child.once("close", resolve));
      await until(
        () => output.includes("hanging now"),
        () => output,
      );
      expect(program.processes().some((line) => line.includes("cmd/run"))).to.equal(true);
      // What the shim started is the engine; a terminal would send both of them Ctrl-C.
      const engine = await engineOf(child.pid as number);
      process.kill(engine, signal);
      await closed;
      await until(
        () => program.processes().length === 0,
        () => program.processes().join("\n"),
      );
      await program.pulumi("config", "rm", "hang");
      await program.pulumi("cancel", "--yes");
    });
  }

  it("destroys everything", async () => {
    const destroyed = await program.pulumi("destroy", "--yes", "--skip-preview");
    expect(destroyed.code, destroyed.output).to.equal(0);
    expect(destroyed.output).to.match(/- 2 deleted/);
  });
});

async function until(isTrue: () => boolean, explain: () => string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (isTrue()) return;
    await sleep(100);
  }
  throw new Error(`it did not happen within 20 s: ${explain()}`);
}

async function engineOf(shim: number): Promise<number> {
  const { readFileSync } = await import("node:fs");
  const children = readFileSync(`/proc/${shim}/task/${shim}/children`, "utf8").trim().split(" ");
  return Number(children[0]);
}
