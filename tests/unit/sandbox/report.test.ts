import { expect } from "chai";
import { renderMarkdown, renderTerminal } from "../../../sandbox/rehearsal/render";
import { countResources, duration, type Report, verdict } from "../../../sandbox/rehearsal/report";

function good(): Report {
  return {
    system: "usc-pis",
    startedAt: "2026-05-23T14:00:00.000Z",
    finishedAt: "2026-05-23T14:02:30.000Z",
    factor: 1,
    steps: [{ id: "vault", title: "provision the vault stack", status: "done", seconds: 12.34 }],
    stacks: [
      {
        role: "vault",
        stack: "sandbox-vault",
        resources: [{ type: "aws:s3/bucket:Bucket", count: 4 }],
        slowest: [{ name: "vault-bucket", type: "aws:s3/bucket:Bucket", seconds: 2 }],
      },
    ],
    media: { assets: 25, bytes: 1234 },
    backup: {
      id: "20260523T1417-abc",
      class: "monthly",
      bytes: 4096,
      sha256: "f".repeat(64),
      takenAt: "2026-05-23T14:01:00.000Z",
      bucket: "usc-pis-vault",
      key: "monthly/usc-pis/x/database.dump",
      replication: "COMPLETED",
      manifest: { version: 1 },
    },
    destroyed: ["the Heroku app usc-pis"],
    tables: [{ table: "patients_patient", source: 5, recovered: 5, status: "pass" }],
    checks: [{ name: "app: homepage", status: "pass", detail: "200" }],
    rpoSeconds: 30,
    rtoSeconds: 65,
  };
}

describe("the report of a rehearsal", () => {
  it("passes when everything held", () => {
    expect(verdict(good())).to.deep.equal({ passed: true, failures: [] });
  });

  const spoiled: [string, (report: Report) => void, RegExp][] = [
    [
      "a failed step",
      (report) => report.steps.push({ id: "x", title: "x", status: "failed", seconds: 1, error: "no" }),
      /step "x": no/,
    ],
    [
      "a skipped step",
      (report) => report.steps.push({ id: "x", title: "x", status: "skipped", seconds: 0 }),
      /skipped/,
    ],
    [
      "a table that differs",
      (report) => report.tables.push({ table: "t", status: "fail", reason: "1 row missing" }),
      /1 row missing/,
    ],
    ["no table compared", (report) => report.tables.splice(0), /no table/],
    ["a failed check", (report) => report.checks.push({ name: "c", status: "fail", detail: "502" }), /"c": 502/],
    ["a skipped check", (report) => report.checks.push({ name: "c", status: "skip", detail: "" }), /"c": skipped/],
    ["no backup", (report) => delete report.backup, /no backup/],
    ["RPO not measured", (report) => delete report.rpoSeconds, /RPO was not measured/],
    ["RPO over 4 hours", (report) => Object.assign(report, { rpoSeconds: 4 * 3600 + 1 }), /RPO is 4 h/],
    ["RTO not measured", (report) => delete report.rtoSeconds, /RTO was not measured/],
    ["RTO over 2 hours", (report) => Object.assign(report, { rtoSeconds: 2 * 3600 + 1 }), /RTO is 2 h/],
  ];
  for (const [what, spoil, expected] of spoiled) {
    it(`fails on ${what}, and says so in both forms`, () => {
      const report = good();
      spoil(report);
      const { passed, failures } = verdict(report);
      expect(passed).to.equal(false);
      expect(failures.join("\n")).to.match(expected);
      for (const text of [renderTerminal(report), renderMarkdown(report)]) expect(text).to.contain("FAILED");
    });
  }

  it("shows what a reader looks for", () => {
    for (const text of [renderTerminal(good()), renderMarkdown(good())]) {
      for (const part of [
        "aws:s3/bucket:Bucket",
        "20260523T1417-abc",
        "4096",
        "f".repeat(64),
        "patients_patient",
        "the Heroku app usc-pis",
        "COMPLETED",
        "30.0 s (promised: 4 h 00 min 00 s)",
        "1 min 05 s (promised",
        "12.3 s",
      ]) {
        expect(text).to.contain(part);
      }
    }
  });

  it("keeps a cell of a Markdown table in its row", () => {
    const report = good();
    report.checks.push({ name: "odd", status: "pass", detail: "a|b\nc" });
    expect(renderMarkdown(report)).to.contain("| odd | pass | a\\|b c |");
  });

  it("counts resources by type, without Pulumi's own and without what waits for deletion", () => {
    const deployment = {
      deployment: {
        resources: [
          { type: "pulumi:pulumi:Stack" },
          { type: "pulumi:providers:aws" },
          { type: "aws:kms/key:Key" },
          { type: "aws:s3/bucket:Bucket" },
          { type: "aws:s3/bucket:Bucket" },
          { type: "aws:s3/bucket:Bucket", delete: true },
        ],
      },
    };
    expect(countResources(deployment)).to.deep.equal([
      { type: "aws:s3/bucket:Bucket", count: 2 },
      { type: "aws:kms/key:Key", count: 1 },
    ]);
    expect(countResources({})).to.deep.equal([]);
  });

  it("writes durations as people say them", () => {
    expect([0.04, 4.55, 59.9, 60, 125, 3723].map(duration)).to.deep.equal([
      "0.0 s",
      "4.5 s",
      "59.9 s",
      "1 min 00 s",
      "2 min 05 s",
      "1 h 02 min 03 s",
    ]);
  });
});
