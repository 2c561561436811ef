/** One PostgreSQL server of the sandbox: made, configured, started, asked. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { UscPisError } from "../../backup/errors";
import type { ProcessIdentity } from "../supervisor/identity";
import { launch, waitReady } from "../supervisor/launch";
import { linesSince } from "../supervisor/logs";
import { passableFolder } from "../supervisor/paths";
import { freePort } from "../supervisor/ports";
import { type FindOptions, findPostgres, type PostgresSource } from "./programs";
import { canReach, serverUser } from "./user";

export interface PostgresCluster {
  source: PostgresSource;
  version: string;
  /** Folder of the programs, server and clients of one version. */
  bin: string;
  /** Where the server's user starts the server from: `bin`, or a copy that this user can reach. */
  serverBin: string;
  dataDir: string;
  /** Folder to remove with the cluster, when data or programs had to lie outside of the sandbox. */
  temporary?: string;
  user: string;
  password: string;
  port: number;
}

export interface CreateOptions extends FindOptions {
  /** Where the data should lie; elsewhere when the server's user can't get there. */
  dataDir: string;
  /** @default a free one */
  port?: number;
}

const run = promisify(execFile);

/** How the names of our temporary folders begin. */
const TEMPORARY = "usc-pis-postgres-";

function noteOf(dataDir: string): string {
  return join(dirname(dataDir), "temporary");
}

/**
 * Throw-away data on one machine: nothing is synced to the disk, which makes a restore several times faster and only a
 * power cut can hurt. TCP on loopback only, because a socket would lie in a folder that others share.
 */
const SETTINGS = [
  "listen_addresses = '127.0.0.1'",
  "unix_socket_directories = ''",
  "fsync = off",
  "synchronous_commit = off",
  "full_page_writes = off",
  "shared_buffers = 32MB",
  "max_connections = 100",
  "max_wal_size = 256MB",
  "autovacuum_naptime = 30s",
  "timezone = 'UTC'",
  "log_timezone = 'UTC'",
  "log_line_prefix = '%m [%p] %q%u@%d '",
];

/** Connection of the superuser to a database. */
export function adminUrl(cluster: Pick<PostgresCluster, "user" | "password" | "port">, database = "postgres"): string {
  return `postgres://${cluster.user}:${cluster.password}@127.0.0.1:${cluster.port}/${database}?sslmode=disable`;
}

/** Nothing of the person's own PG* variables, and messages in English. */
function environment(bin: string): Record<string, string> {
  return { PATH: `${bin}:/usr/bin:/bin`, LANG: "C", LC_ALL: "C", TZ: "UTC" };
}

/**
 * Makes an empty cluster with a superuser of a random password.
 *
 * @throws UscPisError `postgres_missing`, `postgres_user`, `postgres_init`
 */
export async function createCluster(options: CreateOptions): Promise<PostgresCluster> {
  const programs = await findPostgres(options);
  const user = serverUser();
  let serverBin = programs.bin;
  let { dataDir } = options;
  passableFolder(dirname(dataDir));
  let temporary: string | undefined;
  const outside = () => {
    if (temporary === undefined) {
      temporary = mkdtempSync(join(tmpdir(), TEMPORARY));
      // Noted at once: whoever cleans up after a killed start finds it.
      writeFileSync(noteOf(options.dataDir), temporary, { mode: 0o600 });
      chmodSync(temporary, 0o711);
    }
    return temporary;
  };
  try {
    if (!canReach(join(programs.serverTree, "bin"), user))
      serverBin = copyServer(programs.serverTree, join(outside(), "programs"));
    if (!canReach(dirname(dataDir), user)) dataDir = join(outside(), "data");
    rmSync(dataDir, { recursive: true, force: true });
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    if (user !== undefined) chownSync(dataDir, user.uid, user.gid);
    const password = randomBytes(24).toString("hex");
    await initialize(serverBin, dataDir, "sandbox", password, user);
    const port = options.port ?? (await freePort());
    const { source, version, bin } = programs;
    return {
      source,
      version,
      bin,
      serverBin,
      dataDir,
      user: "sandbox",
      password,
      port,
      ...(temporary === undefined ? {} : { temporary }),
    };
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Copies a server's whole installation, which finds its libraries and extensions relative to itself. */
function copyServer(tree: string, to: string): string {
  cpSync(tree, to, { recursive: true, verbatimSymlinks: true });
  return join(to, "bin");
}

async function initialize(
  bin: string,
  dataDir: string,
  name: string,
  password: string,
  user = serverUser(),
): Promise<void> {
  // In a file of the server's user: a command line can be read by everybody on the machine.
  const pwfile = join(dataDir, "..", `.pw-${randomBytes(6).toString("hex")}`);
  writeFileSync(pwfile, `${password}\n`, { mode: 0o600, flag: "wx" });
  try {
    if (user !== undefined) chownSync(pwfile, user.uid, user.gid);
    const args = [
      "-D",
      dataDir,
      "-U",
      name,
      `--pwfile=${pwfile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync",
    ];
    await run(join(bin, "initdb"), args, { cwd: dirname(dataDir), env: environment(bin), ...user });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new UscPisError("postgres_init", `initdb failed: ${stderr?.trim() || message}`, { cause: error });
  } finally {
    rmSync(pwfile, { force: true });
  }
  appendFileSync(join(dataDir, "postgresql.conf"), `\n${SETTINGS.join("\n")}\n`);
}

export interface StartOptions {
  log: string;
  sandboxRoot: string;
  signal?: AbortSignal;
  /** Told as soon as the process exists, before it answers. */
  onStart?: (process: ProcessIdentity) => void;
  /** Whether another port may be taken when this one is taken meanwhile. @default true */
  mayMove?: boolean;
}

/**
 * Starts the server and waits until it answers.
 *
 * @returns the process, and the port that it listens on in the end
 */
export async function startCluster(
  cluster: PostgresCluster,
  options: StartOptions,
): Promise<ProcessIdentity & { port: number }> {
  if (!existsSync(join(cluster.dataDir, "PG_VERSION")))
    throw new UscPisError("postgres_data", `${cluster.dataDir} holds no database cluster`, {
      hint: "start anew: npx usc-pis sandbox reset",
    });
  let port = cluster.port;
  for (let attempt = 1; ; attempt++) {
    const offset = linesSince(options.log, 0).length;
    const process = await launch({
      file: join(cluster.serverBin, "postgres"),
      args: ["-D", cluster.dataDir, "-p", String(port)],
      cwd: cluster.dataDir,
      env: environment(cluster.serverBin),
      log: options.log,
      sandboxRoot: options.sandboxRoot,
      user: serverUser(),
    });
    options.onStart?.(process);
    try {
      await waitReady({
        service: "PostgreSQL",
        process,
        log: options.log,
        signal: options.signal,
        probe: () => ask(adminUrl({ ...cluster, port })),
      });
      return { ...process, port };
    } catch (error) {
      const said = linesSince(options.log, 0)
        .slice(Math.max(0, offset - 1))
        .join("\n");
      const taken = /could not (bind|create any TCP)|Address already in use/.test(said);
      if (!taken || options.mayMove === false || attempt >= 3) throw error;
      port = await freePort();
    }
  }
}

/** Asks a server for the simplest answer. @throws when none came, `timeoutMs` being the time to connect */
export async function ask(url: string, timeoutMs = 2000): Promise<true> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: timeoutMs });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Removes a stopped cluster's data, and what lay outside of the sandbox for it. */
export function removeCluster(cluster: Pick<PostgresCluster, "dataDir" | "temporary">): void {
  rmSync(cluster.dataDir, { recursive: true, force: true });
  if (cluster.temporary !== undefined) rmSync(cluster.temporary, { recursive: true, force: true });
}

/** The temporary folder that was noted for a data folder, whether or not anybody came to know of it. */
export function notedTemporary(dataDir: string): string | undefined {
  try {
    const folder = readFileSync(noteOf(dataDir), "utf8");
    return basename(folder).startsWith(TEMPORARY) ? folder : undefined;
  } catch {
    return undefined;
  }
}
