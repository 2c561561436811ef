import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { commandProvider } from "../../../sandbox/plugins/command/provider";
import { UNKNOWN } from "../../../sandbox/plugins/core/values";
import { PluginClient } from "../../support/plugin";

const token = "command:local:Command";

describe("stand-in for command: a local Command", () => {
  let plugin: PluginClient;
  let dir: string;
  const log = () => readFileSync(join(dir, "log"), "utf8").trim().split("\n");
  const note = (word: string) => `echo ${word} >> log; echo "out of ${word}"; echo "err of ${word}" >&2`;

  beforeEach(async () => {
    plugin = await PluginClient.start(commandProvider);
    dir = mkdtempSync(join(tmpdir(), "usc-pis-command-"));
  });
  afterEach(() => {
    plugin.close();
    rmSync(dir, { recursive: true });
  });

  it("runs create once, with its environment, input and folder", async () => {
    const given = { create: 'echo "$WORD"; cat; pwd', environment: { WORD: "hello" }, stdin: "from stdin\n", dir };
    const held = await plugin.make(token, given);
    expect(held.state.stdout).to.equal(`hello\nfrom stdin\n${dir}`);
    expect(held.state.stderr).to.equal("");
    expect((await plugin.apply(held, given)).diff.changed).to.equal(false);
  });

  it("takes another interpreter", async () => {
    const given = { create: "console.log(6 * 7)", interpreter: ["node", "-e"] };
    expect((await plugin.make(token, given)).state.stdout).to.equal("42");
  });

  it("runs nothing in a preview, and promises no output", async () => {
    const { inputs } = await plugin.check(token, { create: note("create"), dir });
    const { state } = await plugin.create(token, inputs, { preview: true });
    expect(state).to.include({ stdout: UNKNOWN, stderr: UNKNOWN });
    expect(log).to.throw();
  });

  it("runs update when any input changes, with the output before it", async () => {
    const given = { create: note("create"), update: `${note("update")}; echo "$PULUMI_COMMAND_STDOUT" >> log`, dir };
    const held = await plugin.make(token, given);
    const { held: after, diff } = await plugin.apply(held, { ...given, environment: { TOKEN: "rotated" } });
    expect(diff.replaces).to.deep.equal([]);
    expect(log()).to.deep.equal(["create", "update", "out of create"]);
    expect(after.state.stdout).to.equal("out of update");
    expect(after.state.stderr).to.equal("err of update");
  });

  it("runs create again where there is no update: why a restore must have one", async () => {
    const given = { create: note("create"), dir };
    const held = await plugin.make(token, given);
    await plugin.apply(held, { ...given, environment: { TOKEN: "rotated" } });
    expect(log()).to.deep.equal(["create", "create"]);
  });

  it("keeps the output before it to itself when told so", async () => {
    const given = { create: "echo one", update: 'echo "<$PULUMI_COMMAND_STDOUT>"', addPreviousOutputInEnv: false };
    const held = await plugin.make(token, given);
    expect((await plugin.apply(held, { ...given, stdin: "x" })).held.state.stdout).to.equal("<>");
  });

  it("is replaced by a trigger only", async () => {
    const given = { create: "true", triggers: ["a"], dir };
    const held = await plugin.make(token, given);
    const { inputs } = await plugin.check(token, { ...given, triggers: ["b"] });
    expect((await plugin.diff(held, inputs)).replaces).to.deep.equal(["triggers"]);
    const other = await plugin.check(token, { ...given, delete: "true" });
    expect((await plugin.diff(held, other.inputs)).replaces).to.deep.equal([]);
  });

  it("runs delete with the output, and nothing where there is none", async () => {
    const held = await plugin.make(token, { create: "echo made", delete: 'echo "$PULUMI_COMMAND_STDOUT" > log', dir });
    await plugin.delete(held);
    expect(log()).to.deep.equal(["made"]);
    await plugin.delete(await plugin.make(token, { create: "true" }));
  });

  it("fails with what the command said, and leaves nothing in the state", async () => {
    const { inputs } = await plugin.check(token, { create: "echo tried; echo 'no such app' >&2; exit 3" });
    const error = await plugin.create(token, inputs).then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error.message).to.contain("exit status 3").and.to.contain("no such app");
    expect(error.metadata.get("grpc-status-details-bin")).to.deep.equal([]);
  });

  it("fails clearly when it can't start", async () => {
    const { inputs } = await plugin.check(token, { create: "true", dir: join(dir, "none") });
    const error = await plugin.create(token, inputs).then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error.message).to.contain("could not run /bin/sh");
  });

  it("has no read: a refresh finds what the state says", async () => {
    const held = await plugin.make(token, { create: note("create"), dir });
    expect(await plugin.read(held)).to.deep.equal(held);
    expect(log()).to.deep.equal(["create"]);
  });

  it("keeps the output secret as soon as an input is", async () => {
    const { inputs } = await plugin.check(token, { create: "echo $TOKEN", environment: { TOKEN: "hush" } });
    const sealed = await plugin.create(token, inputs, { secrets: { environment: { TOKEN: true } } });
    expect(sealed.secrets).to.deep.equal({ environment: { TOKEN: true }, stdout: true, stderr: true });
    expect((await plugin.create(token, inputs)).secrets).to.equal(undefined);
  });

  it("shows what logging asks for", async () => {
    await plugin.make(token, { create: note("a"), dir });
    expect(plugin.logged).to.have.members(["info: out of a", "info: err of a"]);
    plugin.logged.length = 0;
    await plugin.make(token, { create: note("a"), dir, logging: "stderr" });
    expect(plugin.logged).to.have.members(["debug: out of a", "info: err of a"]);
    plugin.logged.length = 0;
    await plugin.make(token, { create: note("a"), dir, logging: "none" });
    expect(plugin.logged).to.have.members(["debug: out of a", "debug: err of a"]);
    expect((await plugin.check(token, { create: "x", logging: "all" })).failures[0]).to.contain("logging");
  });

  it("refuses what it does not carry out", async () => {
    const { failures } = await plugin.check(token, { create: "true", assetPaths: ["*"] });
    expect(failures[0]).to.contain("assetPaths");
  });

  it("ends the command and its children when the engine cancels", async () => {
    const work = plugin.make(token, { create: "sleep 300 & echo $! > log; wait", dir }).then(
      () => "finished",
      (error: Error) => error.message,
    );
    const child = await started(log);
    expect(isAlive(child)).to.equal(true);
    await plugin.cancel();
    expect(await work).to.contain("cancelled");
    for (let tries = 0; isAlive(child) && tries < 50; tries++) await sleep(20);
    expect(isAlive(child)).to.equal(false);
  });
});

async function started(log: () => string[]): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      const pid = Number(log()[0]);
      if (pid > 0) return pid;
    } catch {
      // It has not written yet.
    }
    await sleep(20);
  }
  throw new Error("the command did not start");
}

/** True for a process that runs; a zombie that nobody has buried yet has ended. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
