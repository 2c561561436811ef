import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import { Client } from "pg";
import type { UscPisError } from "../../backup/errors";
import { ROOT_CREDENTIALS } from "../../sandbox/aws/server";
import { adminUrl } from "../../sandbox/postgres/cluster";
import { groupMembers, isAlive } from "../../sandbox/supervisor/identity";
import { type SandboxPaths, sandboxPaths } from "../../sandbox/supervisor/paths";
import { becomesFree } from "../../sandbox/supervisor/ports";
import { readState, type SandboxState, type ServiceName, writeState } from "../../sandbox/supervisor/state";
import { status } from "../../sandbox/supervisor/status";
import { strays } from "../../sandbox/supervisor/stop";
import { down, up } from "../../sandbox/supervisor/supervisor";
import { listening, loopback } from "../support/listening";

/** Ends a process the hard way and waits until it is gone. */
async function kill(state: SandboxState, name: ServiceName): Promise<void> {
  const service = state.services[name];
  if (service === undefined) throw new Error(`${name} was not started`);
  process.kill(service.pid, "SIGKILL");
  while (isAlive(service)) await sleep(10);
}

function groupsOf(state: SandboxState | undefined): number[] {
  return Object.values(state?.services ?? {}).flatMap((service) => groupMembers(service.pid));
}

describe("the supervisor", function () {
  this.timeout(120_000);
  let folder: string;
  let paths: SandboxPaths;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "usc-pis-test-supervisor-"));
    paths = sandboxPaths(join(folder, ".sandbox"));
  });
  afterEach(async () => {
    await down(paths);
    expect(strays(paths.root)).to.deep.equal([]);
    rmSync(folder, { recursive: true, force: true });
  });

  const statuses = async () =>
    Object.fromEntries((await status(paths)).services.map(({ name, status: is }) => [name, is]));

  it("brings all services up, once, and takes them down, once", async () => {
    const first = await up(paths);
    expect(first.started).to.deep.equal(["postgres", "gateway", "aws", "cloudinary", "heroku"]);
    const all = (is: string) => ({ postgres: is, gateway: is, aws: is, cloudinary: is, heroku: is });
    expect(await statuses()).to.deep.equal(all("up"));
    const pids = (state: SandboxState) => Object.values(state.services).map(({ pid }) => pid);
    const second = await up(paths);
    expect(second.started).to.deep.equal([]);
    expect(pids(second.state)).to.deep.equal(pids(first.state));
    expect((await down(paths)).stopped).to.deep.equal(["heroku", "cloudinary", "aws", "gateway", "postgres"]);
    expect(groupsOf(first.state)).to.deep.equal([]);
    expect((await down(paths)).stopped).to.deep.equal([]);
    expect(await statuses()).to.deep.equal(all("absent"));
    // Logs stay, and nothing with a secret in it.
    expect(existsSync(paths.logs)).to.equal(true);
    for (const path of [paths.state, paths.aws, paths.postgres, paths.heroku, join(paths.root, "gateway.json")])
      expect(existsSync(path), path).to.equal(false);
  });

  it("lets two that start at once share one sandbox", async () => {
    const [one, two] = await Promise.all([
      up(paths, { services: ["postgres"] }),
      up(paths, { services: ["postgres"] }),
    ]);
    expect([one.started.length, two.started.length].sort()).to.deep.equal([0, 1]);
    expect(one.state.services.postgres?.pid).to.equal(two.state.services.postgres?.pid);
  });

  it("shows a dead service with the end of its log and what to type, and takes up what it kept", async () => {
    const { state } = await up(paths, { services: ["postgres", "cloudinary", "heroku"] });
    const query = async (text: string) => {
      const client = new Client({ connectionString: adminUrl((readState(paths) as SandboxState).postgres as never) });
      await client.connect();
      try {
        return (await client.query(text)).rows;
      } finally {
        await client.end();
      }
    };
    await query("CREATE TABLE kept AS SELECT 42 AS answer");
    await query("CHECKPOINT");
    await kill(state, "postgres");
    await kill(state, "cloudinary");
    const seen = await status(paths);
    expect(seen.up).to.equal(false);
    expect(seen.next).to.equal("npx usc-pis sandbox up");
    const dead = seen.services.filter((service) => service.status === "dead");
    expect(dead.map(({ name }) => name)).to.deep.equal(["postgres", "cloudinary"]);
    for (const { logTail } of dead) expect(logTail?.join("\n")).not.to.equal("");
    const again = await up(paths, { services: ["postgres", "cloudinary", "heroku"] });
    // The emulator of Heroku was told where the databases are: it starts again with them.
    expect(again.started).to.deep.equal(["postgres", "cloudinary", "heroku"]);
    expect(again.fresh).to.equal(false);
    expect(await query("SELECT answer FROM kept")).to.deep.equal([{ answer: 42 }]);
    expect(again.state.heroku.apiKey).to.equal(state.heroku.apiKey);
    expect(again.state.services.cloudinary?.url).to.equal(state.services.cloudinary?.url);
  });

  it("starts everything anew when the local AWS has died, and says so", async () => {
    const { state } = await up(paths, { services: ["postgres", "aws"] });
    await kill(state, "aws");
    expect((await status(paths)).next).to.match(/starts anew: the local AWS keeps nothing/);
    const again = await up(paths, { services: ["postgres", "aws"] });
    expect(again.fresh).to.equal(true);
    expect(again.started).to.deep.equal(["postgres", "aws"]);
    expect(groupsOf(state)).to.deep.equal([]);
    expect(again.state.heroku.apiKey).not.to.equal(state.heroku.apiKey);
  });

  it("starts a dead gateway again at its address, and the local AWS has forgotten nothing", async () => {
    const services = ["gateway", "aws"] as const;
    const { state } = await up(paths, { services });
    const endpoint = state.services.gateway?.url;
    expect(readFileSync(join(paths.aws, "config"), "utf8"))
      .to.contain(`endpoint_url = ${endpoint}`)
      .and.not.contain(state.services.aws?.url);
    const s3 = new S3Client({
      endpoint,
      region: "ap-southeast-1",
      credentials: ROOT_CREDENTIALS,
      forcePathStyle: true,
    });
    await s3.send(new CreateBucketCommand({ Bucket: "kept" }));
    await kill(state, "gateway");
    expect((await status(paths)).next).to.equal("npx usc-pis sandbox up");
    const again = await up(paths, { services });
    expect(again.started).to.deep.equal(["gateway"]);
    expect(again.fresh).to.equal(false);
    expect(again.state.services.gateway?.url).to.equal(endpoint);
    const { Buckets } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).to.deep.equal(["kept"]);
    // Somebody else at its address: the running local AWS has told it to everyone, so another one would not do.
    await kill(again.state, "gateway");
    const stolen = Number(new URL(endpoint as string).port);
    expect(await becomesFree(stolen)).to.equal(true);
    const thief = createServer().listen(stolen, "127.0.0.1");
    await new Promise((resolve) => thief.once("listening", resolve));
    const refused = (await up(paths, { services }).catch((caught: Error) => caught)) as UscPisError;
    expect(refused).to.include({ code: "port_taken", hint: "start anew: npx usc-pis sandbox reset" });
    await new Promise((resolve) => thief.close(resolve));
    s3.destroy();
  });

  it("cleans up after a start that was killed in the middle", async () => {
    const script = `
      const { up } = require(${JSON.stringify(join(__dirname, "../../sandbox/supervisor/supervisor"))});
      const { sandboxPaths } = require(${JSON.stringify(join(__dirname, "../../sandbox/supervisor/paths"))});
      up(sandboxPaths(${JSON.stringify(paths.root)}), { afterStart: () => new Promise((go) => { console.log("started"); setTimeout(go, 60000); }) });
    `;
    const child = spawn(process.execPath, ["-r", "ts-node/register/transpile-only", "-e", script], {
      cwd: join(__dirname, "../.."),
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    const left = readState(paths) as SandboxState;
    expect(left.ready).to.equal(false);
    expect(groupsOf(left)).to.have.length(5);
    const { fresh, started } = await up(paths, { services: ["postgres"] });
    expect(fresh).to.equal(true);
    expect(started).to.deep.equal(["postgres"]);
    expect(groupsOf(left)).to.deep.equal([]);
  });

  it("finds what a killed start could not even note down", async function () {
    if (process.platform !== "linux") this.skip();
    const { state } = await up(paths, { services: ["postgres", "cloudinary"] });
    const { dataDir = "" } = state.postgres ?? {};
    expect(existsSync(dataDir)).to.equal(true);
    // As if the supervisor had died between a start and its note.
    rmSync(paths.state);
    expect(strays(paths.root, [join(paths.postgres, "data")]).length).to.be.greaterThan(1);
    await down(paths);
    expect(groupsOf(state)).to.deep.equal([]);
    // As root the data lies in a temporary folder, since this one is closed to the server's user.
    expect(existsSync(dataDir)).to.equal(false);
  });

  it("leaves a process alone that was given the number of a dead one", async () => {
    const { state } = await up(paths, { services: ["cloudinary"] });
    await kill(state, "cloudinary");
    const bystander = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
    const pid = bystander.pid as number;
    const { services } = state;
    if (services.cloudinary === undefined) throw new Error("cloudinary was not started");
    writeState(paths, { ...state, services: { cloudinary: { ...services.cloudinary, pid } } });
    await down(paths);
    expect(bystander.exitCode).to.equal(null);
    expect(bystander.signalCode).to.equal(null);
    bystander.kill("SIGKILL");
  });

  it("stops everything when it is interrupted while it starts", async () => {
    const stop = new AbortController();
    let seen: SandboxState | undefined;
    const error = await up(paths, {
      signal: stop.signal,
      progress: (line) => {
        if (line !== "starting aws") return;
        seen = readState(paths);
        setTimeout(() => stop.abort(new Error("interrupted")), 100);
      },
    }).catch((caught: Error) => caught);
    expect((error as Error).message).to.match(/interrupted|abort/);
    expect(seen?.services.postgres).not.to.equal(undefined);
    expect(groupsOf(seen)).to.deep.equal([]);
    expect(readState(paths)).to.equal(undefined);
  });

  it("undoes a start whose last part fails", async () => {
    let seen: SandboxState | undefined;
    const error = await up(paths, {
      services: ["postgres", "cloudinary"],
      afterStart: async (state) => {
        seen = structuredClone(state);
        throw new Error("no plugins");
      },
    }).catch((caught: Error) => caught);
    expect((error as Error).message).to.equal("no plugins");
    expect(groupsOf(seen)).to.deep.equal([]);
    expect(existsSync(paths.state)).to.equal(false);
  });

  describe("ports", () => {
    let server: Server;
    let port: number;
    beforeEach(async () => {
      server = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      port = (server.address() as { port: number }).port;
    });
    afterEach(() => new Promise((resolve) => server.close(resolve)));

    for (const name of ["postgres", "gateway", "aws", "cloudinary"] as const) {
      it(`refuses a fixed port of ${name} that is taken, and leaves nothing running`, async () => {
        const error = (await up(paths, { services: [name], ports: { [name]: port } }).catch(
          (caught: Error) => caught,
        )) as UscPisError;
        expect(error).to.include({ code: "port_taken" });
        expect(error.message).to.contain(`port ${port} for ${name}`);
        expect(error.hint).to.match(/--port/);
        expect(readState(paths)).to.equal(undefined);
        expect(strays(paths.root)).to.deep.equal([]);
      });
    }

    it("uses a fixed port that is free", async () => {
      await new Promise((resolve) => server.close(resolve));
      const { state } = await up(paths, { services: ["cloudinary"], ports: { cloudinary: port } });
      expect(state.services.cloudinary?.url).to.equal(`http://127.0.0.1:${port}`);
    });

    it("takes another port for a restarted service when its own was taken meanwhile", async () => {
      const { state } = await up(paths, { services: ["cloudinary"] });
      const before = Number(new URL(state.services.cloudinary?.url as string).port);
      await kill(state, "cloudinary");
      const thief = createServer().listen(before, "127.0.0.1");
      // Somebody else on this machine may be faster, which serves as well.
      await new Promise((resolve) => thief.once("listening", resolve).once("error", resolve));
      const again = await up(paths, { services: ["cloudinary"] });
      expect(again.state.services.cloudinary?.url).not.to.contain(`:${before}`);
      await new Promise((resolve) => thief.close(resolve));
    });
  });

  it("says what to do when the Python environment is missing", async () => {
    const before = process.env.USC_PIS_PYTHON;
    process.env.USC_PIS_PYTHON = join(folder, "nothing");
    try {
      const error = (await up(paths, { services: ["aws"] }).catch((caught: Error) => caught)) as UscPisError;
      expect(error).to.include({ code: "python_missing" });
      expect(error.hint).to.match(/npm start/);
    } finally {
      if (before === undefined) delete process.env.USC_PIS_PYTHON;
      else process.env.USC_PIS_PYTHON = before;
    }
  });

  it("binds loopback alone, and hands no variable of the person to a service", async function () {
    if (process.platform !== "linux") this.skip();
    process.env.AWS_SECRET_ACCESS_KEY = "a real one";
    try {
      const { state } = await up(paths);
      for (const [name, { pid, url = "" }] of Object.entries(state.services)) {
        const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
        expect(environment, name).not.to.contain("a real one");
        expect(listening(pid), name).to.deep.equal([loopback(Number(new URL(url).port))]);
      }
    } finally {
      delete process.env.AWS_SECRET_ACCESS_KEY;
    }
  });
});
