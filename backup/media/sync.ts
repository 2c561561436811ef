import { BudgetError } from "../../clients/cloudinary";
import { BackupId } from "../backup-id";
import { UscPisError } from "../errors";
import { AFTERMATH_MS, runJob } from "../job";
import { mediaProgressKey } from "../layout";
import { RunJournal } from "../run-journal";
import type { RunRecord } from "../run-record";
import { toError } from "../sides";
import { closeDeadSyncs } from "./leftovers";
import { isComplete, listAll, newProgress, type Progress, resumable } from "./listing";
import { type MediaManifest, newestMediaManifest } from "./manifest";
import { mirrorListing, type Passed } from "./pass";
import type { MediaPorts, MediaRequest, MediaResult, MediaSettings } from "./ports";

/**
 * The daily media sync, and every one on demand: afterwards the mirror holds each asset that Cloudinary lists, in equal
 * size and version (M2, V3). Safe to run twice, late, or beside itself; what a broken run did is found and not done again,
 * and one that Cloudinary's hourly limit or the clock stops is gone on with by the next.
 * @returns what came of it. @throws UscPisError with the cause, recorded and counted as `MediaFailed` before.
 */
export async function syncMedia(
  request: MediaRequest,
  settings: MediaSettings,
  ports: MediaPorts,
  signal: AbortSignal,
): Promise<MediaResult> {
  const { vault, otherVault, runs, pace, log } = ports;
  const job = { kind: "media", system: settings.system, app: settings.app, trigger: request.trigger } as const;
  const common = { pointers: [vault, otherVault], runs, pace, log };
  const work = {
    countFailure: () => countFailure(ports),
    run: (held: AbortSignal) => new MediaRun(request, settings, ports, held).run(),
  };
  return runJob(job, common, work, signal);
}

async function countFailure(ports: MediaPorts, differs?: number): Promise<void> {
  const figures = { MediaFailed: 1, ...(differs === undefined ? {} : { MediaDiffers: differs }) };
  for (const note of await ports.metrics.put(figures, ports.pace.now())) ports.log.warn(note);
}

/** UTC day of a moment: a scheduled sync is done once a day. */
function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

class MediaRun {
  private readonly started: Date;
  private readonly callsBefore: number;
  private readonly journal: RunJournal;
  private progress: Progress | undefined;
  /** A listing lies in the bucket that this run went on with or left there. */
  private stored = false;
  private differs: number | undefined;

  constructor(
    private readonly request: MediaRequest,
    private readonly settings: MediaSettings,
    private readonly ports: MediaPorts,
    private readonly signal: AbortSignal,
  ) {
    this.journal = new RunJournal(ports.runs, ports.log);
    this.started = ports.pace.now();
    this.callsBefore = ports.cloudinary.calls;
  }

  async run(): Promise<MediaResult> {
    try {
      return await this.work();
    } catch (error) {
      if (!(error instanceof BudgetError)) throw await this.fail(error);
      try {
        return await this.pause(error);
      } catch (failed) {
        throw await this.fail(failed);
      }
    }
  }

  private async work(): Promise<MediaResult> {
    const { ports, request, settings, signal, started } = this;
    const last = await newestMediaManifest(ports.media, settings.system, started, signal);
    const stopped = await ports.media.getText(mediaProgressKey(settings.system), undefined, signal);
    const found = resumable(stopped?.text, started, last?.listedAt);
    const paused = found && (await ports.runs.get(found.id));
    const goesOn = paused?.status === "in_progress" ? paused : undefined;
    this.stored = found !== undefined;
    this.journal.note(...(await closeDeadSyncs(settings.system, goesOn?.id, ports, signal)));
    const done = last && this.doneBy(last);
    if (done) return { outcome: "already_done", id: last.id, slot: last.slot };

    const id = goesOn?.id ?? BackupId.create(started).text;
    const startedAt = goesOn?.startedAt ?? started.toISOString();
    const progress = found ?? newProgress(id, started);
    this.progress = progress;
    await this.begin(id, startedAt, goesOn);
    await listAll(ports.cloudinary, progress, signal);
    const pass = { id, startedAt, slot: dayOf(started), progress, last };
    return await this.close(await mirrorListing(pass, request, settings, ports, signal));
  }

  /** A suspect sync ends its day too: doing it again would not change what a person has to judge. */
  private doneBy({ assessment, slot, trigger }: MediaManifest): boolean {
    if (assessment.status === "failed") return false;
    if (this.request.trigger === "schedule") return slot === dayOf(this.started);
    return this.request.request !== undefined && trigger.request === this.request.request;
  }

  private async begin(id: string, startedAt: string, goesOn: RunRecord | undefined): Promise<void> {
    const { request, settings } = this;
    this.journal.notes.push(...(goesOn?.notes ?? []));
    await this.journal.save({
      id,
      type: "media",
      status: "in_progress",
      app: settings.app,
      trigger: request.trigger,
      requestedBy: request.requestedBy,
      ...(request.request === undefined ? {} : { request: request.request }),
      slot: dayOf(this.started),
      startedAt,
      notes: this.journal.notes,
    });
  }

  /** The manifest is written: what goes wrong below changes nothing of what the mirror holds. */
  private async close({ manifest, digest, vanished }: Passed): Promise<MediaResult> {
    const { pace, metrics, cloudinary, media } = this.ports;
    const { assessment, counts, differs, id, completedAt } = manifest;
    const { status } = assessment;
    if (status === "failed") {
      this.differs = differs.length;
      throw new UscPisError(
        "media_differs",
        `${differs.length} of ${counts.listed} assets are not in the mirror as Cloudinary lists them: ${assessment.reasons[0]}`,
        { hint: "usc-pis media status" },
      );
    }
    for (const reason of assessment.reasons) this.journal.note(`suspect: ${reason}`);
    const seconds = (pace.now().getTime() - this.started.getTime()) / 1000;
    const { mirrored: assets, bytes, fetched, described, deleted } = counts;
    await this.journal.quietly("recording the success", () =>
      this.journal.update({ status, completedAt, bytes, assets, checksum: digest.hex }),
    );
    // A suspect sync must not silence the alarms: it counts as a failure until a person has looked at it.
    const counted = status === "success" ? { MediaSynced: 1 } : { MediaFailed: 1 };
    const figures = { MediaDiffers: vanished, MediaAssets: assets, MediaBytes: bytes, MediaSeconds: seconds };
    this.journal.note(...(await metrics.put({ ...counted, ...figures }, pace.now())));
    await this.journal.quietly("removing the finished listing", () => this.forgetListing(this.signal));
    const calls = cloudinary.calls - this.callsBefore;
    const figuresOfRun = { assets, bytes, fetched, described, deleted, vanished, calls, seconds };
    return { outcome: "synced", status, id, ...figuresOfRun, bucket: media.bucket, notes: this.journal.notes };
  }

  /** Cloudinary's calls of this hour are used up: where it stands is kept, and the record stays open. */
  private async pause({ reset }: BudgetError): Promise<MediaResult> {
    const { progress } = this;
    const { record } = this.journal;
    if (!record || !progress) throw new UscPisError("budget", "there was no call left to begin with");
    const resumeAt = reset.toISOString();
    await this.keepListing(progress, this.signal);
    this.journal.note(
      `paused after ${progress.assets.length} assets: Cloudinary's calls are used up until ${resumeAt}`,
    );
    await this.journal.update({});
    return { outcome: "paused", id: record.id, resumeAt, listed: progress.assets.length, notes: this.journal.notes };
  }

  /** Records the cause, counts it, and keeps a listing that is worth it; with time of its own, as ours may be up. */
  private async fail(error: unknown): Promise<Error> {
    const cause = toError(error);
    const code = cause instanceof UscPisError ? cause.code : "failed";
    this.ports.log.warn("media sync failed", { id: this.journal.record?.id, error: cause.message });
    const aftermath = AbortSignal.timeout(AFTERMATH_MS);
    const completedAt = this.ports.pace.now().toISOString();
    await Promise.all([
      this.journal.quietly("counting the failure", () => countFailure(this.ports, this.differs)),
      this.journal.quietly("keeping the listing", () => this.leave(code, aftermath)),
      this.journal.quietly("recording the failure", () =>
        this.journal.update({ status: "failed", completedAt, error: { code, message: cause.message } }),
      ),
    ]);
    return cause;
  }

  /**
   * A listing that was cut short, or that time was too short to act on, is gone on with; one that was acted on in vain is
   * not believed again. Whoever lost the lock leaves everything to its new owner.
   */
  private async leave(code: string, signal: AbortSignal): Promise<void> {
    const { progress } = this;
    if (!progress || code === "lock_lost") return;
    const worthKeeping = isComplete(progress) ? code === "time_limit" : progress.assets.length > 0;
    if (worthKeeping) await this.keepListing(progress, signal);
    else await this.forgetListing(signal);
  }

  private async keepListing(progress: Progress, signal: AbortSignal): Promise<void> {
    await this.ports.media.putText(mediaProgressKey(this.settings.system), JSON.stringify(progress), undefined, {
      signal,
    });
    this.stored = true;
  }

  private async forgetListing(signal: AbortSignal): Promise<void> {
    if (this.stored) await this.ports.media.hide(mediaProgressKey(this.settings.system), signal);
  }
}
