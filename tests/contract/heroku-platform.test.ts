import { expect } from "chai";
import {
  type Answer,
  type Json,
  startTestHeroku,
  TEST_KEY,
  TestClient,
  type TestHeroku,
  until,
} from "../support/heroku";

describe("heroku emulator: Platform API", function () {
  this.timeout(60_000);
  let heroku: TestHeroku;
  let client: TestClient;
  before(async () => {
    heroku = await startTestHeroku();
    client = heroku.client;
  });
  after(() => heroku.stop());

  /** Status and id of an answer: what callers decide by. */
  async function outcome(method: string, path: string, body?: unknown): Promise<string> {
    const answer = await client.send(method, path, body);
    return `${answer.status} ${answer.body.id}`;
  }

  describe("keys", () => {
    it("accepts a key as Bearer and as Basic with any e-mail, and nothing else", async () => {
      const basic = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString("base64")}` });
      const open = new TestClient(client.url, null);
      for (const header of [basic(`:${TEST_KEY}`), basic(`x@y.example:${TEST_KEY}`)])
        expect((await open.send("GET", "/account", undefined, header)).status).to.equal(200);
      for (const answer of [
        await open.send("GET", "/account"),
        await open.send("GET", "/account", undefined, basic(":wrong")),
        await new TestClient(client.url, "wrong").send("GET", "/nowhere"),
      ]) {
        expect(answer.status).to.equal(401);
        expect(answer.body).to.include({ id: "unauthorized" });
      }
    });

    it("rotates keys at run time; only the control token may", async () => {
      const refused = await new TestClient(client.url, TEST_KEY, "guess").send("POST", "/_control/keys", {
        keys: ["mine"],
      });
      expect(refused.status).to.equal(401);
      await client.ok("POST", "/_control/keys", { keys: ["new-key"] });
      expect((await client.send("GET", "/account")).status).to.equal(401);
      await new TestClient(client.url, "new-key").ok("GET", "/account");
      await client.ok("POST", "/_control/keys", { keys: [TEST_KEY] });
      await client.ok("GET", "/account");
    });
  });

  describe("apps", () => {
    it("creates with one release, tells its addresses, renames and destroys", async () => {
      const app = await client.createApp("first-app");
      expect(app).to.deep.include({
        name: "first-app",
        maintenance: false,
        acm: false,
        organization: null,
        team: null,
      });
      expect(app.id).to.match(/^[0-9a-f-]{36}$/);
      expect(app.web_url).to.match(/^http:\/\/127\.0\.0\.1:\d+\/$/);
      expect(app.build_stack.name).to.equal("heroku-24");
      expect((await client.ok("GET", `/apps/${app.id}`)).name).to.equal("first-app");
      expect(await client.ok("GET", "/apps/first-app/releases")).to.have.length(1);
      const [own] = await client.ok("GET", "/apps/first-app/domains");
      expect(own.hostname).to.match(/^first-app-[0-9a-f]{12}\.herokuapp\.com$/);
      await client.ok("PATCH", "/apps/first-app", { name: "renamed-app" });
      expect(await outcome("GET", "/apps/first-app")).to.equal("404 not_found");
      await client.ok("DELETE", `/apps/${app.id}`);
      expect(await outcome("GET", "/apps/renamed-app")).to.equal("404 not_found");
    });

    it("refuses taken names, bad names, and regions and stacks that don't exist", async () => {
      await client.createApp("taken");
      expect(await outcome("POST", "/apps", { name: "taken" })).to.equal("422 invalid_params");
      for (const body of [
        { name: "Bad" },
        { name: "x" },
        { name: "good-one", region: "moon" },
        { name: "good-one", stack: "cedar" },
      ])
        expect(await outcome("POST", "/apps", body), JSON.stringify(body)).to.equal("422 invalid_params");
      expect(await outcome("POST", "/apps", { name: "good-one", space: "private" })).to.equal("404 not_found");
      await client.ok("DELETE", "/apps/taken");
    });

    it("speaks JSON also when it refuses", async () => {
      const bad = await fetch(`${client.url}/apps`, {
        method: "POST",
        headers: { Authorization: `Bearer ${TEST_KEY}` },
        body: "{oops",
      });
      expect([bad.status, ((await bad.json()) as Json).id]).to.deep.equal([400, "bad_request"]);
      expect(await outcome("PUT", "/apps")).to.equal("405 method_not_allowed");
      expect(await outcome("GET", "/no/such/thing")).to.equal("404 not_found");
    });

    it("keeps buildpacks, features and the certificate switch as they are sent", async () => {
      await client.createApp("settings-app");
      const updates = [{ buildpack: "heroku/nodejs" }, { buildpack: "heroku/python" }];
      await client.ok("PUT", "/apps/settings-app/buildpack-installations", { updates });
      const packs: Json[] = await client.ok("GET", "/apps/settings-app/buildpack-installations");
      expect(packs.map((pack) => pack.buildpack.name)).to.deep.equal(["heroku/nodejs", "heroku/python"]);
      const feature = await client.ok("PATCH", "/apps/settings-app/features/preboot", { enabled: true });
      expect((await client.ok("GET", `/apps/settings-app/features/${feature.id}`)).enabled).to.equal(true);
      expect(await outcome("PATCH", "/apps/settings-app/features/feat-93cd3f9", { enabled: true })).to.equal(
        "404 not_found",
      );
      expect((await client.ok("POST", "/apps/settings-app/acm")).acm).to.equal(true);
      await client.ok("DELETE", "/apps/settings-app/acm");
      expect((await client.ok("GET", "/apps/settings-app")).acm).to.equal(false);
      await client.ok("DELETE", "/apps/settings-app");
    });
  });

  describe("config vars and releases", () => {
    before(() => client.createApp("config-app"));
    after(() => client.ok("DELETE", "/apps/config-app"));
    const newest = async () =>
      (await client.ok("GET", "/apps/config-app/releases", undefined, { Range: "version ..; max=1, order=desc" }))[0];

    it("makes a release for each change and none for no change", async () => {
      const before = (await newest()).version;
      expect(await client.ok("PATCH", "/apps/config-app/config-vars", { A: "1", B: "2" })).to.deep.equal({
        A: "1",
        B: "2",
      });
      expect(await newest()).to.deep.include({
        version: before + 1,
        status: "succeeded",
        description: "Set A, B config vars",
      });
      await client.ok("PATCH", "/apps/config-app/config-vars", { A: "1" });
      await client.ok("PATCH", "/apps/config-app/config-vars", {});
      expect((await newest()).version).to.equal(before + 1);
      expect(await client.ok("PATCH", "/apps/config-app/config-vars", { A: null })).to.deep.equal({ B: "2" });
      expect(await newest()).to.include({ version: before + 2, description: "Remove A config vars", current: true });
      expect((await client.ok("GET", `/apps/config-app/releases/v${before + 2}`)).version).to.equal(before + 2);
    });

    it("pages by Range and Next-Range", async () => {
      for (let i = 0; i < 5; i++) await client.ok("PATCH", "/apps/config-app/config-vars", { PAGE: String(i) });
      const versions: number[] = [];
      let range: string | null = "version ..; max=2, order=desc";
      while (range !== null) {
        const answer: Answer = await client.send("GET", "/apps/config-app/releases", undefined, { Range: range });
        range = answer.headers.get("next-range");
        expect(answer.status).to.equal(range === null ? 200 : 206);
        versions.push(...answer.body.map((release: Json) => release.version));
      }
      const top = (await newest()).version;
      expect(versions).to.deep.equal(Array.from({ length: top }, (_, index) => top - index));
    });

    it("rolls back only to releases with code", async () => {
      const answer = await client.send("POST", "/apps/config-app/releases", { release: "2" });
      expect(answer.status).to.equal(422);
      expect(answer.body.message).to.contain("no app deployed");
    });
  });

  describe("add-ons", () => {
    before(() => client.createApp("addon-app"));
    after(() => client.ok("DELETE", "/apps/addon-app"));

    it("provisions a real database under DATABASE_URL, and Redis by its mini plan", async () => {
      const created = await client.ok("POST", "/apps/addon-app/addons", {
        plan: { name: "heroku-postgresql:essential-0" },
      });
      expect(created).to.deep.include({ state: "provisioning", config_vars: ["DATABASE_URL"] });
      // The CLI recognises "not yet there" only by a 404 without a message.
      const early = await client.send("GET", `/client/v11/databases/${created.id}`);
      if (early.status !== 200) expect([early.status, early.body]).to.deep.equal([404, {}]);
      await client.addAddon("addon-app", "heroku-redis:mini");
      const database = await until(
        () => client.ok("GET", `/addons/${created.name}`),
        (one) => one.state !== "provisioning",
      );
      expect(database).to.deep.include({ state: "provisioned" });
      expect(database.plan.name).to.equal("heroku-postgresql:essential-0");
      const vars = await client.ok("GET", "/apps/addon-app/config-vars");
      expect(vars.DATABASE_URL).to.match(
        /^postgres:\/\/u[0-9a-f]+:p[0-9a-f]+@127\.0\.0\.1:\d+\/d[0-9a-f]+\?sslmode=disable$/,
      );
      expect(vars.REDIS_URL).to.match(/^redis:\/\//);
      const info = await client.ok("GET", `/client/v11/databases/${created.id}`);
      expect(info.info.find((line: Json) => line.name === "Plan").values).to.deep.equal(["Essential 0"]);
    });

    it("does not let add-on vars be overwritten or removed", async () => {
      for (const value of ["postgres://x", null])
        expect(await outcome("PATCH", "/apps/addon-app/config-vars", { DATABASE_URL: value })).to.equal(
          "422 invalid_params",
        );
    });

    it("refuses plans that are retired or unknown", async () => {
      for (const plan of ["heroku-postgresql:mini", "heroku-postgresql:hobby-dev"])
        expect(await outcome("POST", "/apps/addon-app/addons", { plan }), plan).to.equal("422 invalid_params");
      expect(await outcome("POST", "/apps/addon-app/addons", { plan: "heroku-postgresql:huge" })).to.equal(
        "404 not_found",
      );
      expect(await outcome("POST", "/apps/addon-app/addons", { plan: "sendgrid:starter" })).to.equal("404 not_found");
    });

    it("resolves a database by attachment, config var, add-on name and id", async () => {
      const addons: Json[] = await client.ok("GET", "/apps/addon-app/addons");
      const first = addons.find((one) => one.addon_service.name === "heroku-postgresql");
      for (const name of ["DATABASE", "DATABASE_URL", first.name, first.id]) {
        const [found] = await client.ok(
          "POST",
          "/actions/addon-attachments/resolve",
          { addon_attachment: name, app: "addon-app" },
          { "Accept-Inclusion": "addon:plan,config_vars" },
        );
        expect(found, name).to.deep.include({ name: "DATABASE", config_vars: ["DATABASE_URL"], namespace: null });
        expect(found.addon.id).to.equal(first.id);
      }
      expect(
        await outcome("POST", "/actions/addon-attachments/resolve", { addon_attachment: "NOPE", app: "addon-app" }),
      ).to.equal("404 not_found");
    });

    it("promotes: a second database takes the name DATABASE only when confirmed", async () => {
      const second = await client.addAddon("addon-app", "heroku-postgresql:essential-0");
      expect(second.config_vars[0]).to.match(/^HEROKU_POSTGRESQL_[A-Z]+_URL$/);
      const before = (await client.ok("GET", "/apps/addon-app/config-vars")).DATABASE_URL;
      const body = { addon: { name: second.name }, app: { name: "addon-app" }, name: "DATABASE", namespace: null };
      // A confirmation for another app is none.
      for (const confirm of [undefined, "other-app"])
        expect(await outcome("POST", "/addon-attachments", { ...body, confirm })).to.equal("422 confirmation_required");
      await client.ok("POST", "/addon-attachments", { ...body, confirm: "addon-app" });
      const vars = await client.ok("GET", "/apps/addon-app/config-vars");
      expect(vars.DATABASE_URL).to.not.equal(before);
      expect(vars.DATABASE_URL).to.equal(vars[second.config_vars[0]]);
    });

    it("takes database and config vars with a destroyed add-on", async () => {
      const databases = async () => (await client.ok("GET", "/_control/inventory")).databases;
      const before = await databases();
      const attached = (await client.ok("GET", "/apps/addon-app/addon-attachments")).find(
        (one: Json) => one.name === "DATABASE",
      );
      const gone = await client.ok("DELETE", `/apps/addon-app/addons/${attached.addon.id}`);
      expect(gone.state).to.equal("deprovisioned");
      expect(await databases()).to.equal(before - 1);
      expect(await client.ok("GET", "/apps/addon-app/config-vars")).to.not.have.property("DATABASE_URL");
      expect(await outcome("GET", `/addons/${attached.addon.id}`)).to.equal("404 not_found");
    });
  });

  describe("domains, webhooks, drains, pipelines", () => {
    before(async () => {
      await client.createApp("net-one");
      await client.createApp("net-two");
    });
    after(async () => {
      for (const app of ["net-one", "net-two"]) await client.ok("DELETE", `/apps/${app}`);
    });

    it("keeps a host name on one app at a time", async () => {
      const body = { hostname: "pis.clinic.example", sni_endpoint: null };
      const domain = await client.ok("POST", "/apps/net-one/domains", body);
      expect(domain.cname).to.match(/\.herokudns\.com$/);
      const refused = await client.send("POST", "/apps/net-two/domains", body);
      expect([refused.status, refused.body.message]).to.deep.equal([
        422,
        "pis.clinic.example is currently in use by another app.",
      ]);
      await client.ok("DELETE", `/apps/net-one/domains/${domain.id}`);
      await client.ok("POST", "/apps/net-two/domains", body);
      expect(await outcome("POST", "/apps/net-two/domains", { hostname: "no spaces" })).to.equal("422 invalid_params");
    });

    it("keeps webhooks without telling their secrets, and drains", async () => {
      const hook = {
        include: ["api:release"],
        level: "notify",
        url: "https://hooks.clinic.example/x",
        secret: "s",
        authorization: "Bearer t",
      };
      const made = await client.ok("POST", "/apps/net-one/webhooks", hook);
      expect(made).to.include({ level: "notify", url: hook.url }).and.not.have.any.keys("secret", "authorization");
      await client.ok("PATCH", `/apps/net-one/webhooks/${made.id}`, { level: "sync" });
      expect((await client.ok("GET", `/apps/net-one/webhooks/${made.id}`)).level).to.equal("sync");
      await client.ok("DELETE", `/apps/net-one/webhooks/${made.id}`);
      expect(await outcome("GET", `/apps/net-one/webhooks/${made.id}`)).to.equal("404 not_found");
      const drain = await client.ok("POST", "/apps/net-one/log-drains", { url: "https://logs.clinic.example/d" });
      expect((await client.ok("GET", `/apps/net-one/log-drains/${drain.id}`)).token).to.match(/^d\./);
      await client.ok("DELETE", `/apps/net-one/log-drains/${drain.id}`);
    });

    it("couples an app to one pipeline", async () => {
      const app = await client.ok("GET", "/apps/net-one");
      const pipeline = await client.ok("POST", "/pipelines", { name: "usc-pis" });
      expect(pipeline.owner.id).to.equal((await client.ok("GET", "/account")).id);
      const coupling = await client.ok("POST", "/pipeline-couplings", {
        app: app.id,
        pipeline: pipeline.id,
        stage: "production",
      });
      expect(await client.ok("GET", `/pipeline-couplings/${coupling.id}`)).to.deep.include({
        app: { id: app.id },
        stage: "production",
      });
      expect(
        await outcome("POST", "/pipeline-couplings", { app: app.id, pipeline: pipeline.id, stage: "staging" }),
      ).to.equal("422 invalid_params");
      await client.ok("DELETE", `/pipeline-couplings/${coupling.id}`);
      await client.ok("DELETE", `/pipelines/${pipeline.id}`);
      expect(await outcome("DELETE", `/pipelines/${pipeline.id}`)).to.equal("404 not_found");
    });
  });

  it("fails as told, as often as told, and then works again", async () => {
    await client.ok("POST", "/_control/faults", { rules: [{ path: "^/account$", status: 503, times: 2 }] });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await client.send("GET", "/account")).status);
    expect(statuses).to.deep.equal([503, 503, 200]);
  });

  it("leaves nothing behind", async () => {
    const inventory = await client.ok("GET", "/_control/inventory");
    for (const what of ["apps", "addons", "databases", "attachments", "domains", "pipelines", "dynos"])
      expect(inventory[what], what).to.equal(0);
  });
});
