/**
 * The sandbox's clock. All its processes read one small file that says by how much they are ahead of this machine, so
 * that weeks of schedules, locks and lifecycle pass in minutes and everybody agrees on the time. PostgreSQL's `now()`
 * alone stays real.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../backup/errors";
import { projectRoot } from "../supervisor/paths";

/** Characters of the file: a decimal number, aligned to the right, so that writing it is one write of one length. */
const LENGTH = 16;
/** Ten years: what the emulators' certificates and locks were made for. */
export const LARGEST_OFFSET_MS = 10 * 366 * 86_400_000;

/** Variables that make a process follow the clock; a person's own NODE_OPTIONS stay. */
export function clockVariables(file: string, base: NodeJS.ProcessEnv = {}): Record<string, string> {
  const preload = `--require=${JSON.stringify(join(projectRoot, "sandbox", "clock", "preload.cjs"))}`;
  const own = (base.NODE_OPTIONS ?? "").replace(preload, "").trim();
  return { USC_PIS_SANDBOX_CLOCK: file, NODE_OPTIONS: own === "" ? preload : `${own} ${preload}` };
}

/** Makes this process follow the clock, when it was not started so. For good: what has been told the time keeps it. */
export function followClock(file: string): void {
  if (process.env.USC_PIS_SANDBOX_CLOCK !== undefined) return;
  process.env.USC_PIS_SANDBOX_CLOCK = file;
  require("./preload.cjs");
}

/** Milliseconds that the sandbox is ahead; 0 while there is no file. */
export function readOffset(file: string): number {
  try {
    return Number(readFileSync(file, "latin1")) || 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}

/** @throws InputError for an offset that is negative or beyond `LARGEST_OFFSET_MS`. */
export function writeOffset(file: string, milliseconds: number): void {
  if (!Number.isInteger(milliseconds) || milliseconds < 0 || milliseconds > LARGEST_OFFSET_MS)
    throw new InputError(
      `the sandbox's clock can be ahead by 0 to ${LARGEST_OFFSET_MS} ms, got ${milliseconds}: it never goes back`,
    );
  // Written in place: processes keep the file open, a new file under the same name would not be seen.
  const handle = openSync(file, "a+");
  closeSync(handle);
  const target = openSync(file, "r+");
  try {
    writeSync(target, String(milliseconds).padStart(LENGTH), 0, "latin1");
  } finally {
    closeSync(target);
  }
}

/** The sandbox's time, for a process that does not follow its clock by itself. */
export function sandboxNow(file: string, realNow: number): Date {
  return new Date(realNow + readOffset(file));
}
