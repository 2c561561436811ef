/** A throw-away PostgreSQL server for the tests of the Heroku emulator. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../sandbox/heroku/runtime/ports";

export interface TestPostgres {
  adminUrl: string;
  bin: string;
  stop(): Promise<void>;
}

/** The server refuses root: then it runs as this user and group (nobody's numbers nearly everywhere). */
const NOBODY = 65534;

function binaries(): string {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions.map((version) => join(root, version, "bin")).find((bin) => existsSync(join(bin, "pg_dump")));
  if (!found) throw new Error(`no PostgreSQL with pg_dump below ${root}`);
  return found;
}

export async function startTestPostgres(): Promise<TestPostgres> {
  const bin = binaries();
  const folder = mkdtempSync(join(tmpdir(), "heroku-pg-"));
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  if (isRoot) for (const path of [folder, data]) chownSync(path, NOBODY, NOBODY);
  const options = { ...user, cwd: folder, stdio: "ignore" as const };
  execFileSync(join(bin, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"], options);
  const port = await freePort();
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "max_connections=60"];
  const args = ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
  const server: ChildProcess = spawn(join(bin, "postgres"), args, options);
  const adminUrl = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await waitFor(bin, port, server);
  return {
    adminUrl,
    bin,
    async stop() {
      const gone = new Promise((resolve) => server.once("exit", resolve));
      if (server.exitCode === null && server.kill("SIGINT")) await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function waitFor(bin: string, port: number, server: ChildProcess): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (server.exitCode !== null) throw new Error(`postgres exited with ${server.exitCode}`);
    try {
      execFileSync(join(bin, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error("postgres did not start within 10 s");
}
