import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import type { Command } from "commander";
import { BackupId } from "../../backup/backup-id";
import type { CaptureResult } from "../../backup/capture-ports";
import { readCatalogue, readManifest } from "../../backup/catalogue";
import { parseBackupClass } from "../../backup/classes";
import { InputError, UscPisError } from "../../backup/errors";
import { ensureDailySchedule, removeDailySchedule } from "../../backup/schedule";
import { onFirstSide } from "../../backup/sides";
import { parseDailySchedule } from "../../backup/slot";
import { findSource } from "../../backup/source";
import { connectHeroku, connectSides, readSettings } from "../context";
import { invokeFunction } from "../invoke";
import { action, type Io, type Outcome, table } from "../output";

export function register(program: Command): void {
  const backup = program.command("backup").description("take, list and schedule backups");
  backup
    .command("schedule")
    .description("set Heroku's own daily backup of the app's database")
    .requiredOption("--app <name>", "app on Heroku")
    .requiredOption("--at <time>", 'whole hour and zone, such as "02:00 UTC"')
    .action(action(schedule));
  backup
    .command("unschedule")
    .description("remove Heroku's own daily backup")
    .requiredOption("--app <name>", "app on Heroku")
    .action(action(unschedule));
  backup
    .command("create")
    .description("take a backup now, by the app's own capture function")
    .requiredOption("--app <name>", "app on Heroku")
    .option("--class <class>", "critical, monthly, weekly, daily or hourly; else the longest-lived that is due")
    .option("--region <region>", "region of the function; else the primary one")
    .option("--requested-by <who>", "for the manifest", userInfo().username)
    .action(action(create));
  backup
    .command("list")
    .description("complete backups in the vault, newest first")
    .option("--limit <number>", "how many", "20")
    .option("--runs", "records of runs instead, failed ones too")
    .action(action(list));
  backup.command("show").description("the manifest of a backup").argument("<id>", "backup id").action(action(show));
}

async function schedule(io: Io, options: { app: string; at: string }): Promise<Outcome> {
  const wanted = parseDailySchedule(options.at);
  const heroku = connectHeroku();
  const { addonId, addonName } = await findSource(heroku, options.app, io.signal);
  const result = await ensureDailySchedule(heroku, addonId, wanted, io.signal);
  const was = result.before && result.change === "changed" ? `, was ${result.before}` : "";
  return {
    data: { app: options.app, database: addonName, ...result },
    text: `${addonName} of ${options.app}: daily backup at ${result.now} (${result.change}${was})`,
  };
}

async function unschedule(io: Io, options: { app: string }): Promise<Outcome> {
  const heroku = connectHeroku();
  let removed = false;
  try {
    const { addonId } = await findSource(heroku, options.app, io.signal);
    removed = await removeDailySchedule(heroku, addonId, io.signal);
  } catch (error) {
    // Its app or database is gone, and the schedule with it.
    if (!(error instanceof UscPisError) || !["not_found", "no_database"].includes(error.code)) throw error;
  }
  return {
    data: { app: options.app, removed },
    text: removed ? `${options.app}: daily backup removed` : `${options.app}: there was no daily backup`,
  };
}

async function create(
  io: Io,
  options: { app: string; class?: string; region?: string; requestedBy: string },
): Promise<Outcome> {
  const settings = readSettings();
  const event = {
    trigger: "manual",
    requestedBy: options.requestedBy,
    request: randomUUID(),
    ...(options.class ? { class: parseBackupClass(options.class) } : {}),
  };
  const functionName = `${options.app}-capture`;
  io.progress(`${functionName} takes a backup`);
  const region = options.region ?? settings.primaryRegion;
  const failure = { what: "the capture", code: "capture_failed" };
  const result = (await invokeFunction(io, functionName, region, event, failure)) as CaptureResult;
  return { data: result, text: describe(result), exitCode: exitCodeOf(result) };
}

/** Only a backup that is good is a success; a state that is not known is none. */
export function exitCodeOf(result: CaptureResult): 0 | 1 {
  const good = result?.outcome === "already_done" || (result?.outcome === "captured" && result.status === "success");
  return good ? 0 : 1;
}

export function describe(result: CaptureResult): string {
  switch (result?.outcome) {
    case "captured":
      return [
        `${result.status}: ${result.id} (${result.class}, ${result.bytes} bytes, ${result.seconds.toFixed(1)} s)`,
        `SHA-256 ${result.sha256} in ${result.bucket}`,
        ...result.notes.map((note) => `note: ${note}`),
      ].join("\n");
    case "already_done":
      return `done already: ${result.id}`;
    case "busy":
      return "another capture is still at work: try again in a few minutes";
    case "refused":
      return `refused: ${result.reason}`;
    default:
      return `unknown answer: ${JSON.stringify(result)}`;
  }
}

async function list(io: Io, options: { limit: string; runs?: boolean }): Promise<Outcome> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1) throw new InputError(`--limit is not a number: got "${options.limit}"`);
  const settings = readSettings();
  const { vaults, runs } = await connectSides(settings, "recovery");
  if (options.runs) {
    const sides = runs.map((store, index) => ({
      side: index === 0 ? ("primary" as const) : ("replica" as const),
      store,
    }));
    const { result: records } = await onFirstSide(sides, ({ store }) => store.newest(limit));
    const rows = records.map((run) => [
      run.id,
      run.type,
      run.status,
      String(run.bytes ?? ""),
      run.error?.message ?? "",
    ]);
    return { data: records, text: table(["run", "type", "status", "bytes", "error"], rows) };
  }
  const { entries, failures } = await readCatalogue(vaults, settings.system, io.signal);
  for (const { side, error } of failures) io.warn(`the ${side} side does not answer: ${error.message}`);
  const ids = [...new Set(entries.map((entry) => entry.id))].slice(0, limit);
  const backups = await Promise.all(
    ids.map(async (id) => {
      const places = entries.filter((entry) => entry.id === id);
      const sides = places.map((entry) => `${entry.vault.side}${entry.hidden ? " (deleted)" : ""}`);
      const first = places[0];
      const manifest = first && (await readManifest(first, settings.system, io.signal).catch(() => undefined));
      return {
        id,
        class: first?.backupClass,
        status: manifest?.assessment.status ?? "unreadable",
        takenAt: manifest?.takenAt,
        bytes: manifest?.dump.bytes,
        sides,
      };
    }),
  );
  const rows = backups.map((each) => [
    each.id,
    each.class ?? "",
    each.status,
    each.takenAt ?? "",
    String(each.bytes ?? ""),
    each.sides.join(", "),
  ]);
  return { data: backups, text: table(["backup", "class", "status", "taken", "bytes", "where"], rows) };
}

async function show(io: Io, id: string): Promise<Outcome> {
  BackupId.parse(id);
  const settings = readSettings();
  const { vaults } = await connectSides(settings, "recovery");
  const { entries, failures } = await readCatalogue(vaults, settings.system, io.signal);
  for (const { side, error } of failures) io.warn(`the ${side} side does not answer: ${error.message}`);
  const entry = entries.find((each) => each.id === id);
  if (!entry)
    throw new UscPisError("no_backup", `the vault holds no complete backup ${id}`, { hint: "usc-pis backup list" });
  const manifest = await readManifest(entry, settings.system, io.signal);
  return { data: manifest, text: JSON.stringify(manifest, null, 2) };
}
