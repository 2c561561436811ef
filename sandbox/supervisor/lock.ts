/** One `up` or `down` at a time. The holder is written down with its start time, so that a killed one blocks nobody. */
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UscPisError } from "../../backup/errors";
import { isAlive, type ProcessIdentity, startTimeOf } from "./identity";

interface Holder extends ProcessIdentity {
  what: string;
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

/** Takes the lock if nobody has it. The file appears with its content, by a link: nobody reads half of it. */
function tryTake(path: string, holder: Holder): boolean {
  const own = `${path}.${holder.pid}`;
  writeFileSync(own, JSON.stringify(holder), { mode: 0o600 });
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    unlinkSync(own);
  }
}

/**
 * Runs something while holding the lock.
 *
 * @param what shown to whoever waits, for example `sandbox up`
 * @param waitMs how long to wait for a living holder. @default 180000, more than a cold start takes
 * @throws UscPisError `sandbox_busy` when the holder does not end in time
 */
export async function withLock<T>(path: string, what: string, work: () => Promise<T>, waitMs = 180_000): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const me: Holder = { pid: process.pid, startTime: startTimeOf(process.pid) ?? "", what };
  const deadline = Date.now() + waitMs;
  while (!tryTake(path, me)) {
    const holder = readHolder(path);
    // Gone meanwhile: try again.
    if (holder === undefined && !existsSync(path)) continue;
    if (holder === undefined || !isAlive(holder)) {
      removeStale(path, holder ?? { pid: 0, startTime: "", what: "" });
      continue;
    }
    if (Date.now() > deadline)
      throw new UscPisError(
        "sandbox_busy",
        `"${holder.what}" (process ${holder.pid}) is still working on this sandbox`,
        {
          hint: `wait for it, or end it: kill ${holder.pid}`,
        },
      );
    await sleep(100);
  }
  try {
    return await work();
  } finally {
    if (readHolder(path)?.pid === process.pid) unlinkSync(path);
  }
}

/**
 * Removes the lock of a dead holder. It is moved away first and read again: of two that saw the dead one, the slower may
 * have moved the lock of a new holder, which it gives back.
 */
function removeStale(path: string, seen: Holder): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved !== undefined && (moved.pid !== seen.pid || moved.startTime !== seen.startTime)) {
    try {
      linkSync(aside, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  unlinkSync(aside);
}
