import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { engineEnvironment, linkEngine, withHome, withLock } from "../../../scripts/setup.mjs";

describe("set-up: folders", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "usc-pis-setup-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  describe("lock", () => {
    const lockOf = (owner: object) => {
      const path = join(folder, "lock");
      mkdirSync(path);
      writeFileSync(join(path, "owner.json"), JSON.stringify(owner));
      return path;
    };
    /** A process id that was in use and is not any more. */
    const deadPid = () => spawnSync("true").pid;

    it("lets one run at a time work, in this process and in others", async () => {
      const log: string[] = [];
      const work = (name: string) =>
        withLock(join(folder, "lock"), async () => {
          log.push(`${name} in`);
          await sleep(30);
          log.push(`${name} out`);
        });
      await Promise.all([work("a"), work("b")]);
      expect(log).to.deep.equal(
        log[0] === "a in" ? ["a in", "a out", "b in", "b out"] : ["b in", "b out", "a in", "a out"],
      );
      expect(existsSync(join(folder, "lock"))).to.equal(false);
    });

    it("is given back when the work fails", async () => {
      const failing = withLock(join(folder, "lock"), async () => {
        throw new Error("broken");
      });
      expect(await failing.catch((error: Error) => error.message)).to.equal("broken");
      expect(existsSync(join(folder, "lock"))).to.equal(false);
    });

    it("of a dead process is taken over at once", async () => {
      const path = lockOf({ host: hostname(), processes: [{ pid: deadPid() }] });
      expect(await withLock(path, async () => "worked", { timeoutMs: -1 })).to.equal("worked");
    });

    it("of a process id that another process has now is taken over", async function () {
      if (process.platform !== "linux") this.skip();
      const path = lockOf({ host: hostname(), processes: [{ pid: process.pid, started: "1" }] });
      expect(await withLock(path, async () => "worked", { timeoutMs: -1 })).to.equal("worked");
    });

    it("is kept while a child of the killed holder still works", async () => {
      const child = spawn("sleep", ["30"]);
      try {
        const path = lockOf({ host: hostname(), processes: [{ pid: deadPid() }, { pid: child.pid }] });
        const refused = await withLock(path, async () => "worked", { timeoutMs: -1 }).catch(
          (error: Error) => error.message,
        );
        expect(refused).to.match(/has held the lock .* for too long/);
      } finally {
        child.kill("SIGKILL");
      }
    });

    it("without an owner is one that died while it was taken, but only after a while", async () => {
      const path = join(folder, "lock");
      mkdirSync(path);
      const refused = await withLock(path, async () => "worked", { timeoutMs: -1 }).catch((error: Error) => error.name);
      expect(refused).to.equal("SetupError");
      const old = new Date(Date.now() - 60_000);
      utimesSync(path, old, old);
      expect(await withLock(path, async () => "worked", { timeoutMs: -1 })).to.equal("worked");
    });

    it("of another machine is respected", async () => {
      const path = lockOf({ host: "another-machine", processes: [{ pid: deadPid() }] });
      const refused = await withLock(path, async () => "worked", { timeoutMs: -1 }).catch((error: Error) => error.name);
      expect(refused).to.equal("SetupError");
    });
  });

  describe("home", () => {
    it("stays what it is when it can be used", () => {
      expect(withHome({ HOME: folder, A: "1" })).to.deep.equal({ HOME: folder, A: "1" });
    });

    it("is replaced when it is empty or missing", () => {
      for (const HOME of ["", join(folder, "missing"), "/dev/null"]) {
        const { HOME: home } = withHome({ HOME });
        expect(home, HOME).to.be.a("string").and.not.equal(HOME);
        expect(existsSync(home as string)).to.equal(true);
      }
    });
  });

  describe("engine", () => {
    const engineIn = (dir: string, source: "path" | "installed", withHost: boolean) => {
      mkdirSync(dir, { recursive: true });
      const names = ["pulumi", ...(withHost ? ["pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"] : [])];
      for (const name of names) {
        writeFileSync(join(dir, name), `#!/bin/sh\necho ${name} of the vendor\n`);
        chmodSync(join(dir, name), 0o755);
      }
      return { pulumi: join(dir, "pulumi"), binDir: dir, source };
    };

    it("is seen through another Pulumi folder", () => {
      const engine = engineIn(join(folder, "home", "versions", "3.259.0", "bin"), "installed", true);
      const linked = linkEngine(engine, join(folder, "sandbox"));
      expect(linked.pulumi).to.equal(join(folder, "sandbox", "versions", "3.259.0", "bin", "pulumi"));
      expect(readFileSync(linked.pulumi, "utf8")).to.include("pulumi of the vendor");
      expect(linkEngine(engine, join(folder, "sandbox"))).to.deep.equal(linked);
      expect(linkEngine(engine, join(folder, "home"))).to.equal(engine);
    });

    it("from PATH is linked alone, with a language host only where the vendor's is missing", () => {
      const complete = linkEngine(engineIn(join(folder, "a"), "path", true), join(folder, "sandbox-a"));
      expect(existsSync(complete.pulumi)).to.equal(true);
      expect(existsSync(join(complete.binDir, "pulumi-language-nodejs"))).to.equal(false);
      const bare = linkEngine(engineIn(join(folder, "b"), "path", false), join(folder, "sandbox-b"));
      expect(readFileSync(join(bare.binDir, "pulumi-language-nodejs"), "utf8")).to.match(/^#!\/usr\/bin\/env node\n/);
      expect(existsSync(join(folder, "b", "pulumi-language-nodejs"))).to.equal(false);
    });

    it("may change from PATH to an installed one and back", () => {
      const home = join(folder, "sandbox");
      const fromPath = engineIn(join(folder, "a"), "path", true);
      const installed = engineIn(join(folder, "home", "versions", "3.259.0", "bin"), "installed", true);
      linkEngine(fromPath, home);
      expect(existsSync(linkEngine(installed, home).pulumi)).to.equal(true);
      expect(existsSync(linkEngine(fromPath, home).pulumi)).to.equal(true);
      expect(existsSync(installed.pulumi)).to.equal(true);
    });

    it("comes after the project's commands and before the machine's on PATH", () => {
      const engine = engineIn(join(folder, "bin"), "installed", false);
      const env = engineEnvironment(engine, { PATH: "/p/node_modules/.bin:/usr/bin" });
      expect(env.PATH).to.equal(`/p/node_modules/.bin:${engine.binDir}:/usr/bin`);
      expect(engineEnvironment(engine, env).PATH).to.equal(env.PATH);
    });
  });
});
