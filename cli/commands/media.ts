import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import type { Command } from "commander";
import { HOUR_MS } from "../../backup/duration";
import { InputError } from "../../backup/errors";
import type { MediaResult } from "../../backup/media/ports";
import { type MediaStatus, mediaStatus } from "../../backup/media/status";
import { type Parity, verifyMedia } from "../../backup/media/verify";
import { connectCloudinary, connectSides, readSettings } from "../context";
import { invokeFunction } from "../invoke";
import { action, type Io, type Outcome, table } from "../output";

/** Older than this, a sync is overdue. The alarm says the same. */
const OVERDUE_HOURS = 26;
/** Lines of a list that a terminal is spared. */
const SHOWN = 20;

export function register(program: Command): void {
  const media = program.command("media").description("the mirror of Cloudinary's media");
  media
    .command("sync")
    .description("mirror what is new, changed or deleted now, by the app's own function")
    .requiredOption("--app <name>", "app on Heroku")
    .option("--accept-deletions", "so many deletions at once are meant: mark them, recoverable for a year")
    .option("--region <region>", "region of the function; else the primary one")
    .option("--requested-by <who>", "for the manifest", userInfo().username)
    .action(action(sync));
  media
    .command("verify")
    .description("compare the mirror with Cloudinary, asset by asset; changes nothing")
    .option("--side <side>", "primary or replica", "primary")
    .action(action(verify));
  media.command("status").description("the last sync, and what became of the runs").action(action(status));
}

async function sync(
  io: Io,
  options: { app: string; acceptDeletions?: boolean; region?: string; requestedBy: string },
): Promise<Outcome> {
  const event = {
    trigger: "manual",
    requestedBy: options.requestedBy,
    request: randomUUID(),
    ...(options.acceptDeletions ? { acceptDeletions: true } : {}),
  };
  const functionName = `${options.app}-media-sync`;
  const region = options.region ?? readSettings().primaryRegion;
  io.progress(`${functionName} mirrors the media`);
  const failure = { what: "the media sync", code: "media_sync_failed" };
  const result = (await invokeFunction(io, functionName, region, event, failure)) as MediaResult;
  return { data: result, text: describeSync(result), exitCode: exitCodeOfSync(result) };
}

/** Only a mirror that equals Cloudinary is a success; a state that is not known is none. */
export function exitCodeOfSync(result: MediaResult): 0 | 1 {
  const good = result?.outcome === "already_done" || (result?.outcome === "synced" && result.status === "success");
  return good ? 0 : 1;
}

export function describeSync(result: MediaResult): string {
  switch (result?.outcome) {
    case "synced":
      return [
        `${result.status}: ${result.assets} assets, ${result.bytes} bytes in ${result.bucket} (${result.id}, ${result.seconds.toFixed(1)} s)`,
        `${result.fetched} fetched, ${result.described} described, ${result.deleted} marked as deleted, ${result.calls} calls`,
        ...result.notes.map((note) => `note: ${note}`),
        ...(result.vanished > 0
          ? ["if these deletions were meant: usc-pis media sync --accept-deletions; else see docs/runbooks/media.md"]
          : []),
      ].join("\n");
    case "paused":
      return `paused after ${result.listed} assets: Cloudinary has calls again at ${result.resumeAt}; the next sync goes on`;
    case "already_done":
      return `done already: ${result.id}`;
    case "busy":
      return "another sync is still at work: try again in a few minutes";
    case "refused":
      return `refused: ${result.reason}`;
    default:
      return `unknown answer: ${JSON.stringify(result)}`;
  }
}

async function verify(io: Io, options: { side: string }): Promise<Outcome> {
  if (options.side !== "primary" && options.side !== "replica") {
    throw new InputError(`--side is "${options.side}", expected primary or replica`);
  }
  const cloudinary = connectCloudinary();
  const settings = readSettings();
  const { media } = await connectSides(settings, "recovery");
  const parity = await verifyMedia(
    settings.system,
    cloudinary,
    media[options.side === "primary" ? 0 : 1],
    new Date(),
    io.signal,
  );
  return { data: parity, text: describeParity(parity), exitCode: parity.status === "pass" ? 0 : 1 };
}

export function describeParity(parity: Parity): string {
  const list = (what: string, lines: readonly string[]) => [
    ...lines.slice(0, SHOWN).map((line) => `${what}: ${line}`),
    ...(lines.length > SHOWN ? [`${what}: and ${lines.length - SHOWN} more (--json lists all)`] : []),
  ];
  const equal = parity.listed - parity.differs.length;
  return [
    `${parity.status}: ${equal} of ${parity.listed} assets are in ${parity.bucket} with equal size and version`,
    ...list(
      "differs",
      parity.differs.map(({ path, reason }) => `${path} ${reason}`),
    ),
    ...list("gone from Cloudinary", parity.vanished),
    ...list("described otherwise", parity.described),
  ].join("\n");
}

async function status(io: Io): Promise<Outcome> {
  const settings = readSettings();
  const { media, runs } = await connectSides(settings, "recovery");
  const now = new Date();
  const found = await mediaStatus(settings.system, media, runs, now, io.signal);
  for (const { side, error } of found.failures) io.warn(`the ${side} side does not answer: ${error.message}`);
  const { text, good } = describeStatus(found, now);
  const { newest, failures, ...rest } = found;
  // Every asset of the clinic is more than anybody asked for.
  const summary = newest && { ...newest, assets: newest.assets.length, deleted: newest.deleted.length };
  const silent = failures.map(({ side, error }) => ({ side, error: error.message }));
  return { data: { ...rest, newest: summary, failures: silent }, text, exitCode: good ? 0 : 1 };
}

/** Good is a successful sync that is not overdue. */
export function describeStatus(found: MediaStatus, now: Date): { text: string; good: boolean } {
  const { newest } = found;
  const rows = found.runs
    .slice(0, 5)
    .map((run) => [run.id, run.status, String(run.assets ?? ""), run.error?.message ?? run.notes.at(-1) ?? ""]);
  const records = rows.length > 0 ? [table(["run", "status", "assets", "last word"], rows)] : [];
  if (!newest) return { text: ["no media sync has ended yet", ...records].join("\n"), good: false };
  const hours = (now.getTime() - Date.parse(newest.completedAt)) / HOUR_MS;
  const overdue = hours > OVERDUE_HOURS;
  const { counts, deleted, assessment } = newest;
  const lines = [
    `${assessment.status}${overdue ? ", overdue" : ""}: ${newest.id}, ${hours.toFixed(1)} hours ago (${found.side})`,
    `${counts.mirrored} assets, ${counts.bytes} bytes in ${found.bucket}; ${deleted.length} deleted within a year`,
    ...assessment.reasons.slice(0, SHOWN).map((reason) => `reason: ${reason}`),
  ];
  return { text: [...lines, ...records].join("\n"), good: assessment.status === "success" && !overdue };
}
