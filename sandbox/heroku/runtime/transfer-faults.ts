/** Told failures around a capture or restore: what a failing pg_dump, disk or platform would have done to it. */
import { once } from "node:events";
import { open, stat, truncate } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Faults } from "../../faults/engine";
import { HEROKU_SWITCHES } from "../../faults/switches";
import type { DatabaseLogin, Transfer } from "../model";
import type { Databases } from "./databases";
import { judgeRestoreErrors } from "./restore-errors";
import { note } from "./transfer-record";

/** The archive's version stands behind its five letters, a byte each for major and minor number. */
const VERSION_OFFSET = 5;

export class TransferFaults {
  constructor(
    private readonly faults: Faults,
    private readonly databases: Databases,
  ) {}

  /** When a transfer's turn has come. @throws what it fails with */
  async before({ toType }: Transfer, login: DatabaseLogin, signal: AbortSignal): Promise<void> {
    const { captureDelay, captureHang, captureFail, herokuExt, restoreHang } = HEROKU_SWITCHES;
    if (toType === "pg_restore") {
      if (this.faults.switched(restoreHang) !== undefined) await forever(signal);
      return;
    }
    const delay = this.faults.switched(captureDelay);
    if (delay !== undefined) await sleep(Number(delay.value), undefined, { signal });
    if (this.faults.switched(captureHang) !== undefined) await forever(signal);
    const failure = this.faults.switched(captureFail);
    if (failure !== undefined) throw new Error(String(failure.value));
    if (this.faults.switched(herokuExt) !== undefined) await this.databases.moveExtensions(login);
  }

  /** When its work is done. @throws what it fails with all the same */
  async after(transfer: Transfer, dumpFile: string): Promise<void> {
    if (transfer.toType === "pg_restore") return this.noise(transfer);
    const warning = this.faults.switched(HEROKU_SWITCHES.captureWarn);
    if (warning !== undefined) {
      transfer.warnings += 1;
      note(transfer, "warn", String(warning.value));
    }
    const keep = this.faults.switched(HEROKU_SWITCHES.dumpKeep);
    if (keep !== undefined) await truncate(dumpFile, Number(keep.value));
    const version = this.faults.switched(HEROKU_SWITCHES.dumpVersion);
    if (version !== undefined) await writeVersion(dumpFile, String(version.value));
    if (keep !== undefined) transfer.processedBytes = (await stat(dumpFile)).size;
  }

  /** pg_restore goes on after an error and ends with 1: the data are there, and the words decide. */
  private noise(transfer: Transfer): void {
    const said = this.faults.switched(HEROKU_SWITCHES.restoreNoise)?.value;
    if (said === undefined) return;
    const { errors, benign } = judgeRestoreErrors(String(said));
    for (const line of errors) note(transfer, "error", line);
    transfer.warnings += benign;
    if (errors.length > 0) throw new Error(`pg_restore exited with 1: ${errors.at(-1)}`);
  }
}

async function writeVersion(file: string, version: string): Promise<void> {
  const numbers = version.split(".").map(Number);
  const handle = await open(file, "r+");
  try {
    await handle.write(Uint8Array.from(numbers), 0, numbers.length, VERSION_OFFSET);
  } finally {
    await handle.close();
  }
}

async function forever(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, "abort");
  throw signal.reason;
}
