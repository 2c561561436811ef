// @ts-check
import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError } from "./errors.mjs";
import { Progress } from "./progress.mjs";

const POLL_MS = 200;
/** A wait is worth a word after this long. */
const QUIET_MS = 2_000;
/** A lock without a readable owner is a run that died between the two steps of taking it. */
const OWNERLESS_MS = 10_000;

/**
 * Who holds a lock. A child that survives its killed parent (a package manager in the middle of its work) still counts.
 *
 * @typedef {object} Owner
 * @property {string} host
 * @property {{ pid: number, started: string | undefined }[]} processes
 */

/**
 * @typedef {object} HeldLock
 * @property {(pid: number) => void} note a process that works under this lock
 */

/**
 * Does `work` while no other run does it, in this or another process. The lock is a folder (making one is atomic on
 * every file system); the lock of a dead process is taken over.
 *
 * @template T
 * @param {string} path the lock's folder; its parent is made
 * @param {(lock: HeldLock) => Promise<T>} work
 * @param {{ timeoutMs?: number }} [options] `timeoutMs` of waiting for another run. Default: 30 minutes
 * @returns {Promise<T>}
 * @throws {SetupError} when the other run is still alive after that time
 */
export async function withLock(path, work, options = {}) {
  await take(path, options.timeoutMs ?? 30 * 60_000);
  /** @type {Owner} */
  const owner = { host: hostname(), processes: [identity(process.pid)] };
  writeOwner(path, owner);
  const release = () => rmSync(path, { recursive: true, force: true });
  process.on("exit", release);
  try {
    return await work({
      note(pid) {
        owner.processes = [owner.processes[0] ?? identity(process.pid), identity(pid)];
        writeOwner(path, owner);
      },
    });
  } finally {
    process.off("exit", release);
    release();
  }
}

/**
 * @param {string} path
 * @param {number} timeoutMs
 */
async function take(path, timeoutMs) {
  mkdirSync(dirname(path), { recursive: true });
  const started = Date.now();
  /** @type {Progress | undefined} */
  let progress;
  for (;;) {
    try {
      mkdirSync(path);
      progress?.done();
      return;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
    if (isStale(path)) {
      breakLock(path);
      continue;
    }
    const waited = Date.now() - started;
    if (waited > QUIET_MS) progress ??= new Progress("waiting for another run that sets up the same thing");
    if (waited > timeoutMs) {
      const error = new SetupError(`another run has held the lock ${path} for too long`, {
        hint: `end that run, or, if there is none, remove the folder: rm -r ${path}`,
      });
      progress?.failed(error);
      throw error;
    }
    await sleep(POLL_MS);
  }
}

/**
 * Two runs may find the same dead lock: the second must not remove the fresh lock of the first. So it is looked at once
 * more while a second folder keeps others from doing the same.
 *
 * @param {string} path
 */
function breakLock(path) {
  const guard = `${path}.takeover`;
  try {
    mkdirSync(guard);
  } catch {
    if (ageMs(guard) > OWNERLESS_MS) rmSync(guard, { recursive: true, force: true });
    return;
  }
  try {
    if (isStale(path)) rmSync(path, { recursive: true, force: true });
  } finally {
    rmdirSync(guard);
  }
}

/** @param {string} path */
function isStale(path) {
  /** @type {Owner} */
  let owner;
  try {
    owner = JSON.parse(readFileSync(join(path, "owner.json"), "utf8"));
  } catch {
    return ageMs(path) > OWNERLESS_MS;
  }
  // Of a process on another machine (a shared folder) nothing can be known.
  if (owner.host !== hostname()) return false;
  return !owner.processes.some((known) => isAlive(known));
}

/** @param {{ pid: number, started: string | undefined }} known */
function isAlive(known) {
  try {
    process.kill(known.pid, 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
  return known.started === undefined || startOf(known.pid) === known.started;
}

/** @param {number} pid */
function identity(pid) {
  return { pid, started: startOf(pid) };
}

/**
 * When a process started, in the kernel's ticks: process ids are used again. Known on Linux only.
 *
 * @param {number} pid
 */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "dead" : fields[19];
  } catch {
    return undefined;
  }
}

/**
 * @param {string} path
 * @param {Owner} owner
 */
function writeOwner(path, owner) {
  const temporary = join(path, `owner.${process.pid}.tmp`);
  writeFileSync(temporary, JSON.stringify(owner));
  renameSync(temporary, join(path, "owner.json"));
}

/** @param {string} path */
function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
