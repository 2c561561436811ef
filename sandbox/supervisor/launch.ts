/** Starting one service: its own process group, its log, its note in the state, and waiting until it answers. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UscPisError } from "../../backup/errors";
import { isAlive, type ProcessIdentity, startTimeOf } from "./identity";
import { tail } from "./logs";
import { MARKER } from "./stop";

export interface LaunchOptions {
  file: string;
  args: readonly string[];
  cwd: string;
  /** The whole environment: nothing of ours is handed on by itself. */
  env: Record<string, string>;
  log: string;
  /** Folder of the sandbox; marks the process as its own. */
  sandboxRoot: string;
  /** User to run as, when it is not ours. */
  user?: { uid: number; gid: number };
}

/** Starts a detached process that leads its own group; what it prints goes to its log. */
export async function launch(options: LaunchOptions): Promise<ProcessIdentity> {
  mkdirSync(dirname(options.log), { recursive: true, mode: 0o700 });
  const log = openSync(options.log, "a", 0o600);
  try {
    const child = spawn(options.file, options.args, {
      cwd: options.cwd,
      env: { ...options.env, [MARKER]: options.sandboxRoot },
      stdio: ["ignore", log, log],
      detached: true,
      ...(options.user === undefined ? {} : { uid: options.user.uid, gid: options.user.gid }),
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) =>
        reject(
          new UscPisError("service_start", `${options.file} can't be started: ${error.message}`, { cause: error }),
        ),
      );
    });
    child.unref();
    const pid = child.pid as number;
    // A process that ended at once has no start time any more; it is found dead by whoever waits for it.
    return { pid, startTime: startTimeOf(pid) ?? "ended" };
  } finally {
    closeSync(log);
  }
}

export interface ReadyOptions<T> {
  service: string;
  process: ProcessIdentity;
  log: string;
  /** Asked again and again until it gives something; what it throws is the reason while it waits. */
  probe: () => Promise<T | undefined>;
  /** @default 30000 milliseconds */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/**
 * Waits until a service answers.
 *
 * @throws UscPisError `service_died` or `service_silent`, with the end of its log
 */
export async function waitReady<T>(options: ReadyOptions<T>): Promise<T> {
  const timeoutMs = options.timeoutMs ?? 30_000;
  const deadline = Date.now() + timeoutMs;
  let reason = "no answer";
  while (true) {
    options.signal?.throwIfAborted();
    try {
      const answer = await options.probe();
      if (answer !== undefined) return answer;
    } catch (error) {
      reason = (error as Error).message;
    }
    const end = tail(options.log, 8).join("\n  ");
    const hint = `read its log: ${options.log}`;
    if (!isAlive(options.process))
      throw new UscPisError("service_died", `${options.service} ended while it started; its log ends with\n  ${end}`, {
        hint,
      });
    if (Date.now() > deadline)
      throw new UscPisError(
        "service_silent",
        `${options.service} did not answer within ${timeoutMs / 1000} s (${reason}); its log ends with\n  ${end}`,
        { hint },
      );
    await sleep(50, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}
