import type { LifecycleRule } from "@aws-sdk/client-s3";
import { expect } from "chai";
import * as fc from "fast-check";
import { MINIMUM_RETENTION_DAYS } from "../../../../backup/classes";
import { mediaLifecycleRules, vaultLifecycleRules } from "../../../../components/lifecycle-rules";
import {
  type Action,
  type Details,
  dueAt,
  isLocked,
  nextRun,
  planKey,
  planUploads,
  type StoredVersion,
} from "../../../../sandbox/aws/lifecycle/plan";
import { type Rule, readRules } from "../../../../sandbox/aws/lifecycle/rules";

const DAY = 86_400_000;
const day = (count: number) => new Date(Date.UTC(2027, 0, 1) + count * DAY);
const rules = (...given: Partial<LifecycleRule>[]): Rule[] =>
  readRules(given.map((rule): LifecycleRule => ({ Status: "Enabled", ...rule }))).rules;
const details = (more: Partial<Details> = {}): Details => ({ tags: {}, legalHold: false, ...more });
let names = 0;
const version = (created: number, more: Partial<StoredVersion> = {}): StoredVersion => ({
  key: "a",
  versionId: `v${++names}`,
  isMarker: false,
  createdAt: day(created),
  size: 100,
  details: details(),
  ...more,
});
const marker = (created: number) => version(created, { isMarker: true, size: 0, details: undefined });
/** What is planned, newest version first. */
const plan = (given: Rule[], versions: StoredVersion[], now: number) =>
  planKey(given, versions, day(now)).map((action) =>
    action.kind === "abort" ? "abort" : `${action.kind} ${versions.indexOf(action.version)}`,
  );

describe("S3 lifecycle", () => {
  it("counts days from creation to the midnight that follows, as AWS's example does", () => {
    expect(dueAt(new Date("2014-01-15T10:30:00Z"), 3)).to.deep.equal(new Date("2014-01-19T00:00:00Z"));
    expect(nextRun(new Date("2027-01-01T00:00:00Z"))).to.deep.equal(new Date("2027-01-02T00:00:00Z"));
    expect(nextRun(new Date("2027-01-01T23:59:59Z"))).to.deep.equal(new Date("2027-01-02T00:00:00Z"));
  });

  it("hides an expired object below a marker, once, also where it is locked or held", () => {
    const rule = rules({ Filter: { Prefix: "" }, Expiration: { Days: 3 } });
    expect(plan(rule, [version(0.4)], 3.9)).to.deep.equal([]);
    expect(plan(rule, [version(0.4)], 4)).to.deep.equal(["expire 0"]);
    const held = version(0.4, { details: details({ legalHold: true, retainUntil: day(1000) }) });
    expect(plan(rule, [held], 4)).to.deep.equal(["expire 0"]);
    expect(plan(rule, [marker(4), held], 5)).to.deep.equal([]);
    expect(plan(rules({ Filter: { Prefix: "" }, Expiration: { Date: day(9) } }), [version(0)], 9)).to.deep.equal([
      "expire 0",
    ]);
    expect(
      plan(rules({ Status: "Disabled", Filter: { Prefix: "" }, Expiration: { Days: 3 } }), [version(0)], 9),
    ).to.deep.equal([]);
  });

  it("deletes a version so many days after it became noncurrent, but none that is locked, held or not replicated", () => {
    const rule = rules({ Filter: { Prefix: "" }, NoncurrentVersionExpiration: { NoncurrentDays: 2 } });
    const old = (more: Partial<Details> = {}) => version(0, { details: details(more) });
    expect(plan(rule, [marker(10.5), old()], 12.9)).to.deep.equal([]);
    expect(plan(rule, [marker(10.5), old()], 13)).to.deep.equal(["delete 1"]);
    expect(plan(rule, [version(10.5), old()], 13)).to.deep.equal(["delete 1"]);
    expect(plan(rule, [marker(1), old({ legalHold: true })], 100)).to.deep.equal([]);
    expect(plan(rule, [marker(1), old({ retainUntil: day(100.1) })], 100)).to.deep.equal([]);
    expect(plan(rule, [marker(1), old({ retainUntil: day(100) })], 100)).to.deep.equal(["delete 1"]);
    for (const replication of ["PENDING", "FAILED"] as const) {
      expect(plan(rule, [marker(1), old({ replication })], 100), replication).to.deep.equal([]);
      const expiring = rules({ Filter: { Prefix: "" }, Expiration: { Days: 1 } });
      expect(plan(expiring, [old({ replication })], 100), replication).to.deep.equal([]);
    }
    expect(plan(rule, [marker(1), old({ replication: "COMPLETED" })], 100)).to.deep.equal(["delete 1"]);
  });

  it("keeps as many of the newest noncurrent versions as it is told to", () => {
    const rule = rules({
      Filter: { Prefix: "" },
      NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 2 },
    });
    const versions = [9, 8, 7, 6, 5].map((created) => version(created));
    expect(plan(rule, versions, 100)).to.deep.equal(["delete 3", "delete 4"]);
    expect(plan(rule, versions.slice(0, 3), 100)).to.deep.equal([]);
  });

  it("removes a marker that is left alone: by its own rule at once, by an age when it is as old", () => {
    const sweep = rules({ Filter: { Prefix: "" }, Expiration: { ExpiredObjectDeleteMarker: true } });
    const age = rules({ Filter: { Prefix: "" }, Expiration: { Days: 3 } });
    expect(plan(sweep, [marker(5)], 5)).to.deep.equal(["delete 0"]);
    expect(plan(sweep, [marker(5), version(1)], 50)).to.deep.equal([]);
    expect(plan(age, [marker(5)], 7.9)).to.deep.equal([]);
    expect(plan(age, [marker(5)], 8)).to.deep.equal(["delete 0"]);
    const tagged = rules({ Filter: { Tag: { Key: "a", Value: "b" } }, Expiration: { Days: 1 } });
    expect(plan(tagged, [marker(5)], 50), "a marker has no tags").to.deep.equal([]);
  });

  it("goes by prefix, tags and size, all of them where they are combined", () => {
    const expiring = (Filter: object) => rules({ Filter, Expiration: { Days: 1 } });
    const one = version(0, { key: "daily/x", size: 100, details: details({ tags: { class: "daily", a: "b" } }) });
    const hit = (Filter: object) => plan(expiring(Filter), [one], 9).length === 1;
    expect(hit({ Prefix: "daily/" })).to.equal(true);
    expect(hit({ Prefix: "weekly/" })).to.equal(false);
    expect(hit({ Tag: { Key: "class", Value: "daily" } })).to.equal(true);
    expect(hit({ Tag: { Key: "class", Value: "weekly" } })).to.equal(false);
    expect([99, 100].map((size) => hit({ ObjectSizeGreaterThan: size }))).to.deep.equal([true, false]);
    expect([100, 101].map((size) => hit({ ObjectSizeLessThan: size }))).to.deep.equal([false, true]);
    const And = { Prefix: "daily/", Tags: [{ Key: "a", Value: "b" }], ObjectSizeGreaterThan: 10 };
    expect(hit({ And })).to.equal(true);
    expect(hit({ And: { ...And, ObjectSizeLessThan: 50 } })).to.equal(false);
    const old = rules({ Prefix: "weekly/", Expiration: { Days: 1 } });
    expect(plan(old, [one], 9), "the rule's own prefix").to.deep.equal([]);
  });

  it("ends uploads that never ended, and says what it does not do", () => {
    const given = rules({ Filter: { Prefix: "a/" }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } });
    const upload = (key: string, started: number) => ({ key, uploadId: key, startedAt: day(started) });
    const uploads = [upload("a/old", 0.5), upload("a/new", 1.5), upload("b/old", 0)];
    expect(planUploads(given, uploads, day(2))).to.deep.equal([{ kind: "abort", key: "a/old", uploadId: "a/old" }]);
    const moves: LifecycleRule = {
      ID: "cold",
      Status: "Enabled",
      Transitions: [{ Days: 1, StorageClass: "GLACIER" }],
    };
    expect(readRules([moves]).unsupported).to.deep.equal(["cold: transitions"]);
  });
});

/** A bucket of one key that refuses what S3 refuses, under the rules that the project declares. */
class ModelBucket {
  versions: StoredVersion[] = [];
  readonly removed: { version: StoredVersion; at: Date }[] = [];

  run(given: readonly Rule[], now: Date): void {
    for (const action of planKey(given, this.versions, now)) this.apply(action, now);
  }

  private apply(action: Action, now: Date): void {
    if (action.kind === "abort") return;
    if (action.kind === "expire") {
      expect(this.versions[0], "only the current version expires").to.equal(action.version);
      this.versions = [{ ...marker(0), key: action.key, createdAt: now }, ...this.versions];
      return;
    }
    expect(isLocked(action.version, now), "a locked version is never touched").to.equal(false);
    this.versions = this.versions.filter((one) => one !== action.version);
    this.removed.push({ version: action.version, at: now });
  }
}

/** The provider's shape of the project's rules in S3's. */
const declared = (given: ReturnType<typeof vaultLifecycleRules>) =>
  rules(
    ...given.map((rule) => ({
      ID: rule.id,
      Filter: { Prefix: rule.filter.prefix },
      Expiration:
        rule.expiration === undefined
          ? undefined
          : "days" in rule.expiration
            ? { Days: rule.expiration.days }
            : { ExpiredObjectDeleteMarker: true },
      NoncurrentVersionExpiration: rule.noncurrentVersionExpiration && {
        NoncurrentDays: rule.noncurrentVersionExpiration.noncurrentDays,
      },
    })),
  );

describe("the lifecycle that the project declares", () => {
  const classes = Object.entries(MINIMUM_RETENTION_DAYS) as [keyof typeof MINIMUM_RETENTION_DAYS, number][];
  const vault = declared(vaultLifecycleRules(MINIMUM_RETENTION_DAYS));

  it("keeps each backup for its class's days, and then leaves nothing of it", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...classes),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 0, max: 40 }),
        ([backupClass, days], time, extraLock) => {
          const bucket = new ModelBucket();
          const until = day(time + days + extraLock);
          const object = version(time, {
            key: `${backupClass}/usc-pis/x/database.dump`,
            details: details({ retainUntil: until, replication: "COMPLETED" }),
          });
          bucket.versions = [object];
          for (let count = 1; count <= days + extraLock + 6; count++) bucket.run(vault, day(count));
          const [gone] = bucket.removed;
          expect(gone?.version).to.equal(object);
          expect(gone?.at.getTime()).to.be.at.least(until.getTime());
          expect(bucket.versions, "markers go too").to.deep.equal([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("never ends a version under legal hold, nor a current pointer, release or asset", () => {
    const media = declared(mediaLifecycleRules());
    const bucket = (key: string, more: Partial<Details> = {}) => {
      const model = new ModelBucket();
      model.versions = [version(0.3, { key, details: details(more) })];
      return model;
    };
    const held = bucket("hourly/usc-pis/x/database.dump", { legalHold: true });
    const pointer = bucket("current/usc-pis.json");
    const asset = bucket("photo.jpg");
    for (let count = 1; count < 800; count++) {
      held.run(vault, day(count));
      pointer.run(vault, day(count));
      asset.run(media, day(count));
    }
    expect(held.versions.map(({ isMarker }) => isMarker)).to.deep.equal([true, false]);
    for (const model of [pointer, asset]) expect(model.versions).to.have.length(1);
    asset.versions = [marker(800), ...asset.versions];
    for (let count = 801; count < 800 + 366; count++) asset.run(media, day(count));
    expect(asset.versions).to.have.length(2);
    for (let count = 800 + 366; count < 800 + 370; count++) asset.run(media, day(count));
    expect(asset.versions).to.deep.equal([]);
  });
});
