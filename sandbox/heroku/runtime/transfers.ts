/** Backups and restores: real pg_dump and pg_restore, streamed to and from files below the data folder. */
import type { ChildProcess } from "node:child_process";
import { createReadStream, createWriteStream, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { uuid } from "../ids";
import type { Addon, App, DatabaseLogin, Transfer, TransferLog } from "../model";
import { manualBackupsKept } from "../plans";
import type { Store } from "../store";
import { type Children, exitOf, stopChild } from "./children";
import type { Databases } from "./databases";
import { judgeRestoreErrors } from "./restore-errors";
import { collect, counter, lastLine } from "./streams";
import type { TransferFaults } from "./transfer-faults";

/** Scheme of the addresses under which the emulator keeps its dumps. Only the emulator can read them. */
const STORE_SCHEME = "gof3r://sandbox/";
/** Kept of a transfer's log. */
const MAX_LOG_LINES = 200;

class Canceled extends Error {}

export class Transfers {
  private readonly running = new Map<string, { child?: ChildProcess; abort: AbortController }>();
  /** One transfer at a time per database; the others wait as pending. */
  private readonly queues = new Map<string, Promise<void>>();

  constructor(
    private readonly store: Store,
    private readonly databases: Databases,
    private readonly children: Children,
    private readonly log: (line: string) => void,
    private readonly faults: TransferFaults,
  ) {}

  /** What was running when the emulator was killed has failed. */
  failUnfinished(): void {
    for (const transfer of Object.values(this.store.state.transfers)) {
      if (transfer.finishedAt !== null) continue;
      this.note(transfer, "error", "the transfer was interrupted");
      this.finish(transfer, false);
    }
  }

  capture(app: App, addon: Addon, attachmentName: string, scheduleId: string | null = null): Transfer {
    const transfer = this.add(app, addon, {
      fromType: "pg_dump",
      fromName: attachmentName,
      fromUrl: `postgres://${addon.name}`,
      toType: "gof3r",
      toName: "BACKUP",
      scheduleId,
    });
    transfer.toUrl = `${STORE_SCHEME}${transfer.uuid}`;
    this.enqueue(transfer, addon, (login, signal) => this.dump(transfer, login, signal));
    return transfer;
  }

  restore(app: App, addon: Addon, attachmentName: string, source: string, extensions: string[]): Transfer {
    const stored = source.startsWith(STORE_SCHEME);
    const transfer = this.add(app, addon, {
      fromType: stored ? "gof3r" : "htcat",
      fromName: "BACKUP",
      // A public URL carries its own permission: it is used, not remembered.
      fromUrl: stored ? source : source.replace(/\?.*$/, ""),
      toType: "pg_restore",
      toName: attachmentName,
      toUrl: `postgres://${addon.name}`,
      extensions,
    });
    this.enqueue(transfer, addon, (login, signal) => this.load(transfer, login, source, signal));
    return transfer;
  }

  /** No effect on a transfer that has ended. */
  async cancel(transfer: Transfer): Promise<void> {
    if (transfer.finishedAt !== null) return;
    transfer.canceledAt = new Date().toISOString();
    this.note(transfer, "info", "transfer canceled");
    this.finish(transfer, false);
    const run = this.running.get(transfer.uuid);
    run?.abort.abort(new Canceled("canceled"));
    if (run?.child) await stopChild(run.child);
  }

  remove(transfer: Transfer): void {
    transfer.deletedAt = new Date().toISOString();
    transfer.updatedAt = transfer.deletedAt;
    rmSync(this.dumpFile(transfer), { force: true });
    this.store.save();
  }

  dumpFile(transfer: Transfer): string {
    return this.store.path("dumps", `${transfer.uuid}.dump`);
  }

  /** Ends everything; the transfers are marked failed. */
  async close(): Promise<void> {
    const ended = [...this.running].map(async ([id, run]) => {
      const transfer = this.store.state.transfers[id];
      if (transfer) await this.cancel(transfer);
      if (run.child) await stopChild(run.child);
    });
    await Promise.all(ended);
    await Promise.all(this.queues.values());
  }

  private add(app: App, addon: Addon, kind: Partial<Transfer> & Pick<Transfer, "fromType" | "toType">): Transfer {
    app.lastTransfer += 1;
    const now = new Date().toISOString();
    const transfer: Transfer = {
      uuid: uuid(),
      num: app.lastTransfer,
      appId: app.id,
      addonId: addon.id,
      fromName: "",
      fromUrl: "",
      toName: "",
      toUrl: "",
      extensions: [],
      scheduleId: null,
      createdAt: now,
      updatedAt: now,
      startedAt: null,
      finishedAt: null,
      canceledAt: null,
      deletedAt: null,
      succeeded: false,
      warnings: 0,
      processedBytes: 0,
      sourceBytes: 0,
      logs: [],
      ...kind,
    };
    this.store.state.transfers[transfer.uuid] = transfer;
    this.store.save();
    return transfer;
  }

  private enqueue(
    transfer: Transfer,
    addon: Addon,
    work: (login: DatabaseLogin, signal: AbortSignal) => Promise<void>,
  ): void {
    const abort = new AbortController();
    this.running.set(transfer.uuid, { abort });
    const before = this.queues.get(addon.id) ?? Promise.resolve();
    const run = before.then(async () => {
      if (transfer.finishedAt !== null || addon.login === null) return;
      transfer.startedAt = new Date().toISOString();
      this.store.save();
      try {
        await this.faults.before(transfer, addon.login, abort.signal);
        await work(addon.login, abort.signal);
        await this.faults.after(transfer, this.dumpFile(transfer));
        if (transfer.finishedAt === null) this.finish(transfer, true);
        if (transfer.succeeded && transfer.toType === "gof3r" && transfer.scheduleId === null)
          this.evict(transfer, addon);
      } catch (error) {
        if (transfer.finishedAt !== null) return;
        this.note(transfer, "error", error instanceof Error ? error.message : String(error));
        this.finish(transfer, false);
      }
    });
    this.queues.set(
      addon.id,
      run.finally(() => this.running.delete(transfer.uuid)),
    );
  }

  private async dump(transfer: Transfer, login: DatabaseLogin, signal: AbortSignal): Promise<void> {
    transfer.sourceBytes = await this.databases.bytes(login);
    const file = this.dumpFile(transfer);
    const partial = `${file}.partial`;
    const child = this.program(transfer, "pg_dump", ["--format=custom", "--no-owner", "--no-privileges"], login);
    child.stdin?.end();
    const stderr = collect(child.stderr);
    this.note(transfer, "info", "waiting for pg_dump to complete");
    try {
      const [code] = await Promise.all([
        exitOf(child),
        pipeline(child.stdout as Readable, this.counted(transfer), createWriteStream(partial, { mode: 0o600 }), {
          signal,
        }),
      ]);
      if (code !== 0) throw new Error(`pg_dump exited with ${code}: ${lastLine(stderr())}`);
      this.note(transfer, "info", "pg_dump done");
      this.note(transfer, "info", "waiting for upload to complete");
      if (transfer.finishedAt !== null) throw new Canceled("canceled");
      renameSync(partial, file);
      this.note(transfer, "info", "upload done");
    } finally {
      rmSync(partial, { force: true });
    }
  }

  private async load(transfer: Transfer, login: DatabaseLogin, source: string, signal: AbortSignal): Promise<void> {
    const input = await this.open(source, transfer, signal);
    input.on("error", () => undefined);
    this.note(transfer, "info", "emptying the database");
    await this.databases.empty(login);
    await this.databases.createExtensions(login, transfer.extensions);
    signal.throwIfAborted();
    const args = ["--format=custom", "--no-owner", "--no-privileges", `--dbname=${login.database}`];
    const child = this.program(transfer, "pg_restore", args, login);
    child.stdout?.resume();
    const stderr = collect(child.stderr);
    this.note(transfer, "info", "waiting for pg_restore to complete");
    const sent = pipeline(input, this.counted(transfer), child.stdin as NodeJS.WritableStream, { signal }).catch(
      (error) => {
        // pg_restore may close its input early; its exit code and its words tell whether that was a failure.
        if (!["EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      },
    );
    const [code] = await Promise.all([exitOf(child), sent]);
    const verdict = judgeRestoreErrors(stderr());
    for (const line of verdict.errors.slice(0, 20)) this.note(transfer, "error", line);
    transfer.warnings = verdict.benign;
    if (code !== 0 && (verdict.errors.length > 0 || verdict.benign === 0))
      throw new Error(`pg_restore exited with ${code}: ${lastLine(stderr())}`);
    this.note(transfer, "info", "pg_restore done");
  }

  private async open(source: string, transfer: Transfer, signal: AbortSignal): Promise<Readable> {
    if (source.startsWith(STORE_SCHEME)) {
      const backup = this.store.state.transfers[source.slice(STORE_SCHEME.length)];
      const file = backup && this.dumpFile(backup);
      if (!file || !existsSync(file)) throw new Error(`no backup is stored under ${source}`);
      transfer.sourceBytes = statSync(file).size;
      return createReadStream(file);
    }
    const response = await fetch(source, { signal });
    if (!response.ok || !response.body) throw new Error(`the source of the restore answered ${response.status}`);
    transfer.sourceBytes = Number(response.headers.get("content-length") ?? 0);
    return Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  }

  private program(transfer: Transfer, name: string, args: string[], login: DatabaseLogin): ChildProcess {
    const env = { PATH: process.env.PATH ?? "", LC_ALL: "C", ...this.databases.environment(login) };
    const child = this.children.start(name, join(this.databases.access.bin, name), args, { env });
    const run = this.running.get(transfer.uuid);
    if (run) run.child = child;
    return child;
  }

  /** After a manual backup, the oldest manual ones beyond the plan's number go; scheduled ones don't count. */
  private evict(latest: Transfer, addon: Addon): void {
    const manual = Object.values(this.store.state.transfers)
      .filter((one) => one.toType === "gof3r" && one.succeeded && one.deletedAt === null && one.scheduleId === null)
      .filter((one) => one.appId === latest.appId && one.fromName === latest.fromName)
      .sort((a, b) => b.num - a.num);
    for (const old of manual.slice(manualBackupsKept(addon.plan))) {
      this.log(`backup ${old.num} is removed: the plan keeps ${manualBackupsKept(addon.plan)} manual backups`);
      this.remove(old);
    }
  }

  private counted(transfer: Transfer) {
    return counter((bytes) => {
      transfer.processedBytes += bytes;
    });
  }

  private finish(transfer: Transfer, succeeded: boolean): void {
    transfer.finishedAt = new Date().toISOString();
    transfer.updatedAt = transfer.finishedAt;
    transfer.succeeded = succeeded;
    this.store.save();
    this.log(
      `transfer ${transfer.num} (${transfer.fromType} to ${transfer.toType}) ${succeeded ? "succeeded" : "failed"}`,
    );
  }

  private note(transfer: Transfer, level: TransferLog["level"], message: string): void {
    transfer.logs.push({ created_at: new Date().toISOString(), level, message });
    if (transfer.logs.length > MAX_LOG_LINES) transfer.logs.splice(0, transfer.logs.length - MAX_LOG_LINES);
  }
}
