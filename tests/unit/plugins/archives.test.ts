import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { pythonPath } from "../../../sandbox/aws/server";
import { codeArchive, zip } from "../../../sandbox/plugins/aws/zip";
import { sourceDigest, tarOf } from "../../../sandbox/plugins/heroku/source";

describe("stand-in plugins: archives", () => {
  let folder: string;
  const inside = (name: string) => join(folder, name);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "usc-pis-archives-"));
    mkdirSync(inside("src/deep/deeper"), { recursive: true });
    writeFileSync(inside("src/index.js"), "exports.handler = 1;\n".repeat(500));
    writeFileSync(inside("src/deep/deeper/ä.txt"), "ä");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const listed = (file: string) => {
    const script = `import zipfile,sys; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(*sorted(z.namelist()), sep="\\n")`;
    return execFileSync(pythonPath(), ["-c", script, file], { env: { PYTHONIOENCODING: "utf8" } })
      .toString()
      .trim();
  };

  it("a zip that others can read, the same whatever the files' times", () => {
    const first = codeArchive({ path: inside("src") });
    utimesSync(inside("src/index.js"), 1, 1);
    expect(codeArchive({ path: inside("src") }).equals(first)).to.equal(true);
    writeFileSync(inside("code.zip"), first);
    expect(listed(inside("code.zip")).split("\n")).to.deep.equal(["deep/deeper/ä.txt", "index.js"]);
    expect(codeArchive({ path: inside("code.zip") }).equals(first), "a zip file is taken as it is").to.equal(true);
  });

  it("a zip of assets, in any order, and of folders among them", () => {
    const a = { text: "a" };
    const b = { path: inside("src") };
    const one = codeArchive({ assets: { "a.txt": a, lib: b } });
    expect(one.equals(codeArchive({ assets: { lib: b, "a.txt": a } }))).to.equal(true);
    writeFileSync(inside("code.zip"), one);
    expect(listed(inside("code.zip")).split("\n")).to.include.members(["a.txt", "lib/index.js"]);
  });

  it("no zip of nothing", () => {
    expect(() => codeArchive({ assets: {} })).to.throw("empty");
    expect(zip(new Map())).to.have.lengthOf(22);
  });

  it("a tar below the folder's own name that tar can read", () => {
    const long = `src/${"d".repeat(80)}/${"f".repeat(60)}`;
    mkdirSync(inside(`src/${"d".repeat(80)}`));
    writeFileSync(inside(long), "long");
    symlinkSync("index.js", inside("src/link"));
    writeFileSync(inside("src.tgz"), tarOf(inside("src")));
    mkdirSync(inside("out"));
    execFileSync("tar", ["xzf", inside("src.tgz"), "-C", inside("out")]);
    expect(readdirSync(inside("out"))).to.deep.equal(["src"]);
    expect(sourceDigest(inside("out/src"))).to.equal(sourceDigest(inside("src")));
    expect(readFileSync(inside(`out/${long}`), "utf8")).to.equal("long");
  });

  it("a digest that sees names and bytes, and not times", () => {
    const before = sourceDigest(inside("src"));
    utimesSync(inside("src/index.js"), 1, 1);
    expect(sourceDigest(inside("src"))).to.equal(before);
    writeFileSync(inside("src/new"), "");
    expect(sourceDigest(inside("src"))).to.not.equal(before);
  });

  it("the provider's own digest of a folder: each path below its name, and the bytes of files, in order", () => {
    const hash = createHash("sha256").update("src\nsrc/deep\nsrc/deep/deeper\nsrc/deep/deeper/ä.txt\nä");
    hash.update("src/index.js\n").update(readFileSync(inside("src/index.js")));
    expect(sourceDigest(inside("src"))).to.equal(`SHA256:${hash.digest("hex")}`);
  });
});
