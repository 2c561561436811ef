/**
 * Child processes of the emulator. Each runs in a process group of its own and is written down with its start time, so
 * that the next start can end what a killed emulator left behind, and nothing else: a process id alone may have been
 * given to somebody else since.
 */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MARKER } from "../../supervisor/stop";

interface ChildRecord {
  pid: number;
  startTime: string;
  what: string;
}

/** When a process started, in a form that is equal only for the same process; undefined when there is none. */
export function processStartTime(pid: number): string | undefined {
  try {
    if (process.platform === "linux") {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // The command name (field 2) may hold blanks and brackets: count from the last bracket. Field 22 is the start.
      return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    }
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Signals a whole process group; false when it is gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

export class Children {
  private readonly file: string;
  private readonly records = new Map<number, ChildRecord>();

  constructor(dataDir: string) {
    this.file = join(dataDir, "processes.json");
  }

  /** Ends what an earlier emulator left running; returns what it was. */
  endLeftovers(): string[] {
    if (!existsSync(this.file)) return [];
    let records: ChildRecord[] = [];
    try {
      records = JSON.parse(readFileSync(this.file, "utf8")) as ChildRecord[];
    } catch {
      // Written atomically, so this is a file that somebody else damaged: nothing can be ended by it.
    }
    const ended = records.filter((record) => {
      const same = processStartTime(record.pid) === record.startTime;
      return same && signalGroup(record.pid, "SIGKILL");
    });
    this.write();
    return ended.map((record) => `${record.what} (${record.pid})`);
  }

  /** Starts a child as the leader of its own group. Standard input, output and error are pipes unless told otherwise. */
  start(what: string, file: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    // The supervisor finds what it may end by this mark.
    const mark = process.env[MARKER];
    const env = mark === undefined ? options.env : { ...(options.env ?? process.env), [MARKER]: mark };
    const child = spawn(file, args, { stdio: "pipe", ...options, env, detached: true });
    const pid = child.pid;
    if (pid === undefined) return child;
    this.records.set(pid, { pid, startTime: processStartTime(pid) ?? "", what });
    this.write();
    child.once("exit", () => {
      // Whatever the leader left of its group goes with it.
      signalGroup(pid, "SIGKILL");
      this.records.delete(pid);
      this.write();
    });
    return child;
  }

  private write(): void {
    const next = `${this.file}.next`;
    writeFileSync(next, JSON.stringify([...this.records.values()]));
    renameSync(next, this.file);
  }
}

/** Asks a child's group to end, and ends it after the grace (milliseconds). Resolves when the child is gone. */
export async function stopChild(child: ChildProcess, graceMs = 3000): Promise<void> {
  const pid = child.pid;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  signalGroup(pid, "SIGTERM");
  const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
  await gone;
  clearTimeout(timer);
}

/** Exit code of a child, once its output is complete; a signal counts as 128, as in a shell. Rejects if it can't start. */
export function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 128));
  });
}
