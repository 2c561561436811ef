import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { Client } from "pg";
import { findPlan } from "../../sandbox/heroku/plans";
import { freePort } from "../../sandbox/supervisor/ports";
import { startTestHeroku, type TestHeroku } from "../support/heroku";

const exec = promisify(execFile);
const PLAN = "heroku-postgresql:essential-0";
const KEY = "test-pgp-key";

/** PostgreSQL's own programs and Node's driver with the DATABASE_URL of an app, as a person would use them. */
describe("PostgreSQL's clients against a Heroku add-on", function () {
  this.timeout(60_000);
  let heroku: TestHeroku;
  let folder: string;
  const urls: Record<"first" | "second", string> = { first: "", second: "" };

  before(async () => {
    heroku = await startTestHeroku();
    folder = mkdtempSync(join(tmpdir(), "usc-pis-test-clients-"));
    for (const name of ["first", "second"] as const) {
      await heroku.client.createApp(name);
      await heroku.client.addAddon(name, PLAN);
      urls[name] = (await heroku.client.ok("GET", `/apps/${name}/config-vars`)).DATABASE_URL;
    }
  });
  after(async () => {
    await heroku?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a program with nothing of this machine's own settings. Answers its output, its words and how it ended. */
  async function program(name: string, ...args: string[]): Promise<{ out: string; said: string; code: number }> {
    const env = { PATH: process.env.PATH, HOME: folder, LC_ALL: "C" };
    return exec(join(heroku.postgres.bin, name), args, { env }).then(
      ({ stdout, stderr }) => ({ out: stdout.trim(), said: stderr.trim(), code: 0 }),
      (error: Error & { stdout: string; stderr: string; code: number }) => ({
        out: error.stdout.trim(),
        said: error.stderr.trim(),
        code: error.code,
      }),
    );
  }

  const psql = (url: string, sql: string) => program("psql", url, "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-Atc", sql);

  async function failure(url: string): Promise<string> {
    const client = new Client({ connectionString: url });
    try {
      await client.connect();
      return "connected";
    } catch (error) {
      return (error as Error).message;
    } finally {
      await client.end().catch(() => {});
    }
  }

  it("answers pg_isready, and only where it is", async () => {
    expect((await program("pg_isready", "-d", urls.first)).code).to.equal(0);
    const elsewhere = new URL(urls.first);
    elsewhere.port = String(await freePort());
    expect((await program("pg_isready", "-t", "2", "-d", elsewhere.toString())).code).to.equal(2);
  });

  it("lets the owner encrypt with pgcrypto, but be no superuser", async () => {
    const { out, said } = await psql(
      urls.first,
      `CREATE EXTENSION IF NOT EXISTS pgcrypto;
       CREATE TABLE patient (id serial PRIMARY KEY, name bytea NOT NULL);
       INSERT INTO patient (name) SELECT pgp_sym_encrypt('patient ' || n, '${KEY}') FROM generate_series(1, 40) n;
       SELECT count(*) || ' ' || min(pgp_sym_decrypt(name, '${KEY}')) FROM patient;`,
    );
    expect(out.split("\n").at(-1), said).to.equal("40 patient 1");
    expect((await psql(urls.first, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).out).to.equal("f");
    const program = await psql(urls.first, "COPY patient FROM PROGRAM 'id'");
    expect(program.said).to.match(/permission denied|must be superuser/);
    const wrongKey = await psql(urls.first, "SELECT pgp_sym_decrypt(name, 'other') FROM patient LIMIT 1");
    expect(wrongKey.said).to.match(/Wrong key or corrupt data/);
  });

  it("dumps one app's database and restores it into another's", async () => {
    const dump = join(folder, "a.dump");
    const options = ["--no-owner", "--no-privileges"];
    const dumped = await program("pg_dump", "--format=custom", ...options, "--file", dump, urls.first);
    expect(dumped.code, dumped.said).to.equal(0);
    expect(readFileSync(dump).subarray(0, 5).toString()).to.equal("PGDMP");
    const restored = await program("pg_restore", ...options, "--clean", "--if-exists", "--dbname", urls.second, dump);
    // A role that does not own an extension may not comment on it: the one kind of noise that is known.
    const noise = restored.said.split("\n").filter((line) => /error:/.test(line) && !/owner of extension/.test(line));
    expect(noise).to.deep.equal([]);
    const check = `SELECT count(*) || ' ' || max(id) || ' ' || min(pgp_sym_decrypt(name, '${KEY}')) FROM patient`;
    expect((await psql(urls.second, check)).out).to.equal("40 40 patient 1");
    expect((await psql(urls.second, "SELECT nextval('patient_id_seq')")).out).to.equal("41");
  });

  it("refuses another tenant's database and a wrong password", async () => {
    const [first, second] = [new URL(urls.first), new URL(urls.second)];
    const at = (changes: Partial<Pick<URL, "pathname" | "password">>) =>
      Object.assign(new URL(first), changes).toString();
    expect(await failure(first.toString())).to.equal("connected");
    expect(await failure(at({ pathname: second.pathname }))).to.match(/permission denied for database/);
    expect(await failure(at({ password: second.password }))).to.match(/password authentication failed/);
    expect((await psql(at({ pathname: second.pathname }), "SELECT 1")).code).to.equal(2);
  });

  it("takes as many connections as the plan has, and says so to the next one", async () => {
    const { connections } = findPlan(PLAN);
    const open = Array.from({ length: connections }, () => new Client({ connectionString: urls.first }));
    for (const client of open) client.on("error", () => {});
    try {
      await Promise.all(open.map((client) => client.connect()));
      expect(await failure(urls.first)).to.match(/too many connections for role/);
      expect((await psql(urls.first, "SELECT 1")).said).to.match(/too many connections for role/);
      // Another tenant does not suffer from it.
      expect((await psql(urls.second, "SELECT 1")).out).to.equal("1");
      await open.pop()?.end();
      expect(await failure(urls.first)).to.equal("connected");
    } finally {
      await Promise.all(open.map((client) => client.end().catch(() => {})));
    }
  });
});
