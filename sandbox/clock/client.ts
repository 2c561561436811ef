/** Moving the sandbox's clock from a command or a test: asks the gateway, which keeps the time, and waits. */
import { setTimeout as sleep } from "node:timers/promises";
import { UscPisError } from "../../backup/errors";
import { askLocal } from "../gateway/client";
import type { SandboxPaths } from "../supervisor/paths";
import type { SandboxState } from "../supervisor/state";
import type { ClockStatus } from "./keeper";

/** Pause between two looks at an advance, in milliseconds of real time: short at first, then long against a look. */
const LOOK_MS = { first: 50, longest: 1000 };

export interface AdvanceWaiting {
  signal?: AbortSignal;
  /** Told at each look. */
  onProgress?: (status: ClockStatus) => void;
}

async function ask(paths: SandboxPaths, state: SandboxState, path: string, body?: object): Promise<ClockStatus> {
  const gateway = state.services.gateway?.url;
  if (gateway === undefined)
    throw new UscPisError("not_running", "the sandbox's gateway, which keeps the time, has not been started", {
      hint: "npx usc-pis sandbox up",
    });
  const answer = await askLocal(`${gateway}/_sandbox/${path}`, {
    folder: paths.aws,
    ...(body === undefined ? {} : { method: "POST", body, token: state.gateway.controlToken }),
    timeoutMs: 60_000,
  });
  if (answer.status < 300) return answer.body as ClockStatus;
  const { error = JSON.stringify(answer.body) } = answer.body as { error?: string };
  throw new UscPisError("clock_refused", `the clock was not moved: ${error}`, { hint: "npx usc-pis sandbox clock" });
}

export function clockStatus(paths: SandboxPaths, state: SandboxState): Promise<ClockStatus> {
  return ask(paths, state, "clock");
}

/**
 * Lets time pass until then, with everything that happens on the way.
 * @throws UscPisError `clock_failed` when something did not come to rest; the signal's reason when it was interrupted
 */
export async function advanceClock(
  paths: SandboxPaths,
  state: SandboxState,
  until: Date,
  waiting: AdvanceWaiting = {},
): Promise<ClockStatus> {
  waiting.signal?.throwIfAborted();
  await ask(paths, state, "clock/advance", { until: until.toISOString() });
  for (let pause = LOOK_MS.first; ; pause = Math.min(pause * 2, LOOK_MS.longest)) {
    const status = await clockStatus(paths, state);
    waiting.onProgress?.(status);
    if (status.advance?.status === "done") return status;
    if (status.advance?.status !== "running")
      throw new UscPisError(
        "clock_failed",
        `the clock stopped at ${status.now}: ${status.advance?.error ?? "unknown"}`,
        {
          hint: "npx usc-pis sandbox logs gateway",
        },
      );
    try {
      await sleep(pause, undefined, waiting.signal ? { signal: waiting.signal } : {});
    } catch (error) {
      await ask(paths, state, "clock/stop", {});
      throw waiting.signal?.reason ?? error;
    }
  }
}
