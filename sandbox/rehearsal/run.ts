/** Running a program in the sandbox's environment, so that nothing of it outlives a Ctrl-C. */
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { UscPisError } from "../../backup/errors";
import { projectRoot } from "../supervisor/paths";
import { MARKER } from "../supervisor/stop";

export interface RunOptions {
  /** For messages: `pulumi up`. */
  what: string;
  env: Record<string, string>;
  sandboxRoot: string;
  /** Everything that it prints goes here. */
  log: string;
  signal?: AbortSignal;
  /** Told each line as it comes. */
  onLine?: (line: string) => void;
  /** Time to end by itself after Ctrl-C, in milliseconds. @default 15000 */
  graceMs?: number;
}

/**
 * Runs a program in a process group of its own: a Ctrl-C in the terminal reaches us alone, and we ask it to end once, as
 * Pulumi wants it (a second one lets it drop what it is doing).
 *
 * @returns standard output
 * @throws UscPisError `command_failed` with the end of what it printed
 */
export async function run(file: string, args: readonly string[], options: RunOptions): Promise<string> {
  options.signal?.throwIfAborted();
  mkdirSync(dirname(options.log), { recursive: true });
  const log = createWriteStream(options.log, { flags: "a", mode: 0o600 });
  const child = spawn(file, args, {
    cwd: projectRoot,
    env: { ...options.env, [MARKER]: options.sandboxRoot },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const last: string[] = [];
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.pipe(log, { end: false });
    createInterface({ input: stream }).on("line", (line) => {
      if (line.trim() === "") return;
      last.push(line);
      if (last.length > 25) last.shift();
      options.onLine?.(line);
    });
  }
  const kill = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // Gone already.
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    kill("SIGINT");
    timer = setTimeout(() => kill("SIGKILL"), options.graceMs ?? 15_000);
  };
  options.signal?.addEventListener("abort", stop, { once: true });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exit, signal) => resolve(exit ?? (signal ? 128 : 1)));
    });
    options.signal?.throwIfAborted();
    if (code === 0) return stdout;
    throw new UscPisError("command_failed", `${options.what} exited with ${code}; it ended with\n${last.join("\n")}`, {
      hint: `all that it printed: ${options.log}`,
    });
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", stop);
    kill("SIGKILL");
    log.end();
  }
}
