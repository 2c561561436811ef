import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { pythonPath } from "../../sandbox/aws/server";

const exec = promisify(execFile);

/** What one run cost. */
export interface Measured {
  /** Seconds by the clock. */
  wall: number;
  /** Seconds of processor, of the command and all that it started and waited for. */
  cpu: number;
  /** Largest resident memory of any one process of it, MiB. */
  peak: number;
}

/** Runs a command and measures it. @throws when it fails: a failed run has no cost to compare */
export async function measure(
  command: readonly string[],
  options: { cwd: string; env: Record<string, string> },
): Promise<Measured> {
  const { stdout } = await exec(pythonPath(), [join(__dirname, "measure.py"), ...command], {
    ...options,
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Measured;
}

/** Median of each figure. */
export function medians(runs: readonly Measured[]): Measured {
  const of = (key: keyof Measured) => median(runs.map((run) => run[key]));
  return { wall: of("wall"), cpu: of("cpu"), peak: of("peak") };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  if (low === undefined || high === undefined) throw new Error("there is no median of nothing");
  return (low + high) / 2;
}
