/** `usc-pis sandbox clock`: what time it is in the sandbox, and letting time pass. */
import { Duration } from "../../backup/duration";
import { InputError } from "../../backup/errors";
import type { Io, Outcome } from "../../cli/output";
import { sandboxPaths } from "../supervisor/paths";
import { requireState } from "../supervisor/state";
import { advanceClock, clockStatus } from "./client";
import type { ClockStatus } from "./keeper";

/** Between two lines of progress, in milliseconds. */
const PROGRESS_MS = 2_000;

/** A moment, or a time from now such as `36h`. @throws InputError */
export function parseUntil(text: string, now: Date): Date {
  const date = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text) ? new Date(text) : undefined;
  if (date !== undefined && !Number.isNaN(date.getTime())) return date;
  try {
    return new Date(now.getTime() + Duration.parse(text).milliseconds);
  } catch {
    throw new InputError(`${JSON.stringify(text)} is no time, expected a length such as 36h or 7d, or a moment`, {
      hint: "npx usc-pis sandbox clock advance 7d",
    });
  }
}

function render(status: ClockStatus): string {
  const ahead = Duration.ofMilliseconds(Math.round(status.aheadMs / 60_000) * 60_000);
  const lines = [`${status.now}, ${status.aheadMs === 0 ? "the machine's time" : `${ahead} ahead of this machine`}`];
  const { advance } = status;
  if (advance !== undefined) {
    const events = Object.entries(advance.events).map(([name, count]) => `${count} ${name}`);
    lines.push(`${advance.status}: from ${advance.from} until ${advance.until}, ${events.join(", ") || "no events"}`);
  }
  return lines.join("\n");
}

export async function showClock(): Promise<Outcome> {
  const paths = sandboxPaths();
  const status = await clockStatus(paths, requireState(paths));
  return { data: status, text: render(status) };
}

export async function advanceBy(io: Io, by: string): Promise<Outcome> {
  const paths = sandboxPaths();
  const state = requireState(paths);
  const until = parseUntil(by, new Date((await clockStatus(paths, state)).now));
  let told = performance.now();
  const status = await advanceClock(paths, state, until, {
    signal: io.signal,
    onProgress: (now) => {
      if (performance.now() - told < PROGRESS_MS) return;
      told = performance.now();
      io.progress(render(now).split("\n").at(0) ?? "");
    },
  });
  return { data: status, text: render(status) };
}
