import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "chai";
import type { SimulationReport } from "../../sandbox/simulation";
import { projectRoot } from "../../sandbox/supervisor/paths";

const run = promisify(execFile);

/** In a process of its own: the simulation makes its process follow the sandbox's clock, for good. */
function simulate(...args: string[]) {
  return run(process.execPath, ["cli/bin.js", "sandbox", "simulate", ...args, "--json"], {
    cwd: projectRoot,
    maxBuffer: 16 * 1024 * 1024,
  });
}

describe("simulated days", function () {
  this.timeout(300_000);

  it("leave in buckets, alarms, inbox and mirror what AWS would show, an incident included", async () => {
    const { stdout } = await simulate("--days", "3").catch((error) => error);
    const report = JSON.parse(stdout) as SimulationReport;
    const failed = report.checks.filter(({ status }) => status !== "pass");
    expect(failed, JSON.stringify(report.steps)).to.deep.equal([]);
    expect(report.passed).to.equal(true);
    expect(report.incidents).to.have.lengthOf(1);
    // The checks can see: hours were lost and told of, and backups have ended.
    const detail = (name: RegExp) => report.checks.find((check) => name.test(check.name))?.detail;
    expect(detail(/no-success/)).to.equal("rang 1 times");
    expect(detail(/every slot/)).to.match(/^(6[0-9]) slots$/);
    expect(Number(report.outcomes["failed runs"])).to.equal(9);
    expect(detail(/backups in ap-southeast-1/)).to.match(/[1-9]\d* hidden/);
  });

  it("are refused where they are none", async () => {
    const error = await simulate("--days", "none").catch((caught) => caught);
    expect([error.code, error.stderr.includes("expected a whole number from 2 to 400")]).to.deep.equal([2, true]);
  });
});
