import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Client } from "pg";
import { ensureCertificate } from "../../sandbox/aws/certificate";
import { pythonPath } from "../../sandbox/aws/server";
import { type Answer, type Json, startTestHeroku, TestClient, type TestHeroku, until } from "../support/heroku";
import { procfile } from "../support/heroku-slug";

const CALLS_PER_HOUR = 400;

describe("heroku emulator: what all of its answers have in common", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), "heroku-protocol-"));
  let heroku: TestHeroku;
  let client: TestClient;
  before(async () => {
    heroku = await startTestHeroku({ callsPerHour: CALLS_PER_HOUR });
    client = heroku.client;
    await client.createApp("usc-pis");
  });
  after(async () => {
    await heroku.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const outcome = async (method: string, path: string, body?: unknown) => {
    const answer = await client.send(method, path, body);
    return `${answer.status} ${answer.body.id}`;
  };
  const left = (answer: Answer) => Number(answer.headers.get("ratelimit-remaining") ?? "NaN");

  it("joins request ids, also where it refuses", async () => {
    const id = "11111111-1111-4111-8111-111111111111";
    for (const path of ["/account", "/apps/nowhere", "/client/v11/apps/usc-pis/transfers"]) {
      const { headers } = await client.send("GET", path, undefined, { "Request-Id": id });
      expect(headers.get("request-id"), path).to.match(new RegExp(`^${id},[0-9a-f-]{36}$`));
    }
    expect((await client.send("GET", "/account")).headers.get("request-id")).to.match(/^[0-9a-f-]{36}$/);
  });

  it("counts calls of the Platform API, and those only", async () => {
    const before = left(await client.send("GET", "/account"));
    expect(before).to.be.within(1, CALLS_PER_HOUR - 1);
    expect((await client.ok("GET", "/account/rate-limits")).remaining).to.equal(before);
    expect(
      (await client.send("GET", "/client/v11/apps/usc-pis/transfers")).headers.has("ratelimit-remaining"),
    ).to.equal(false);
    await client.ok("GET", "/_control/inventory");
    expect((await new TestClient(client.url, "wrong").send("GET", "/account")).status).to.equal(401);
    expect(left(await client.send("GET", "/apps/nowhere"))).to.equal(before - 1);
  });

  it("pages every list by Range: 206 with Next-Range while something is left", async () => {
    await client.deploy("usc-pis", procfile({ web: "sleep 600", worker: "sleep 600" }));
    await client.settledRelease("usc-pis");
    await client.ok("PATCH", "/apps/usc-pis/formation/worker", { quantity: 1 });
    for (const plan of ["heroku-redis:mini", "heroku-redis:premium-0"]) await client.addAddon("usc-pis", plan);
    for (const name of ["one", "two"]) {
      await client.ok("POST", "/apps/usc-pis/log-drains", { url: `https://${name}.clinic.example/` });
      const hook = { include: ["api:release"], level: "notify", url: `https://${name}.clinic.example/` };
      await client.ok("POST", "/apps/usc-pis/webhooks", hook);
      await client.ok("POST", "/pipelines", { name: `pipeline-${name}` });
      await client.ok("POST", "/apps/usc-pis/domains", { hostname: `${name}.clinic.example` });
    }
    await client.createApp("second-app");
    await until(
      () => client.ok("GET", "/apps/usc-pis/dynos"),
      (dynos) => dynos.length === 2,
    );
    const lists = [
      "releases",
      "formation",
      "dynos",
      "addons",
      "addon-attachments",
      "log-drains",
      "webhooks",
      "domains",
    ];
    const paths = [...lists.map((one) => `/apps/usc-pis/${one}`), "/apps", "/pipelines", "/apps/usc-pis/features"];
    for (const path of [...paths, "/addon-services/heroku-postgresql/plans"]) {
      const all: Json[] = await client.ok("GET", path);
      const attribute = path.endsWith("/releases") ? "version" : "id";
      const first = await client.send("GET", path, undefined, { Range: `${attribute} ..; max=1` });
      const next = first.headers.get("next-range") ?? "";
      expect([first.status, first.body.length], path).to.deep.equal([206, 1]);
      const rest = await client.send("GET", path, undefined, { Range: next.replace("max=1", "max=1000") });
      expect([rest.status, rest.body.length], path).to.deep.equal([200, all.length - 1]);
      expect(rest.headers.get("next-range"), path).to.equal(null);
      expect(rest.headers.get("accept-ranges"), path).to.contain(attribute);
      const ids = [...first.body, ...rest.body].map((one: Json) => one.id);
      expect(ids, path).to.have.members(all.map((one) => one.id));
      const refused = await client.send("GET", path, undefined, { Range: "colour ..; max=1" });
      expect([refused.status, refused.body.id], path).to.deep.equal([416, "requested_range_not_satisfiable"]);
    }
  });

  it("tells of plans, services and config vars only what a request asks for", async () => {
    const addon = async (expansion: string) =>
      (await client.ok("GET", "/apps/usc-pis/addons", undefined, { "Accept-Expansion": expansion }))[0];
    expect((await addon("")).plan).to.have.all.keys("id", "name");
    expect((await addon("plan")).plan.price).to.deep.include({ unit: "month" });
    expect((await addon("plan")).addon_service).to.not.have.property("human_name");
    expect((await addon("addon_service, plan")).addon_service).to.have.property("human_name");
    const attachment = async (inclusion: string) =>
      (await client.ok("GET", "/apps/usc-pis/addon-attachments", undefined, { "Accept-Inclusion": inclusion }))[0];
    expect(await attachment("")).to.not.have.property("config_vars");
    expect((await attachment("addon:plan,config_vars")).config_vars).to.have.length(1);
    expect((await attachment("addon:plan")).addon.plan).to.have.property("name");
    expect((await attachment("config_vars")).addon).to.not.have.property("plan");
  });

  it("answers 404 without a message as long as a database is being provisioned", async () => {
    const admin = new Client({ connectionString: heroku.postgres.adminUrl });
    await admin.connect();
    await admin.query("BEGIN; LOCK TABLE pg_database IN SHARE MODE");
    const { id, name } = await client.ok("POST", "/apps/usc-pis/addons", { plan: "heroku-postgresql:essential-0" });
    for (const what of ["", "/wait_status", "/transfer-schedules"]) {
      const early = await client.send("GET", `/client/v11/databases/${id}${what}`);
      expect([early.status, early.body], what).to.deep.equal([404, {}]);
    }
    expect((await client.ok("GET", `/apps/usc-pis/addons/${name}`)).state).to.equal("provisioning");
    expect(await client.ok("GET", "/apps/usc-pis/config-vars")).to.not.have.property("DATABASE_URL");
    await admin.end();
    await until(
      () => client.send("GET", `/client/v11/databases/${id}/wait_status`),
      (answer) => answer.status === 200 && answer.body["waiting?"] === false,
    );
    // The control: what never was has a message.
    expect(await outcome("GET", "/client/v11/databases/nothing")).to.equal("404 not_found");
  });

  it("replaces an attachment only when the app is named, and leaves nothing of a refused add-on", async () => {
    const addons = async () => (await client.ok("GET", "/apps/usc-pis/addons")).length;
    const before = await addons();
    const request = { plan: "heroku-redis:mini", attachment: { name: "REDIS" } };
    expect(await outcome("POST", "/apps/usc-pis/addons", request)).to.equal("422 confirmation_required");
    expect(await outcome("POST", "/apps/usc-pis/addons", { ...request, confirm: "second-app" })).to.equal(
      "422 confirmation_required",
    );
    for (const config of [{ follow: "DATABASE" }, { version: "9.6" }])
      expect(
        await outcome("POST", "/apps/usc-pis/addons", { plan: "heroku-postgresql:essential-0", config }),
        JSON.stringify(config),
      ).to.equal("422 invalid_params");
    expect(await addons()).to.equal(before);
    const made = await client.ok("POST", "/apps/usc-pis/addons", { ...request, confirm: "usc-pis" });
    expect(made.config_vars).to.deep.equal(["REDIS_URL"]);
    await until(
      () => client.ok("GET", `/addons/${made.id}`),
      (one) => one.state === "provisioned",
    );
  });

  it("changes a plan: the connection limit follows, nothing is released, another service is refused", async () => {
    const { DATABASE_URL } = await until(
      () => client.ok("GET", "/apps/usc-pis/config-vars"),
      (vars) => "DATABASE_URL" in vars,
    );
    const [addon] = (await client.ok("GET", "/apps/usc-pis/addons")).filter((one: Json) =>
      one.plan.name.startsWith("heroku-postgresql"),
    );
    const limit = async () => {
      const db = new Client({ connectionString: DATABASE_URL });
      await db.connect();
      const { rows } = await db.query("SELECT rolconnlimit AS n FROM pg_roles WHERE rolname = current_user");
      await db.end();
      return rows[0].n;
    };
    const releases = async () => (await client.ok("GET", "/apps/usc-pis/releases")).length;
    const before = await releases();
    expect(await limit()).to.equal(20);
    await client.ok("PATCH", `/apps/usc-pis/addons/${addon.id}`, {
      plan: "heroku-postgresql:essential-2",
      name: "db-1",
    });
    expect([await limit(), await releases()]).to.deep.equal([40, before]);
    expect((await client.ok("GET", "/addons/db-1")).plan.name).to.equal("heroku-postgresql:essential-2");
    expect(await outcome("PATCH", "/apps/usc-pis/addons/db-1", { plan: "heroku-redis:mini" })).to.equal(
      "422 invalid_params",
    );
    const { name: other } = (await client.ok("GET", "/addons")).find((one: Json) => one.name !== "db-1");
    expect(await outcome("PATCH", "/apps/usc-pis/addons/db-1", { name: other })).to.equal("422 invalid_params");
  });

  it("keeps certificates whose key fits, and gives them to domains", async () => {
    const files = await ensureCertificate(folder, pythonPath());
    const body = { certificate_chain: readFileSync(files.cert, "utf8"), private_key: readFileSync(files.key, "utf8") };
    const made = await client.ok("POST", "/apps/usc-pis/sni-endpoints", body);
    expect(JSON.stringify(made)).to.not.contain("PRIVATE KEY");
    expect(made.ssl_cert.cert_domains).to.be.an("array");
    const hostname = "sni.clinic.example";
    const domain = await client.ok("POST", "/apps/usc-pis/domains", { hostname, sni_endpoint: made.name });
    expect(domain.sni_endpoint).to.deep.equal({ id: made.id, name: made.name });
    for (const [what, sni] of [
      ["/apps/usc-pis/domains", "none-0"],
      ["/apps/second-app/domains", made.id],
    ] as const)
      expect(await outcome("POST", what, { hostname: "x.clinic.example", sni_endpoint: sni })).to.equal(
        "404 not_found",
      );
    for (const bad of [{ ...body, private_key: "none" }, { certificate_chain: "none" }])
      expect(await outcome("POST", "/apps/usc-pis/sni-endpoints", bad)).to.equal("422 invalid_params");
    expect((await client.ok("GET", "/apps/usc-pis/sni-endpoints")).map((one: Json) => one.id)).to.deep.equal([made.id]);
    await client.ok("DELETE", `/apps/usc-pis/sni-endpoints/${made.id}`);
    expect((await client.ok("GET", `/apps/usc-pis/domains/${hostname}`)).sni_endpoint).to.equal(null);
  });

  it("has domains that are pending first, and the documented number of drains and webhooks", async () => {
    const domain = await client.ok("POST", "/apps/second-app/domains", { hostname: "late.clinic.example" });
    expect(domain.status).to.equal("pending");
    const drains: string[] = [];
    for (let i = 0; i < 6; i++)
      drains.push(await outcome("POST", "/apps/second-app/log-drains", { url: `https://d${i}.clinic.example/` }));
    expect(drains.map((one) => one.slice(0, 3))).to.deep.equal(["201", "201", "201", "201", "201", "422"]);
    const hooks: string[] = [];
    for (let i = 0; i < 11; i++) {
      const hook = { include: ["api:release"], level: "notify", url: `https://h${i}.clinic.example/` };
      hooks.push(await outcome("POST", "/apps/second-app/webhooks", hook));
    }
    expect(hooks.filter((one) => one.startsWith("201"))).to.have.length(10);
    await until(
      () => client.ok("GET", `/apps/second-app/domains/${domain.id}`),
      (one) => one.status === "succeeded",
    );
  });

  it("refuses with 429 when the hour's calls are used up; the data API still answers", async () => {
    let last = await client.send("GET", "/account");
    for (let i = 0; last.status === 200 && i <= CALLS_PER_HOUR; i++) last = await client.send("GET", "/account");
    expect([last.status, left(last), last.body.id]).to.deep.equal([429, 0, "rate_limit"]);
    expect(last.body.message).to.contain("rate limit");
    expect((await client.ok("GET", "/account/rate-limits")).remaining).to.equal(0);
    await client.ok("GET", "/client/v11/apps/usc-pis/transfers");
  });
});
