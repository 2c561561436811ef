import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { Client } from "pg";
import { webhookSignature } from "../../sandbox/cloudinary/signature";
import * as commands from "../../sandbox/faults/commands";
import { projectRoot, type SandboxPaths, sandboxPaths } from "../../sandbox/supervisor/paths";
import type { SandboxState } from "../../sandbox/supervisor/state";
import { down, up } from "../../sandbox/supervisor/supervisor";
import { TestClient, until } from "../support/heroku";
import { dataUri, png } from "./cloudinary-support";

const APP = "usc-pis";

describe("named faults", function () {
  this.timeout(60_000);
  let folder: string;
  let paths: SandboxPaths;
  let state: SandboxState;
  let heroku: TestClient;
  let database: string;
  let databaseUrl: string;
  const outside = process.env.USC_PIS_SANDBOX_DIR;

  before(async function () {
    this.timeout(120_000);
    folder = mkdtempSync(join(tmpdir(), "usc-pis-test-faults-"));
    process.env.USC_PIS_SANDBOX_DIR = join(folder, ".sandbox");
    paths = sandboxPaths();
    ({ state } = await up(paths));
    heroku = new TestClient(state.services.heroku?.url ?? "", state.heroku.apiKey, state.heroku.controlToken);
    await heroku.createApp(APP);
    database = (await heroku.addAddon(APP, "heroku-postgresql:essential-0")).id;
    databaseUrl = (await heroku.ok("GET", `/apps/${APP}/config-vars`)).DATABASE_URL;
    await sql(
      "CREATE EXTENSION pgcrypto; CREATE TABLE patients AS SELECT n, gen_random_uuid() AS id FROM generate_series(1, 3000) n",
    );
  });
  after(async () => {
    if (paths !== undefined) await down(paths);
    if (outside === undefined) delete process.env.USC_PIS_SANDBOX_DIR;
    else process.env.USC_PIS_SANDBOX_DIR = outside;
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    await commands.reset(undefined);
  });

  async function sql(text: string): Promise<any[]> {
    const client = new Client({ connectionString: databaseUrl.replace(/\?.*/, "") });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }
  const set = (name: string, options: commands.SetArguments = {}) => commands.set(name, options);
  const params = (...param: string[]) => ({ param });
  const pgRestore = (dump: Buffer, ...args: string[]) => {
    const file = join(folder, "dump");
    writeFileSync(file, dump);
    const program = join(state.postgres?.bin ?? "", "pg_restore");
    return execFileSync(program, [...args, file], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  };

  describe("of Heroku's captures", () => {
    const capture = () => heroku.capture(database, APP);
    const download = async (num: number): Promise<Response> => {
      const { url } = await heroku.ok("POST", `/client/v11/apps/${APP}/transfers/${num}/actions/public-url`);
      return fetch(url);
    };
    const dump = async (num: number) => Buffer.from(await (await download(num)).arrayBuffer());

    let good: any;
    let bytes: Buffer;
    before(async () => {
      good = await capture();
      bytes = await dump(good.num);
    });

    it("are none at first", () => {
      expect(good).to.include({ succeeded: true, warnings: 0, processed_bytes: bytes.length });
      expect(pgRestore(bytes, "--list")).to.contain("TABLE DATA public patients");
    });

    it("leave an empty dump that is called a success", async () => {
      await set("empty-dump", { times: "1" });
      const empty = await capture();
      expect(empty).to.include({ succeeded: true, processed_bytes: 0 });
      expect((await dump(empty.num)).length).to.equal(0);
      expect((await capture()).processed_bytes).to.be.greaterThan(1000);
    });

    it("leave an archive that no pg_restore of ours reads", async () => {
      await set("newer-archive");
      const newer = await dump((await capture()).num);
      expect(() => pgRestore(newer, "--list")).to.throw(/unsupported version \(1\.99\) in file header/);
    });

    it("fail, warn, end late or never", async () => {
      await set("capture-fails");
      const failed = await capture();
      expect(failed.succeeded).to.equal(false);
      expect(failed.logs.at(-1).message).to.match(/server closed the connection/);
      await set("capture-disk-full");
      expect((await capture()).logs.at(-1).message).to.match(/No space left/);
      await commands.reset(undefined);
      await set("capture-warns");
      expect(await capture()).to.include({ succeeded: true, warnings: 1 });
      await set("capture-times-out", params("ms=150"));
      const begin = performance.now();
      expect((await capture()).logs.at(-1).message).to.match(/longer than is allowed/);
      expect(performance.now() - begin).to.be.greaterThan(140);
      await commands.reset(undefined);
      await set("capture-never-ends");
      const { uuid, num } = await heroku.ok("POST", `/client/v11/databases/${database}/backups`);
      await sleep(300);
      const path = `/client/v11/apps/${APP}/transfers/${num}`;
      expect((await heroku.ok("GET", path)).finished_at).to.equal(null);
      await heroku.ok("POST", `${path}/actions/cancel`);
      expect((await heroku.transfer(APP, uuid)).succeeded).to.equal(false);
    });

    it("come down truncated, flipped, cut, in pieces, or as a page", async () => {
      const { num } = await capture();
      const whole = await dump(num);
      await set("dump-truncated", params("bytes=100"));
      const short = await download(num);
      expect(short.headers.get("content-length")).to.equal(String(whole.length - 100));
      expect(Buffer.from(await short.arrayBuffer()).equals(whole.subarray(0, -100))).to.equal(true);
      await set("dump-truncated", params("bytes=100", "length=kept"));
      expect(await dump(num).catch((error) => error.message)).to.equal("terminated");
      await set("dump-cut", params("bytes=50"));
      expect(await dump(num).catch((error) => error.message)).to.equal("terminated");
      await commands.reset(undefined);
      await set("dump-bit-flipped", params("offset=900"));
      const flipped = await dump(num);
      expect(flipped.findIndex((byte, at) => byte !== whole[at])).to.equal(900);
      await commands.reset(undefined);
      await set("dump-tiny-chunks", params("bytes=40"));
      const sizes: number[] = [];
      for await (const chunk of (await download(num)).body ?? []) sizes.push(chunk.length);
      expect(sizes.length).to.be.greaterThan(50);
      expect(sizes.reduce((sum, size) => sum + size, 0)).to.equal(whole.length);
      await set("dump-html-page");
      const page = await download(num);
      expect([page.status, page.headers.get("content-type")]).to.deep.equal([200, "text/html"]);
      expect(await page.text()).to.match(/^<!DOCTYPE html>/);
      await commands.reset(undefined);
      expect((await dump(num)).equals(whole)).to.equal(true);
    });

    it("are told of by errors, in unknown states, or to nobody", async () => {
      // Of those before, the plan keeps only the newest ones.
      const { num } = await capture();
      const poll = `/client/v11/apps/${APP}/transfers/${num}`;
      const statuses = async (...paths: string[]) =>
        Promise.all(paths.map(async (path) => (await heroku.send("GET", path)).status));
      await set("polls-fail", params("polls=2"));
      expect([...(await statuses(poll)), ...(await statuses(poll)), ...(await statuses(poll))]).to.deep.equal([
        503, 503, 200,
      ]);
      await set("transfer-state-unknown");
      expect(await heroku.ok("GET", poll)).to.include({ succeeded: "limbo", state: "limbo", num });
      await set("heroku-token-expired");
      expect(await heroku.send("GET", "/account")).to.deep.include({
        status: 401,
        body: { id: "unauthorized", message: "Invalid credentials provided." },
      });
      await commands.reset("heroku-token-expired");
      await set("heroku-rate-limited", params("seconds=7"));
      const limited = await heroku.send("GET", "/account");
      expect([limited.status, limited.body.id, limited.headers.get("retry-after")]).to.deep.equal([
        429,
        "rate_limit",
        "7",
      ]);
      await set("heroku-down");
      expect(await statuses("/account", "/apps")).to.deep.equal([503, 503]);
      await commands.reset(undefined);
      expect(await statuses("/account", poll)).to.deep.equal([200, 200]);
    });

    it("are restored with noise, with errors, or never", async () => {
      const backup = await capture();
      const restore = () => heroku.restore(database, APP, backup.to_url, ["pgcrypto"]);
      await set("restore-extension-noise");
      expect(await restore()).to.include({ succeeded: true, warnings: 1 });
      await commands.reset(undefined);
      await set("restore-disk-full");
      const full = await restore();
      expect(full.succeeded).to.equal(false);
      expect(full.logs.at(-1).message).to.match(/No space left/);
      await commands.reset(undefined);
      await set("restore-never-ends");
      const body = { backup_url: backup.to_url };
      const { uuid, num } = await heroku.ok("POST", `/client/v11/databases/${database}/restores`, body);
      await until(
        () => heroku.ok("GET", `/client/v11/apps/${APP}/transfers/${uuid}`),
        (one) => one.started_at !== null,
      );
      await heroku.ok("POST", `/client/v11/apps/${APP}/transfers/${num}/actions/cancel`);
      expect((await heroku.transfer(APP, uuid)).succeeded).to.equal(false);
      await commands.reset(undefined);
      expect(await restore()).to.include({ succeeded: true, warnings: 0 });
      expect((await sql("SELECT count(*)::int AS n FROM patients"))[0].n).to.equal(3000);
    });

    // Last: what it moves stays moved.
    it("have extensions in Heroku's own schema, which are not found elsewhere", async () => {
      await set("heroku-ext-schema");
      const backup = await capture();
      expect(pgRestore(await dump(backup.num), "--list")).to.match(/SCHEMA - heroku_ext/);
      expect(pgRestore(bytes, "--list")).to.not.contain("heroku_ext");
      // In the database itself they still are; a restored one does not look into that schema.
      await sql("SELECT digest('x', 'sha256')");
      expect(await heroku.restore(database, APP, backup.to_url)).to.include({ succeeded: true });
      const lost = await sql("SELECT digest('x', 'sha256')").catch((error: Error) => error.message);
      expect(lost).to.contain("function digest(unknown, unknown) does not exist");
      expect(await sql("SELECT heroku_ext.digest('x', 'sha256')")).to.have.length(1);
    });
  });

  describe("of Cloudinary", () => {
    const account = () => state.cloudinary;
    const api = async (method: string, path: string, body?: object) => {
      const basic = Buffer.from(`${account().apiKey}:${account().apiSecret}`).toString("base64");
      const answer = await fetch(`${state.services.cloudinary?.url}/v1_1/${account().cloudName}/${path}`, {
        method,
        headers: { authorization: `Basic ${basic}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, headers: answer.headers, body: (await answer.json()) as any };
    };
    const upload = async (publicId: string) => {
      await api("POST", "upload_presets", { name: "open", unsigned: true }).catch(() => undefined);
      const form = new FormData();
      form.set("file", dataUri(png(3)));
      form.set("upload_preset", "open");
      form.set("public_id", publicId);
      const url = `${state.services.cloudinary?.url}/v1_1/${account().cloudName}/image/upload`;
      return (await (await fetch(url, { method: "POST", body: form })).json()) as any;
    };

    it("refuse beyond the limit, and fail, in its words", async () => {
      await set("cloudinary-rate-limited");
      const limited = await api("GET", "usage");
      expect(limited.status).to.equal(420);
      expect(limited.body.error.message).to.match(/^Rate Limit Exceeded\. Limit of 500 api operations reached/);
      expect(limited.headers.get("x-featureratelimit-remaining")).to.equal("0");
      await commands.reset(undefined);
      await set("cloudinary-error", { times: "1" });
      expect((await api("GET", "usage")).status).to.equal(500);
      expect((await api("GET", "usage")).status).to.equal(200);
    });

    it("list less than there is, serve other bytes, and let somebody edit behind", async () => {
      for (const id of ["clinic/a", "clinic/b", "clinic/c"]) await upload(id);
      const page = async () => (await api("GET", "resources/image?max_results=1")).body;
      expect((await page()).next_cursor).to.be.a("string");
      await set("cloudinary-paging-stops");
      expect(await page())
        .to.have.property("resources")
        .with.length(1);
      expect(await page()).to.not.have.property("next_cursor");
      await commands.reset(undefined);

      const [asset] = (await api("GET", "resources/image?max_results=1&prefix=clinic/a&type=upload")).body.resources;
      const bytes = async () => Buffer.from(await (await fetch(asset.url)).arrayBuffer());
      const whole = await bytes();
      await set("asset-truncated");
      expect((await bytes()).equals(whole.subarray(0, -1))).to.equal(true);
      await set("asset-bit-flipped");
      await commands.reset("asset-truncated");
      expect((await bytes()).findIndex((byte, at) => byte !== whole[at])).to.equal(16);
      await commands.reset(undefined);
      await set("asset-gone");
      expect((await fetch(asset.url)).status).to.equal(404);

      await set("cloudinary-metadata-edited", params(`asset=${asset.public_id}`, "note=changed"));
      const edited = (await api("GET", `resources/image/upload/${encodeURIComponent(asset.public_id)}`)).body;
      expect([edited.version, edited.tags, edited.context]).to.deep.equal([
        asset.version,
        ["changed"],
        { custom: { note: "changed" } },
      ]);
    });

    it("send webhooks forged, twice, late and never", async () => {
      const got: { headers: IncomingHttpHeaders; body: string; at: number }[] = [];
      const receiver = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          got.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), at: Date.now() });
          response.end();
        });
      });
      await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
      const uri = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
      await api("POST", "triggers", { uri, event_type: "upload" });
      const signs = ({ headers, body }: (typeof got)[number], secret: string) =>
        headers["x-cld-signature"] === webhookSignature(body, Number(headers["x-cld-timestamp"]), secret, "sha1");
      const next = async (count = 1) => {
        const from = got.length;
        await upload(`hook/${from}`);
        await until(
          async () => got.length,
          (length) => length >= from + count,
          10,
        );
        return got.slice(from);
      };
      try {
        const [honest] = await next();
        expect(signs(honest as never, account().apiSecret)).to.equal(true);
        await set("webhook-wrong-signature");
        const [forged] = await next();
        expect(signs(forged as never, account().apiSecret)).to.equal(false);
        await commands.reset(undefined);
        await set("webhook-replayed", { times: "1" });
        const [one, two] = await next(2);
        expect([two?.body, two?.headers["x-cld-signature"]]).to.deep.equal([
          one?.body,
          one?.headers["x-cld-signature"],
        ]);
        await commands.reset(undefined);
        await set("webhook-delayed", params("ms=1500"));
        const begin = Date.now();
        const [late] = await next();
        expect((late?.at ?? 0) - begin).to.be.greaterThan(1400);
        expect(Number(late?.headers["x-cld-timestamp"])).to.be.at.most(Math.ceil(begin / 1000));
        await commands.reset(undefined);
        await set("webhook-lost", { times: "1" });
        await upload("hook/lost");
        const [later] = await next();
        expect(JSON.parse(later?.body ?? "{}").public_id).to.not.equal("hook/lost");
      } finally {
        receiver.closeAllConnections();
        receiver.close();
      }
    });
  });

  describe("by their command", () => {
    const cli = (...args: string[]) =>
      new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
        execFile(
          process.execPath,
          ["cli/bin.js", "sandbox", "fault", ...args],
          { cwd: projectRoot, env: { ...process.env, NO_COLOR: "1" } },
          (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
        );
      });

    it("are listed, set, shown with their hits, and reset", async () => {
      const [listed, done] = await Promise.all([
        cli("list", "--json"),
        cli("set", "heroku-slow", "--param", "ms=1", "path=^/account$", "--times", "2", "--json"),
      ]);
      expect(JSON.parse(listed.stdout).faults.map(({ name }: { name: string }) => name)).to.include("heroku-slow");
      const rule = { service: "heroku", path: "^/account$", delayMs: 1, name: "heroku-slow", times: 2 };
      expect(JSON.parse(done.stdout)).to.deep.equal({ name: "heroku-slow", at: "heroku", rules: [rule] });
      await heroku.ok("GET", "/account");
      await heroku.ok("GET", "/apps");
      const shown = await commands.show();
      expect((shown.data as any).rules).to.deep.equal([{ at: "heroku", rule, seen: 1, hits: 1, over: false }]);
      expect(shown.text).to.match(/heroku-slow +heroku +1 +1/);
      await set("heroku-slow");
      expect((await commands.show()).data)
        .to.have.property("rules")
        .with.length(1);
      expect((await commands.reset("heroku-slow")).text).to.contain("1 rules taken back");
      expect((await commands.show()).text).to.equal("nothing is set");
    });

    it("set states of the local AWS, and end them", async () => {
      await set("replication", params("status=pending"));
      await set("mail-rejected");
      const states = async () => ((await commands.show()).data as any).states.map(({ name }: { name: string }) => name);
      expect(await states()).to.deep.equal(["replication", "mail-rejected"]);
      await commands.reset("replication");
      expect(await states()).to.deep.equal(["mail-rejected"]);
      await commands.reset(undefined);
      expect(await states()).to.deep.equal([]);
    });

    it("are refused where they are wrong, with what is known", async () => {
      const outcomes = await Promise.all([
        cli("set", "nothing"),
        cli("set", "dump-truncated", "--param", "size=1"),
        cli("set", "dump-cut", "--times", "often"),
        cli("set", "replication", "--times", "1"),
        cli("reset", "cloudinary-metadata-edited"),
      ]);
      const words = [
        /known are empty-dump/,
        /it takes bytes=512/,
        /--times is "often"/,
        /neither --times/,
        /is an act/,
      ];
      for (const [index, { code, stderr }] of outcomes.entries()) {
        expect(code, stderr).to.equal(2);
        expect(stderr).to.match(words[index] as RegExp);
      }
      expect((await commands.show()).text).to.equal("nothing is set");
    });

    // Last: it ends a service.
    it("name a service that is down", async () => {
      process.kill(state.services.cloudinary?.pid ?? 0, "SIGKILL");
      const { code, stderr } = await cli("set", "webhook-lost");
      expect(code).to.equal(1);
      expect(stderr).to.match(/cloudinary does not answer at http.*\n.*npx usc-pis sandbox status/);
      // The others are reset all the same.
      await set("heroku-slow");
      expect(await commands.reset(undefined).catch((error) => error.code)).to.equal("service_down");
      const { faults } = await heroku.ok("GET", "/_control/faults");
      expect(faults).to.deep.equal([]);
      await up(paths);
    });
  });
});
