import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { UscPisError } from "../../../backup/errors";
import { groupMembers, isAlive, parseStat, startTimeOf } from "../../../sandbox/supervisor/identity";
import { withLock } from "../../../sandbox/supervisor/lock";
import { linesSince, tail } from "../../../sandbox/supervisor/logs";
import { sandboxPaths } from "../../../sandbox/supervisor/paths";
import { freePort, isPortFree, requirePort } from "../../../sandbox/supervisor/ports";
import { readyUrl } from "../../../sandbox/supervisor/services";
import { parseState, readState, requireState, writeState } from "../../../sandbox/supervisor/state";
import { stopGroup } from "../../../sandbox/supervisor/stop";
import { failure } from "./failure";
import { sampleState } from "./sample-state";

describe("the supervisor's parts", () => {
  let folder: string;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "usc-pis-test-"));
  });
  afterEach(() => {
    for (const child of children.splice(0)) {
      try {
        process.kill(-(child.pid as number), "SIGKILL");
      } catch {
        // Ended by the test.
      }
    }
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(script: string): Promise<{ pid: number; startTime: string }> {
    const child = spawn("sh", ["-c", script], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    children.push(child);
    // The first output says that the shell has come far enough.
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    const pid = child.pid as number;
    return { pid, startTime: startTimeOf(pid) as string };
  }

  describe("identity", () => {
    it("reads a process whose name holds blanks and brackets", () => {
      const rest = Array.from({ length: 40 }, (_, index) => String(index + 3));
      rest[0] = "S";
      const stat = parseStat(`42 (odd) name (x) ${rest.join(" ")}`);
      expect(stat).to.deep.equal({ pid: 42, state: "S", group: 5, session: 6, start: "22" });
      expect(parseStat("nonsense")).to.equal(undefined);
    });

    it("knows a process by its start, not by its number alone", async () => {
      const one = await start("echo up; sleep 60");
      expect(isAlive(one)).to.equal(true);
      expect(isAlive({ ...one, startTime: `${one.startTime}0` })).to.equal(false);
    });

    it("takes an ended process for ended", async () => {
      const one = await start("echo up; sleep 60");
      await stopGroup(one);
      expect(isAlive(one)).to.equal(false);
    });
  });

  describe("stopping", () => {
    it("ends the whole group, also what ignores the signal", async () => {
      const one = await start("trap '' TERM; sleep 60 & sh -c 'trap \"\" TERM; echo up; sleep 60 & wait' & wait");
      expect(groupMembers(one.pid).length).to.be.greaterThan(2);
      expect(await stopGroup(one, { graceMs: 300 })).to.equal(true);
      expect(groupMembers(one.pid)).to.deep.equal([]);
    });

    it("leaves a process alone that has the number but another start", async () => {
      const other = await start("echo up; sleep 60");
      expect(await stopGroup({ pid: other.pid, startTime: "boot/1" })).to.equal(false);
      expect(isAlive(other)).to.equal(true);
    });

    it("ends what a dead leader left in its group", async () => {
      const one = await start("sleep 60 & echo up; wait");
      process.kill(one.pid, "SIGKILL");
      while (isAlive(one)) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(groupMembers(one.pid).length).to.equal(1);
      expect(await stopGroup(one)).to.equal(false);
      expect(groupMembers(one.pid)).to.deep.equal([]);
    });
  });

  describe("lock", () => {
    it("lets one work at a time", async () => {
      const order: string[] = [];
      const work = (name: string) =>
        withLock(join(folder, "lock"), name, async () => {
          order.push(`${name} begins`);
          await new Promise((resolve) => setTimeout(resolve, 150));
          order.push(`${name} ends`);
        });
      await Promise.all([work("a"), work("b")]);
      expect(order[1]).to.equal(order[0]?.replace("begins", "ends"));
      expect(existsSync(join(folder, "lock"))).to.equal(false);
    });

    it("is given back when the work fails", async () => {
      const path = join(folder, "lock");
      await failure(withLock(path, "a", () => Promise.reject(new Error("no"))));
      expect(await withLock(path, "b", async () => "done")).to.equal("done");
    });

    it("is taken from a holder that was killed", async () => {
      const path = join(folder, "lock");
      writeFileSync(path, JSON.stringify({ pid: process.pid, startTime: "boot/1", what: "killed" }));
      expect(await withLock(path, "b", async () => "done", 1000)).to.equal("done");
    });

    it("is taken when its file is damaged", async () => {
      const path = join(folder, "lock");
      writeFileSync(path, "{");
      expect(await withLock(path, "b", async () => "done", 1000)).to.equal("done");
    });

    it("says who has it when that one does not end", async () => {
      const path = join(folder, "lock");
      const { error } = await withLock(path, "sandbox up", async () =>
        failure(withLock(path, "sandbox down", async () => "never", 200)),
      );
      expect(error).to.be.instanceOf(UscPisError);
      expect(error).to.include({ code: "sandbox_busy" });
      expect(error.message).to.contain(`"sandbox up" (process ${process.pid})`);
    });
  });

  describe("state", () => {
    const paths = () => sandboxPaths(join(folder, ".sandbox"));

    it("is written for its user alone, and read back", () => {
      writeState(paths(), sampleState());
      expect(statSync(paths().state).mode & 0o777).to.equal(0o600);
      expect(readState(paths())).to.deep.equal(sampleState());
    });

    it("is absent before the first start", async () => {
      expect(readState(paths())).to.equal(undefined);
      const { error } = await failure(async () => requireState(paths()));
      expect(error).to.include({ code: "sandbox_down", hint: "start it: npx usc-pis sandbox up" });
    });

    it("is not taken for up before all services are", async () => {
      writeState(paths(), { ...sampleState(), ready: false });
      const { error } = await failure(async () => requireState(paths()));
      expect(error).to.include({ code: "sandbox_down" });
    });

    for (const [what, text] of [
      ["half a file", JSON.stringify(sampleState()).slice(0, 100)],
      ["another format", JSON.stringify({ ...sampleState(), format: 2 })],
      ["a process without a start", JSON.stringify({ ...sampleState(), services: { aws: { pid: 1 } } })],
      ["an unknown field", JSON.stringify({ ...sampleState(), more: 1 })],
    ] as const) {
      it(`refuses ${what}, with what to do`, async () => {
        const { error } = await failure(async () => parseState(text, "state.json"));
        expect(error).to.include({ code: "sandbox_state", hint: "start anew: npx usc-pis sandbox reset" });
      });
    }
  });

  describe("ports and logs", () => {
    it("refuses a port that is taken, naming service and port", async () => {
      const { createServer } = await import("node:net");
      const server = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const { port } = server.address() as { port: number };
      expect(await isPortFree(port)).to.equal(false);
      const { error } = await failure(requirePort("heroku", port));
      expect(error).to.include({ code: "port_taken" });
      expect(error.message).to.contain(`port ${port} for heroku`);
      await new Promise((resolve) => server.close(resolve));
      expect(await requirePort("heroku", port)).to.equal(port);
      expect(await isPortFree(await freePort())).to.equal(true);
    });

    it("finds the line by which an emulator is ready, among others", () => {
      const ready = '{"ready":true,"url":"http://127.0.0.1:5"}';
      expect(readyUrl(["starting", "{broken", '{"ready":false,"url":"x"}', ready])).to.equal("http://127.0.0.1:5");
      expect(readyUrl(["starting", ready.slice(0, 20)])).to.equal(undefined);
    });

    it("reads the end of a log", () => {
      const path = join(folder, "x.log");
      expect(tail(path)).to.deep.equal([]);
      writeFileSync(path, "a\nb\nc\n");
      expect(tail(path, 2)).to.deep.equal(["b", "c"]);
      expect(linesSince(path, 2)).to.deep.equal(["b", "c", ""]);
      expect(readFileSync(path, "utf8")).to.equal("a\nb\nc\n");
    });
  });
});
