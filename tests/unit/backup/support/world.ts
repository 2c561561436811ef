/** A vault, a Heroku and a clock in memory: what a capture and a restore touch, each of which can be told to fail. */
import { createHash, randomUUID } from "node:crypto";
import type { CapturePorts, CaptureSettings } from "../../../../backup/capture-ports";
import { MINIMUM_RETENTION_DAYS } from "../../../../backup/classes";
import { claimCurrentApp } from "../../../../backup/current-app";
import { openDownload } from "../../../../backup/download";
import { UscPisError } from "../../../../backup/errors";
import type { RestorePorts } from "../../../../backup/restore";
import type { RunRecord, RunStore } from "../../../../backup/run-record";
import type { DatabaseFacts } from "../../../../clients/database";
import type { HerokuSchedule, HerokuTransfer } from "../../../../clients/heroku-schemas";
import { HttpError } from "../../../../clients/http";
import type { Pace } from "../../../../clients/retry";
import type { Condition, ObjectVersion, WriteOptions } from "../../../../clients/vault";

export class FakePace implements Pace {
  slept = 0;
  /** Called when time passes: lets things happen meanwhile. */
  onSleep: () => void = () => undefined;
  constructor(private time: Date) {}
  now = () => new Date(this.time);
  random = () => 0.5;
  advance(milliseconds: number): void {
    this.time = new Date(this.time.getTime() + milliseconds);
  }
  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.slept += milliseconds;
    this.advance(milliseconds);
    this.onSleep();
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
}

interface Stored {
  versionId: string;
  bytes: Buffer;
  modified: Date;
  deleteMarker: boolean;
  retainUntil?: Date;
  checksum?: string;
  metadata?: Readonly<Record<string, string>>;
}

export class FakeVault {
  readonly objects = new Map<string, Stored[]>();
  readonly uploads: string[] = [];
  down = false;
  constructor(
    readonly side: "primary" | "replica",
    readonly bucket: string,
    private readonly now: () => Date,
  ) {}

  private answer(): void {
    if (this.down) throw new UscPisError("vault_unreachable", `${this.bucket} does not answer`);
  }
  private current(key: string): Stored | undefined {
    const last = this.objects.get(key)?.at(-1);
    return last?.deleteMarker ? undefined : last;
  }
  private find(key: string, versionId?: string): Stored | undefined {
    if (versionId === undefined) return this.current(key);
    return this.objects.get(key)?.find((each) => each.versionId === versionId && !each.deleteMarker);
  }
  add(key: string, bytes: Buffer, retainUntil?: Date): Stored {
    const checksum = createHash("sha256").update(bytes).digest("base64");
    const stored: Stored = {
      versionId: randomUUID(),
      bytes,
      modified: this.now(),
      deleteMarker: false,
      checksum,
      ...(retainUntil ? { retainUntil } : {}),
    };
    this.objects.set(key, [...(this.objects.get(key) ?? []), stored]);
    return stored;
  }
  async hide(key: string): Promise<void> {
    this.answer();
    const marker = { versionId: randomUUID(), bytes: Buffer.alloc(0), modified: this.now(), deleteMarker: true };
    this.objects.get(key)?.push(marker);
  }
  async putStream(key: string, body: AsyncIterable<Uint8Array>, bytes: number, write: WriteOptions = {}) {
    this.answer();
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    const all = Buffer.concat(chunks);
    if (all.length !== bytes)
      throw new UscPisError("truncated", `the stream gave only ${all.length} bytes, expected ${bytes}`);
    if (this.current(key)?.versionId !== write.replaces) throw new UscPisError("exists", `${key} exists`);
    const stored = this.add(key, all, write.retainUntil);
    if (write.metadata) stored.metadata = write.metadata;
    const sha256 = createHash("sha256").update(all).digest("hex");
    return { versionId: stored.versionId, bytes: all.length, sha256, checksum: stored.checksum ?? "" };
  }
  async putText(key: string, text: string, condition: Condition, write: WriteOptions = {}) {
    this.answer();
    const there = this.current(key);
    const holds = condition === undefined || ("absent" in condition ? !there : there?.versionId === condition.etag);
    if (!holds) throw new UscPisError("exists", `${key} exists`);
    const stored = this.add(key, Buffer.from(text), write.retainUntil);
    return { versionId: stored.versionId, etag: stored.versionId };
  }
  async getText(key: string, versionId?: string) {
    this.answer();
    const found = this.find(key, versionId);
    return found && { text: found.bytes.toString(), etag: found.versionId, versionId: found.versionId };
  }
  async getStream(key: string, versionId?: string) {
    this.answer();
    const found = this.find(key, versionId);
    return (
      found &&
      (async function* () {
        yield found.bytes as Uint8Array;
      })()
    );
  }
  async head(key: string, versionId?: string) {
    this.answer();
    const found = this.find(key, versionId);
    return (
      found && {
        bytes: found.bytes.length,
        versionId: found.versionId,
        checksum: found.checksum,
        replication: "NONE" as const,
        retainUntil: found.retainUntil,
        metadata: found.metadata ?? {},
      }
    );
  }
  async list(prefix: string, startAfter = "") {
    this.answer();
    return [...this.objects.keys()]
      .sort()
      .filter((key) => key.startsWith(prefix) && key > startAfter && this.current(key));
  }
  async listVersions(prefix: string): Promise<ObjectVersion[]> {
    this.answer();
    return [...this.objects.keys()]
      .sort()
      .filter((key) => key.startsWith(prefix))
      .flatMap((key) =>
        (this.objects.get(key) ?? [])
          .map((each, index, all) => ({
            key,
            versionId: each.versionId,
            deleteMarker: each.deleteMarker,
            latest: index === all.length - 1,
            modified: each.modified,
            bytes: each.bytes.length,
            etag: each.deleteMarker ? "" : each.versionId,
          }))
          .reverse(),
      );
  }
  async ensureRetention(key: string, versionId: string | undefined, until: Date) {
    this.answer();
    const found = this.find(key, versionId);
    if (!found) throw new Error(`no ${key}`);
    if (!found.retainUntil || found.retainUntil < until) found.retainUntil = until;
  }
  async abortUploads(prefix: string) {
    this.answer();
    const before = this.uploads.length;
    this.uploads.splice(0, before, ...this.uploads.filter((key) => !key.startsWith(prefix)));
    return before - this.uploads.length;
  }
  async presign(key: string, versionId: string | undefined) {
    return `memory://${this.bucket}/${key}?versionId=${versionId}`;
  }
}

export class FakeRuns implements RunStore {
  readonly records = new Map<string, RunRecord>();
  readonly locks = new Map<string, { owner: string; until: number }>();
  async acquireLock(kind: string, owner: string, now: Date, leaseMs: number) {
    const held = this.locks.get(kind);
    if (held && held.until >= now.getTime() && held.owner !== owner) return false;
    this.locks.set(kind, { owner, until: now.getTime() + leaseMs });
    return true;
  }
  async renewLock(kind: string, owner: string, now: Date, leaseMs: number) {
    if (this.locks.get(kind)?.owner !== owner) return false;
    this.locks.set(kind, { owner, until: now.getTime() + leaseMs });
    return true;
  }
  async releaseLock(kind: string, owner: string) {
    if (this.locks.get(kind)?.owner === owner) this.locks.delete(kind);
  }
  async put(record: RunRecord) {
    this.records.set(record.id, structuredClone(record));
  }
  async get(id: string) {
    return this.records.get(id);
  }
  async newest(limit: number) {
    return [...this.records.values()].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit);
  }
}

/** A dump that a fake restore can read back: the archive's header, then the rows it holds. */
export function fakeDump(tables: Record<string, number>, padding = 2_000): Buffer {
  const header = Buffer.from([...Buffer.from("PGDMP"), 1, 15, 0, 4, 8, 1]);
  return Buffer.concat([header, Buffer.from(JSON.stringify(tables).padEnd(padding, " "))]);
}

export interface FakeDatabase {
  id: string;
  name: string;
  app: string;
  tables: Record<string, number>;
}

export class FakeHeroku {
  readonly transfersByNum = new Map<number, HerokuTransfer & { dump?: Buffer; polls: number }>();
  schedulesOf: HerokuSchedule[] = [{ uuid: "s1", name: "DATABASE_URL", hour: 2, timezone: "UTC" }];
  /** What a download URL answers with, in place of the dump. */
  answer: ((dump: Buffer) => Response) | undefined;
  /** Polls after which a transfer ends. */
  polls = 1;
  captureFails = false;
  restoreFails: (url: string) => boolean = () => false;
  /** Called while a capture runs. */
  duringCapture: () => void = () => undefined;
  /** Says this after having begun all the same. */
  lostAnswer: "capture" | "restore" | undefined;
  private num = 0;

  constructor(
    readonly databases: FakeDatabase[],
    private readonly pace: FakePace,
    private readonly vaults: () => FakeVault[],
  ) {}

  private database(id: string): FakeDatabase {
    const found = this.databases.find((each) => each.id === id || each.name === id);
    if (!found) throw new HttpError(`no ${id}`, 404, "not_found", false);
    return found;
  }
  async addon(id: string) {
    const database = this.database(id);
    return {
      id: database.id,
      name: database.name,
      state: "provisioned" as const,
      app: { id: `id-${database.app}`, name: database.app },
      plan: { name: "heroku-postgresql:essential-0" },
      config_vars: ["DATABASE_URL"],
    };
  }
  async resolveAttachment(app: string) {
    const database = this.databases.find((each) => each.app === app);
    if (!database) throw new HttpError(`no ${app}`, 404, "not_found", false);
    const addon = { id: database.id, name: database.name, app: { id: `id-${app}`, name: app }, plan: { name: "p" } };
    return [{ name: "DATABASE", addon, app: { name: app }, config_vars: ["DATABASE_URL"], namespace: null }];
  }
  async configVars(app: string): Promise<Record<string, string>> {
    const database = this.databases.find((each) => each.app === app);
    return database ? { DATABASE_URL: `postgres://fake/${database.id}` } : {};
  }
  async currentRelease() {
    return {
      id: "r",
      version: 12,
      description: "Deploy",
      status: "succeeded" as const,
      current: true,
      created_at: null,
    };
  }
  async transfers() {
    return [...this.transfersByNum.values()].map((each) => ({ ...each }));
  }
  async transfer(_app: string, id: string | number) {
    const found = [...this.transfersByNum.values()].find((each) => each.uuid === id || each.num === Number(id));
    if (!found) throw new HttpError("gone", 404, "not_found", false);
    if (!found.finished_at && ++found.polls >= this.polls) this.end(found);
    return { ...found };
  }
  private end(found: HerokuTransfer & { dump?: Buffer }): void {
    found.finished_at = this.pace.now().toISOString();
    if (found.to_type === "gof3r") {
      this.duringCapture();
      found.succeeded = !this.captureFails;
      found.processed_bytes = found.dump?.length ?? 0;
    } else {
      const url = found.from_url ?? "";
      found.succeeded = !this.restoreFails(url);
      const [bucket, rest] = url.replace("memory://", "").split(/\/(.*)/s) as [string, string];
      const [key, version] = rest.split("?versionId=") as [string, string];
      const vault = this.vaults().find((each) => each.bucket === bucket);
      const bytes = vault?.objects.get(key)?.find((each) => each.versionId === version)?.bytes;
      const target = this.databases.find((each) => each.id === found.to_name);
      if (found.succeeded && bytes && target) target.tables = JSON.parse(bytes.subarray(11).toString());
    }
  }
  private begin(fields: Partial<HerokuTransfer> & Pick<HerokuTransfer, "from_type" | "to_type">, dump?: Buffer) {
    const num = ++this.num;
    const created = { uuid: `t${num}`, num, created_at: this.pace.now().toISOString(), polls: 0, ...fields };
    this.transfersByNum.set(num, dump ? { ...created, dump } : created);
    return { ...created } as HerokuTransfer;
  }
  async startCapture(id: string) {
    const dump = fakeDump(this.database(id).tables);
    const begun = this.begin({ from_type: "pg_dump", to_type: "gof3r" }, dump);
    if (this.lostAnswer === "capture") throw new HttpError("cut", undefined, undefined, true);
    return begun;
  }
  async startRestore(id: string, url: string) {
    const begun = this.begin({
      from_type: "htcat",
      to_type: "pg_restore",
      from_url: url,
      to_name: this.database(id).id,
    });
    if (this.lostAnswer === "restore") throw new HttpError("cut", undefined, undefined, true);
    return begun;
  }
  async publicUrl(_app: string, num: number) {
    return `https://dumps.invalid/${num}`;
  }
  fetch: typeof fetch = async (url) => {
    const dump = this.transfersByNum.get(Number(String(url).split("/").at(-1)))?.dump;
    if (!dump) return new Response("gone", { status: 410 });
    if (this.answer) return this.answer(dump);
    return new Response(new Uint8Array(dump), { headers: { "content-length": String(dump.length) } });
  };
  async deleteTransfer(_app: string, num: number) {
    this.transfersByNum.delete(num);
  }
  async cancelTransfer(_app: string, uuid: string) {
    const found = [...this.transfersByNum.values()].find((each) => each.uuid === uuid);
    if (found && !found.finished_at) {
      found.finished_at = found.canceled_at = this.pace.now().toISOString();
      found.succeeded = false;
    }
  }
  async schedules() {
    return this.schedulesOf.map((each) => ({ ...each }));
  }
  async setSchedule(_id: string, name: string, hour: number, timezone: string) {
    this.schedulesOf = [{ uuid: "s2", name, hour, timezone }];
  }
  async deleteSchedule(_id: string, uuid: string) {
    this.schedulesOf = this.schedulesOf.filter((each) => each.uuid !== uuid);
  }
}

/** The clinic's tables, as far as a test needs them. */
export const CLINIC = { authentication_user: 7, patients_patient: 5, patients_medicalrecord: 11, django_session: 40 };

export class World {
  readonly pace: FakePace;
  readonly primary: FakeVault;
  readonly replica: FakeVault;
  readonly heroku: FakeHeroku;
  readonly runs = new FakeRuns();
  readonly metrics: Record<string, number>[] = [];
  readonly said: string[] = [];
  readonly source: FakeDatabase = { id: "db-1", name: "postgresql-round-1", app: "usc-pis", tables: { ...CLINIC } };
  readonly target: FakeDatabase = { id: "db-2", name: "postgresql-new-2", app: "usc-pis-r", tables: {} };

  constructor(start = "2026-05-23T14:17:00Z") {
    this.pace = new FakePace(new Date(start));
    this.primary = new FakeVault("primary", "vault-primary", this.pace.now);
    this.replica = new FakeVault("replica", "vault-replica", this.pace.now);
    this.heroku = new FakeHeroku([this.source, this.target], this.pace, () => [this.primary, this.replica]);
  }
  async claim(app = "usc-pis", takeOver = false) {
    const claim = { system: "usc-pis", app, claimedBy: "test", takeOver, now: this.pace.now() };
    return claimCurrentApp([this.primary, this.replica], claim);
  }
  get settings(): CaptureSettings {
    return {
      system: "usc-pis",
      app: "usc-pis",
      retention: MINIMUM_RETENTION_DAYS,
      herokuSchedule: { hour: 2, timezone: "UTC" },
    };
  }
  inspect = async (url: string): Promise<DatabaseFacts> => {
    const database = this.heroku.databases.find((each) => url.endsWith(`/${each.id}`));
    if (!database) throw new Error(`no database ${url}`);
    return {
      serverVersion: "16.4",
      bytes: 9_000_000,
      tables: { ...database.tables },
      migrations: ["patients.0001_initial"],
      extensions: [{ name: "pgcrypto", version: "1.3", schema: "public" }],
    };
  };
  get log() {
    return { info: (text: string) => void this.said.push(text), warn: (text: string) => void this.said.push(text) };
  }
  get ports(): CapturePorts {
    return {
      heroku: this.heroku,
      vault: this.primary,
      otherVault: this.replica,
      inspect: this.inspect,
      download: (url, signal) => openDownload(url, { fetch: this.heroku.fetch, ...(signal ? { signal } : {}) }),
      runs: this.runs,
      metrics: {
        put: async (values) => {
          this.metrics.push(values as Record<string, number>);
          return [];
        },
      },
      pace: this.pace,
      log: this.log,
    };
  }
  get restorePorts(): RestorePorts {
    return {
      heroku: this.heroku,
      vaults: [this.primary, this.replica],
      inspect: this.inspect,
      pace: this.pace,
      log: this.log,
    };
  }
  /** Every manifest in the primary vault, oldest first. */
  manifests() {
    return [...this.primary.objects.entries()]
      .filter(([key]) => key.endsWith("manifest.json"))
      .map(([, versions]) => JSON.parse(versions[0]?.bytes.toString() ?? "null"))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }
  /** Copies what the primary holds to the replica, under version ids of its own. */
  replicate(): void {
    for (const [key, versions] of this.primary.objects) {
      if (this.replica.objects.has(key)) continue;
      for (const each of versions) if (!each.deleteMarker) this.replica.add(key, each.bytes, each.retainUntil);
    }
  }
}

export class Killed extends Error {}

/**
 * Ports of a process that dies at its nth call: before it is carried out, or after, when only the answer is lost. From
 * then on nothing it calls does anything any more, so that no clean-up of its own runs either.
 */
export function mortal<T extends object>(ports: T, dieAt: number, when: "before" | "after") {
  const state = { calls: 0, dead: false, last: "" };
  const wrapCall =
    (name: string, call: (...args: unknown[]) => unknown) =>
    async (...args: unknown[]) => {
      if (state.dead) throw new Killed();
      if (++state.calls === dieAt) {
        state.dead = true;
        state.last = name;
        if (when === "after") await call(...args);
        throw new Killed();
      }
      const result = await call(...args);
      if (state.dead) throw new Killed();
      return result;
    };
  const wrap = (object: object): object =>
    new Proxy(object, {
      get(target, property) {
        const value = Reflect.get(target, property);
        if (["now", "random", "info", "warn", "downloadUrl"].includes(String(property))) return value;
        if (typeof value === "function") return wrapCall(String(property), value.bind(target));
        if (
          property !== "bucket" &&
          property !== "side" &&
          value !== null &&
          typeof value === "object" &&
          !(value instanceof Map)
        ) {
          return Array.isArray(value) ? value.map(wrap) : wrap(value);
        }
        return value;
      },
    });
  return { ports: wrap(ports) as T, state };
}
