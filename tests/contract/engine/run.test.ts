import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ENGINE_VERSION, projectRoot } from "../../../scripts/setup.mjs";

/** What the set-up itself runs; all else is missing on this machine's PATH unless a test puts it there. */
const BASIC = ["sh", "env", "uname"];

describe("npm scripts on machines that lack something", function () {
  this.timeout(60_000);
  let folder: string;
  let bin: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "usc-pis-run-"));
    const checkout = join(folder, "checkout");
    bin = join(folder, "bin");
    for (const part of ["scripts", "package.json", "package-lock.json", "sandbox/engine", "sandbox/python"]) {
      cpSync(join(projectRoot, part), join(checkout, part), { recursive: true });
    }
    symlinkSync(join(projectRoot, "node_modules"), join(checkout, "node_modules"));
    mkdirSync(join(checkout, "cli"));
    writeFileSync(join(checkout, "cli", "bin.js"), "console.log('REHEARSED', process.argv.slice(2).join(' '))");
    mkdirSync(bin);
    mkdirSync(join(folder, "home"));
    for (const name of BASIC) {
      const found = [`/bin/${name}`, `/usr/bin/${name}`].find(existsSync);
      if (found) symlinkSync(found, join(bin, name));
    }
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const tool = (name: string, script: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const run = (task: string, { node = [] as string[], args = [] as string[] } = {}) => {
    const env = { PATH: bin, HOME: join(folder, "home"), USC_PIS_ENGINE: "build" };
    const script = join(folder, "checkout", "scripts", "run.mjs");
    const { status, stdout, stderr } = spawnSync(process.execPath, [...node, script, task, ...args], {
      env,
      encoding: "utf8",
    });
    return { status, output: stdout + stderr };
  };
  const pulumi = (version: string) => tool("pulumi", `echo ${version}`);

  /** A stand-in for Python: makes an environment's folder with itself in it, and "installs". */
  const workingPython = () =>
    tool(
      "python3",
      `case "$*" in
  *"-m venv"*) /bin/mkdir -p "$3/bin"; /bin/cp "$0" "$3/bin/python" ;;
  *"-m pip"*) ;;
  *) echo 3.12.3 venv "$0" ;;
esac`,
    );

  it("says which Node is needed on an old one", () => {
    const old = `data:text/javascript,${encodeURIComponent("Object.defineProperty(process.versions,'node',{value:'18.20.4'})")}`;
    const { status, output } = run("check", { node: ["--import", old] });
    expect(status).to.equal(1);
    expect(output).to.match(/Node 20\.19 or newer, found 18\.20\.4 .*\n.*install Node 24/);
  });

  it("names its tasks for a wrong one", () => {
    const { status, output } = run("strat");
    expect(status).to.equal(2);
    expect(output).to.include('unknown task "strat"').and.include("start, test, check, bench");
  });

  it("says what to install where there is neither an engine nor Go", () => {
    const { status, output } = run("start");
    expect(status).to.equal(1);
    expect(output).to.match(/error: building the Pulumi engine needs Go 1\.25 or newer, and no "go" was found/);
    expect(output)
      .to.match(/hint: install Go .* or install Pulumi/)
      .and.not.include("    at ");
  });

  it("says so where Go is too old", () => {
    tool("go", "echo go version go1.21.4 linux/amd64");
    const { status, output } = run("start");
    expect(status).to.equal(1);
    expect(output).to.match(/needs Go 1\.25 or newer, found 1\.21\.4/);
  });

  it("shows why a build failed, and leaves no half engine", () => {
    tool("go", 'if [ "$1" = version ]; then echo go version go1.26.0 linux/amd64; else echo disk is full; exit 2; fi');
    const { status, output } = run("start");
    expect(status).to.equal(1);
    expect(output).to.match(/the Pulumi engine could not be built: .* ended with code 2\n\n {4}disk is full/);
    expect(existsSync(join(folder, "home", ".pulumi", "versions", ENGINE_VERSION))).to.equal(false);
  });

  it("passes over an old pulumi on PATH", () => {
    pulumi("v3.100.0");
    expect(run("start").output).to.include("building the Pulumi engine needs Go");
  });

  it("says what to install where Python is missing, old or lacks venv", () => {
    pulumi("v3.999.0");
    expect(run("start").output).to.match(
      /needs Python 3\.11 or newer with venv; found none on PATH\nhint: install Python/,
    );
    tool("python3", "echo 3.8.10 venv /usr/bin/python3");
    expect(run("start").output).to.match(/found .*python3 is 3\.8\.10/);
    tool("python3", "echo 3.12.3 no-venv /usr/bin/python3");
    const { status, output } = run("start");
    expect(status).to.equal(1);
    expect(output).to.match(/\(3\.12\.3\) lacks venv or ensurepip\nhint: .*python3\.12-venv/);
  });

  it("runs the task with its arguments when all is there, and sets nothing up twice", () => {
    pulumi("v3.999.0");
    workingPython();
    const first = run("start", { args: ["--keep", "--factor", "2"] });
    expect(first.output).to.include("REHEARSED sandbox rehearse --keep --factor 2");
    expect(first.status).to.equal(0);
    expect(first.output).to.include("setting up the Python environment");
    const second = run("start");
    expect(second.status).to.equal(0);
    expect(second.output).to.equal("REHEARSED sandbox rehearse\n");
  });

  it("hands the task's exit code on", () => {
    writeFileSync(join(folder, "checkout", "cli", "bin.js"), "process.exit(7)");
    pulumi("v3.999.0");
    workingPython();
    const { status, output } = run("start");
    expect(status, output).to.equal(7);
  });
});
