/** Logs of the services. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxPaths } from "./paths";
import type { ServiceName } from "./state";

export function logFile(paths: SandboxPaths, service: ServiceName): string {
  return join(paths.logs, `${service}.log`);
}

function readFrom(path: string, offset: number): { text: string; end: number } {
  if (!existsSync(path)) return { text: "", end: 0 };
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const from = size < offset ? 0 : offset;
    const buffer = Buffer.alloc(Math.min(size - from, 4 * 1024 * 1024));
    const read = readSync(file, buffer, 0, buffer.length, from);
    return { text: buffer.subarray(0, read).toString("utf8"), end: from + read };
  } finally {
    closeSync(file);
  }
}

/** The last lines of a log. */
export function tail(path: string, lines = 20): string[] {
  const size = existsSync(path) ? readFrom(path, 0).end : 0;
  const { text } = readFrom(path, Math.max(0, size - 64 * 1024));
  return text.trim() === "" ? [] : text.trimEnd().split("\n").slice(-lines);
}

/** All lines that a service wrote since an offset; for the line that says it is ready. */
export function linesSince(path: string, offset: number): string[] {
  return readFrom(path, offset).text.split("\n");
}

/** Hands on what is written to the logs until the signal aborts. */
export async function follow(
  paths: readonly string[],
  write: (path: string, text: string) => void,
  signal: AbortSignal,
) {
  const offsets = new Map(paths.map((path) => [path, Math.max(0, readFrom(path, 0).end)]));
  while (!signal.aborted) {
    for (const path of paths) {
      const { text, end } = readFrom(path, offsets.get(path) ?? 0);
      if (text !== "") write(path, text);
      offsets.set(path, end);
    }
    await sleep(200, undefined, { signal }).catch(() => undefined);
  }
}
