import type { HerokuTransfer } from "../clients/heroku-schemas";
import type { Uploaded } from "../clients/vault-upload";
import { archiveVersion } from "./archive";
import { assess } from "./assess";
import type { BackupId } from "./backup-id";
import { type CapturePorts, type CaptureRequest, type CaptureSettings, LARGEST_DUMP_BYTES } from "./capture-ports";
import { type BackupClass, retainUntil } from "./classes";
import type { Download } from "./download";
import { UscPisError } from "./errors";
import { backupKeys } from "./layout";
import { MANIFEST_VERSION, type Manifest, manifestSchema, rowBounds } from "./manifest";
import type { Source } from "./source";
import { verifyStored, writeOnce } from "./stored";
import { startOnce, waitForRunning, waitForSuccess } from "./transfers";

/** Longest that one transfer on Heroku may take, in ms; the run's own limit usually comes first. */
const TRANSFER_MS = 30 * 60_000;
/** How often the dump is fetched anew. Its stream cannot be resumed, and a URL lives for about ten minutes. */
const FETCH_ATTEMPTS = 3;
const FETCH_PAUSE_MS = 5_000;

export interface DumpPlan {
  readonly id: BackupId;
  readonly backupClass: BackupClass;
  readonly slot: string;
  /** Newest good backup, to compare with. */
  readonly previous: Manifest | undefined;
  /** Told of Heroku's copy as soon as there is one, so that a broken run's copy can be removed. */
  readonly onTransfer: (app: string, transfer: HerokuTransfer, ours: boolean) => Promise<void>;
}

/**
 * One backup, from the counts at the source to the manifest in the vault. Whatever does not add up throws, and nothing
 * without a manifest is a backup.
 */
export async function takeBackup(
  source: Source,
  plan: DumpPlan,
  request: CaptureRequest,
  settings: CaptureSettings,
  ports: CapturePorts,
  signal: AbortSignal,
): Promise<Manifest> {
  const { heroku, pace, log } = ports;
  const waiting = { signal, timeoutMs: TRANSFER_MS };
  const [ended, release] = await Promise.all([
    waitForRunning(heroku, source.ownerApp, pace, waiting),
    heroku.currentRelease(settings.app, signal),
  ]);
  if (ended.length > 0)
    log.info("waited for transfers that were running", { transfers: ended.map((each) => each.num) });

  const before = await ports.inspect(source.databaseUrl, signal);
  const takenAt = pace.now();
  const start = () => heroku.startCapture(source.addonId, signal);
  const { transfer: started, ours } = await startOnce(heroku, source.ownerApp, "capture", pace, start, signal);
  await plan.onTransfer(source.ownerApp, started, ours);
  const transfer = await waitForSuccess(heroku, source.ownerApp, started.uuid, pace, waiting);
  log.info("captured on Heroku", { id: plan.id.text, transfer: transfer.num, bytes: transfer.processed_bytes });

  const keys = backupKeys(plan.backupClass, settings.system, plan.id.text);
  const until = retainUntil(plan.backupClass, takenAt, settings.retention);
  // Counting reads the database, fetching reads Heroku's copy: neither waits for the other.
  const [after, stored] = await together(
    signal,
    (each) => ports.inspect(source.databaseUrl, each),
    (each) => fetchIntoVault(source.ownerApp, transfer, keys.dump, until, settings, ports, each),
  );
  await verifyStored(keys.dump, stored, until, ports.vault, signal);

  const rows = rowBounds(before.tables, after.tables);
  const { version, description, created_at: createdAt } = release ?? {};
  const manifest = manifestSchema.parse({
    version: MANIFEST_VERSION,
    id: plan.id.text,
    type: "database",
    system: settings.system,
    class: plan.backupClass,
    app: settings.app,
    trigger: {
      kind: request.trigger,
      requestedBy: request.requestedBy,
      ...(request.request === undefined ? {} : { request: request.request }),
    },
    slot: plan.slot,
    ...(version === undefined
      ? {}
      : { release: { version, ...(description ? { description } : {}), ...(createdAt ? { createdAt } : {}) } }),
    database: {
      id: source.addonId,
      name: source.addonName,
      plan: source.plan,
      serverVersion: after.serverVersion,
      bytes: after.bytes,
      extensions: [...after.extensions],
    },
    takenAt: takenAt.toISOString(),
    startedAt: plan.id.startedAt.toISOString(),
    completedAt: pace.now().toISOString(),
    dump: {
      key: keys.dump,
      ...(stored.versionId === undefined ? {} : { versionId: stored.versionId }),
      bytes: stored.bytes,
      sha256: stored.sha256,
      checksum: stored.checksum,
      archiveVersion: stored.archiveVersion,
    },
    rows,
    migrations: [...after.migrations],
    retainUntil: until.toISOString(),
    assessment: assess({ bytes: stored.bytes, rows }, plan.previous),
    heroku: { app: source.ownerApp, transfer: transfer.uuid, num: transfer.num },
  } satisfies Manifest);
  await writeOnce(keys.manifest, `${JSON.stringify(manifest, null, 2)}\n`, until, ports.vault, signal);
  return manifest;
}

type Stored = Uploaded & { readonly archiveVersion: string };

async function fetchIntoVault(
  app: string,
  transfer: HerokuTransfer,
  key: string,
  until: Date,
  settings: CaptureSettings,
  ports: CapturePorts,
  signal: AbortSignal,
): Promise<Stored> {
  for (let attempt = 1; ; attempt++) {
    let download: Download | undefined;
    try {
      const url = await ports.heroku.publicUrl(app, transfer.num, signal);
      download = await ports.download(url, signal);
      const version = archiveVersion(download.head);
      const bytes = expectedBytes(download.contentLength, transfer, settings.maxDumpBytes ?? LARGEST_DUMP_BYTES);
      const write = { retainUntil: until, signal };
      return { ...(await ports.vault.putStream(key, download.body, bytes, write)), archiveVersion: version };
    } catch (error) {
      await download?.cancel();
      signal.throwIfAborted();
      if (attempt >= FETCH_ATTEMPTS || (error instanceof UscPisError && error.code === "too_large")) throw error;
      ports.log.warn("fetching the dump failed, trying again", { attempt, error: String(error) });
      await ports.pace.sleep(FETCH_PAUSE_MS * attempt, signal);
    }
  }
}

/**
 * How long the dump must be. Heroku counts the bytes that it moved, perhaps late but never too many: a download shorter
 * than that is cut. @throws UscPisError `truncated`, `too_large`, `download_failed`
 */
export function expectedBytes(
  contentLength: number | undefined,
  transfer: Pick<HerokuTransfer, "processed_bytes" | "num">,
  maxDumpBytes: number,
): number {
  if (contentLength === undefined) {
    throw new UscPisError(
      "download_failed",
      "the dump came without Content-Length: its end could not be told from a cut",
    );
  }
  const processed = transfer.processed_bytes ?? 0;
  if (contentLength < processed) {
    throw new UscPisError("truncated", `the dump is cut: got ${contentLength} bytes, Heroku captured ${processed}`);
  }
  if (contentLength > maxDumpBytes) {
    throw new UscPisError(
      "too_large",
      `the dump is too large: got ${contentLength} bytes, one run carries ${maxDumpBytes}`,
      {
        hint: "a Standard plan with continuous protection is the way beyond: see docs/decisions",
      },
    );
  }
  return contentLength;
}

/** Two at a time; the first that fails ends the other, and nothing goes on behind the error's back. */
async function together<A, B>(
  signal: AbortSignal,
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
): Promise<[A, B]> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const watched = <T>(work: Promise<T>) =>
    work.catch((error: unknown) => {
      stop.abort(error);
      throw error;
    });
  const [one, other] = await Promise.allSettled([watched(first(either)), watched(second(either))]);
  if (one.status === "fulfilled" && other.status === "fulfilled") return [one.value, other.value];
  // What broke off because of the other says nothing of its own.
  throw stop.signal.reason;
}
