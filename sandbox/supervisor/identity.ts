/**
 * Which process is which. A process id alone may have been given to somebody else since: an id and the time at which
 * the process started name one process, so that only what was started here is ever ended.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessIdentity {
  pid: number;
  /** Equal for the same process only; its form depends on the system. */
  startTime: string;
}

/** What is read of a process on Linux. */
export interface ProcessStat {
  pid: number;
  state: string;
  group: number;
  session: number;
  /** Clock ticks since the machine started. */
  start: string;
}

/** Parses `/proc/<pid>/stat`. The command name may hold blanks and brackets: fields count from its last bracket. */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf(" (");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(" ");
  const [state, , group, session] = fields;
  const start = fields[19];
  const pid = Number(text.slice(0, open));
  if (!Number.isInteger(pid) || state === undefined || start === undefined) return undefined;
  return { pid, state, group: Number(group), session: Number(session), start };
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

let boot: string | undefined;

/** Ticks restart at every boot; without the boot's id another machine start could give equal ones. */
function bootId(): string {
  boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return boot;
}

/** When a process started; undefined when there is none, or only its remains that nobody has collected. */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    const stat = readStat(pid);
    return stat === undefined || stat.state === "Z" || stat.state === "X" ? undefined : `${bootId()}/${stat.start}`;
  }
  try {
    const [state, ...start] = execFileSync("ps", ["-o", "state=,lstart=", "-p", String(pid)], { encoding: "utf8" })
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith("Z") || start.length === 0 ? undefined : start.join(" ");
  } catch {
    return undefined;
  }
}

/** Whether exactly this process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return startTimeOf(identity.pid) === identity.startTime;
}

/** Processes of a group that still run. */
export function groupMembers(group: number): number[] {
  if (process.platform === "linux") {
    return allProcesses()
      .filter((stat) => stat.group === group && stat.state !== "Z" && stat.state !== "X")
      .map((stat) => stat.pid);
  }
  return execFileSync("ps", ["-axo", "pid=,pgid=,state="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, pgid, state]) => Number(pgid) === group && !state?.startsWith("Z"))
    .map(([pid]) => Number(pid));
}

/** Every process that this user may see (Linux). */
export function allProcesses(): ProcessStat[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== undefined);
}
