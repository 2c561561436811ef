// @ts-check
import { spawn } from "node:child_process";
import { Interrupted, SetupError } from "./errors.mjs";

/** How long a command of the set-up may take to end after SIGTERM before it is killed. */
const GRACE_MS = 5_000;
/** What is kept of a command's output for an error message, in characters: causes stand first or last. */
const KEPT_HEAD = 1_500;
const KEPT_TAIL = 2_500;

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd] folder to run in. Default: this process's own
 * @property {NodeJS.ProcessEnv} [env] whole environment. Default: this process's own
 * @property {number} [timeoutMs] the command is stopped and the run fails after this many ms. Default: never
 * @property {(line: string) => void} [onLine] told of each line that the command prints
 * @property {(pid: number) => void} [onStart] told of the command's process id
 */

/**
 * @typedef {object} RunResult
 * @property {number} code exit code; 127 when it could not be started, 128 and more when a signal ended it
 * @property {string} stdout
 * @property {string} output beginning and end of stdout and stderr as they came
 */

/**
 * Runs a command of the set-up to its end, without a terminal. It gets a process group of its own, so that Ctrl-C and
 * SIGTERM end it together with all that it started.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<RunResult>} also for a failing command
 * @throws {Interrupted} after SIGINT, SIGTERM or SIGHUP to this process
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    if (child.pid !== undefined) options.onStart?.(child.pid);
    let stdout = "";
    let head = "";
    let tail = "";
    let partial = "";
    /** @type {NodeJS.Signals | undefined} */
    let interruptedBy;
    let timedOut = false;

    /** @param {string} text */
    const keep = (text) => {
      const room = KEPT_HEAD - head.length;
      head += text.slice(0, room);
      const rest = tail + text.slice(room);
      tail = rest.length > KEPT_TAIL ? `…${rest.slice(-KEPT_TAIL)}` : rest;
      if (!options.onLine) return;
      const lines = (partial + text).split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) options.onLine(line);
    };
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      keep(text);
    });
    child.stderr.setEncoding("utf8").on("data", keep);

    /** @type {NodeJS.Timeout | undefined} */
    let killer;
    const stop = () => {
      signalGroup(child.pid, "SIGTERM");
      killer ??= setTimeout(() => signalGroup(child.pid, "SIGKILL"), GRACE_MS);
    };
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            stop();
          }, options.timeoutMs);
    const release = onStopSignal((signal) => {
      interruptedBy ??= signal;
      stop();
    });
    /** @param {RunResult} result */
    const finish = (result) => {
      clearTimeout(timer);
      clearTimeout(killer);
      release();
      // Whatever the command left behind in its group ends with it.
      if (interruptedBy || timedOut) signalGroup(child.pid, "SIGKILL");
      if (interruptedBy) reject(new Interrupted(interruptedBy));
      else resolve(result);
    };
    child.on("error", (error) => finish({ code: 127, stdout, output: `${head}${tail}${error.message}` }));
    child.on("close", (code, signal) => {
      const output = `${head}${tail}`;
      const why = timedOut ? `${output}\nstopped after ${options.timeoutMs} ms` : output;
      finish({ code: code ?? 128 + (signal === "SIGKILL" ? 9 : 15), stdout, output: why });
    });
  });
}

/**
 * Like `run`, for a command that has to succeed.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions & { failure: string, hint?: string }} options `failure` says what could not be done
 * @returns {Promise<RunResult>}
 * @throws {SetupError} with what it printed
 */
export async function runOrFail(command, args, options) {
  const result = await run(command, args, options);
  if (result.code === 0) return result;
  throw new SetupError(`${options.failure}: "${[command, ...args].join(" ")}" ended with code ${result.code}`, {
    output: result.output,
    hint: options.hint,
  });
}

/**
 * Runs the real command of a task on this terminal and hands signals on.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>} exit code; 128 + n when signal n ended it
 */
export function runInForeground(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], { ...options, stdio: "inherit" });
    const release = onStopSignal((signal) => {
      // A terminal sends Ctrl-C to the whole foreground group: the command has it already, and takes a second one for
      // impatience. Sent to this process alone (kill, a supervisor) it has to be handed on.
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      child.kill(signal);
    });
    child.on("error", (error) => {
      release();
      process.stderr.write(`error: ${command} could not be started: ${error.message}\n`);
      resolve(127);
    });
    child.on("close", (code, signal) => {
      release();
      resolve(code ?? signalExitCode(signal));
    });
  });
}

/** @param {NodeJS.Signals | null} signal */
export function signalExitCode(signal) {
  return 128 + ({ SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[/** @type {string} */ (signal)] ?? 1);
}

/**
 * @param {(signal: NodeJS.Signals) => void} handler
 * @returns {() => void} takes the handlers away again
 */
function onStopSignal(handler) {
  /** @type {NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, handler);
  return () => {
    for (const signal of signals) process.off(signal, handler);
  };
}

/**
 * @param {number | undefined} pid leader of the group
 * @param {NodeJS.Signals} signal
 */
function signalGroup(pid, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}
