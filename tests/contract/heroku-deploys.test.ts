import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { tarGz } from "../../sandbox/app/archive";
import { buildRelease, SYNTHETIC_PASSWORD, seed, syntheticEmail } from "../../sandbox/app/index";
import { type Json, startTestHeroku, type TestClient, type TestHeroku, until } from "../support/heroku";

/** A request with a Host header of its own, which fetch does not allow. */
function get(port: string, path: string, host: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path, headers: { host } }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.on("error", reject).end();
  });
}

describe("heroku emulator: builds, releases, dynos and the sample application", function () {
  this.timeout(90_000);
  const folder = mkdtempSync(join(tmpdir(), "heroku-deploys-"));
  let heroku: TestHeroku;
  let client: TestClient;
  let web: string;
  before(async () => {
    heroku = await startTestHeroku();
    client = heroku.client;
    const app = await client.createApp("usc-pis");
    web = app.web_url.slice(0, -1);
    await client.addAddon("usc-pis", "heroku-postgresql:essential-0");
    const vars = { SECRET_KEY: "s", ALLOWED_HOSTS: "127.0.0.1,pis.clinic.example", PGP_ENCRYPTION_KEY: "k" };
    await client.ok("PATCH", "/apps/usc-pis/config-vars", vars);
  });
  after(async () => {
    await heroku.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const tarball = async (version: string, releaseCommand?: string) =>
    readFileSync((await buildRelease({ version, outDir: folder, releaseCommand })).path);
  const releases = (): Promise<Json[]> => client.ok("GET", "/apps/usc-pis/releases");
  const health = () => client.send("GET", `${web}/api/health/`);

  it("answers 503 without code", async () => {
    expect((await client.send("GET", web)).status).to.equal(503);
  });

  it("builds, migrates, starts a web dyno and serves the application's paths", async () => {
    const buildpacks = [{ url: "heroku/nodejs" }, { url: "heroku/python" }];
    const build = await client.deploy("usc-pis", await tarball("1.0.0"), buildpacks, "1.0.0");
    expect(build.status).to.equal("succeeded");
    expect(build.buildpacks.map((one: Json) => one.url)).to.deep.equal(["heroku/nodejs", "heroku/python"]);
    expect(build.source_blob.version).to.equal("1.0.0");
    const release = await client.settledRelease("usc-pis");
    expect(release).to.deep.include({ id: build.release.id, status: "succeeded", description: "Deploy 1.0.0" });
    const output = (await client.send("GET", release.output_stream_url)).body;
    expect(output).to.contain("Applying patients.0001_initial... OK");
    const { DATABASE_URL } = await client.ok("GET", "/apps/usc-pis/config-vars");
    await seed({ databaseUrl: DATABASE_URL, pgpKey: "k" });
    expect((await health()).body).to.deep.include({ status: "healthy", database: "ok", version: "1.0.0" });
    expect((await health()).body.counts).to.include({ authentication_user: 7, patients_patient: 5 });
    expect((await client.send("GET", `${web}/`)).body).to.contain("<h1>USC Patient Information System");
    const admin = await fetch(`${web}/admin/`, { redirect: "manual" });
    expect([admin.status, admin.headers.get("location")]).to.deep.equal([302, "/admin/login/?next=/admin/"]);
    expect(admin.headers.get("x-frame-options")).to.equal("DENY");
    expect((await fetch(`${web}/api/patients/`)).status).to.equal(401);
    expect(
      (await client.send("POST", `${web}/api/auth/login/`, { email: syntheticEmail(1), password: "no" })).status,
    ).to.equal(400);
    const { token } = await client.ok("POST", `${web}/api/auth/login/`, {
      email: syntheticEmail(1),
      password: SYNTHETIC_PASSWORD,
    });
    const headers = { Authorization: `Token ${token}` };
    const patients = await client.ok("GET", `${web}/api/patients/?search=0002`, undefined, headers);
    expect(patients.count).to.equal(1);
    expect(patients.results[0].address).to.contain("Nowhere Street");
    for (const path of [
      "feedback",
      "files",
      "medical-certificates",
      "notifications",
      "reports",
      "utils",
      "health-info",
    ])
      expect((await client.ok("GET", `${web}/api/${path}/`, undefined, headers)).count, path).to.be.greaterThan(0);
  });

  it("routes by Host: the app's domain anywhere, nothing for strangers; the app refuses hosts of its own", async () => {
    await client.ok("POST", "/apps/usc-pis/domains", { hostname: "pis.clinic.example" });
    const port = new URL(web).port;
    expect((await get(port, "/api/health/", "pis.clinic.example")).status).to.equal(200);
    expect((await get(port, "/", "stranger.example")).status).to.equal(404);
    const domains: Json[] = await client.ok("GET", "/apps/usc-pis/domains");
    const own = domains.find((one) => one.kind === "heroku");
    expect((await get(port, "/", own.hostname)).status, "not in ALLOWED_HOSTS").to.equal(400);
  });

  it("shows the maintenance page and takes it away", async () => {
    await client.ok("PATCH", "/apps/usc-pis", { maintenance: true });
    const answer = await client.send("GET", `${web}/`);
    expect(answer.status).to.equal(503);
    expect(answer.body).to.contain("Offline for Maintenance");
    await client.ok("PATCH", "/apps/usc-pis", { maintenance: false });
    expect((await client.send("GET", `${web}/`)).status).to.equal(200);
  });

  it("runs the release command on config changes, added add-ons and rollbacks, not on removals by add-ons", async () => {
    const ran = async () => (await releases()).filter((one) => one.output_stream_url !== null).length;
    const before = await ran();
    await client.ok("PATCH", "/apps/usc-pis/config-vars", { SWITCH: "1" });
    await client.settledRelease("usc-pis");
    expect(await ran()).to.equal(before + 1);
    const redis = await client.addAddon("usc-pis", "heroku-redis:mini");
    await client.settledRelease("usc-pis");
    expect(await ran()).to.equal(before + 2);
    await client.ok("DELETE", `/apps/usc-pis/addons/${redis.id}`);
    await client.settledRelease("usc-pis");
    expect(await ran()).to.equal(before + 2);
  });

  it("rolls back code and config vars", async () => {
    const good = await client.settledRelease("usc-pis");
    await client.ok("PATCH", "/apps/usc-pis/config-vars", { SWITCH: null, BROKEN: "yes" });
    await client.deploy("usc-pis", await tarball("2.0.0"), undefined, "2.0.0");
    await client.settledRelease("usc-pis");
    expect((await health()).body.version).to.equal("2.0.0");
    await client.ok("POST", "/apps/usc-pis/releases", { release: good.id });
    const release = await client.settledRelease("usc-pis");
    expect(release).to.include({ description: `Rollback to v${good.version}`, status: "succeeded", current: true });
    expect((await health()).body.version).to.equal("1.0.0");
    const vars = await client.ok("GET", "/apps/usc-pis/config-vars");
    expect(vars).to.include({ SWITCH: "1" }).and.not.have.property("BROKEN");
  });

  it("keeps the current release when the release command or the build fails", async () => {
    const current = await client.settledRelease("usc-pis");
    const build = await client.deploy("usc-pis", await tarball("3.0.0", "echo broken migration; exit 3"));
    expect(build.status).to.equal("succeeded");
    const failed = await client.settledRelease("usc-pis");
    expect(failed).to.include({ status: "failed", current: false });
    expect((await client.send("GET", failed.output_stream_url)).body).to.equal("broken migration\n");
    expect((await health()).body.version).to.equal("1.0.0");
    const noPython = tarGz([{ path: "Procfile", content: Buffer.from("web: true\n") }]);
    const refused = await client.deploy("usc-pis", noPython, [{ url: "heroku/python" }]);
    expect([refused.status, refused.release]).to.deep.equal(["failed", null]);
    expect((await client.send("GET", refused.output_stream_url)).body).to.contain("not compatible with buildpack");
    expect((await client.deploy("usc-pis", Buffer.from("not a tarball"))).status).to.equal("failed");
    const { source_blob: source } = await client.ok("POST", "/sources");
    expect(
      (await fetch(source.put_url.replace(/signature=./, "signature=x"), { method: "PUT", body: "x" })).status,
    ).to.equal(403);
    expect((await releases()).find((one) => one.current).version).to.equal(current.version);
  });

  it("checks the digest of the source", async () => {
    const { source_blob: source } = await client.ok("POST", "/sources");
    await fetch(source.put_url, { method: "PUT", body: new Uint8Array(await tarball("1.0.0")) });
    const blob = { url: source.get_url, version: "1", checksum: `SHA256:${"0".repeat(64)}` };
    const { id } = await client.ok("POST", "/apps/usc-pis/builds", { source_blob: blob });
    const build = await until(
      () => client.ok("GET", `/apps/usc-pis/builds/${id}`),
      (one) => one.status !== "pending",
    );
    expect(build.status).to.equal("failed");
    expect((await client.send("GET", build.output_stream_url)).body).to.contain("checksum of the source");
  });

  it("scales real processes up and down, and runs one-off dynos", async () => {
    const names = async () =>
      (await client.ok("GET", "/apps/usc-pis/dynos")).map((one: Json) => `${one.name} ${one.state}`).sort();
    const updates = [
      { type: "worker", quantity: "1", size: "Standard-1X" },
      { type: "beat", quantity: "+1" },
    ];
    const formation: Json[] = await client.ok("PATCH", "/apps/usc-pis/formation", { updates });
    expect(formation.find((one) => one.type === "worker")).to.include({ quantity: 1, size: "Standard-1X" });
    await until(names, (list) => list.join() === "beat.1 up,web.1 up,worker.1 up");
    for (const type of ["beat", "worker"]) await client.ok("PATCH", `/apps/usc-pis/formation/${type}`, { quantity: 0 });
    await until(names, (list) => list.join() === "web.1 up");
    expect((await client.send("PATCH", "/apps/usc-pis/formation/clock", { quantity: 1 })).status).to.equal(404);
    const dyno = await client.ok("POST", "/apps/usc-pis/dynos", {
      attach: false,
      command: 'echo "one-off of $DYNO, $SECRET_KEY"',
      env: {},
    });
    const { logplex_url } = await client.ok("POST", "/apps/usc-pis/log-sessions", { lines: 200 });
    await until(
      async () => (await client.send("GET", logplex_url)).body as string,
      (text) => text.includes(`one-off of ${dyno.name}, s`),
    );
  });

  it("ends all processes with the app", async () => {
    await client.ok("DELETE", "/apps/usc-pis");
    const inventory = await client.ok("GET", "/_control/inventory");
    expect([inventory.apps, inventory.dynos, inventory.databases]).to.deep.equal([0, 0, 0]);
    expect(readFileSync(join(heroku.dataDir, "processes.json"), "utf8")).to.equal("[]");
    expect(
      await fetch(web).then(
        () => "answers",
        () => "gone",
      ),
    ).to.equal("gone");
  });
});
