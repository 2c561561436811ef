/** The media sync as the function runs it: the bundle's handler, the role's rights alone, MiniStack and Cloudinary's emulator. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { claimCurrentApp } from "../../backup/current-app";
import { assetPath, mediaKeys, mediaManifestKey, recoveryRoleName, runTableName } from "../../backup/layout";
import { type MediaManifest, newestMediaManifest } from "../../backup/media/manifest";
import type { MediaResult } from "../../backup/media/ports";
import { mediaStatus } from "../../backup/media/status";
import { verifyMedia } from "../../backup/media/verify";
import { Cloudinary } from "../../clients/cloudinary";
import type { AssetName } from "../../clients/cloudinary-schemas";
import { RunTable } from "../../clients/runs";
import { Vault } from "../../clients/vault";
import { handler } from "../../functions/media-sync/handler";
import {
  BUCKETS,
  lambdaContext,
  MEDIA_BUCKETS,
  PRIMARY,
  REPLICA,
  ROOT,
  roleEnvironment,
  SYSTEM,
  startTestAws,
  type TestAws,
  withEnvironment,
} from "./capture-support";
import { Bench, ACCOUNT as CLOUD, dataUri, png } from "./cloudinary-support";

type Synced = Extract<MediaResult, { outcome: "synced" }>;
const DAILY = { trigger: "schedule", requestedBy: "schedule" };
const MANUAL = { trigger: "manual", requestedBy: "test" };
const PDF = Buffer.from("%PDF-1.7\n%%EOF\n");

describe("media sync against MiniStack and Cloudinary's emulator", function () {
  this.timeout(60_000);
  const bench = new Bench();
  let aws: TestAws;

  before(async () => {
    // Without delivery of PDFs, as new accounts have it.
    await Promise.all([bench.start({ deliverPdf: false }), startTestAws().then((started) => (aws = started))]);
    const { uploader } = bench.sdk;
    for (let index = 0; index < 6; index++) {
      await uploader.upload(dataUri(png(index)), {
        public_id: `ward ${index}/photo/über+1`,
        tags: "ward",
        backup: true,
      });
    }
    await uploader.upload(dataUri(png(50)), { public_id: "closed", type: "authenticated" });
    await uploader.upload(dataUri(PDF, "application/pdf"), { public_id: "certificate" });
    await uploader.upload(dataUri(Buffer.from("a,b\n1,2\n"), "text/csv"), {
      public_id: "private/list.csv",
      resource_type: "raw",
      type: "private",
    });
  });
  after(async () => {
    await Promise.all([bench.stop(), aws?.stop()]);
  });

  const ward = (index: number): AssetName => ({
    resourceType: "image",
    type: "upload",
    publicId: `ward ${index}/photo/über+1`,
  });
  const keyOf = (name: AssetName) => mediaKeys(SYSTEM, assetPath(name)).asset;
  const environment = () => ({
    SYSTEM,
    APP: "usc-pis",
    PRIMARY_REGION: PRIMARY,
    REPLICA_REGION: REPLICA,
    VAULT_BUCKET: BUCKETS.primary,
    REPLICA_BUCKET: BUCKETS.replica,
    RUN_TABLE: runTableName(SYSTEM),
    SECRET_ARN: aws.mediaSecretArn,
    MEDIA_BUCKET: MEDIA_BUCKETS.primary,
    CLOUDINARY_CLOUD_NAME: CLOUD.cloudName,
    CLOUDINARY_API_URL: bench.running.url,
    POWERTOOLS_LOG_LEVEL: "SILENT",
  });
  const role = (name: string) => roleEnvironment(aws, name);
  const run = async (event: object, milliseconds?: number) =>
    withEnvironment({ ...(await role(`${SYSTEM}-media-sync`)), ...environment() }, () =>
      handler(event, lambdaContext(milliseconds)),
    );
  const asRecovery = async <T>(work: () => Promise<T>) => withEnvironment(await role(recoveryRoleName(SYSTEM)), work);
  const media = (side: "primary" | "replica") =>
    new Vault({ side, region: side === "primary" ? PRIMARY : REPLICA, bucket: MEDIA_BUCKETS[side] });
  const s3 = (region = PRIMARY) => new S3Client({ region, endpoint: aws.url, credentials: ROOT });
  const manifest = async (): Promise<MediaManifest> => {
    const found = await asRecovery(() => newestMediaManifest(media("primary"), SYSTEM, new Date()));
    if (!found) throw new Error("there is no manifest");
    return found;
  };
  const verify = (side: "primary" | "replica" = "primary") =>
    asRecovery(() => {
      const cloudinary = new Cloudinary({ ...CLOUD, apiUrl: bench.running.url });
      return verifyMedia(SYSTEM, cloudinary, media(side), new Date(), new AbortController().signal);
    });
  /** On the same port: a listing that is gone on with names the addresses of assets. */
  const restart = async (options: Parameters<Bench["start"]>[0]) => {
    const port = Number(new URL(bench.running.url).port);
    await bench.running.close();
    await bench.start({ port, ...options });
  };

  it("refuses to write before the app is claimed", async () => {
    expect(await run(DAILY)).to.include({ outcome: "refused" });
  });

  it("is stopped by Cloudinary's hourly limit, and gone on with by the next run", async () => {
    await asRecovery(() =>
      claimCurrentApp([new Vault({ side: "primary", region: PRIMARY, bucket: BUCKETS.primary })], {
        system: SYSTEM,
        app: "usc-pis",
        claimedBy: "test",
        takeOver: false,
        now: new Date(),
      }),
    );
    await restart({ deliverPdf: false, adminLimitPerHour: 8 });
    const paused = await run(DAILY);
    expect(paused).to.include({ outcome: "paused" });
    await restart({ deliverPdf: false });
    const result = (await run(DAILY)) as Synced;
    expect(result).to.include({ outcome: "synced", status: "success", assets: 9, fetched: 9 });
    expect(result.id).to.equal((paused as { id: string }).id);
    expect(result.calls, "the rest of the ten").to.equal(6);
    expect(await run(DAILY)).to.include({ outcome: "already_done" });
  });

  it("mirrored every byte, locked, encrypted with the vault's key, checked and replicated", async () => {
    const { assets, id, counts } = await manifest();
    expect(counts).to.deep.include({ listed: 9, counted: 9, mirrored: 9 });
    const expected: Record<string, Buffer> = {
      closed: png(50),
      certificate: PDF,
      "private/list.csv": Buffer.from("a,b\n1,2\n"),
      ...Object.fromEntries(Array.from({ length: 6 }, (_, index) => [ward(index).publicId, png(index)])),
    };
    expect(assets.map(({ publicId }) => publicId)).to.have.members(Object.keys(expected));
    for (const { publicId, key, versionId, sha256, version } of assets) {
      const object = { Bucket: MEDIA_BUCKETS.primary, Key: key, VersionId: versionId };
      const answer = await s3().send(new GetObjectCommand(object));
      const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
      expect(bytes.equals(expected[publicId] as Buffer), publicId).to.equal(true);
      const head = await s3().send(new HeadObjectCommand({ ...object, ChecksumMode: "ENABLED" }));
      expect(head).to.include({ ServerSideEncryption: "aws:kms", SSEKMSKeyId: aws.keys.primary });
      expect(head.ReplicationStatus).to.equal("COMPLETED");
      expect(Buffer.from(head.ChecksumSHA256 ?? "", "base64").toString("hex")).to.equal(sha256);
      expect(head.Metadata).to.deep.equal({ "cloudinary-version": String(version) });
      const { Retention } = await s3().send(new GetObjectRetentionCommand(object));
      expect(Retention?.Mode).to.equal("GOVERNANCE");
      expect(Retention?.RetainUntilDate?.getTime()).to.be.above(Date.now() + 29.9 * 86_400_000);
    }
    const records = await withEnvironment(await role(recoveryRoleName(SYSTEM)), () =>
      new RunTable({ table: runTableName(SYSTEM), region: PRIMARY }).newest(5),
    );
    expect(records.find((record) => record.id === id)).to.include({ type: "media", status: "success", assets: 9 });
  });

  it("equals Cloudinary on both sides, and says so when it does not", async () => {
    for (const side of ["primary", "replica"] as const) {
      expect(await verify(side), side).to.deep.include({
        status: "pass",
        listed: 9,
        mirrored: 9,
        differs: [],
        vanished: [],
      });
    }
    await bench.sdk.uploader.upload(dataUri(png(60)), { public_id: ward(0).publicId, tags: "ward" });
    await bench.sdk.uploader.destroy(ward(1).publicId);
    await bench.sdk.uploader.add_tag("seen", [ward(2).publicId]);
    const { status, differs, vanished, described } = await verify();
    expect(status).to.equal("fail");
    expect(differs.map(({ path }) => path)).to.deep.equal([assetPath(ward(0))]);
    expect(vanished).to.deep.equal([assetPath(ward(1))]);
    expect(described).to.deep.equal([assetPath(ward(2))]);
  });

  it("replaces, describes and hides on both sides, and keeps what was there by its version", async () => {
    const before = await manifest();
    const result = (await run(MANUAL)) as Synced;
    // Nine listings, the count, and one question about what is gone.
    expect(result).to.include({ status: "success", fetched: 1, described: 1, deleted: 1, assets: 8, calls: 11 });
    expect(await verify()).to.include({ status: "pass", listed: 8 });
    expect(await verify("replica")).to.include({ status: "pass", mirrored: 8 });
    const told = await manifest();
    expect(told.deleted.map(({ publicId }) => publicId)).to.deep.equal([ward(1).publicId]);
    for (const name of [ward(0), ward(1)]) {
      const old = before.assets.find(({ publicId }) => publicId === name.publicId);
      const kept = await asRecovery(async () => {
        const own = new S3Client({ region: PRIMARY });
        const object = { Bucket: MEDIA_BUCKETS.primary, Key: keyOf(name), VersionId: old?.versionId };
        return (await own.send(new GetObjectCommand(object))).Body?.transformToByteArray();
      });
      expect(Buffer.from(kept ?? []).equals(png(name === ward(0) ? 0 : Number(name.publicId[5])))).to.equal(true);
    }
    const gone = await s3()
      .send(new HeadObjectCommand({ Bucket: MEDIA_BUCKETS.primary, Key: keyOf(ward(1)) }))
      .catch((error) => error);
    expect(gone.$metadata.httpStatusCode).to.equal(404);
    const facts = await asRecovery(() => media("primary").getText(mediaKeys(SYSTEM, assetPath(ward(2))).facts));
    expect(JSON.parse(facts?.text ?? "{}").facts.tags).to.deep.equal(["ward", "seen"]);
    const idle = (await run(MANUAL)) as Synced;
    expect(idle).to.include({ fetched: 0, described: 0, deleted: 0, calls: 10 });
  });

  it("is told of by status from either side, also when the other does not answer", async () => {
    const lost = new Vault({ side: "primary", region: PRIMARY, bucket: "usc-pis-media-lost" });
    const signal = new AbortController().signal;
    const { id } = await manifest();
    await asRecovery(async () => {
      const tables = [PRIMARY, REPLICA].map((region) => new RunTable({ table: runTableName(SYSTEM), region }));
      const both = await mediaStatus(SYSTEM, [media("primary"), media("replica")], tables, new Date(), signal);
      expect(both).to.include({ side: "primary", manifests: 3 });
      expect([both.newest?.id, both.runs[0]?.id, both.runs.length, both.failures]).to.deep.equal([id, id, 3, []]);
      const one = await mediaStatus(SYSTEM, [lost, media("replica")], tables, new Date(), signal);
      expect([one.side, one.newest?.id, one.failures[0]?.side]).to.deep.equal(["replica", id, "primary"]);
    });
  });

  it("can end no version and hide no manifest with its own rights", async () => {
    const { id, assets } = await manifest();
    const { key: Key, versionId: VersionId } = assets[0] ?? {};
    await withEnvironment(await role(`${SYSTEM}-media-sync`), async () => {
      const own = new S3Client({ region: PRIMARY });
      const Bucket = MEDIA_BUCKETS.primary;
      for (const object of [
        { Key, VersionId },
        { Key: mediaManifestKey(SYSTEM, id) },
        { Key: "media/other/asset/x" },
      ]) {
        const refused = await own.send(new DeleteObjectCommand({ Bucket, ...object })).catch((error) => error.name);
        expect(refused, JSON.stringify(object)).to.equal("AccessDenied");
      }
    });
  });

  it("fails in its own words on expired credentials and at the time limit", async () => {
    await bench.sdk.uploader.upload(dataUri(png(70)), { public_id: "late" });
    const late = await run(MANUAL, 20_000).catch((error) => error);
    expect(late.name).to.equal("time_limit");
    expect(late.message).to.contain("did not end within its 0 s").and.contain("goes on where this one stood");
    await restart({ apiSecret: "rotated" });
    const error = await run(MANUAL).catch((cause) => cause);
    await restart({});
    expect(error.name).to.equal("unauthorized");
    expect(error.message).to.contain("cloudinaryApiSecret").and.not.contain(CLOUD.apiSecret);
    expect(await run(MANUAL)).to.include({ outcome: "synced", status: "success", fetched: 1 });
  });
});
