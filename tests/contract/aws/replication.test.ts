import { IAM } from "@aws-sdk/client-iam";
import { KMS } from "@aws-sdk/client-kms";
import { S3 } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { policyJson } from "../../../components/policies/document";
import { replicationPolicy } from "../../../components/policies/replication";
import { type LocalAws, startLocalAws } from "../../support/local";

const account = "000000000000";
const [home, away] = ["ap-southeast-1", "ap-northeast-1"] as const;
const SOURCE = "vault-source";
const REPLICA = "vault-replica";
const ROLE = "vault-replication";
const until = new Date("2030-01-01T00:00:00Z");

describe("replication of the sandbox's S3", function () {
  this.timeout(60_000);
  let aws: LocalAws;
  let s3: S3;
  let iam: IAM;
  let keys: { source: string; replica: string };
  let names = 0;

  before(async () => {
    aws = await startLocalAws();
    aws.setTime(new Date("2027-01-01T00:00:00Z"));
    iam = new IAM({ region: home });
    keys = { source: await bucket(SOURCE, home), replica: await bucket(REPLICA, away) };
    s3 = client(home);
    const statement = { Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sts:AssumeRole" };
    const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    await iam.createRole({ RoleName: ROLE, AssumeRolePolicyDocument });
    await allow(rights());
    await replicate();
  });
  after(async () => aws?.stop());
  afterEach(async () => void (await aws.control("POST", "replication", { mode: "ok" })));

  const client = (region: string) => new S3({ region, forcePathStyle: true });
  const bucket = async (Bucket: string, region: typeof home | typeof away): Promise<string> => {
    const key = (await new KMS({ region }).createKey({})).KeyMetadata?.Arn ?? "";
    const s3 = client(region);
    const CreateBucketConfiguration = { LocationConstraint: region };
    await s3.createBucket({ Bucket, ObjectLockEnabledForBucket: true, CreateBucketConfiguration });
    const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: "aws:kms", KMSMasterKeyID: key } as const;
    const Rules = [{ ApplyServerSideEncryptionByDefault, BucketKeyEnabled: true }];
    await s3.putBucketEncryption({ Bucket, ServerSideEncryptionConfiguration: { Rules } });
    return key;
  };
  const rights = () =>
    replicationPolicy({
      source: { bucket: SOURCE, keyArn: keys.source, region: home },
      destination: { bucket: REPLICA, keyArn: keys.replica, region: away },
      deleteMarkers: true,
    });
  type Statement = ReturnType<typeof rights>["Statement"][number];
  const actions = ({ Action }: Statement): string[] => [Action].flat() as string[];
  /** The rights of the role but one. */
  const without = (action: string): ReturnType<typeof rights> => {
    const all = rights();
    const left = all.Statement.map((statement) => ({
      ...statement,
      Action: actions(statement).filter((one) => one !== action),
    }));
    return { ...all, Statement: left.filter(({ Action }) => Action.length > 0) };
  };
  const allow = (policy: ReturnType<typeof rights>) =>
    iam.putRolePolicy({ RoleName: ROLE, PolicyName: "replicate", PolicyDocument: policyJson(policy) });
  const replicate = (kms: "Enabled" | "Disabled" = "Enabled") =>
    s3.putBucketReplication({
      Bucket: SOURCE,
      ReplicationConfiguration: {
        Role: `arn:aws:iam::${account}:role/${ROLE}`,
        Rules: [
          {
            ID: "all",
            Priority: 1,
            Status: "Enabled",
            Filter: { Prefix: "" },
            DeleteMarkerReplication: { Status: "Enabled" },
            SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: kms } },
            Destination: {
              Bucket: `arn:aws:s3:::${REPLICA}`,
              EncryptionConfiguration: { ReplicaKmsKeyID: keys.replica },
            },
          },
        ],
      },
    });
  const LOCK = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: until } as const;
  const put = async (more: object = {}) => {
    const Key = `object-${++names}`;
    const { VersionId = "" } = await s3.putObject({ Bucket: SOURCE, Key, Body: "content", ...more });
    return { Key, VersionId };
  };
  const head = (Bucket: string, Key: string, VersionId?: string) =>
    client(Bucket === SOURCE ? home : away).headObject({ Bucket, Key, ...(VersionId ? { VersionId } : {}) });
  const status = async (Key: string, VersionId?: string) => (await head(SOURCE, Key, VersionId)).ReplicationStatus;
  const replicaOf = async (Key: string, VersionId?: string) =>
    head(REPLICA, Key, VersionId).catch((error: Error) => error.name);
  const tagsOf = async (Bucket: string, Key: string) =>
    (await client(Bucket === SOURCE ? home : away).getObjectTagging({ Bucket, Key })).TagSet;

  it("a replica is the same version, with the source's lock, hold and tags, under its own region's key", async () => {
    const more = { ...LOCK, ObjectLockLegalHoldStatus: "ON", Tagging: "class=daily", Metadata: { a: "b" } };
    const { Key, VersionId } = await put(more);
    const source = await head(SOURCE, Key);
    const replica = await head(REPLICA, Key, VersionId);
    expect(source).to.include({ VersionId, ReplicationStatus: "COMPLETED", SSEKMSKeyId: keys.source });
    expect(replica).to.include({ VersionId, ReplicationStatus: "REPLICA", SSEKMSKeyId: keys.replica });
    expect(replica).to.include({ ObjectLockMode: "GOVERNANCE", ObjectLockLegalHoldStatus: "ON", ETag: source.ETag });
    expect(replica.ObjectLockRetainUntilDate).to.deep.equal(until);
    expect(replica.LastModified).to.deep.equal(source.LastModified);
    expect(replica.Metadata).to.deep.equal({ a: "b" });
    expect(await tagsOf(REPLICA, Key)).to.deep.equal([{ Key: "class", Value: "daily" }]);
    const gone = await client(away)
      .deleteObject({ Bucket: REPLICA, Key, VersionId })
      .catch((error: Error) => error.name);
    expect(gone).to.equal("AccessDenied");
  });

  it("what changes of a version later changes on its replica", async () => {
    const { Key, VersionId } = await put();
    expect((await head(REPLICA, Key)).ObjectLockMode).to.equal(undefined);
    const at = { Bucket: SOURCE, Key, VersionId };
    await s3.putObjectRetention({ ...at, Retention: { Mode: "GOVERNANCE", RetainUntilDate: until } });
    await s3.putObjectLegalHold({ ...at, LegalHold: { Status: "ON" } });
    await s3.putObjectTagging({ ...at, Tagging: { TagSet: [{ Key: "a", Value: "b" }] } });
    expect(await replicaOf(Key)).to.include({ ObjectLockMode: "GOVERNANCE", ObjectLockLegalHoldStatus: "ON" });
    expect(await tagsOf(REPLICA, Key)).to.deep.equal([{ Key: "a", Value: "b" }]);
    await s3.putObjectLegalHold({ ...at, LegalHold: { Status: "OFF" } });
    await s3.deleteObjectTagging(at);
    expect(await replicaOf(Key)).to.include({ ObjectLockLegalHoldStatus: "OFF" });
    expect(await tagsOf(REPLICA, Key)).to.deep.equal([]);
  });

  describe("multipart uploads", () => {
    const upload = async (more: object) => {
      const at = { Bucket: SOURCE, Key: `multipart-${++names}` };
      const { UploadId } = await s3.createMultipartUpload({ ...at, ...more });
      const { ETag } = await s3.uploadPart({ ...at, UploadId, PartNumber: 1, Body: "content" });
      const complete = { ...at, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
      await s3.completeMultipartUpload(complete);
      return { ...at, complete };
    };

    it("keep the lock and the tags that they began with, on both sides", async () => {
      const { Key } = await upload({ ...LOCK, ObjectLockLegalHoldStatus: "ON", Tagging: "class=daily" });
      for (const side of [SOURCE, REPLICA]) {
        const found = await head(side, Key);
        expect(found, side).to.include({ ObjectLockMode: "GOVERNANCE", ObjectLockLegalHoldStatus: "ON" });
        expect(found.ObjectLockRetainUntilDate).to.deep.equal(until);
        expect(await tagsOf(side, Key), side).to.deep.equal([{ Key: "class", Value: "daily" }]);
      }
      const plain = await upload({});
      expect((await head(SOURCE, plain.Key)).ObjectLockMode).to.equal(undefined);
      expect(await status(plain.Key)).to.equal("COMPLETED");
    });

    it("take the bucket's default retention; completed twice they keep what was set since", async () => {
      const byDefault = (Days?: number) =>
        s3.putObjectLockConfiguration({
          Bucket: SOURCE,
          ObjectLockConfiguration: {
            ObjectLockEnabled: "Enabled",
            ...(Days === undefined ? {} : { Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days } } }),
          },
        });
      await byDefault(10);
      try {
        const { Key, complete } = await upload({});
        const days = async (side: string) =>
          ((await head(side, Key)).ObjectLockRetainUntilDate?.getTime() ?? 0) - Date.UTC(2027, 0, 11);
        expect(await days(SOURCE)).to.be.within(0, 60_000);
        expect(await days(REPLICA)).to.equal(await days(SOURCE));
        const Retention = { Mode: "GOVERNANCE", RetainUntilDate: until } as const;
        await s3.putObjectRetention({ Bucket: SOURCE, Key, Retention });
        await s3.completeMultipartUpload(complete);
        expect((await head(SOURCE, Key)).ObjectLockRetainUntilDate).to.deep.equal(until);
      } finally {
        await byDefault();
      }
    });
  });

  it("fails where the role lacks one right, and carries tags only where it may", async () => {
    const all = rights();
    const locked = () => put({ ...LOCK, Tagging: "a=b" });
    const optional = ["s3:GetObjectVersionTagging", "s3:ReplicateTags"];
    for (const one of all.Statement.flatMap(actions)) {
      await allow(without(one));
      const { Key } = await locked();
      if (one === "s3:ReplicateDelete") {
        await s3.deleteObject({ Bucket: SOURCE, Key });
        expect(await replicaOf(Key), `without ${one}`).to.include({ ReplicationStatus: "REPLICA" });
        continue;
      }
      const wanted = optional.includes(one) ? "COMPLETED" : "FAILED";
      expect(await status(Key), `without ${one}`).to.equal(wanted);
      if (wanted === "COMPLETED") expect(await tagsOf(REPLICA, Key), `without ${one}`).to.deep.equal([]);
      else expect(await replicaOf(Key), `without ${one}`).to.equal("NotFound");
    }
    await allow(all);
    const { Key } = await locked();
    expect(await status(Key)).to.equal("COMPLETED");
    expect(await tagsOf(REPLICA, Key)).to.have.length(1);
  });

  it("fails where a key is disabled or the context is another bucket's, and leaves out what the rule does not select", async () => {
    const kms = new KMS({ region: away });
    await kms.disableKey({ KeyId: keys.replica });
    expect(await status((await put()).Key)).to.equal("FAILED");
    await kms.enableKey({ KeyId: keys.replica });
    const all = rights();
    const elsewhere = policyJson(all).replaceAll(`"arn:aws:s3:::${REPLICA}"`, '"arn:aws:s3:::another"');
    await iam.putRolePolicy({ RoleName: ROLE, PolicyName: "replicate", PolicyDocument: elsewhere });
    expect(await status((await put()).Key)).to.equal("FAILED");
    await allow(all);
    await replicate("Disabled");
    const left = await put();
    expect(await status(left.Key)).to.equal(undefined);
    expect(await replicaOf(left.Key)).to.equal("NotFound");
    await replicate();
    expect(await status((await put()).Key)).to.equal("COMPLETED");
  });

  it("delete markers go along under their own id, but not those of lifecycle", async () => {
    const mine = await put();
    const { VersionId } = await s3.deleteObject({ Bucket: SOURCE, Key: mine.Key });
    const { DeleteMarkers } = await client(away).listObjectVersions({ Bucket: REPLICA, Prefix: mine.Key });
    expect(DeleteMarkers?.map((marker) => marker.VersionId)).to.deep.equal([VersionId]);
    expect(await replicaOf(mine.Key)).to.equal("NotFound");
    const { Key } = await put();
    const runner = client(home);
    runner.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["x-sandbox-lifecycle"] = "only-for-this-test";
        return next(args);
      },
      { step: "build" },
    );
    await runner.deleteObject({ Bucket: SOURCE, Key });
    expect(await replicaOf(Key)).to.include({ ReplicationStatus: "REPLICA" });
  });

  it("set to fail, what is put is never copied by itself", async () => {
    await aws.control("POST", "replication", { mode: "failed" });
    const { Key } = await put(LOCK);
    expect(await status(Key)).to.equal("FAILED");
    await aws.control("POST", "replication", { mode: "ok" });
    expect(await status(Key)).to.equal("FAILED");
    expect(await replicaOf(Key)).to.equal("NotFound");
  });

  it("set to wait, what is put and changed is copied when it may be again, in order and whole", async () => {
    expect(await aws.control("POST", "replication", { mode: "pending" })).to.deep.equal({
      mode: "pending",
      pending: 0,
    });
    const first = await put(LOCK);
    const { VersionId } = await s3.putObject({ Bucket: SOURCE, Key: first.Key, Body: "second" });
    await s3.putObjectTagging({ Bucket: SOURCE, Key: first.Key, Tagging: { TagSet: [{ Key: "a", Value: "b" }] } });
    const other = await put();
    await s3.deleteObject({ Bucket: SOURCE, Key: other.Key });
    expect(await status(first.Key)).to.equal("PENDING");
    expect(await replicaOf(first.Key)).to.equal("NotFound");
    expect((await aws.control("GET", "replication")).pending).to.equal(4);
    await aws.control("POST", "replication", { mode: "ok" });
    expect(await status(first.Key)).to.equal("COMPLETED");
    expect(await status(first.Key, first.VersionId)).to.equal("COMPLETED");
    expect(await replicaOf(first.Key)).to.include({ VersionId });
    expect(await replicaOf(first.Key, first.VersionId)).to.include({ ObjectLockMode: "GOVERNANCE" });
    expect(await tagsOf(REPLICA, first.Key)).to.have.length(1);
    expect(await replicaOf(other.Key)).to.equal("NotFound");
    expect(await replicaOf(other.Key, other.VersionId)).to.include({ ReplicationStatus: "REPLICA" });
  });

  it("what waits does not hide what was written to the replica since", async () => {
    await aws.control("POST", "replication", { mode: "pending" });
    const { Key, VersionId } = await put();
    const later = await client(away).putObject({ Bucket: REPLICA, Key, Body: "written after the region was lost" });
    await aws.control("POST", "replication", { mode: "ok" });
    expect(await replicaOf(Key)).to.include({ VersionId: later.VersionId });
    expect(await replicaOf(Key, VersionId)).to.include({ ReplicationStatus: "REPLICA" });
  });

  it("refuses locks that AWS refuses", async () => {
    const refusal = (work: Promise<unknown>) =>
      work.then(
        () => "accepted",
        (error: Error) => error.name,
      );
    const past = new Date("2026-12-31T23:59:59Z");
    expect(await refusal(put({ ...LOCK, ObjectLockRetainUntilDate: past }))).to.equal("InvalidArgument");
    expect(await refusal(put({ ObjectLockMode: "GOVERNANCE" }))).to.equal("InvalidArgument");
    const { Key } = await put();
    const retain = (RetainUntilDate: Date) =>
      s3.putObjectRetention({ Bucket: SOURCE, Key, Retention: { Mode: "GOVERNANCE", RetainUntilDate } });
    expect(await refusal(retain(past))).to.equal("InvalidArgument");
    expect(await refusal(retain(until))).to.equal("accepted");
    const suspend = { Bucket: SOURCE, VersioningConfiguration: { Status: "Suspended" } } as const;
    expect(await refusal(s3.putBucketVersioning(suspend))).to.equal("InvalidBucketState");
  });
});
