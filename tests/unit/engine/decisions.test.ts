import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import * as setup from "../../../scripts/setup.mjs";

const { SetupError } = setup;

describe("set-up: versions", () => {
  it("reads what tools print about themselves", () => {
    expect(setup.parseVersion("v20.19.0\n")).to.deep.equal([20, 19, 0]);
    expect(setup.parseVersion("go version go1.26.8 linux/amd64")).to.deep.equal([1, 26, 8]);
    expect(setup.parseVersion("go version go1.25 darwin/arm64")).to.deep.equal([1, 25, 0]);
    expect(setup.parseVersion("Python 3.11.7")).to.deep.equal([3, 11, 7]);
    expect(setup.parseVersion("v3.260.0-alpha.1+abc")).to.deep.equal([3, 260, 0]);
  });

  it("finds none where there is none", () => {
    for (const text of ["", "command not found", "7"]) expect(setup.parseVersion(text)).to.equal(undefined);
  });

  it("compares number by number, not as text", () => {
    expect(setup.atLeast([1, 9, 9], [1, 10, 0])).to.equal(false);
    expect(setup.atLeast([1, 10, 0], [1, 9, 9])).to.equal(true);
    expect(setup.atLeast([2, 0, 0], [1, 99, 99])).to.equal(true);
    expect(setup.atLeast([1, 25, 0], [1, 25, 0])).to.equal(true);
    expect(setup.atLeast([1, 25, 0], [1, 25, 1])).to.equal(false);
  });
});

describe("set-up: which engine", () => {
  const decide = setup.decideEngine;

  it("takes a new enough pulumi on PATH before all else", () => {
    expect(decide({ onPath: "v3.259.0", installed: "v3.259.0", canDownload: true })).to.equal("path");
    expect(decide({ onPath: "v3.300.1", canDownload: false })).to.equal("path");
  });

  it("passes over an old or broken one", () => {
    expect(decide({ onPath: "v3.258.9", installed: "v3.259.0", canDownload: true })).to.equal("installed");
    expect(decide({ onPath: "garbage", canDownload: true })).to.equal("download");
  });

  it("does not trust an installed file that does not run", () => {
    expect(decide({ installed: undefined, canDownload: false })).to.equal("build");
    expect(decide({ installed: "", canDownload: true })).to.equal("download");
  });

  it("is of one version everywhere it is pinned", () => {
    const read = (file: string) => readFileSync(join(setup.projectRoot, file), "utf8");
    expect(JSON.parse(read("package.json")).dependencies.pulumi).to.equal(setup.ENGINE_VERSION);
    expect(read("sandbox/engine/go.mod")).to.include(
      `require github.com/pulumi/pulumi/pkg/v3 v${setup.ENGINE_VERSION}\n`,
    );
    expect(setup.buildArguments("/out").join(" ")).to.include(`version.Version=v${setup.ENGINE_VERSION} -o /out`);
  });
});

describe("set-up: what has to be installed", () => {
  it("accepts a new enough Go", () => {
    setup.checkGo("go version go1.25.0 linux/amd64");
    setup.checkGo("go version go1.26.8 linux/amd64");
  });

  it("names Go when it is missing, and the version when it is old", () => {
    expect(() => setup.checkGo(undefined)).to.throw(SetupError, /Go 1\.25 or newer, and no "go" was found on PATH/);
    expect(() => setup.checkGo("go version go1.24.6 linux/amd64")).to.throw(SetupError, /Go 1\.25 .* found 1\.24\.6/);
    expect(() => setup.checkGo("segmentation fault")).to.throw(SetupError, /found "segmentation fault"/);
    try {
      setup.checkGo(undefined);
    } catch (error) {
      expect((error as { hint: string }).hint).to.match(/install Go .* or install Pulumi 3\.259\.0/);
    }
  });

  it("takes the first Python that is new enough and has venv", () => {
    const found = [
      { path: "/a/python3", printed: "3.9.2 venv /a/python3" },
      { path: "/b/python3.12", printed: "3.12.1 no-venv /b/python3.12" },
      { path: "/c/python3.11", printed: "3.11.7 venv /c/python3.11" },
    ];
    expect(setup.choosePython(found)).to.equal("/c/python3.11");
    expect(() => setup.choosePython(found.slice(0, 2))).to.throw(
      SetupError,
      /Python 3\.11 .*\/a\/python3 is 3\.9\.2, \/b\/python3\.12 \(3\.12\.1\) lacks venv/,
    );
  });

  it("says which Debian package has venv, and what to do without any Python", () => {
    const hintOf = (found: { path: string; printed?: string }[]) => {
      try {
        return setup.choosePython(found);
      } catch (error) {
        return (error as { hint: string }).hint;
      }
    };
    expect(hintOf([{ path: "/usr/bin/python3", printed: "3.12.3 no-venv /usr/bin/python3" }])).to.include(
      "python3.12-venv",
    );
    expect(hintOf([])).to.include("apt-get install python3 python3-venv");
    expect(hintOf([{ path: "/shim/python3" }])).to.include("apt-get install python3 python3-venv");
  });

  it("takes a Node that can run the project, and says what it found otherwise", () => {
    const old = { path: "/usr/bin/node", version: [20, 19, 0] as const };
    const packaged = { path: "/p/node", version: [24, 21, 0] as const };
    const broken = { path: "/p/node", version: undefined };
    expect(setup.chooseNode([packaged, old]).path).to.equal("/p/node");
    expect(() => setup.chooseNode([broken, old])).to.throw(
      SetupError,
      /at least 22, found 20\.19\.0 \(\/usr\/bin\/node\)/,
    );
    expect(() => setup.chooseNode([])).to.throw(SetupError, /found none/);
  });
});

describe("set-up: npm packages", () => {
  const wanted = {
    "": { version: "0.1.0" },
    "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
    "node_modules/elsewhere": { version: "1.0.0", integrity: "sha512-e", optional: true },
    "sdks/b": { version: "1.0.0" },
  };
  const installed = { "node_modules/a": { version: "1.0.0", integrity: "sha512-a" } };

  it("takes an installation made by hand for what it is", () => {
    expect(setup.isInstalled(wanted, installed)).to.equal(true);
  });

  it("sees a missing, another and a superfluous package", () => {
    expect(setup.isInstalled(wanted, {})).to.equal(false);
    expect(setup.isInstalled(wanted, { "node_modules/a": { version: "1.0.1", integrity: "sha512-a" } })).to.equal(
      false,
    );
    expect(setup.isInstalled(wanted, { "node_modules/a": { version: "1.0.0", integrity: "sha512-x" } })).to.equal(
      false,
    );
    expect(setup.isInstalled(wanted, { ...installed, "node_modules/old": { version: "1.0.0" } })).to.equal(false);
  });
});

describe("set-up: package-lock.json", () => {
  it("names the packages of all systems, or npm ci refuses it", () => {
    // A registry that lacks the packages of some systems makes npm leave them out of the lock without a word.
    const { packages } = JSON.parse(readFileSync(join(setup.projectRoot, "package-lock.json"), "utf8"));
    const names = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf("node_modules/") + 13)));
    const wanted = Object.values<{ optionalDependencies?: object }>(packages).flatMap((entry) =>
      Object.keys(entry.optionalDependencies ?? {}),
    );
    expect(wanted).to.include("@biomejs/cli-darwin-arm64");
    expect(wanted.filter((name) => !names.has(name))).to.deep.equal([]);
  });
});

describe("set-up: what runs", () => {
  it("runs all tests, the fast ones first, unless some are named", () => {
    const all = setup.testFiles(["--bail"], ["e2e", "extra", "unit", "contract"]);
    expect(all).to.deep.equal(["unit", "contract", "e2e", "extra"].map((name) => `tests/${name}/**/*.test.ts`));
    expect(setup.testFiles(["tests/unit/a.test.ts"], ["unit"])).to.deep.equal([]);
  });

  it("does not take npm's shims for the machine's own tools", () => {
    const path =
      "/p/node_modules/.bin:/usr/bin::/x/node_modules/npm/node-gyp-bin:/node_modules/.bin:/opt/node_modules_not/bin";
    expect(setup.machinePath(path)).to.deep.equal(["/usr/bin", "/opt/node_modules_not/bin"]);
    expect(setup.machinePath(undefined)).to.deep.equal([]);
  });

  it("says durations as people do", () => {
    expect(setup.formatElapsed(8_400)).to.equal("8 s");
    expect(setup.formatElapsed(185_000)).to.equal("3 min 05 s");
  });

  it("shows a person the message, the command's output and the hint, and no stack", () => {
    const text = setup.describeError(new SetupError("it failed", { output: "why\n", hint: "do this" }));
    expect(text).to.equal("error: it failed\n\n    why\n\nhint: do this");
  });
});
