import type { Command } from "commander";
import { InputError } from "../../backup/errors";
import { type RestoreRequest, restoreDatabase, restoreStatus } from "../../backup/restore";
import { readSettings, restorePorts } from "../context";
import { action } from "../output";

interface Options {
  readonly app: string;
  readonly database: string;
  readonly backup?: string;
  readonly before?: string;
  readonly overwrite?: string;
}

export function register(program: Command): void {
  const restore = program.command("restore").description("bring data back");
  restore
    .command("database")
    .description("restore a backup into a database add-on and compare its rows; may be repeated after it broke off")
    .requiredOption("--app <name>", "app that owns the database")
    .requiredOption("--database <id>", "id or name of the database add-on")
    .option("--backup <id>", "exactly this backup, instead of the newest complete one")
    .option("--before <time>", "the newest backup not younger than this (ISO 8601, such as 2026-05-23T14:00:00Z)")
    .option("--overwrite <name>", "name of the add-on: permits replacing rows that are there")
    .action(
      action(async (io, options: Options) => {
        const settings = readSettings();
        const before = parseBefore(options.before);
        const request: RestoreRequest = {
          system: settings.system,
          app: options.app,
          database: options.database,
          ...(options.backup ? { backup: options.backup } : {}),
          ...(before ? { before } : {}),
          ...(options.overwrite ? { overwrite: options.overwrite } : {}),
        };
        const result = await restoreDatabase(request, await restorePorts(settings, io), io.signal);
        return { data: result, text: JSON.stringify(result) };
      }),
    );
  restore
    .command("status")
    .description("what the last restore into a database came to")
    .requiredOption("--app <name>", "app that owns the database")
    .requiredOption("--database <id>", "id or name of the database add-on")
    .action(
      action(async (io, options: Pick<Options, "app" | "database">) => {
        const settings = readSettings();
        const request = { system: settings.system, app: options.app, database: options.database };
        const result = await restoreStatus(request, await restorePorts(settings, io), io.signal);
        return { data: result, text: JSON.stringify(result) };
      }),
    );
}

/** @throws InputError unless it is a moment with a zone: 14:00 in Manila and in UTC are eight hours apart. */
export function parseBefore(text: string | undefined): Date | undefined {
  if (!text) return undefined;
  const at = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text) || Number.isNaN(at.getTime())) {
    throw new InputError(
      `--before is not a moment: got "${text}", expected one with its zone, such as 2026-05-23T14:00:00Z`,
    );
  }
  return at;
}
