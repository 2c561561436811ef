import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect } from "chai";
import { Client } from "pg";
import type { UscPisError } from "../../backup/errors";
import { PassphraseEncrypter } from "../../sandbox/passphrase";
import { compareTables } from "../../sandbox/rehearsal/compare";
import { readContents } from "../../sandbox/rehearsal/contents";
import { run } from "../../sandbox/rehearsal/run";
import { renderStackFile } from "../../sandbox/stacks";
import { projectRoot } from "../../sandbox/supervisor/paths";
import { strays } from "../../sandbox/supervisor/stop";
import { runPostgres } from "../support/postgres";

const exec = promisify(execFile);

describe("what the rehearsal stands on", function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "usc-pis-test-run-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const options = () => ({
    what: "a program",
    env: { PATH: process.env.PATH ?? "" },
    sandboxRoot: folder,
    log: join(folder, "log"),
  });

  it("hands back what a program printed, and keeps all of it in the log", async () => {
    const lines: string[] = [];
    const text = await run("sh", ["-c", "echo out; echo err >&2"], {
      ...options(),
      onLine: (line) => lines.push(line),
    });
    expect(text).to.equal("out\n");
    expect(lines.sort()).to.deep.equal(["err", "out"]);
    await sleep(50);
    expect(readFileSync(join(folder, "log"), "utf8"))
      .to.contain("out")
      .and.contain("err");
  });

  it("tells how a failed program ended", async () => {
    const error = (await run("sh", ["-c", "echo why >&2; exit 3"], options()).catch((caught) => caught)) as UscPisError;
    expect(error).to.include({ code: "command_failed" });
    expect(error.message).to.match(/exited with 3[\s\S]*why/);
  });

  it("leaves nothing of a program that was interrupted, even of one that will not end", async () => {
    const stop = new AbortController();
    const script = "trap '' INT TERM; sleep 60 & echo up; wait; wait";
    const running = run("sh", ["-c", script], {
      ...options(),
      graceMs: 300,
      signal: stop.signal,
      onLine: () => stop.abort(new Error("interrupted")),
    });
    expect(((await running.catch((caught: Error) => caught)) as Error).message).to.equal("interrupted");
    await sleep(100);
    expect(strays(folder)).to.deep.equal([]);
  });

  it("writes secrets that the real engine reads, with the right passphrase alone", async () => {
    const encrypter = await PassphraseEncrypter.create("the passphrase");
    const secrets = {
      "demo:text": { secret: "gehe¡m\n" },
      "demo:json": { secret: { a: [1] } },
      "demo:plain": { value: 5 },
    };
    writeFileSync(join(folder, "Pulumi.yaml"), "name: demo\nruntime: nodejs\n");
    writeFileSync(join(folder, "Pulumi.try.yaml"), renderStackFile(secrets, encrypter));
    mkdirSync(join(folder, "state"));
    const env = (passphrase: string) => ({
      PATH: `${join(projectRoot, "node_modules", ".bin")}:${process.env.PATH}`,
      HOME: process.env.HOME ?? folder,
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: passphrase,
      PULUMI_SKIP_UPDATE_CHECK: "1",
    });
    const pulumi = (passphrase: string, ...args: string[]) =>
      exec("pulumi", [...args, "--non-interactive"], { cwd: folder, env: env(passphrase) });
    await pulumi("the passphrase", "stack", "init", "try");
    const { stdout } = await pulumi("the passphrase", "config", "--show-secrets", "--json", "--stack", "try");
    const config = JSON.parse(stdout) as Record<string, { value: string; secret: boolean }>;
    expect(config["demo:text"]).to.include({ value: "gehe¡m\n", secret: true });
    expect(config["demo:json"]).to.include({ value: '{"a":[1]}', secret: true });
    expect(config["demo:plain"]).to.include({ value: "5", secret: false });
    const wrong = await pulumi("another", "config", "--show-secrets", "--json", "--stack", "try").catch(
      (caught: { stderr: string }) => caught.stderr,
    );
    expect(wrong).to.match(/passphrase/);
  });

  it("sees one missing row, and one changed, in a real database", async () => {
    const postgres = await runPostgres();
    const client = new Client({ connectionString: postgres.adminUrl });
    try {
      await client.connect();
      await client.query("CREATE TABLE patient AS SELECT n AS id, 'name ' || n AS name FROM generate_series(1, 5) n");
      const before = await readContents(postgres.adminUrl);
      // The order on disk changes, the contents do not.
      await client.query("UPDATE patient SET name = name WHERE id = 1");
      const same = await readContents(postgres.adminUrl);
      expect(compareTables(before, same).map(({ status }) => status)).to.deep.equal(["pass"]);
      await client.query("UPDATE patient SET name = 'another' WHERE id = 1");
      expect(compareTables(before, await readContents(postgres.adminUrl))[0]?.reason).to.match(/not the same/);
      await client.query("DELETE FROM patient WHERE id = 1");
      expect(compareTables(before, await readContents(postgres.adminUrl))[0]?.reason).to.equal("1 row missing");
    } finally {
      await client.end();
      await postgres.stop();
    }
  });
});
