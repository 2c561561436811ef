import { createHash } from "node:crypto";
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListMultipartUploadsCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { expect } from "chai";
import { openDownload } from "../../backup/download";
import { runTableName } from "../../backup/layout";
import type { RunRecord } from "../../backup/run-record";
import { connectionConfig, inspectDatabase } from "../../clients/database";
import { RunTable } from "../../clients/runs";
import { Vault } from "../../clients/vault";
import {
  BUCKETS,
  CLINIC_SQL,
  newApp,
  PRIMARY,
  ROOT,
  SYSTEM,
  sql,
  startTestAws,
  startTestHeroku,
  type TestAws,
  type TestHeroku,
  withEnvironment,
} from "./capture-support";

const MIB = 1024 ** 2;
const SMALL_CHUNK = 4_096;

/** Bytes that are the same each time, in chunks as small as a slow network gives them. */
async function* stream(bytes: number, chunk = SMALL_CHUNK): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < bytes; sent += chunk)
    yield Buffer.alloc(Math.min(chunk, bytes - sent), (sent / chunk) % 251);
}

async function sha256(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  return hash.digest("hex");
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return "done";
}

describe("the clients of the vault, the table of runs and the database", function () {
  this.timeout(120_000);
  let aws: TestAws;
  const until = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3 * 86_400_000);
  const s3 = () => new S3Client({ region: PRIMARY, endpoint: aws.url, credentials: ROOT });
  const vault = (more = {}) =>
    new Vault({
      side: "primary",
      region: PRIMARY,
      bucket: BUCKETS.primary,
      credentials: ROOT,
      ...more,
    });
  const inParts = { singlePutMaxBytes: MIB, partBytes: 5 * MIB };
  const key = (name: string) => `hourly/${SYSTEM}/${name}`;
  const uploads = async () =>
    (await s3().send(new ListMultipartUploadsCommand({ Bucket: BUCKETS.primary }))).Uploads ?? [];

  before(async () => {
    aws = await startTestAws();
    process.env.AWS_ENDPOINT_URL = aws.url;
  });
  after(async () => {
    delete process.env.AWS_ENDPOINT_URL;
    await aws?.stop();
  });

  for (const [name, more, bytes] of [
    ["one request", {}, 3 * MIB + 17],
    ["parts", inParts, 12 * MIB + 17],
  ] as const) {
    describe(`of a stream in ${name}`, () => {
      it("hold what was sent, with its checksum and its lock, and read it back", async () => {
        const sent = await vault(more).putStream(key(name), stream(bytes), bytes, { retainUntil: until });
        expect(sent.sha256).to.equal(await sha256(stream(bytes)));
        const head = await vault().head(key(name), sent.versionId);
        expect(head).to.include({ bytes, checksum: sent.checksum });
        await vault().ensureRetention(key(name), sent.versionId, until);
        const { Retention } = await s3().send(
          new GetObjectRetentionCommand({ Bucket: BUCKETS.primary, Key: key(name) }),
        );
        expect(Retention).to.deep.equal({ Mode: "GOVERNANCE", RetainUntilDate: until });
        const body = await vault().getStream(key(name));
        expect(body && (await sha256(body))).to.equal(sent.sha256);
      });

      it("never replace an object", async () => {
        const again = () => vault(more).putStream(key(name), stream(bytes - 1), bytes - 1);
        expect(await codeOf(again())).to.equal("exists");
      });

      it("replace exactly the version that is named, with metadata, and keep it below; hide what is current", async () => {
        const at = key(`${name}-replaced`);
        const put = (size: number, more_ = {}) => vault(more).putStream(at, stream(size), size, more_);
        const first = await put(bytes, { metadata: { "cloudinary-version": "1" } });
        const [{ etag } = { etag: "" }] = await vault().listVersions(at);
        expect(etag).to.match(/^"[0-9a-f-]+"$/);
        expect((await vault().head(at))?.metadata).to.deep.equal({ "cloudinary-version": "1" });
        expect(await codeOf(put(bytes - 2, { replaces: '"0123456789abcdef0123456789abcdef"' }))).to.equal("exists");
        const second = await put(bytes - 1, { replaces: etag });
        const versions = await vault().listVersions(at);
        expect(versions.map(({ versionId }) => versionId)).to.deep.equal([second.versionId, first.versionId]);
        await vault().hide(at);
        expect(await vault().head(at)).to.equal(undefined);
        expect(await vault().head(at, first.versionId)).to.include({ bytes });
        // Where nothing is current any more, nothing is replaced either.
        expect(await put(bytes)).to.include({ bytes });
      });

      it("keep nothing of a stream that breaks, or is not as long as was said", async () => {
        async function* broken() {
          yield* stream(bytes / 2);
          throw new Error("cut");
        }
        const at = key(`${name}-broken`);
        await vault(more)
          .putStream(at, broken(), bytes)
          .then(
            () => expect.fail("it was taken"),
            (error) => expect(error.message).to.contain("cut"),
          );
        expect(await codeOf(vault(more).putStream(at, stream(bytes - 1), bytes))).to.equal("truncated");
        expect(await codeOf(vault(more).putStream(at, stream(bytes + 1), bytes))).to.equal("truncated");
        const stop = new AbortController();
        async function* aborted() {
          yield* stream(bytes / 2);
          stop.abort(Object.assign(new Error("limit"), { code: "time_limit" }));
          yield* stream(bytes - bytes / 2);
        }
        expect(await codeOf(vault(more).putStream(at, aborted(), bytes, { signal: stop.signal }))).to.equal(
          "time_limit",
        );
        expect(await vault().head(at)).to.equal(undefined);
        expect(await uploads()).to.deep.equal([]);
      });
    });
  }

  it("set a lock that was lost, and say so when it cannot be set", async () => {
    const sent = await vault().putStream(key("unlocked"), stream(100), 100);
    await vault().ensureRetention(key("unlocked"), sent.versionId, until);
    expect((await vault().head(key("unlocked")))?.retainUntil).to.deep.equal(until);
  });

  it("end uploads that were left below a prefix, and no others", async () => {
    for (const Key of [key("dead/database.dump"), key("other/database.dump")]) {
      await s3().send(new CreateMultipartUploadCommand({ Bucket: BUCKETS.primary, Key }));
    }
    expect(await vault().abortUploads(key("dead/"))).to.equal(1);
    expect((await uploads()).map((each) => each.Key)).to.deep.equal([key("other/database.dump")]);
    await vault().abortUploads(key("other/"));
  });

  it("write conditionally, list versions below a delete marker, and sign URLs for one version", async () => {
    const name = key("text");
    const first = await vault().putText(name, "one", { absent: true });
    expect(await codeOf(vault().putText(name, "two", { absent: true }))).to.equal("exists");
    const second = await vault().putText(name, "two", { etag: first.etag ?? "" });
    expect(await codeOf(vault().putText(name, "three", { etag: first.etag ?? "" }))).to.equal("exists");
    await s3().send(new DeleteObjectCommand({ Bucket: BUCKETS.primary, Key: name }));
    expect(await vault().getText(name)).to.equal(undefined);
    const versions = await vault().listVersions(name);
    expect(versions.map((each) => [each.deleteMarker, each.bytes])).to.deep.equal([
      [false, 3],
      [false, 3],
      [true, 0],
    ]);
    expect((await vault().getText(name, second.versionId))?.text).to.equal("two");
    const url = await vault().presign(name, first.versionId, 60);
    expect(await (await fetch(url)).text()).to.equal("one");
    const other = url.replace(first.versionId ?? "", second.versionId ?? "");
    expect((await fetch(other)).status, "the signature holds for one version only").to.equal(403);
  });

  it("say which bucket does not answer", async () => {
    const away = { AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
    expect(await withEnvironment(away, () => codeOf(vault().getText("x")))).to.equal("vault_unreachable");
    expect(await codeOf(vault({ bucket: "not-there" }).list("x"))).to.equal("vault_refused");
  });

  it("carry a large stream of small chunks in bounded memory", async () => {
    const bytes = 256 * MIB;
    for (const more of [{}, { singlePutMaxBytes: MIB, partBytes: 16 * MIB }]) {
      const name = key(`large-${Object.keys(more).length}`);
      global.gc?.();
      const before = process.memoryUsage().rss;
      let peak = before;
      const watch = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage().rss);
      }, 20);
      await vault(more).putStream(name, stream(bytes), bytes);
      clearInterval(watch);
      const used = (peak - before) / MIB;
      // Three parts of 16 MiB, what the SDK copies, and garbage not yet collected; the whole stream would be 256 MiB.
      expect(used, `${Math.round(used)} MiB for ${JSON.stringify(more)}`).to.be.below(190);
      await vault().head(name);
    }
  });

  describe("the table of runs", () => {
    const runs = () => new RunTable({ table: runTableName(SYSTEM), region: PRIMARY, credentials: ROOT });
    const record = (id: string): RunRecord => ({
      id,
      type: "database",
      status: "in_progress",
      app: "usc-pis",
      trigger: "schedule",
      requestedBy: "scheduler",
      slot: "2026-05-23T14:00Z",
      startedAt: "2026-05-23T14:17:00.000Z",
      notes: [],
    });

    it("gives records back, newest first", async () => {
      for (const id of ["20260523T141700Z-00000001", "20260523T151700Z-00000001", "20260523T131700Z-00000001"]) {
        await runs().put(record(id));
      }
      await runs().put({ ...record("20260523T131700Z-00000001"), status: "success", bytes: 9 });
      expect((await runs().newest(2)).map((each) => each.id.slice(9, 13))).to.deep.equal(["1517", "1417"]);
      expect(await runs().get("20260523T131700Z-00000001")).to.include({ status: "success", bytes: 9 });
      expect(await runs().get("none")).to.equal(undefined);
    });

    it("lets exactly one of many hold a lock, until it ends", async () => {
      const now = new Date();
      const owners = Array.from({ length: 12 }, (_, index) => `owner-${index}`);
      const got = await Promise.all(owners.map((owner) => runs().acquireLock("test", owner, now, 1_000)));
      expect(got.filter(Boolean)).to.have.lengthOf(1);
      const holder = owners[got.indexOf(true)] as string;
      expect(await runs().acquireLock("test", holder, now, 1_000), "a repeated request of the holder").to.equal(true);
      expect(await runs().renewLock("test", "somebody else", now, 1_000)).to.equal(false);
      expect(await runs().renewLock("test", holder, now, 5_000)).to.equal(true);
      const later = new Date(now.getTime() + 4_000);
      expect(await runs().acquireLock("test", "late", later, 1_000)).to.equal(false);
      await runs().releaseLock("test", "late");
      expect(await runs().acquireLock("test", "late", new Date(now.getTime() + 6_000), 1_000)).to.equal(true);
      await runs().releaseLock("test", holder);
      expect(await runs().renewLock("test", "late", later, 1_000), "the former holder took nothing").to.equal(true);
      await runs().releaseLock("test", "late");
    });
  });

  describe("the database", () => {
    let heroku: TestHeroku;
    let url: string;
    before(async () => {
      heroku = await startTestHeroku();
      url = (await newApp(heroku, "usc-pis-db")).url;
      await sql(url, ...CLINIC_SQL, 'CREATE SCHEMA "Other one"', 'CREATE TABLE "Other one"."Odd ""name" (x int)');
    });
    after(async () => heroku?.stop());

    it("is counted exactly, table by table, whatever their names", async () => {
      const facts = await inspectDatabase(url);
      expect(facts.tables).to.deep.equal({
        authentication_user: 7,
        patients_patient: 5,
        django_migrations: 2,
        'Other one.Odd "name': 0,
      });
      expect(facts.migrations).to.deep.equal(["auth.0001_initial", "patients.0001_initial"]);
      expect(facts.serverVersion).to.match(/^\d+\.\d+$/);
      expect(facts.bytes).to.be.greaterThan(1_000_000);
    });

    it("is never waited for without end, and its password is in no error", async () => {
      const locked = sql(url, "BEGIN; LOCK TABLE patients_patient; SELECT pg_sleep(3); COMMIT");
      await new Promise((resolve) => setTimeout(resolve, 300));
      const error = await inspectDatabase(url, { statementTimeoutMs: 200 }).catch((cause) => cause);
      expect(error.code).to.equal("database_failed");
      expect(error.message).to.contain("statement timeout");
      const stop = new AbortController();
      setTimeout(() => stop.abort(new Error("enough")), 100);
      const aborted = await inspectDatabase(url, { signal: stop.signal }).catch((cause) => cause);
      expect(aborted.message).to.equal("enough");
      await locked;
      const { password } = new URL(url);
      const wrong = await inspectDatabase(url.replace(password, "wrong-password")).catch((cause) => cause);
      const nobody = await inspectDatabase("postgres://u:wrong-password@127.0.0.1:1/d?sslmode=disable").catch(
        (cause) => cause,
      );
      for (const each of [wrong, nobody])
        expect(JSON.stringify([each, each.message, each.stack])).to.not.contain("wrong-password");
      expect(nobody.code).to.equal("database_unreachable");
    });

    it("is reached by TLS unless its URL says otherwise", () => {
      expect(connectionConfig("postgres://u:p@h/d").ssl).to.deep.equal({ rejectUnauthorized: false });
      expect(connectionConfig("postgres://u:p@h/d?sslmode=require").ssl).to.deep.equal({ rejectUnauthorized: false });
      expect(connectionConfig("postgres://u:p@h/d?sslmode=disable")).to.deep.equal({
        connectionString: "postgres://u:p@h/d",
        ssl: false,
      });
      expect(() => connectionConfig("nonsense")).to.throw("cannot be read");
    });
  });

  it("a download whose server falls silent ends", async () => {
    const silent: typeof fetch = async (_url, init) =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(Buffer.from("PGDMP".padEnd(100)));
            init?.signal?.addEventListener("abort", () => controller.error(init.signal?.reason));
          },
        }),
      );
    const download = await openDownload("https://dump.invalid", { fetch: silent, stallMs: 50 });
    const error = await sha256(download.body).catch((cause) => cause);
    expect(error.code).to.equal("download_failed");
    expect(error.message).to.contain("no byte came");
  });
});
