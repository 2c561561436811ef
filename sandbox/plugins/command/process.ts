import { type ChildProcess, spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";

/** What to run and how. */
export interface Run {
  command: string;
  /** Program and arguments that get the command as their last argument. */
  interpreter: string[];
  dir?: string;
  environment: { [name: string]: string };
  stdin?: string;
  signal: AbortSignal;
  /** Called with every whole line, as it comes. */
  line(stream: "stdout" | "stderr", text: string): void;
}

/** Time between the polite and the impolite signal, in milliseconds. */
const KILL_AFTER = 1000;

/**
 * A shell that waits for the end of its standard input and then kills a process group: the pipe ends with this process,
 * however that ends, so a command does not outlive a plugin that was killed. One word on the pipe sends it home.
 */
function guard(group: number): ChildProcess {
  const script = `read -r word || { kill -TERM -${group} 2>/dev/null; sleep 1; kill -KILL -${group} 2>/dev/null; }`;
  const child = spawn("/bin/sh", ["-c", script], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  child.on("error", () => {});
  child.stdin?.on("error", () => {});
  child.unref();
  return child;
}

function killGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Hands on whole lines of a stream and keeps the text. */
function collect(stream: NodeJS.ReadableStream | null, onLine: (text: string) => void): () => string {
  const decoder = new StringDecoder("utf8");
  let text = "";
  let rest = "";
  stream?.on("data", (chunk: Buffer) => {
    const piece = decoder.write(chunk);
    text += piece;
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  stream?.on("end", () => rest !== "" && onLine(rest));
  return () => text + decoder.end();
}

/**
 * Runs a command in a process group of its own.
 *
 * @returns its output, without the line ends at its end
 * @throws Error with what it wrote to standard error if it could not start or did not exit with 0
 */
export function run(task: Run): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    if (task.signal.aborted) return reject(task.signal.reason);
    const [program = "/bin/sh", ...args] = task.interpreter;
    const child = spawn(program, [...args, task.command], {
      cwd: task.dir,
      env: { ...process.env, ...task.environment },
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const watch = child.pid === undefined ? undefined : guard(child.pid);
    const stdout = collect(child.stdout, (line) => task.line("stdout", line));
    const stderr = collect(child.stderr, (line) => task.line("stderr", line));
    let cancelled = false;
    const abort = () => {
      cancelled = true;
      const group = child.pid;
      if (group === undefined) return;
      killGroup(group, "SIGTERM");
      setTimeout(() => killGroup(group, "SIGKILL"), KILL_AFTER).unref();
    };
    task.signal.addEventListener("abort", abort, { once: true });
    const settle = () => {
      task.signal.removeEventListener("abort", abort);
      watch?.stdin?.end("done\n");
    };
    child.on("error", (error) => {
      settle();
      reject(new Error(`could not run ${program}: ${error.message}`, { cause: error }));
    });
    child.on("close", (code, signal) => {
      settle();
      const output = { stdout: stdout().replace(/[\r\n]+$/, ""), stderr: stderr().replace(/[\r\n]+$/, "") };
      if (code === 0) return resolve(output);
      const how = cancelled ? "cancelled" : code === null ? `signal: ${signal}` : `exit status ${code}`;
      const said = [output.stdout, output.stderr].filter((text) => text !== "").join("\n");
      reject(new Error(`${how}: running ${JSON.stringify(task.command)}${said === "" ? "" : `:\n${said}`}`));
    });
    // A command that does not read its input closes the pipe: no failure of ours.
    child.stdin?.on("error", () => {});
    child.stdin?.end(task.stdin ?? "");
  });
}
