import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { InputError } from "../../../backup/errors";
import { clockVariables, readOffset, sandboxNow, writeOffset } from "../../../sandbox/clock/clock";

const DAY_MS = 86_400_000;

describe("the sandbox's clock", () => {
  const root = mkdtempSync(join(tmpdir(), "usc-pis clock-"));
  const file = join(root, "clock");
  after(() => rmSync(root, { recursive: true, force: true }));

  /** What a program sees, in a process of its own. */
  function see(program: string, variables: Record<string, string> = clockVariables(file)): string {
    return execFileSync(process.execPath, ["-e", program], {
      env: { PATH: "", ...variables },
      encoding: "utf8",
    }).trim();
  }
  const ahead = (text: string) => Math.round((Number(text) - Date.now()) / 10_000) * 10_000;

  it("is the machine's until somebody moves it", () => {
    expect(readOffset(file)).to.equal(0);
    expect(ahead(see("console.log(Date.now())"))).to.equal(0);
  });

  it("is what every way of asking a Node process says, and never anything else of Date", () => {
    writeOffset(file, 90 * DAY_MS);
    expect(readOffset(file)).to.equal(90 * DAY_MS);
    for (const asked of [
      "Date.now()",
      "+new Date()",
      "new Date().getTime()",
      "Date.parse(Date())",
      "+new (class extends Date {})()",
    ])
      expect(ahead(see(`console.log(${asked})`)), asked).to.equal(90 * DAY_MS);
    expect(
      see("console.log(new Date(0).toISOString(), new Date('2026-02-03') instanceof Date, Date.UTC(1970))"),
    ).to.equal("1970-01-01T00:00:00.000Z true 0");
    expect(
      see(
        "console.log(structuredClone(new Date(5)) instanceof Date, (class A extends Date {}).name, new Date().constructor === Date)",
      ),
    ).to.equal("true A true");
    expect(Math.abs(sandboxNow(file, Date.now()).getTime() - Date.now() - 90 * DAY_MS)).to.be.below(1000);
  });

  it("moves under a process that runs", () => {
    writeOffset(file, DAY_MS);
    const move = `require("fs").writeSync(require("fs").openSync(process.env.USC_PIS_SANDBOX_CLOCK, "r+"), String(${3 * DAY_MS}).padStart(16), 0)`;
    expect(see(`const before = Date.now(); ${move}; console.log(Math.round((Date.now() - before) / 3600e3))`)).to.equal(
      "48",
    );
  });

  it("leaves a process alone that was not told of it", () => {
    expect(ahead(see("console.log(Date.now())", {}))).to.equal(0);
  });

  it("keeps a person's own options of Node, once", () => {
    const first = clockVariables(file, { NODE_OPTIONS: "--max-old-space-size=512" });
    expect(first.NODE_OPTIONS).to.match(/^--max-old-space-size=512 --require="/);
    expect(clockVariables(file, { NODE_OPTIONS: first.NODE_OPTIONS }).NODE_OPTIONS).to.equal(first.NODE_OPTIONS);
  });

  it("never goes back before the machine's time", () => {
    expect(() => writeOffset(file, -1)).to.throw(InputError, /never goes back/);
    expect(() => writeOffset(file, 1.5)).to.throw(InputError);
    expect(() => writeOffset(file, 20 * 366 * DAY_MS)).to.throw(InputError);
  });
});
