/** Backups, restores and copies: real pg_dump and pg_restore, streamed to and from files below the data folder. */
import type { ChildProcess } from "node:child_process";
import { createWriteStream, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Addon, App, DatabaseLogin, Transfer } from "../model";
import { manualBackupsKept, scheduledRetention } from "../plans";
import type { Store } from "../store";
import { evicted } from "./backup-retention";
import { type Children, exitOf, stopChild } from "./children";
import type { Databases } from "./databases";
import { DumpReuse } from "./dump-reuse";
import { ARCHIVE, pour, type RefillTools, refill } from "./refill";
import { openSource, STORE_SCHEME } from "./restore-source";
import { collect, counter, reason } from "./streams";
import type { TransferFaults } from "./transfer-faults";
import { newTransfer, note } from "./transfer-record";

/** Deleted transfers of an app that are still known to have been (410); older ones never were (404). */
const REMEMBERED = 50;

class Canceled extends Error {}

export class Transfers {
  private readonly running = new Map<string, { children: ChildProcess[]; abort: AbortController }>();
  /** One transfer at a time per database; the others wait as pending. */
  private readonly queues = new Map<string, Promise<void>>();
  readonly unchanged: DumpReuse;

  constructor(
    private readonly store: Store,
    private readonly databases: Databases,
    private readonly children: Children,
    private readonly log: (line: string) => void,
    private readonly faults: TransferFaults,
  ) {
    this.unchanged = new DumpReuse(store);
  }

  /** What was running when the emulator was killed has failed. */
  failUnfinished(): void {
    for (const transfer of Object.values(this.store.state.transfers)) {
      if (transfer.finishedAt !== null) continue;
      note(transfer, "error", "the transfer was interrupted");
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
      ...(scheduleId === null ? { numKeep: manualBackupsKept(addon.plan) } : {}),
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

  /** From one database into another without a file between: the target, whose transfer it is, is emptied first. */
  copy(app: App, source: Addon, target: Addon, names: { from: string; to: string }): Transfer {
    const transfer = this.add(app, target, {
      fromType: "pg_dump",
      fromName: names.from,
      fromUrl: `postgres://${source.name}`,
      toType: "pg_restore",
      toName: names.to,
      toUrl: `postgres://${target.name}`,
    });
    this.enqueue(transfer, target, async (login, signal) => {
      if (source.login === null) throw new Error(`${source.name} has no database`);
      await pour(this.tools(transfer, signal), source.login, login);
    });
    return transfer;
  }

  /** Resolves when these transfers have ended. */
  async ended(transfers: readonly Transfer[]): Promise<void> {
    await Promise.all(transfers.map((one) => this.queues.get(one.addonId)));
  }

  /** No effect on a transfer that has ended. */
  async cancel(transfer: Transfer): Promise<void> {
    if (transfer.finishedAt !== null) return;
    transfer.canceledAt = new Date().toISOString();
    note(transfer, "info", "transfer canceled");
    this.finish(transfer, false);
    const run = this.running.get(transfer.uuid);
    run?.abort.abort(new Canceled("canceled"));
    await Promise.all((run?.children ?? []).map((child) => stopChild(child)));
  }

  remove(transfer: Transfer): void {
    transfer.deletedAt = new Date().toISOString();
    transfer.updatedAt = transfer.deletedAt;
    // Nobody can read it any more: what stays is that it was there (410).
    transfer.logs = [];
    rmSync(this.dumpFile(transfer), { force: true });
    this.forget(transfer.appId);
    this.store.save();
  }

  /** That a transfer was there is remembered of the last ones only: a quarter of hourly captures would fill the state. */
  private forget(appId: string): void {
    const gone = Object.values(this.store.state.transfers).filter(
      (one) => one.appId === appId && one.deletedAt !== null,
    );
    for (const one of gone.sort((a, b) => b.num - a.num).slice(REMEMBERED)) delete this.store.state.transfers[one.uuid];
  }

  dumpFile(transfer: Transfer): string {
    return this.store.path("dumps", `${transfer.uuid}.dump`);
  }

  /** Ends everything; the transfers are marked failed. */
  async close(): Promise<void> {
    const ended = [...this.running].map(async ([id, run]) => {
      const transfer = this.store.state.transfers[id];
      if (transfer) await this.cancel(transfer);
      await Promise.all(run.children.map((child) => stopChild(child)));
    });
    await Promise.all(ended);
    await Promise.all(this.queues.values());
  }

  private add(app: App, addon: Addon, kind: Partial<Transfer> & Pick<Transfer, "fromType" | "toType">): Transfer {
    const transfer = newTransfer(app, addon, kind);
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
    this.running.set(transfer.uuid, { children: [], abort });
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
        if (transfer.succeeded && transfer.toType === "gof3r") this.evict(transfer, addon);
      } catch (error) {
        if (transfer.finishedAt !== null) return;
        note(transfer, "error", error instanceof Error ? error.message : String(error));
        this.finish(transfer, false);
      }
    });
    this.queues.set(
      addon.id,
      run.finally(() => this.running.delete(transfer.uuid)),
    );
  }

  private async dump(transfer: Transfer, login: DatabaseLogin, signal: AbortSignal): Promise<void> {
    const { bytes, position } = await this.databases.extent(login);
    transfer.sourceBytes = bytes;
    const file = this.dumpFile(transfer);
    const partial = `${file}.partial`;
    if (await this.unchanged.reuse(transfer.addonId, position, file)) {
      transfer.processedBytes = statSync(file).size;
      note(transfer, "info", "pg_dump done: nothing has changed since the last one");
      return;
    }
    const child = this.program(transfer, "pg_dump", ARCHIVE, login);
    child.stdin?.end();
    const stderr = collect(child.stderr);
    note(transfer, "info", "waiting for pg_dump to complete");
    try {
      const [code] = await Promise.all([
        exitOf(child),
        pipeline(child.stdout as Readable, this.counted(transfer), createWriteStream(partial, { mode: 0o600 }), {
          signal,
        }),
      ]);
      if (code !== 0) throw new Error(`pg_dump exited with ${code}: ${reason(stderr())}`);
      note(transfer, "info", "pg_dump done");
      note(transfer, "info", "waiting for upload to complete");
      if (transfer.finishedAt !== null) throw new Canceled("canceled");
      renameSync(partial, file);
      await this.unchanged.keep(transfer.addonId, position, file);
      note(transfer, "info", "upload done");
    } finally {
      rmSync(partial, { force: true });
    }
  }

  private async load(transfer: Transfer, login: DatabaseLogin, source: string, signal: AbortSignal): Promise<void> {
    const fileOf = (id: string) => {
      const backup = this.store.state.transfers[id];
      return backup && this.dumpFile(backup);
    };
    const { stream, bytes } = await openSource(source, fileOf, signal);
    transfer.sourceBytes = bytes;
    await refill(this.tools(transfer, signal), login, stream);
  }

  private tools(transfer: Transfer, signal: AbortSignal): RefillTools {
    return {
      transfer,
      databases: this.databases,
      signal,
      start: (name, args, login) => this.program(transfer, name, args, login),
      counted: () => this.counted(transfer),
    };
  }

  private program(transfer: Transfer, name: string, args: string[], login: DatabaseLogin): ChildProcess {
    const env = { PATH: process.env.PATH ?? "", LC_ALL: "C", ...this.databases.environment(login) };
    const child = this.children.start(name, join(this.databases.access.bin, name), args, { env });
    this.running.get(transfer.uuid)?.children.push(child);
    return child;
  }

  private evict(latest: Transfer, addon: Addon): void {
    const keeps = { manual: manualBackupsKept(addon.plan), scheduled: scheduledRetention(addon.plan) };
    for (const old of evicted(Object.values(this.store.state.transfers), latest, keeps, new Date())) {
      this.log(`backup ${old.num} is removed: the plan does not keep it any longer`);
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
}
