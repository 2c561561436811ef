import { BackupId } from "./backup-id";
import { takeBackup } from "./capture-dump";
import type { CapturePorts, CaptureRequest, CaptureResult, CaptureSettings } from "./capture-ports";
import { dueClass } from "./classes";
import { DAY_MS } from "./duration";
import { UscPisError } from "./errors";
import { AFTERMATH_MS, runJob } from "./job";
import { backupKeys } from "./layout";
import { closeDeadRun, removeHerokuCopy, tidyUp } from "./leftovers";
import { type Manifest, parseManifest } from "./manifest";
import { RecentBackups } from "./recent-backups";
import { RunJournal } from "./run-journal";
import { ensureDailySchedule } from "./schedule";
import { toError } from "./sides";
import { type Slot, slotOf } from "./slot";
import { findSource } from "./source";

/** Long enough to hold the first backup of any month. */
const LOOK_BACK_MS = 40 * DAY_MS;

/**
 * The hourly job, and every capture on demand: one backup of the current app's database into the vault. Safe to run
 * twice, late, or beside itself: one run works at a time, a slot that has its backup gets no second one, and what a
 * broken run left is put in order by the next.
 * @returns what came of it. @throws UscPisError with the cause, recorded and counted as `CaptureFailed` before.
 */
export async function capture(
  request: CaptureRequest,
  settings: CaptureSettings,
  ports: CapturePorts,
  signal: AbortSignal,
): Promise<CaptureResult> {
  const started = ports.pace.now();
  const job = { kind: "database", system: settings.system, app: settings.app, trigger: request.trigger } as const;
  const { vault, otherVault, runs, pace, log } = ports;
  const common = { pointers: [vault, otherVault], runs, pace, log };
  const work = {
    countFailure: () => countFailure(ports),
    done: (asked: AbortSignal) => alreadyRecorded(request, settings, ports, asked),
    run: (held: AbortSignal) => new CaptureRun(request, settings, ports, held, started).run(),
  };
  return runJob<CaptureResult>(job, common, work, signal);
}

/**
 * Two of a slot's three triggers find it done. The newest record says so with two small reads instead of a lock, a listing
 * and more; the manifest still has the last word.
 */
async function alreadyRecorded(
  request: CaptureRequest,
  { system, intervalMinutes }: CaptureSettings,
  { runs, vault, pace }: CapturePorts,
  signal: AbortSignal,
): Promise<CaptureResult | undefined> {
  if (request.trigger !== "schedule") return undefined;
  const slot = slotOf(pace.now(), intervalMinutes).name;
  const [newest] = await runs.newest(1);
  const recorded = newest?.type === "database" && newest.slot === slot && newest.status !== "in_progress";
  if (!recorded || newest.class === undefined || newest.status === "failed") return undefined;
  if (newest.herokuCopy?.state === "present") return undefined;
  const { manifest: key } = backupKeys(newest.class, system, newest.id);
  const found = await vault.getText(key, undefined, signal);
  if (!found || parseManifest(found.text, { system, id: newest.id, key }).slot !== slot) return undefined;
  return { outcome: "already_done", id: newest.id, slot };
}

async function countFailure(ports: CapturePorts): Promise<void> {
  for (const note of await ports.metrics.put({ CaptureFailed: 1 }, ports.pace.now())) ports.log.warn(note);
}

class CaptureRun {
  private readonly journal: RunJournal;

  constructor(
    private readonly request: CaptureRequest,
    private readonly settings: CaptureSettings,
    private readonly ports: CapturePorts,
    private readonly signal: AbortSignal,
    private readonly started: Date,
  ) {
    this.journal = new RunJournal(ports.runs, ports.log);
  }

  async run(): Promise<CaptureResult> {
    const { ports, signal, settings } = this;
    try {
      this.journal.note(...(await tidyUp(settings.system, ports, signal)));
      const now = ports.pace.now();
      const slot = slotOf(now, settings.intervalMinutes);
      const since = new Date(now.getTime() - LOOK_BACK_MS);
      const recent = await RecentBackups.list(ports.vault, settings.system, since, signal);
      const done = await this.alreadyDone(slot, recent);
      if (done !== undefined) return { outcome: "already_done", id: done.id, slot: slot.name };
      return await this.takeNew(now, slot, recent);
    } catch (error) {
      throw await this.fail(error);
    }
  }

  /**
   * A scheduled run needs no second backup in its slot, a manual request no second one at all. A suspect backup ends its
   * slot too: its bytes are proven, and taking it again would not change what a person has to judge.
   */
  private async alreadyDone(slot: Slot, recent: RecentBackups): Promise<Manifest | undefined> {
    if (this.request.trigger === "schedule") return recent.inSlot(slot);
    return this.request.request === undefined ? undefined : recent.ofRequest(this.request.request);
  }

  private async takeNew(now: Date, slot: Slot, recent: RecentBackups): Promise<CaptureResult> {
    const { ports, request, settings, signal } = this;
    const [past, previous] = await Promise.all([recent.filling(now), recent.newestGood()]);
    const backupClass = request.class ?? dueClass(now, past);
    const id = BackupId.create(now);
    await this.journal.save({
      id: id.text,
      type: "database",
      status: "in_progress",
      class: backupClass,
      app: settings.app,
      trigger: request.trigger,
      requestedBy: request.requestedBy,
      ...(request.request === undefined ? {} : { request: request.request }),
      slot: slot.name,
      startedAt: now.toISOString(),
      notes: this.journal.notes,
    });
    const source = await findSource(ports.heroku, settings.app, signal);
    await this.keepHerokuSchedule(source.addonId);
    const plan = {
      id,
      backupClass,
      slot: slot.name,
      previous,
      onTransfer: async (app: string, transfer: { uuid: string; num: number }, ours: boolean) => {
        if (ours)
          await this.journal.update({ herokuCopy: { app, uuid: transfer.uuid, num: transfer.num, state: "present" } });
      },
    };
    const manifest = await takeBackup(source, plan, request, settings, ports, signal);
    return this.succeed(manifest);
  }

  /** D1: what a person or Heroku changed is put back and said; it never costs us our own backup. */
  private async keepHerokuSchedule(addonId: string): Promise<void> {
    try {
      const kept = await ensureDailySchedule(this.ports.heroku, addonId, this.settings.herokuSchedule, this.signal);
      if (kept.change === "created") this.journal.note(`Heroku's own daily backup was missing: set to ${kept.now}`);
      if (kept.change === "changed")
        this.journal.note(`Heroku's own daily backup was at ${kept.before}: put back to ${kept.now}`);
    } catch (error) {
      this.signal.throwIfAborted();
      this.journal.note(`Heroku's own daily backup could not be checked: ${toError(error).message}`);
    }
  }

  /** From here on the backup is good, whatever else goes wrong: nothing below may turn it into a failure. */
  private async succeed(manifest: Manifest): Promise<CaptureResult> {
    const { pace, metrics, heroku } = this.ports;
    const { status } = manifest.assessment;
    for (const reason of manifest.assessment.reasons) this.journal.note(`suspect: ${reason}`);
    const seconds = (pace.now().getTime() - this.started.getTime()) / 1000;
    const figures = { CaptureBytes: manifest.dump.bytes, CaptureSeconds: seconds };
    // A suspect backup must not silence the alarms: it counts as neither until a person has looked at it.
    const counts = status === "success" ? { CaptureSucceeded: 1 } : { CaptureFailed: 1 };
    const done = {
      status,
      completedAt: pace.now().toISOString(),
      bytes: manifest.dump.bytes,
      checksum: manifest.dump.sha256,
    };
    await this.journal.quietly("recording the success", () => this.journal.update(done));
    const [told] = await Promise.all([
      metrics.put({ ...counts, ...figures }, pace.now()),
      this.journal.quietly("removing Heroku's copy", async () => {
        if (this.journal.record)
          await this.journal.update(await removeHerokuCopy(this.journal.record, { heroku }, this.signal));
      }),
    ]);
    this.journal.note(...told);
    if (told.length > 0) await this.journal.quietly("recording the notes", () => this.journal.update({}));
    return {
      outcome: "captured",
      status,
      id: manifest.id,
      class: manifest.class,
      bytes: manifest.dump.bytes,
      sha256: manifest.dump.sha256,
      seconds,
      takenAt: manifest.takenAt,
      exact: manifest.rows.exact,
      bucket: this.ports.vault.bucket,
      notes: this.journal.notes,
    };
  }

  /** Removes what this run left on Heroku, records the cause and counts it; with time of its own, as ours may be up. */
  private async fail(error: unknown): Promise<Error> {
    const cause = toError(error);
    const { log, heroku } = this.ports;
    log.warn("capture failed", { id: this.journal.record?.id, error: cause.message });
    const aftermath = AbortSignal.timeout(AFTERMATH_MS);
    const code = cause instanceof UscPisError ? cause.code : "failed";
    const said = { code, message: cause.message };
    const { system } = this.settings;
    await Promise.all([
      this.journal.quietly("counting the failure", () => countFailure(this.ports)),
      this.journal.quietly("recording the failure", async () => {
        if (!this.journal.record) return;
        // The answer to the last write may be all that was lost.
        const closed = await closeDeadRun(system, this.journal.record, this.ports, aftermath, said).catch(
          () => undefined,
        );
        await this.journal.update(
          closed ?? { status: "failed", completedAt: this.ports.pace.now().toISOString(), error: said },
        );
        await this.journal.update(await removeHerokuCopy(this.journal.record, { heroku }, aftermath));
      }),
    ]);
    return cause;
  }
}
