/** Ending processes: exactly those that were started here, and all of their group. */
import { readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { UscPisError } from "../../backup/errors";
import { allProcesses, groupMembers, isAlive, type ProcessIdentity, startTimeOf } from "./identity";

/** In the environment of every process that a sandbox starts, and of no other; its value is the sandbox's folder. */
export const MARKER = "USC_PIS_SANDBOX_PROCESS";

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // Gone already, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function waitUntil(done: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!done()) {
    if (Date.now() > deadline) return false;
    await sleep(25);
  }
  return true;
}

export interface StopOptions {
  /** Signal that asks the leader to end. @default SIGTERM */
  signal?: NodeJS.Signals;
  /** Time to end by itself before the whole group is killed, milliseconds. @default 8000 */
  graceMs?: number;
}

/**
 * Ends a process that leads its own group, and the group. A process of the same id that started at another time is
 * somebody else's and is left alone.
 *
 * @returns whether the leader was still running
 * @throws UscPisError `process_survives` when something outlives SIGKILL
 */
export async function stopGroup(leader: ProcessIdentity, options: StopOptions = {}): Promise<boolean> {
  const running = isAlive(leader);
  if (running) {
    signal(leader.pid, options.signal ?? "SIGTERM");
    await waitUntil(() => !isAlive(leader), options.graceMs ?? 8000);
  }
  // While a group has members the system gives its id to no new process: if no process has the leader's id, the group
  // is the leader's own.
  if (startTimeOf(leader.pid) !== undefined && !isAlive(leader)) return running;
  const gone = () => groupMembers(leader.pid).length === 0;
  if (!gone()) signal(-leader.pid, "SIGKILL");
  if (!(await waitUntil(gone, 5000)))
    throw new UscPisError("process_survives", `process group ${leader.pid} did not end after SIGKILL`, {
      hint: `look at it: ps -o pid,state,cmd -g ${leader.pid}`,
    });
  return running;
}

/**
 * Processes of this sandbox that no state knows of (the supervisor was killed between a start and its note), found by
 * the marker in their environment, and PostgreSQL, which overwrites its environment, by its working folder.
 */
export function strays(sandboxRoot: string, dataFolders: readonly string[] = []): number[] {
  if (process.platform !== "linux") return [];
  const wanted = `${MARKER}=${sandboxRoot}`;
  return allProcesses()
    .filter((stat) => stat.pid !== process.pid && stat.state !== "Z")
    .map((stat) => stat.pid)
    .filter((pid) => {
      try {
        if (readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(wanted)) return true;
        return (
          dataFolders.includes(readlinkSync(`/proc/${pid}/cwd`)) &&
          readlinkSync(`/proc/${pid}/exe`).endsWith("/postgres")
        );
      } catch {
        return false;
      }
    });
}

/** Kills what `strays` finds; returns the ids. */
export async function killStrays(sandboxRoot: string, dataFolders: readonly string[] = []): Promise<number[]> {
  const found = strays(sandboxRoot, dataFolders);
  for (const pid of found) signal(pid, "SIGKILL");
  await waitUntil(() => found.every((pid) => startTimeOf(pid) === undefined), 5000);
  return found;
}
