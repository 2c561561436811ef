import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { CommanderError } from "commander";
import type { CaptureResult } from "../../../backup/capture-ports";
import { InputError, UscPisError } from "../../../backup/errors";
import type { MediaResult } from "../../../backup/media/ports";
import { describe as describeResult, exitCodeOf } from "../../../cli/commands/backup";
import { describeParity, describeStatus, describeSync, exitCodeOfSync } from "../../../cli/commands/media";
import { parseBefore } from "../../../cli/commands/restore";
import { readSettings } from "../../../cli/context";
import { createProgram } from "../../../cli/index";
import { report, table } from "../../../cli/output";

function sink() {
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr") => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  return { written, streams: { stdout: stream("stdout"), stderr: stream("stderr") } };
}

describe("the command line", () => {
  it("has the commands that components and runbooks call", () => {
    const names = createProgram().commands.flatMap((command) =>
      command.commands.length > 0
        ? command.commands.map((child) => `${command.name()} ${child.name()}`)
        : [command.name()],
    );
    expect(names).to.include.members([
      "backup schedule",
      "backup unschedule",
      "backup create",
      "backup list",
      "backup show",
      "media sync",
      "media verify",
      "media status",
      "restore database",
      "restore status",
      "vault claim",
      "release add",
      "release fetch",
      "checks app",
    ]);
  });

  it("exits with 2 on bad usage and input, before anything is asked of anybody", () => {
    const bin = join(__dirname, "../../../cli/bin.js");
    const env = { PATH: process.env.PATH ?? "" };
    for (const args of [
      ["nonsense"],
      ["backup", "schedule", "--app", "x"],
      ["backup", "schedule", "--app", "x", "--at", "02:00 UTC"], // no token
      ["checks", "app", "--url", "nowhere"],
      ["media", "verify"], // no credentials
    ]) {
      const ran = spawnSync(process.execPath, [bin, ...args], { env, encoding: "utf8" });
      expect(ran.status, ran.stderr).to.equal(2);
      expect(ran.stderr)
        .to.match(/^error: /m)
        .and.not.match(/^\s+at /m);
      expect(ran.stderr, "no colour where there is no terminal").to.not.contain("\u001b[");
    }
    expect(execFileSync(process.execPath, [bin, "--help"], { env, encoding: "utf8" })).to.contain("restore");
  }).timeout(60_000);

  it("tells an error with its hint and without its stack, also as JSON", () => {
    const { written, streams } = sink();
    const error = new UscPisError("no_backup", "the vault is empty", { hint: "usc-pis backup create" });
    expect(report(error, true, streams)).to.equal(1);
    expect(written.stderr).to.equal("error: the vault is empty\nhint: usc-pis backup create\n");
    expect(JSON.parse(written.stdout)).to.deep.equal({
      error: { code: "no_backup", message: "the vault is empty", hint: "usc-pis backup create" },
    });
    expect(report(new InputError("bad"), false, sink().streams)).to.equal(2);
    expect(report(new TypeError("slip"), false, sink().streams)).to.equal(1);
    expect(report(new CommanderError(1, "c", "m"), false, sink().streams)).to.equal(2);
    expect(report(new CommanderError(0, "c", "help"), false, sink().streams)).to.equal(0);
  });

  it("reads where the system is, and refuses what cannot be", () => {
    expect(readSettings({})).to.deep.equal({
      system: "usc-pis",
      primaryRegion: "ap-southeast-1",
      replicaRegion: "ap-northeast-1",
    });
    expect(readSettings({ USC_PIS_ACCOUNT: "000000000000" }).account).to.equal("000000000000");
    expect(() => readSettings({ USC_PIS_ACCOUNT: "12" })).to.throw("12 digits");
    expect(() => readSettings({ USC_PIS_SYSTEM: "Clinic/1" })).to.throw("USC_PIS_SYSTEM");
  });

  it("wants a zone with a moment", () => {
    expect(parseBefore(undefined)).to.equal(undefined);
    expect(parseBefore("2026-05-23T14:00:00+08:00")?.toISOString()).to.equal("2026-05-23T06:00:00.000Z");
    for (const text of ["yesterday", "2026-05-23", "2026-05-23T14:00:00", "2026-13-40T14:00:00Z"]) {
      expect(() => parseBefore(text), text).to.throw("--before is not a moment");
    }
  });

  it("takes nothing for a success but a good backup", () => {
    const captured = {
      outcome: "captured" as const,
      id: "i",
      class: "daily" as const,
      bytes: 1,
      sha256: "s",
      seconds: 1,
      takenAt: "t",
      exact: true,
      bucket: "b",
      notes: ["n"],
    };
    expect(exitCodeOf({ ...captured, status: "success" })).to.equal(0);
    expect(exitCodeOf({ outcome: "already_done", id: "i", slot: "s" })).to.equal(0);
    const bad: CaptureResult[] = [
      { ...captured, status: "suspect" },
      { outcome: "busy" },
      { outcome: "refused", reason: "r" },
      { outcome: "new" } as never,
      null as never,
    ];
    for (const result of bad) {
      expect(exitCodeOf(result)).to.equal(1);
      expect(describeResult(result)).to.not.equal("");
    }
  });

  it("takes nothing for a mirror but one that equals Cloudinary", () => {
    const synced = {
      ...{ outcome: "synced" as const, id: "i", assets: 3, bytes: 30, fetched: 1, described: 0, deleted: 0 },
      ...{ vanished: 0, calls: 10, seconds: 1, bucket: "b", notes: ["n"] },
    };
    expect(exitCodeOfSync({ ...synced, status: "success" })).to.equal(0);
    expect(exitCodeOfSync({ outcome: "already_done", id: "i", slot: "s" })).to.equal(0);
    const bad: MediaResult[] = [
      { ...synced, status: "suspect", vanished: 11 },
      { outcome: "paused", id: "i", resumeAt: "t", listed: 4, notes: [] },
      { outcome: "busy" },
      { outcome: "refused", reason: "r" },
      { outcome: "new" } as never,
      null as never,
    ];
    for (const result of bad) {
      expect(exitCodeOfSync(result)).to.equal(1);
      expect(describeSync(result)).to.not.equal("");
    }
    expect(describeSync(bad[0] as MediaResult)).to.contain("--accept-deletions");
    expect(describeSync({ ...synced, status: "success" })).to.not.contain("--accept-deletions");
  });

  it("tells how the mirror differs, and of how many more", () => {
    const paths = Array.from({ length: 25 }, (_, index) => `image/upload/${index}`);
    const differs = paths.map((path) => ({ path, reason: "is not in the mirror" }));
    const parity = { bucket: "b", listed: 30, mirrored: 5, bytes: 50, vanished: ["gone"], described: [] };
    const text = describeParity({ status: "fail", differs, ...parity });
    expect(text).to.contain("fail: 5 of 30 assets are in b").and.contain("differs: and 5 more");
    expect(text).to.contain("differs: image/upload/0 is not in the mirror").and.contain("gone from Cloudinary: gone");
    expect(describeParity({ status: "pass", differs: [], ...parity, vanished: [] })).to.equal(
      "pass: 30 of 30 assets are in b with equal size and version",
    );
  });

  it("calls a sync good while it is neither suspect, nor overdue, nor absent", () => {
    const now = new Date("2026-05-24T03:00:00Z");
    const newest = (status: string, completedAt: string) =>
      ({
        ...{ id: "i", completedAt, deleted: [], assets: [] },
        ...{ counts: { mirrored: 3, bytes: 30 }, assessment: { status, reasons: ["because"] } },
      }) as never;
    const of = (manifest: never | undefined) => ({
      ...{ side: "primary", bucket: "b", manifests: 1, failures: [], newest: manifest },
      runs: [{ id: "i", type: "media", status: "failed", error: { code: "c", message: "words" }, notes: [] } as never],
    });
    expect(describeStatus(of(newest("success", "2026-05-24T02:52:00Z")), now)).to.include({ good: true });
    const late = describeStatus(of(newest("success", "2026-05-23T00:52:00Z")), now);
    expect(late.good).to.equal(false);
    expect(late.text).to.contain("success, overdue: i, 26.1 hours ago (primary)").and.contain("words");
    expect(describeStatus(of(newest("suspect", "2026-05-24T02:52:00Z")), now)).to.include({ good: false });
    expect(describeStatus(of(undefined), now)).to.include({ good: false });
  });

  it("lines columns up", () => {
    expect(table(["a", "long"], [["xyz", "1"]])).to.equal("a    long\nxyz  1");
  });
});
