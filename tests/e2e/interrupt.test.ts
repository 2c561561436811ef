import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { downSandbox, upSandbox } from "../../sandbox/lifecycle";
import { projectRoot, sandboxPaths } from "../../sandbox/supervisor/paths";
import { readState } from "../../sandbox/supervisor/state";
import { status } from "../../sandbox/supervisor/status";
import { strays } from "../../sandbox/supervisor/stop";

/** `npm start` itself, by the program that npm starts. */
describe("npm start, interrupted", function () {
  this.timeout(240_000);

  const paths = sandboxPaths();
  let child: ChildProcess | undefined;

  const start = () => {
    const started = spawn(process.execPath, ["scripts/run.mjs", "start"], {
      cwd: projectRoot,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let said = "";
    for (const stream of [started.stdout, started.stderr])
      stream.setEncoding("utf8").on("data", (text) => (said += text));
    const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
      started.once("close", (code, signal) => resolve(code ?? signal)),
    );
    child = started;
    return { started, ended, said: () => said };
  };
  /** Until the engine is at work on the first stack. */
  const untilDeploying = async (said: () => string) => {
    const log = join(paths.logs, "events-vault.jsonl");
    for (const deadline = Date.now() + 120_000; ; await sleep(100)) {
      if (readState(paths)?.ready === true && existsSync(log)) return;
      if (Date.now() > deadline) throw new Error(`the vault stack was not begun within 120 s:\n${said()}`);
    }
  };
  const processes = () => strays(paths.root, [join(paths.postgres, "data")]);

  before(async () => {
    if (readState(paths) !== undefined) await downSandbox(paths);
  });
  afterEach(async () => {
    if (child?.pid && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, "SIGKILL");
    await downSandbox(paths);
  });

  it("leaves no process after Ctrl-C in the middle", async () => {
    const { started, ended, said } = start();
    await untilDeploying(said);
    expect(processes(), "there is something to leave behind").not.to.be.empty;
    // A terminal sends it to the whole group in its foreground.
    process.kill(-(started.pid ?? 0), "SIGINT");
    expect(await ended).not.to.equal(0);
    expect(processes()).to.deep.equal([]);
    expect(readState(paths)).to.equal(undefined);
  });

  it("works again after kill -9", async () => {
    const { started, ended, said } = start();
    await untilDeploying(said);
    process.kill(-(started.pid ?? 0), "SIGKILL");
    await ended;
    expect(processes(), "a killed program can't tidy up").not.to.be.empty;
    await upSandbox(paths);
    expect((await status(paths)).up).to.equal(true);
    await downSandbox(paths);
    expect(processes()).to.deep.equal([]);
  });
});
