import { S3 } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { LifecycleRunner } from "../../../sandbox/aws/lifecycle";
import { ROOT_CREDENTIALS } from "../../../sandbox/aws/server";
import { type LocalAws, startLocalAws, TOKEN } from "../../support/local";

const regions = ["ap-southeast-1", "ap-northeast-1"] as const;
const [home, away] = regions;
const DAY = 86_400_000;
const day = (count: number) => new Date(Date.UTC(2027, 0, 1) + count * DAY);

describe("lifecycle on the sandbox's S3", function () {
  this.timeout(60_000);
  let aws: LocalAws;
  let runner: LifecycleRunner;
  const s3 = Object.fromEntries(regions.map((region) => [region, undefined])) as unknown as Record<string, S3>;

  before(async () => {
    aws = await startLocalAws();
    for (const region of regions) s3[region] = new S3({ region, forcePathStyle: true });
    runner = new LifecycleRunner({
      regions,
      client: { endpoint: aws.url, credentials: ROOT_CREDENTIALS },
      token: TOKEN,
    });
  });
  after(async () => {
    runner?.close();
    await aws?.stop();
  });

  const at = (region: string) => s3[region] as S3;
  const bucket = async (Bucket: string, region: typeof home | typeof away, Rules: object[], lock = true) => {
    const CreateBucketConfiguration = { LocationConstraint: region };
    await at(region).createBucket({ Bucket, ObjectLockEnabledForBucket: lock, CreateBucketConfiguration });
    const LifecycleConfiguration = { Rules: Rules.map((rule) => ({ Status: "Enabled" as const, ...rule })) };
    await at(region).putBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration });
  };
  /** Goes to a day and runs; gives what was done in a bucket. */
  const run = async (count: number, name: string) => {
    aws.setTime(day(count));
    const runs = await runner.run(day(count));
    const { expired, deleted, kept, aborted } = runs.find(({ bucket }) => bucket === name) ?? {};
    return { expired, deleted, kept, aborted };
  };
  const listed = async (Bucket: string, region: string = home) => {
    const { Versions = [], DeleteMarkers = [] } = await at(region).listObjectVersions({ Bucket });
    return [...Versions.map(({ Key }) => `${Key}`), ...DeleteMarkers.map(({ Key }) => `${Key} marker`)].sort();
  };
  const nothing = { expired: 0, deleted: 0, kept: 0, aborted: 0 };
  const EXPIRY = {
    Filter: { Prefix: "hourly/" },
    Expiration: { Days: 3 },
    NoncurrentVersionExpiration: { NoncurrentDays: 1 },
  };
  const SWEEP = { Filter: { Prefix: "" }, Expiration: { ExpiredObjectDeleteMarker: true } };

  it("hides, deletes and sweeps day by day, in the buckets of both regions; what is locked or held stays", async () => {
    aws.setTime(new Date(day(0).getTime() + DAY / 2));
    for (const [region, name] of [
      [home, "vault-home"],
      [away, "vault-away"],
    ] as const) {
      await bucket(name, region, [EXPIRY, SWEEP]);
      const put = (Key: string, more: object = {}) => at(region).putObject({ Bucket: name, Key, Body: "x", ...more });
      await put("hourly/plain");
      await put("daily/other");
      await put("hourly/held", { ObjectLockLegalHoldStatus: "ON" });
      await put("hourly/locked", { ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: day(30) });
    }
    expect(await run(3, "vault-home")).to.deep.equal(nothing);
    expect(await run(4, "vault-home")).to.deep.equal({ ...nothing, expired: 3 });
    expect(await run(4, "vault-home"), "twice a day does no more").to.deep.equal(nothing);
    // The markers came just after a midnight: their day ends with the one after the next.
    expect(await run(5, "vault-home")).to.deep.equal(nothing);
    expect(await run(6, "vault-away")).to.deep.equal({ ...nothing, deleted: 1, kept: 2 });
    expect(await run(7, "vault-home")).to.deep.equal({ ...nothing, deleted: 1, kept: 2 });
    for (const [name, region] of [
      ["vault-home", home],
      ["vault-away", away],
    ] as const) {
      expect(await listed(name, region)).to.deep.equal([
        "daily/other",
        "hourly/held",
        "hourly/held marker",
        "hourly/locked",
        "hourly/locked marker",
      ]);
    }
    expect(await run(30, "vault-home"), "the lock has ended").to.deep.equal({ ...nothing, deleted: 1, kept: 1 });
    const { Versions = [] } = await at(home).listObjectVersions({ Bucket: "vault-home", Prefix: "hourly/held" });
    const held = { Bucket: "vault-home", Key: "hourly/held", VersionId: Versions[0]?.VersionId };
    await at(home).putObjectLegalHold({ ...held, LegalHold: { Status: "OFF" } });
    await run(31, "vault-home");
    await run(32, "vault-home");
    expect(await listed("vault-home")).to.deep.equal(["daily/other"]);
  });

  it("goes by tags, keeps newer versions and ends uploads", async () => {
    aws.setTime(day(100));
    const name = "tagged";
    await bucket(
      name,
      home,
      [
        { Filter: { Tag: { Key: "keep", Value: "no" } }, Expiration: { Days: 1 } },
        {
          Filter: { Prefix: "versions/" },
          NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 1 },
        },
        { Filter: { Prefix: "" }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      ],
      false,
    );
    await at(home).putBucketVersioning({ Bucket: name, VersioningConfiguration: { Status: "Enabled" } });
    await at(home).putObject({ Bucket: name, Key: "goes", Body: "x", Tagging: "keep=no" });
    await at(home).putObject({ Bucket: name, Key: "stays", Body: "x", Tagging: "keep=yes" });
    for (let count = 0; count < 4; count++)
      await at(home).putObject({ Bucket: name, Key: "versions/a", Body: `${count}` });
    await at(home).createMultipartUpload({ Bucket: name, Key: "never-ended" });
    expect(await run(101, name)).to.deep.equal({ expired: 0, deleted: 0, kept: 0, aborted: 0 });
    expect(await run(102, name)).to.deep.equal({ expired: 1, deleted: 2, kept: 0, aborted: 1 });
    expect(await listed(name)).to.deep.equal(["goes", "goes marker", "stays", "versions/a", "versions/a"]);
    expect((await at(home).getObject({ Bucket: name, Key: "versions/a" })).ContentLength).to.equal(1);
    const { Uploads = [] } = await at(home).listMultipartUploads({ Bucket: name });
    expect(Uploads).to.have.length(0);
  });

  it("works through more versions than fit into one page, also of one key", async () => {
    aws.setTime(day(200));
    const name = "many";
    await bucket(name, home, [{ Filter: { Prefix: "" }, NoncurrentVersionExpiration: { NoncurrentDays: 1 } }], false);
    await at(home).putBucketVersioning({ Bucket: name, VersioningConfiguration: { Status: "Enabled" } });
    const keys = ["a", "b", "c", "d"];
    const put = (Key: string) => at(home).putObject({ Bucket: name, Key, Body: "x" });
    for (let count = 0; count < 300; count++) await Promise.all(keys.map(put));
    expect(await run(202, name)).to.deep.equal({ ...nothing, deleted: 4 * 299 });
    expect(await listed(name)).to.deep.equal(keys);
  });
});
