/** Filling a database anew: from a stream that is a dump (a restore), or from another database (a copy). */
import type { ChildProcess } from "node:child_process";
import { PassThrough, type Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { DatabaseLogin, Transfer } from "../model";
import { exitOf, stopChild } from "./children";
import type { Databases } from "./databases";
import { judgeRestoreErrors } from "./restore-errors";
import { collect, lastLine, reason } from "./streams";
import { note } from "./transfer-record";

/** Of every dump and restore: Heroku's owners and grants mean nothing elsewhere. */
export const ARCHIVE = ["--format=custom", "--no-owner", "--no-privileges"];

export interface RefillTools {
  transfer: Transfer;
  databases: Databases;
  signal: AbortSignal;
  /** Starts pg_dump or pg_restore as a child that ends when the transfer is cancelled. */
  start(name: string, args: string[], login: DatabaseLogin): ChildProcess;
  /** Counts what goes through as the transfer's progress. */
  counted(): Transform;
}

/** Empties the database and restores what the stream brings. */
export async function refill(tools: RefillTools, login: DatabaseLogin, input: Readable): Promise<void> {
  const { transfer, databases, signal } = tools;
  input.on("error", () => undefined);
  note(transfer, "info", "emptying the database");
  await databases.empty(login);
  await databases.createExtensions(login, transfer.extensions);
  signal.throwIfAborted();
  const child = tools.start("pg_restore", [...ARCHIVE, `--dbname=${login.database}`], login);
  child.stdout?.resume();
  const stderr = collect(child.stderr);
  note(transfer, "info", "waiting for pg_restore to complete");
  const sent = pipeline(input, tools.counted(), child.stdin as NodeJS.WritableStream, { signal }).catch((error) => {
    // pg_restore may close its input early; its exit code and its words tell whether that was a failure.
    if (!["EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  });
  const [code] = await Promise.all([exitOf(child), sent]);
  const schemas = transfer.extensions.filter((one) => one.includes(".")).map((one) => one.replace(/\..*$/, ""));
  const verdict = judgeRestoreErrors(stderr(), schemas);
  for (const line of verdict.errors.slice(0, 20)) note(transfer, "error", line);
  transfer.warnings = verdict.benign;
  if (code !== 0 && (verdict.errors.length > 0 || verdict.benign === 0))
    throw new Error(`pg_restore exited with ${code}: ${lastLine(stderr())}`);
  note(transfer, "info", "pg_restore done");
}

/** Dumps one database into the other, without a file between. */
export async function pour(tools: RefillTools, from: DatabaseLogin, to: DatabaseLogin): Promise<void> {
  tools.transfer.sourceBytes = (await tools.databases.extent(from)).bytes;
  const dump = tools.start("pg_dump", ARCHIVE, from);
  dump.stdin?.end();
  // Read from the first moment on: of a child that ends while nobody reads, Node throws away what is left.
  const archive = (dump.stdout as Readable).pipe(new PassThrough());
  const stderr = collect(dump.stderr);
  let failure: unknown;
  const refilled = refill(tools, to, archive).catch(async (error) => {
    failure = error;
    // Nobody reads any more: pg_dump would wait for ever.
    await stopChild(dump);
  });
  const [code] = await Promise.all([exitOf(dump), refilled]);
  // What pg_restore says of half a dump is not the reason.
  if (/^pg_dump: error: /m.test(stderr())) throw new Error(`pg_dump exited with ${code}: ${reason(stderr())}`);
  if (failure !== undefined) throw failure;
  if (code !== 0) throw new Error(`pg_dump exited with ${code}`);
}
