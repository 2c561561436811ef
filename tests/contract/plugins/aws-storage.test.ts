import { S3 } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { awsProvider } from "../../../sandbox/plugins/aws/provider";
import { type MiniStack, startMiniStack } from "../../support/ministack";
import { type Held, PluginClient } from "../../support/plugin";
import { live } from "../../support/plugin-cycle";

const HERE = "ap-southeast-1";
const THERE = "ap-northeast-1";

describe("stand-in for aws: buckets", function () {
  this.timeout(60_000);
  let ministack: MiniStack;
  let plugin: PluginClient;
  let s3: S3;
  let there: S3;
  let bucket: Held;
  let replica: Held;

  before(async () => {
    ministack = await startMiniStack();
    plugin = await PluginClient.start(awsProvider, { region: HERE });
    s3 = new S3({ region: HERE, forcePathStyle: true });
    there = new S3({ region: THERE, forcePathStyle: true });
    const make = (name: string, region: string) =>
      plugin.make("aws:s3/bucket:Bucket", { bucket: name, objectLockEnabled: true, forceDestroy: true, region });
    bucket = await make("vault", HERE);
    replica = await make("vault-replica", THERE);
    for (const { id, inputs } of [bucket, replica]) {
      await plugin.make("aws:s3/bucketVersioning:BucketVersioning", {
        bucket: id,
        region: inputs.region,
        versioningConfiguration: { status: "Enabled" },
      });
    }
  });
  after(async () => {
    plugin?.close();
    await ministack?.stop();
  });

  it("Bucket", () =>
    live(plugin, {
      token: "aws:s3/bucket:Bucket",
      inputs: { bucket: "example-bucket", tags: { system: "a" }, region: THERE },
      change: { tags: { system: "b", other: "c" }, forceDestroy: true },
      replace: { bucket: "another", region: HERE, objectLockEnabled: true },
      unknown: ["arn", "bucketRegionalDomainName"],
      drift: {
        by: ({ id }) => there.putBucketTagging({ Bucket: id, Tagging: { TagSet: [{ Key: "x", Value: "y" }] } }),
        shows: ["tags.system", "tags.x"],
      },
      lose: ({ id }) => there.deleteBucket({ Bucket: id }),
    }));

  it("Bucket: the provider's region where the program names none", async () => {
    const held = await plugin.make("aws:s3/bucket:Bucket", { bucket: "somewhere" });
    expect(held.state).to.include({ region: HERE, bucketRegion: HERE, arn: "arn:aws:s3:::somewhere" });
    await plugin.delete(held);
  });

  it("Bucket: a name is made where the program gives none, and kept", async () => {
    const one = await plugin.check("aws:s3/bucket:Bucket", {});
    expect(one.inputs.bucket).to.match(/^example-[0-9a-f]{7}$/);
    const two = await plugin.check("aws:s3/bucket:Bucket", {}, { ...one.inputs, bucket: "example-1234567" });
    expect(two.inputs.bucket).to.equal("example-1234567");
  });

  it("Bucket: an existing one is never taken over", async () => {
    await expectRejected(plugin.make("aws:s3/bucket:Bucket", { bucket: "vault" }), /already exists/);
  });

  it("Bucket: is destroyed with what lies in it only where the program says so", async () => {
    const keep = await plugin.make("aws:s3/bucket:Bucket", { bucket: "keep", objectLockEnabled: true });
    const retention = { ObjectLockMode: "GOVERNANCE" as const, ObjectLockRetainUntilDate: new Date(Date.now() + 9e7) };
    await s3.putObject({ Bucket: "keep", Key: "a", Body: "1", ...retention });
    await s3.putObject({ Bucket: "keep", Key: "b", Body: "2", ObjectLockLegalHoldStatus: "ON", ...retention });
    await expectRejected(plugin.delete(keep), /BucketNotEmpty/);
    const { held } = await plugin.apply(keep, { bucket: "keep", objectLockEnabled: true, forceDestroy: true });
    await plugin.delete(held);
    expect(await plugin.read(held)).to.equal(undefined);
  });

  it("Bucket: import finds what a program would say", async () => {
    const found = await plugin.read({ token: "aws:s3/bucket:Bucket", id: "vault" });
    expect(found?.inputs).to.include({ bucket: "vault", objectLockEnabled: true });
  });

  it("BucketVersioning", () =>
    live(plugin, {
      token: "aws:s3/bucketVersioning:BucketVersioning",
      inputs: { bucket: replica.id, region: THERE, versioningConfiguration: { status: "Enabled" } },
      replace: { bucket: "another" },
      endsWithDelete: false,
    }));

  it("BucketVersioning: suspended when it is deleted, except under an object lock", async () => {
    const plain = await plugin.make("aws:s3/bucket:Bucket", { bucket: "plain" });
    const inputs = { bucket: plain.id, versioningConfiguration: { status: "Enabled" } };
    await plugin.delete(await plugin.make("aws:s3/bucketVersioning:BucketVersioning", inputs));
    expect((await s3.getBucketVersioning({ Bucket: "plain" })).Status).to.equal("Suspended");
    await plugin.delete(await plugin.make("aws:s3/bucketVersioning:BucketVersioning", { ...inputs, bucket: "vault" }));
    expect((await s3.getBucketVersioning({ Bucket: "vault" })).Status).to.equal("Enabled");
    await plugin.delete(plain);
  });

  it("BucketServerSideEncryptionConfiguration", () =>
    live(plugin, {
      token: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
      inputs: { bucket: bucket.id, rules: [encryption("arn:aws:kms:ap-southeast-1:000000000000:key/one")] },
      change: { rules: [encryption("arn:aws:kms:ap-southeast-1:000000000000:key/two")] },
      replace: { bucket: "another" },
      drift: {
        by: ({ id }) =>
          s3.putBucketEncryption({
            Bucket: id,
            ServerSideEncryptionConfiguration: {
              Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
            },
          }),
        shows: ["rules[0].applyServerSideEncryptionByDefault.sseAlgorithm", "rules[0].bucketKeyEnabled"],
      },
      endsWithDelete: false,
    }));

  it("BucketObjectLockConfiguration", () =>
    live(plugin, {
      token: "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
      inputs: { bucket: bucket.id, rule: { defaultRetention: { mode: "GOVERNANCE", days: 2 } } },
      change: { rule: { defaultRetention: { mode: "GOVERNANCE", days: 7 } } },
      drift: {
        by: ({ id }) =>
          s3.putObjectLockConfiguration({ Bucket: id, ObjectLockConfiguration: { ObjectLockEnabled: "Enabled" } }),
        shows: ["rule"],
      },
      endsWithDelete: false,
    }));

  it("BucketLifecycleConfiguration", () =>
    live(plugin, {
      token: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
      inputs: { bucket: bucket.id, rules: lifecycle(3) },
      change: { rules: lifecycle(4).reverse() },
      replace: { bucket: "another" },
      drift: {
        by: ({ id }) =>
          s3.putBucketLifecycleConfiguration({
            Bucket: id,
            LifecycleConfiguration: {
              Rules: [{ ID: "hourly", Status: "Enabled", Filter: { Prefix: "hourly/" }, Expiration: { Days: 1 } }],
            },
          }),
        shows: ["rules[0].expiration.days", "rules[1]"],
      },
      lose: ({ id }) => s3.deleteBucketLifecycle({ Bucket: id }),
    }));

  it("BucketReplicationConfig", () =>
    live(plugin, {
      token: "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
      inputs: replication("one"),
      change: { ...replication("two"), role: "arn:aws:iam::000000000000:role/other" },
      drift: {
        by: async ({ id }) => {
          const { ReplicationConfiguration: now } = await s3.getBucketReplication({ Bucket: id });
          const Rules = now?.Rules?.map((rule) => ({ ...rule, Status: "Disabled" as const }));
          await s3.putBucketReplication({ Bucket: id, ReplicationConfiguration: { Role: now?.Role, Rules } });
        },
        shows: ["rules[0].status"],
      },
      lose: ({ id }) => s3.deleteBucketReplication({ Bucket: id }),
    }));

  it("BucketPublicAccessBlock", () =>
    live(plugin, {
      token: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
      inputs: { bucket: bucket.id, blockPublicAcls: true, blockPublicPolicy: true, restrictPublicBuckets: true },
      change: { ignorePublicAcls: true },
      drift: {
        by: ({ id }) =>
          s3.putPublicAccessBlock({ Bucket: id, PublicAccessBlockConfiguration: { BlockPublicAcls: false } }),
        shows: ["blockPublicAcls", "blockPublicPolicy"],
      },
      lose: ({ id }) => s3.deletePublicAccessBlock({ Bucket: id }),
    }));

  it("BucketOwnershipControls", () =>
    live(plugin, {
      token: "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
      inputs: { bucket: bucket.id, rule: { objectOwnership: "BucketOwnerEnforced" } },
      change: { rule: { objectOwnership: "BucketOwnerPreferred" } },
      lose: ({ id }) => s3.deleteBucketOwnershipControls({ Bucket: id }),
    }));

  it("BucketPolicy", () =>
    live(plugin, {
      token: "aws:s3/bucketPolicy:BucketPolicy",
      inputs: { bucket: bucket.id, policy: policy("s3:PutObject") },
      change: { policy: policy("s3:DeleteObject") },
      drift: {
        by: ({ id }) => s3.putBucketPolicy({ Bucket: id, Policy: policy("s3:GetObject") }),
        shows: ["policy"],
      },
      lose: ({ id }) => s3.deleteBucketPolicy({ Bucket: id }),
    }));

  it("BucketPolicy: another order of the same is no change", async () => {
    const held = await plugin.make("aws:s3/bucketPolicy:BucketPolicy", {
      bucket: bucket.id,
      policy: policy("s3:PutObject"),
    });
    const document = JSON.parse(policy("s3:PutObject"));
    const { Statement, Version } = document;
    Statement[0].Resource.reverse();
    const reordered = JSON.stringify({ Statement, Version });
    expect((await plugin.apply(held, { bucket: bucket.id, policy: reordered })).diff.changed).to.equal(false);
    await plugin.delete(held);
  });
});

async function expectRejected(work: Promise<unknown>, words: RegExp): Promise<void> {
  const message = await work.then(
    () => "nothing failed",
    (error: Error) => error.message,
  );
  expect(message).to.match(words);
}

const encryption = (kmsMasterKeyId: string) => ({
  applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId },
  bucketKeyEnabled: true,
});

const lifecycle = (days: number) => [
  {
    id: "hourly",
    status: "Enabled",
    filter: { prefix: "hourly/" },
    expiration: { days },
    noncurrentVersionExpiration: { noncurrentDays: days + 1, newerNoncurrentVersions: 2 },
  },
  {
    id: "parts",
    status: "Enabled",
    filter: { and: { prefix: "media/", tags: { a: "b" } } },
    abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
    transitions: [{ days: 30, storageClass: "STANDARD_IA" }],
  },
  { id: "markers", status: "Enabled", filter: {}, expiration: { expiredObjectDeleteMarker: true } },
];

const replication = (id: string) => ({
  bucket: "vault",
  role: "arn:aws:iam::000000000000:role/replication",
  rules: [
    {
      id,
      status: "Enabled",
      priority: 1,
      filter: { prefix: "" },
      deleteMarkerReplication: { status: "Enabled" },
      sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
      destination: {
        bucket: "arn:aws:s3:::vault-replica",
        encryptionConfiguration: { replicaKmsKeyId: "arn:aws:kms:ap-northeast-1:000000000000:key/x" },
        metrics: { status: "Enabled", eventThreshold: { minutes: 15 } },
        replicationTime: { status: "Enabled", time: { minutes: 15 } },
      },
    },
  ],
});

const policy = (action: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "Tls",
        Effect: "Deny",
        Principal: "*",
        Action: [action],
        Resource: ["arn:aws:s3:::vault", "arn:aws:s3:::vault/*"],
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  });
