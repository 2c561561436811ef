import { transferState } from "../clients/heroku-schemas";
import { HttpError } from "../clients/http";
import type { CapturePorts } from "./capture-ports";
import { backupKeys, backupPrefix } from "./layout";
import { parseManifest } from "./manifest";
import type { RunRecord } from "./run-record";
import { toError } from "./sides";

/** Runs to look back at: more than two days of hourly ones. */
const LOOK_BACK = 60;

/**
 * Puts in order what runs that broke off left behind; the lock is ours, so every run still in progress is dead. One whose
 * manifest was written is good after all. Never throws: a leftover must not stop a new backup.
 * @returns what was done or could not be, in words.
 */
export async function tidyUp(
  system: string,
  ports: Pick<CapturePorts, "heroku" | "vault" | "runs" | "pace">,
  signal?: AbortSignal,
): Promise<string[]> {
  const notes: string[] = [];
  const attempt = async (what: string, act: () => Promise<unknown>) => {
    try {
      await act();
    } catch (error) {
      signal?.throwIfAborted();
      notes.push(`${what} failed: ${toError(error).message}`);
    }
  };
  await attempt("looking for runs that broke off", async () => {
    for (const found of await ports.runs.newest(LOOK_BACK)) {
      let record = found;
      if (found.type === "database" && found.status === "in_progress") {
        await attempt(`closing run ${found.id}`, async () => {
          record = await closeDeadRun(system, found, ports, signal);
          await ports.runs.put(record);
          notes.push(`run ${record.id} had broken off: ${record.status}`);
        });
      }
      if (record.herokuCopy?.state === "present" && record.status !== "in_progress") {
        await attempt(`removing Heroku's copy of run ${record.id}`, async () => {
          await ports.runs.put(await removeHerokuCopy(record, ports, signal));
          notes.push(`Heroku's copy of run ${record.id} was left over and is removed`);
        });
      }
    }
  });
  return notes;
}

/**
 * Decides what an ended run came to: with its manifest in the vault it is good, whatever was said of it; without, its
 * unfinished uploads end and it failed.
 */
export async function closeDeadRun(
  system: string,
  record: RunRecord,
  ports: Pick<CapturePorts, "vault" | "pace">,
  signal?: AbortSignal,
  error = { code: "interrupted", message: "the run broke off without a word" },
): Promise<RunRecord> {
  if (record.class) {
    const { manifest: key } = backupKeys(record.class, system, record.id);
    const found = await ports.vault.getText(key, undefined, signal);
    if (found) {
      const manifest = parseManifest(found.text, { system, id: record.id, key });
      return {
        ...record,
        status: manifest.assessment.status,
        completedAt: manifest.completedAt,
        bytes: manifest.dump.bytes,
        checksum: manifest.dump.sha256,
      };
    }
    await ports.vault.abortUploads(backupPrefix(record.class, system, record.id), signal);
  }
  return {
    ...record,
    status: "failed",
    completedAt: ports.pace.now().toISOString(),
    error,
  };
}

/** Removes Heroku's copy of a run, stopping it first if it is still being made. @returns the record that says so. */
export async function removeHerokuCopy(
  record: RunRecord,
  ports: Pick<CapturePorts, "heroku">,
  signal?: AbortSignal,
): Promise<RunRecord> {
  const copy = record.herokuCopy;
  if (!copy || copy.state === "removed") return record;
  try {
    const transfer = await ports.heroku.transfer(copy.app, copy.uuid, false, signal);
    if (transferState(transfer) === "waiting") await ports.heroku.cancelTransfer(copy.app, copy.uuid, signal);
    await ports.heroku.deleteTransfer(copy.app, copy.num, signal);
  } catch (error) {
    if (!(error instanceof HttpError) || (error.status !== 404 && error.status !== 410)) throw error;
  }
  return { ...record, herokuCopy: { ...copy, state: "removed" } };
}
