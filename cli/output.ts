import { styleText } from "node:util";
import { type Command, CommanderError } from "commander";
import { InputError, UscPisError } from "../backup/errors";

/** 0: done, all checks passed. 1: failed. 2: bad usage or input, nothing was changed. */
export type ExitCode = 0 | 1 | 2;

/** What a command came to. `--json` prints `data`, otherwise `text` is printed. */
export interface Outcome {
  readonly data: unknown;
  readonly text: string;
  /** @default 0 */
  readonly exitCode?: ExitCode;
}

/** What a command is given beside its arguments. */
export interface Io {
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** A line of progress, on stderr. */
  progress(message: string): void;
  warn(message: string): void;
}

/** Where output goes: the process's own streams, or a test's. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * Wraps a command's work: the one place where `--json`, errors, hints and exit codes are handled. Arguments and options
 * are handed on as commander gives them.
 */
export function action<A extends unknown[]>(work: (io: Io, ...args: A) => Promise<Outcome>) {
  return async function run(this: Command, ...args: unknown[]): Promise<void> {
    const stop = new AbortController();
    // A second Ctrl-C must not end what the first one is tidying up: whoever is in a hurry presses it again.
    const onSignal = () => {
      if (stop.signal.aborted) process.stderr.write("still tidying up\n");
      stop.abort(new UscPisError("interrupted", "interrupted"));
    };
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
    const io: Io = {
      signal: stop.signal,
      progress: (message) => void process.stderr.write(`${message}\n`),
      warn: (message) => void process.stderr.write(`${paint("yellow", "warning:")} ${message}\n`),
    };
    const json = this.optsWithGlobals().json === true;
    try {
      // Commander adds the command itself as the last argument.
      const outcome = await work(io, ...(args.slice(0, -1) as A));
      process.stdout.write(`${json ? JSON.stringify(outcome.data) : outcome.text}\n`);
      process.exitCode = outcome.exitCode ?? 0;
    } catch (error) {
      process.exitCode = report(error, json);
    } finally {
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    }
  };
}

/** Tells of an error: message and hint, no stack, which helps nobody who mistyped. @returns the exit code for it. */
export function report(error: unknown, json: boolean, streams: Streams = process): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const known = error instanceof UscPisError ? error : undefined;
  const message = error instanceof Error ? error.message || error.name : String(error);
  streams.stderr.write(`${paint("red", "error:")} ${message}\n`);
  if (known?.hint) streams.stderr.write(`${paint("cyan", "hint:")} ${known.hint}\n`);
  if (process.env.USC_PIS_DEBUG && error instanceof Error) streams.stderr.write(`${error.stack}\n`);
  if (json) {
    const hint = known?.hint === undefined ? {} : { hint: known.hint };
    streams.stdout.write(`${JSON.stringify({ error: { code: known?.code ?? "failed", message, ...hint } })}\n`);
  }
  return error instanceof InputError ? 2 : 1;
}

/** Colours only where a terminal shows them; `NO_COLOR` is honoured. */
function paint(colour: "red" | "yellow" | "cyan", text: string): string {
  return styleText(colour, text, { stream: process.stderr });
}

/** Columns of equal width, as long as their longest cell. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
