import { randomUUID } from "node:crypto";
import type { DatabaseFacts } from "../clients/database";
import { isRestore } from "../clients/heroku-schemas";
import { HttpError } from "../clients/http";
import { criticalRows } from "./critical-tables";
import { HOUR_MS } from "./duration";
import { InputError, UscPisError } from "./errors";
import { rowDifferences } from "./manifest";
import { type RestoreMarker, type RestoreResult, readMarker, writeMarker } from "./restore-marker";
import { candidates, proveDump, type RestoreCandidate } from "./restore-source";
import { findTarget, type RestorePorts, type RestoreRequest, type Target } from "./restore-target";
import { toError } from "./sides";
import { POLL_MS, startOnce, waitForRunning, waitForSuccess } from "./transfers";

/** Longest that a restore on Heroku may take, in ms: RTO (O2). */
const RESTORE_MS = 2 * HOUR_MS;
/** How long the dump's URL lives, in seconds; Heroku begins to fetch it at once. The role's session may end it sooner. */
const URL_SECONDS = 3_600;
/** An unfinished restore older than this no longer excuses overwriting rows, in ms. */
const UNFINISHED_MS = 24 * HOUR_MS;
/** Between writing its marker and having a transfer, a living restore takes no longer than this, in ms. */
const STARTING_MS = 20_000;
/** Attempts at reading the database, a few seconds apart. */
const LOOKS = 5;
/** Looks at the state of things before giving up; an undisturbed restore takes one. */
const ROUNDS = 30;

export type { RestorePorts, RestoreRequest } from "./restore-target";

/**
 * Restores a backup into a database add-on and proves it by its rows. May be interrupted, repeated, or run beside itself:
 * it always looks first at what is there and what still runs, and ends with one restored database.
 * @throws UscPisError `database_not_empty` when rows would be lost unasked, `no_backup`, `restore_failed`
 */
export async function restoreDatabase(
  request: RestoreRequest,
  ports: RestorePorts,
  signal?: AbortSignal,
): Promise<RestoreResult> {
  const target = await findTarget(request, ports, signal);
  if (request.overwrite !== undefined && request.overwrite !== target.name) {
    throw new InputError(
      `--overwrite names "${request.overwrite}", expected the database add-on's name "${target.name}"`,
    );
  }
  return new RestoreRun(request, target, ports, signal).run();
}

/** What the last finished restore into this database came to. @throws UscPisError `not_restored` */
export async function restoreStatus(
  request: Pick<RestoreRequest, "system" | "app" | "database">,
  ports: Pick<RestorePorts, "heroku" | "vaults">,
  signal?: AbortSignal,
): Promise<RestoreResult> {
  const addon = await ports.heroku.addon(request.database, signal);
  const marker = await readMarker(ports.vaults, request.system, addon.id, signal);
  if (marker?.result) return marker.result;
  const found = marker ? `one of ${marker.backupId} began at ${marker.startedAt} and has not ended` : "none was begun";
  throw new UscPisError("not_restored", `no restore into ${addon.name} has ended: ${found}`, {
    hint: `usc-pis restore database --app ${request.app} --database ${request.database}`,
  });
}

class RestoreRun {
  private readonly attempt = randomUUID();
  private readonly started: Date;
  private source: AsyncGenerator<RestoreCandidate> | undefined;
  private candidate: RestoreCandidate | undefined;
  private lastFailure: Error | undefined;

  constructor(
    private readonly request: RestoreRequest,
    private readonly target: Target,
    private readonly ports: RestorePorts,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.started = ports.pace.now();
  }

  async run(): Promise<RestoreResult> {
    for (let round = 0; round < ROUNDS; round++) {
      this.signal?.throwIfAborted();
      const result = await this.round();
      if (result) return result;
    }
    throw new UscPisError("restore_failed", `the restore into ${this.target.name} did not come to rest`, {
      cause: this.lastFailure,
      hint: "is another restore running? Try again when it has ended",
    });
  }

  /** One look at what is there, and one step on. @returns the result once the database holds what it must. */
  private async round(): Promise<RestoreResult | undefined> {
    const { ports, request, target, signal } = this;
    await this.waitForRestores();
    const marker = await readMarker(ports.vaults, request.system, target.id, signal);
    const facts = await this.look();
    if (marker?.state === "restored" && marker.result && this.stands(marker, facts)) {
      ports.log.info(`${target.name} was restored from ${marker.backupId} at ${marker.result.restoredAt} already`);
      return marker.result;
    }
    const unfinished = marker?.state === "started" && this.age(marker) < UNFINISHED_MS ? marker : undefined;
    if (unfinished && this.mayGoOnWith(unfinished)) {
      const begun = await this.candidateOf(unfinished.backupId);
      if (begun && rowDifferences(begun.manifest.rows, facts.tables).length === 0) {
        return this.finish(begun, facts, unfinished);
      }
      const starting = unfinished.attempt !== this.attempt && !unfinished.transfer;
      if (starting && ports.pace.now().getTime() - Date.parse(unfinished.updatedAt) < STARTING_MS) {
        await ports.pace.sleep(5_000, signal);
        return undefined;
      }
    }
    this.guard(facts, unfinished);
    const candidate = await this.next(unfinished?.backupId);
    try {
      return await this.restore(candidate, marker);
    } catch (error) {
      this.failed(candidate, error);
      return undefined;
    }
  }

  /** What the database holds. A restore beside this one cuts connections while it empties it: then it is asked again. */
  private async look(): Promise<DatabaseFacts> {
    const { ports, target, signal } = this;
    for (let attempt = 1; ; attempt++) {
      try {
        return await ports.inspect(target.url, signal);
      } catch (error) {
        signal?.throwIfAborted();
        const passing = error instanceof UscPisError && /^database_(failed|unreachable)$/.test(error.code);
        if (!passing || attempt >= LOOKS) throw error;
        await ports.pace.sleep(POLL_MS, signal);
      }
    }
  }

  private waitForRestores() {
    const { ports, target, signal } = this;
    const waiting = { timeoutMs: RESTORE_MS, ...(signal ? { signal } : {}) };
    return waitForRunning(ports.heroku, target.ownerApp, ports.pace, waiting, isRestore);
  }

  /**
   * A finished restore is not repeated by itself: the app has written since. It is when its rows are gone (the database
   * was reset), when another backup is asked for, or when a person permits overwriting and it ended before we began.
   */
  private stands(marker: RestoreMarker, facts: DatabaseFacts): boolean {
    if (this.request.backup !== undefined && this.request.backup !== marker.backupId) return false;
    if (Date.parse(marker.updatedAt) >= this.started.getTime()) return true;
    if (this.request.overwrite !== undefined) return false;
    const had = Object.keys(criticalRows(marker.result?.tables ?? {})).length > 0;
    return !had || Object.keys(criticalRows(facts.tables)).length > 0;
  }

  private mayGoOnWith(marker: RestoreMarker): boolean {
    return this.request.backup === undefined || this.request.backup === marker.backupId;
  }

  private guard(facts: DatabaseFacts, unfinished: RestoreMarker | undefined): void {
    const rows = Object.entries(criticalRows(facts.tables));
    if (rows.length === 0 || unfinished || this.request.overwrite === this.target.name) return;
    const found = rows.map(([name, count]) => `${name} ${count}`).join(", ");
    throw new UscPisError(
      "database_not_empty",
      `database ${this.target.name} has rows that a restore would replace: ${found}`,
      {
        hint: `take a backup, then repeat with --overwrite ${this.target.name}`,
      },
    );
  }

  private async candidateOf(id: string): Promise<RestoreCandidate | undefined> {
    if (this.candidate?.entry.id === id) return this.candidate;
    const { vaults, log } = this.ports;
    try {
      for await (const found of candidates(vaults, this.request.system, { backup: id }, undefined, log, this.signal))
        return found;
    } catch (error) {
      this.signal?.throwIfAborted();
      log.warn(`backup ${id}, which was being restored, cannot be looked at: ${toError(error).message}`);
    }
    return undefined;
  }

  private async next(preferred: string | undefined): Promise<RestoreCandidate> {
    if (this.candidate) return this.candidate;
    const { vaults, log } = this.ports;
    this.source ??= candidates(vaults, this.request.system, this.request, preferred, log, this.signal);
    const { value, done } = await this.source.next();
    if (!done) {
      this.candidate = value;
      return value;
    }
    throw new UscPisError(
      "restore_failed",
      `no backup could be restored: ${this.lastFailure?.message ?? "none is left"}`,
      {
        cause: this.lastFailure,
        hint: "usc-pis backup list",
      },
    );
  }

  private async restore(
    candidate: RestoreCandidate,
    marker: RestoreMarker | undefined,
  ): Promise<RestoreResult | undefined> {
    const { ports, request, target, signal } = this;
    const { entry, manifest, dumpVersion } = candidate;
    ports.log.info(`checking the dump of ${entry.id} (${manifest.dump.bytes} bytes) on the ${entry.vault.side} side`);
    await proveDump(candidate, signal);
    const begun = {
      system: request.system,
      databaseId: target.id,
      state: "started" as const,
      attempt: this.attempt,
      backupId: entry.id,
      startedAt: ports.pace.now().toISOString(),
    };
    const written = await this.write(marker, { ...begun, updatedAt: ports.pace.now().toISOString() });
    // Another restore came first, or runs on Heroku by now: look again.
    if (!written || (await this.waitForRestores()).length > 0) return undefined;

    const url = await entry.vault.presign(manifest.dump.key, dumpVersion, URL_SECONDS);
    const extensions = manifest.database.extensions
      .map((extension) => extension.name)
      .filter((name) => name !== "plpgsql");
    const post = () => ports.heroku.startRestore(target.id, url, extensions, signal);
    const { transfer } = await startOnce(ports.heroku, target.ownerApp, "restore", ports.pace, post, signal);
    ports.log.info(`Heroku restores ${entry.id} into ${target.name}`, { transfer: transfer.num });
    const noted = await this.write(written, {
      ...begun,
      transfer: transfer.uuid,
      updatedAt: ports.pace.now().toISOString(),
    });
    const waiting = { timeoutMs: RESTORE_MS, ...(signal ? { signal } : {}) };
    await waitForSuccess(ports.heroku, target.ownerApp, transfer.uuid, ports.pace, waiting);

    const facts = await this.look();
    const differences = rowDifferences(manifest.rows, facts.tables);
    if (differences.length === 0) return this.finish(candidate, facts, noted ?? written);
    const now = await readMarker(ports.vaults, request.system, target.id, signal);
    if (now && now.attempt !== this.attempt) return undefined;
    throw new UscPisError("restored_differs", `${entry.id} was restored but ${differences.slice(0, 5).join("; ")}`);
  }

  private write(after: RestoreMarker | undefined, next: Omit<RestoreMarker, "version" | "generation">) {
    return writeMarker(this.ports.vaults, after, next, this.signal);
  }

  /** The backup asked for by name fails for good; otherwise the next older one is tried. */
  private failed(candidate: RestoreCandidate, error: unknown): void {
    this.signal?.throwIfAborted();
    const failure = toError(error);
    this.lastFailure = failure;
    const { log } = this.ports;
    // Heroku did not say whether it began: the next round finds out.
    if (failure instanceof HttpError && failure.ambiguous) {
      log.warn(failure.message);
      return;
    }
    const aboutBackup =
      failure instanceof UscPisError &&
      ["transfer_failed", "dump_differs", "restored_differs", "vault_refused", "vault_unreachable"].includes(
        failure.code,
      );
    if (!aboutBackup || this.request.backup !== undefined) throw failure;
    log.warn(
      `${candidate.entry.id} (${candidate.entry.vault.side}) could not be restored: ${failure.message}; trying the next`,
    );
    this.candidate = undefined;
  }

  private async finish(
    candidate: RestoreCandidate,
    facts: DatabaseFacts,
    after: RestoreMarker,
  ): Promise<RestoreResult> {
    const { ports, request, target } = this;
    const now = ports.pace.now();
    const { manifest, entry, dumpVersion } = candidate;
    const result: RestoreResult = {
      backupId: entry.id,
      versionId: dumpVersion,
      side: entry.vault.side,
      sha256: manifest.dump.sha256,
      bytes: manifest.dump.bytes,
      takenAt: manifest.takenAt,
      restoredAt: now.toISOString(),
      tables: { ...facts.tables },
      seconds: (now.getTime() - this.started.getTime()) / 1000,
    };
    const { version: _version, generation: _generation, ...marker } = after;
    const ended = { ...marker, state: "restored" as const, backupId: entry.id, updatedAt: now.toISOString(), result };
    const written = await this.write(after, ended);
    if (written) return result;
    // The one beside us wrote first; what it found stands, so that both tell the same.
    const other = await readMarker(ports.vaults, request.system, target.id, this.signal);
    return other?.result ?? result;
  }

  private age(marker: RestoreMarker): number {
    return this.ports.pace.now().getTime() - Date.parse(marker.startedAt);
  }
}
