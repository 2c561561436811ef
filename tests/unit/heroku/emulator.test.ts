import { expect } from "chai";
import fc from "fast-check";
import { keyOfHeader } from "../../../sandbox/heroku/auth";
import { appNameProblem } from "../../../sandbox/heroku/platform/apps";
import { newQuantity } from "../../../sandbox/heroku/platform/dynos";
import { applyRange, parseRange } from "../../../sandbox/heroku/range";
import { Router, route } from "../../../sandbox/heroku/router";
import { parseProcfile } from "../../../sandbox/heroku/runtime/builds";
import { judgeRestoreErrors } from "../../../sandbox/heroku/runtime/restore-errors";
import { isDue, isTimeZone, nextDue } from "../../../sandbox/heroku/runtime/scheduler";
import { refusal, signPath } from "../../../sandbox/heroku/runtime/signed-urls";
import { reason } from "../../../sandbox/heroku/runtime/streams";

describe("heroku emulator, pure parts", () => {
  it("reads keys from Bearer and from Basic with any e-mail", () => {
    const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
    expect(keyOfHeader("Bearer k1")).to.equal("k1");
    expect(keyOfHeader(basic(":k1"))).to.equal("k1");
    expect(keyOfHeader(basic("a@b.example:k:1"))).to.equal("k:1");
    for (const bad of [undefined, "", "Bearer", basic("nocolon"), "Digest x"])
      expect(keyOfHeader(bad)).to.equal(undefined);
  });

  it("knows Heroku's app names", () => {
    for (const good of ["usc-pis", "abc", "a".repeat(30), "a1-b2"])
      expect(appNameProblem(good), good).to.equal(undefined);
    for (const bad of ["ab", "a".repeat(31), "1abc", "Abc", "abc-", "a_c", "-abc", "a.c"])
      expect(appNameProblem(bad), bad).to.be.a("string");
  });

  it("reads quantities as numbers, digits and changes", () => {
    expect([newQuantity("+1", 1), newQuantity("-1", 1), newQuantity(3, 1), newQuantity(undefined, 1)]).to.deep.equal([
      2, 0, 3, 1,
    ]);
    for (const bad of ["x", "-2", 1.5, 101])
      expect(() => newQuantity(bad, 1), String(bad)).to.throw("Invalid quantity");
  });

  it("walks every list to its end by Next-Range, once each, in order", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 500 })),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        (versions, max, desc) => {
          const items = versions.map((version) => ({ version }));
          const seen: number[] = [];
          let header: string | undefined = `version ..; max=${max}${desc ? ", order=desc" : ""}`;
          while (header !== undefined) {
            const { page, next }: { page: { version: number }[]; next?: string } = applyRange(
              items,
              parseRange(header, "version", ["version"]),
            );
            seen.push(...page.map((item) => item.version));
            header = next;
          }
          expect(seen).to.deep.equal([...versions].sort((a, b) => (desc ? b - a : a - b)));
        },
      ),
    );
  });

  it("reads the ranges that the official clients send and refuses others", () => {
    expect(parseRange("version ..; order=desc,max=15", "id", ["id", "version"])).to.include({
      attribute: "version",
      max: 15,
      descending: true,
    });
    expect(parseRange("id ..; max=1000", "id", ["id"])).to.include({ max: 1000, descending: false });
    expect(parseRange(undefined, "id", ["id"])).to.include({ max: 200 });
    expect(() => parseRange("colour ..", "id", ["id"])).to.throw("Invalid Range");
  });

  it("tells a wrong method from an unknown path", () => {
    const router = new Router([route("GET", "/apps/:app", () => undefined)]);
    expect(router.find("GET", "/apps/a%20b").match?.params).to.deep.equal({ app: "a b" });
    expect(router.find("PUT", "/apps/x")).to.deep.equal({ pathKnown: true });
    expect(router.find("GET", "/apps/x/y").pathKnown).to.equal(false);
    expect(router.find("GET", "/apps/%E0%A4%A").pathKnown).to.equal(false);
  });

  it("reads a Procfile", () => {
    expect(parseProcfile("web: node app.js web\r\n# no\nrelease: a: b\n\nbad line\n")).to.deep.equal({
      web: "node app.js web",
      release: "a: b",
    });
  });

  it("signs addresses that can't be changed, and end", () => {
    const url = (text: string) => new URL(`http://x${text}`);
    const signed = signPath("key", "/_backups/1.dump", 1000);
    expect(refusal("key", url(signed), 999)).to.equal(undefined);
    expect(refusal("key", url(signed), 1001)).to.equal("expired");
    expect(refusal("key", url(signed.replace("expires=1000", "expires=9000")), 999)).to.equal("forged");
    expect(refusal("key", url(signed.replace("1.dump", "2.dump")), 999)).to.equal("forged");
    expect(refusal("other", url(signed), 999)).to.equal("forged");
  });

  it("lets a schedule run once within its hour, in its zone", () => {
    const at = new Date("2026-05-04T18:30:00Z");
    expect(isDue({ hour: "02", timezone: "Asia/Manila", lastRunAt: null }, at)).to.equal(true);
    expect(isDue({ hour: "2", timezone: "UTC", lastRunAt: null }, at)).to.equal(false);
    expect(isDue({ hour: "18", timezone: "UTC", lastRunAt: "2026-05-04T18:01:00Z" }, at)).to.equal(false);
    expect(isDue({ hour: "18", timezone: "UTC", lastRunAt: "2026-05-03T18:59:00Z" }, at)).to.equal(true);
    expect(["UTC", "Asia/Manila", "EST", "Mars/Olympus", "+08:00"].map(isTimeZone)).to.deep.equal([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it("does not make up for a slot that the clock jumped over, and stands a clock that is set back", () => {
    const schedule = { hour: "02", timezone: "UTC", lastRunAt: "2026-05-04T02:00:10Z" };
    expect(isDue(schedule, new Date("2026-05-05T03:00:00Z"))).to.equal(false);
    expect(isDue(schedule, new Date("2026-05-09T02:59:59Z"))).to.equal(true);
    expect(isDue(schedule, new Date("2026-05-01T02:00:00Z"))).to.equal(true);
  });

  it("tells when the next slot is: now, today, tomorrow, in zones of odd quarters", () => {
    const next = (from: string, ...schedules: Parameters<typeof nextDue>[0]) =>
      nextDue(schedules, new Date(from))?.toISOString();
    const utc = { hour: "02", timezone: "UTC", lastRunAt: null };
    expect(next("2026-05-04T02:17:30Z", utc)).to.equal("2026-05-04T02:17:30.000Z");
    expect(next("2026-05-04T02:17:30Z", { ...utc, lastRunAt: "2026-05-04T02:00:00Z" })).to.equal(
      "2026-05-05T02:00:00.000Z",
    );
    expect(next("2026-05-04T00:00:01Z", utc)).to.equal("2026-05-04T02:00:00.000Z");
    expect(next("2026-05-04T00:00:01Z", { ...utc, timezone: "Asia/Kathmandu" })).to.equal("2026-05-04T20:15:00.000Z");
    expect(next("2026-05-04T00:00:01Z", utc, { ...utc, hour: "9", timezone: "Asia/Manila" })).to.equal(
      "2026-05-04T01:00:00.000Z",
    );
    expect(next("2026-05-04T00:00:01Z")).to.equal(undefined);
  });

  it("finds the reason in what pg_dump says", () => {
    const words =
      "pg_dump: error: query failed: ERROR:  permission denied for table t\npg_dump: detail: Query was: LOCK";
    expect(reason(words)).to.equal("pg_dump: error: query failed: ERROR:  permission denied for table t");
    expect(reason("killed\n")).to.equal("killed");
  });

  it("forgives only the known complaints of pg_restore", () => {
    const benign =
      "pg_restore: error: could not execute query: ERROR:  must be owner of extension pgcrypto\nCommand was: COMMENT ...";
    const bad = 'pg_restore: error: could not execute query: ERROR:  relation "patients_patient" already exists';
    expect(judgeRestoreErrors(benign)).to.deep.equal({ errors: [], benign: 1 });
    expect(judgeRestoreErrors(`${benign}\n${bad}`)).to.deep.equal({ errors: [bad], benign: 1 });
    const schema = 'pg_restore: error: could not execute query: ERROR:  schema "extra" already exists';
    expect(judgeRestoreErrors(schema)).to.deep.equal({ errors: [schema], benign: 0 });
    expect(judgeRestoreErrors(schema, ["extra"])).to.deep.equal({ errors: [], benign: 1 });
    expect(judgeRestoreErrors("pg_restore: warning: errors ignored on restore: 1")).to.deep.equal({
      errors: [],
      benign: 0,
    });
  });
});
