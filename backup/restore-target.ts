import type { DatabaseFacts } from "../clients/database";
import type { Heroku } from "../clients/heroku";
import type { Pace } from "../clients/retry";
import type { Vault } from "../clients/vault";
import type { Log } from "./capture-ports";
import { InputError, UscPisError } from "./errors";
import type { BackupChoice } from "./restore-source";

export interface RestoreRequest extends BackupChoice {
  readonly system: string;
  readonly app: string;
  /** Id or name of the database add-on. */
  readonly database: string;
  /** Name of the add-on, once more: permits overwriting rows in critical tables. */
  readonly overwrite?: string;
}

export interface RestorePorts {
  readonly heroku: Pick<
    Heroku,
    "addon" | "configVars" | "resolveAttachment" | "transfers" | "transfer" | "startRestore"
  >;
  /** Primary side first. */
  readonly vaults: readonly Pick<
    Vault,
    "side" | "bucket" | "list" | "listVersions" | "getText" | "putText" | "getStream" | "head" | "presign"
  >[];
  readonly inspect: (databaseUrl: string, signal?: AbortSignal) => Promise<DatabaseFacts>;
  readonly pace: Pace;
  readonly log: Log;
}

export interface Target {
  readonly id: string;
  readonly name: string;
  readonly ownerApp: string;
  readonly url: string;
}

/** The database and its URL. @throws InputError for another app's database, UscPisError `no_database` */
export async function findTarget(request: RestoreRequest, ports: RestorePorts, signal?: AbortSignal): Promise<Target> {
  const addon = await ports.heroku.addon(request.database, signal);
  if (addon.app.name !== request.app) {
    throw new InputError(`database ${addon.name} belongs to app ${addon.app.name}, expected ${request.app}`);
  }
  const names = new Set(addon.config_vars ?? []);
  for (const attachment of await ports.heroku.resolveAttachment(request.app, addon.name, signal)) {
    for (const name of attachment.config_vars ?? []) names.add(name);
  }
  const values = await ports.heroku.configVars(request.app, signal);
  const url = [...names].map((name) => values[name]).find((value) => value?.startsWith("postgres"));
  if (!url) {
    throw new UscPisError(
      "no_database",
      `app ${request.app} has no URL of database ${addon.name} among its config vars`,
      {
        hint: `heroku addons:wait ${addon.name} -a ${request.app}`,
      },
    );
  }
  return { id: addon.id, name: addon.name, ownerApp: addon.app.name, url };
}
