import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { UNKNOWN } from "../../../sandbox/plugins/core/values";
import { herokuProvider } from "../../../sandbox/plugins/heroku/provider";
import { everything } from "../../support/heroku-everything";
import { HerokuRecorder } from "../../support/heroku-recorder";
import { type Held, PluginClient } from "../../support/plugin";

const APP = "heroku:index/app:App";
const message = (work: Promise<unknown>) =>
  work.then(
    () => "nothing failed",
    (error: Error) => error.message,
  );

describe("stand-in for heroku: how the provider behaves", () => {
  const recorder = new HerokuRecorder();
  let plugin: PluginClient;
  let stub: ReturnType<typeof everything>;
  const take = () => recorder.take(stub.names);

  beforeEach(async () => {
    await recorder.start();
    recorder.routes.clear();
    recorder.requests.length = 0;
    stub = everything(recorder);
    plugin = await PluginClient.start(herokuProvider, { url: recorder.url, apiKey: "key" }, { apiKey: true });
  });
  afterEach(async () => {
    plugin.close();
    await recorder.stop();
  });

  const appInputs = {
    name: "usc-pis",
    region: "us",
    stack: "heroku-24",
    buildpacks: ["heroku/nodejs", "heroku/python"],
    configVars: { DEBUG: "False" },
    sensitiveConfigVars: { SECRET_KEY: "hush" },
  };
  const addonInputs = () => ({ appId: stub.id, plan: "heroku-postgresql:essential-0", name: "usc-pis-db" });

  it("is parameterized for heroku/heroku 5.3.2 and nothing else", async () => {
    const manifest = JSON.parse(readFileSync(join(__dirname, "../../../sdks/heroku/package.json"), "utf8"));
    const { name, version, value } = manifest.pulumi.parameterization;
    const text = Buffer.from(value, "base64").toString();
    expect(await plugin.parameterize(name, version, text)).to.equal("heroku");
    expect(await message(plugin.parameterize("random", version, text))).to.contain("heroku/heroku 5.3.2");
    expect(await message(plugin.parameterize(name, version, text.replace("5.3.2", "5.3.1")))).to.contain("5.3.1");
  });

  it("asks nothing at start and in a preview", async () => {
    const { inputs } = await plugin.check(APP, appInputs);
    const { state } = await plugin.create(APP, inputs, { preview: true });
    expect(state).to.include({ uuid: UNKNOWN, webUrl: UNKNOWN, name: "usc-pis" });
    expect(recorder.requests).to.have.lengthOf(0);
  });

  it("sends the provider's headers", async () => {
    await plugin.make(APP, appInputs);
    for (const { line, headers, body } of recorder.requests) {
      expect(headers.accept).to.equal("application/vnd.heroku+json; version=3");
      expect(headers.authorization).to.equal(`Basic ${Buffer.from(":key").toString("base64")}`);
      expect(headers["user-agent"]).to.contain("terraform-provider-heroku/5.3.2");
      expect(headers["request-id"]).to.match(/^[0-9a-f-]{36}$/);
      expect(headers["content-type"]).to.equal(body === undefined ? undefined : "application/json");
      if (line.endsWith("/releases")) expect(headers.range).to.equal("version ..; max=1,order=desc");
    }
  });

  it("reads key and address from the environment where the configuration is silent", async () => {
    const before = { ...process.env };
    Object.assign(process.env, { HEROKU_API_URL: recorder.url, HEROKU_API_KEY: "from env", HEROKU_EMAIL: "a@b.c" });
    const other = await PluginClient.start(herokuProvider);
    process.env = before;
    await other.make(APP, appInputs);
    other.close();
    expect(recorder.requests[0]?.headers.authorization).to.equal(
      `Basic ${Buffer.from("a@b.c:from env").toString("base64")}`,
    );
  });

  describe("App", () => {
    it("writes config vars with each creation and each update, be it none", async () => {
      const held = await plugin.make(APP, { name: "usc-pis", region: "us" });
      expect(recorder.requests[1]?.body).to.deep.equal({});
      expect(held.state, "what nobody set").to.deep.include({
        configVars: {},
        sensitiveConfigVars: {},
        buildpacks: [],
      });
      recorder.requests.length = 0;
      await plugin.apply(held, { name: "usc-pis-2", region: "us" });
      expect(recorder.requests[1]).to.deep.include({ line: `PATCH /apps/${stub.id}/config-vars`, body: {} });
    });

    it("leaves config vars and buildpacks alone that the program no longer names, and empties what it names empty", async () => {
      const held = await plugin.make(APP, appInputs);
      const { configVars: _, buildpacks: __, ...silent } = appInputs;
      expect((await plugin.apply(held, silent)).diff.changed).to.equal(false);
      await plugin.apply(held, { ...appInputs, configVars: {} });
      expect(stub.vars).to.deep.equal({ SECRET_KEY: "hush" });
    });

    it("marks secrets", async () => {
      const { inputs } = await plugin.check(APP, appInputs);
      const { secrets } = await plugin.create(APP, inputs, { secrets: { configVars: { DEBUG: true } } });
      expect(secrets).to.deep.equal({
        sensitiveConfigVars: true,
        allConfigVars: true,
        configVars: { DEBUG: true },
      });
    });

    it("sees a config var that a person changed, and puts it back", async () => {
      const held = await plugin.make(APP, appInputs);
      stub.vars.DEBUG = "True";
      stub.vars.UNRELATED = "x";
      const drifted = (await plugin.read(held)) as Held;
      const { diff, held: after } = await plugin.apply(drifted, appInputs);
      expect(diff.paths).to.deep.equal(["configVars.DEBUG"]);
      expect(after.state.configVars).to.deep.equal({ DEBUG: "False" });
      expect(stub.vars).to.include({ DEBUG: "False", UNRELATED: "x" });
    });

    it("replaces for another region only, and refuses what is not carried out", async () => {
      const held = await plugin.make(APP, appInputs);
      const diff = await plugin.diff(held, (await plugin.check(APP, { ...appInputs, region: "eu" })).inputs);
      expect(diff.replaces).to.deep.equal(["region"]);
      const team = { name: "clinic" };
      for (const [input, value] of Object.entries({
        space: "x",
        organization: team,
        internalRouting: true,
        appId: "x",
      })) {
        const { failures } = await plugin.check(APP, { ...appInputs, [input]: value });
        expect(failures[0]).to.contain(input);
      }
    });

    it("fails on a variable that is plain and sensitive, when the app exists already", async () => {
      const both = { ...appInputs, configVars: { A: "1" }, sensitiveConfigVars: { A: "2" } };
      expect(await message(plugin.make(APP, both))).to.contain("duplicate config vars: [A]");
      expect(take()).to.deep.equal(["POST /apps"]);
    });

    it("keeps the name that it made or was given until the program gives another", async () => {
      const { inputs } = await plugin.check(APP, { region: "us" });
      expect(inputs.name).to.match(/^example-[0-9a-f]{7}$/);
      expect((await plugin.check(APP, { region: "us" }, inputs)).inputs.name).to.equal(inputs.name);
      expect((await plugin.check(APP, { region: "us" }, appInputs)).inputs.name, "dropped").to.equal(appInputs.name);
    });

    it("keeps foreign config vars out of the state if the configuration says so", async () => {
      const customizations = JSON.stringify([{ setAppAllConfigVarsInState: false, setAddonConfigVarsInState: false }]);
      const other = await PluginClient.start(herokuProvider, { url: recorder.url, customizations });
      expect((await other.make(APP, appInputs)).state.allConfigVars).to.deep.equal({});
      const addon = await other.make("heroku:index/addon:Addon", addonInputs());
      expect(addon.state).to.deep.include({ configVars: ["DATABASE_URL"], configVarValues: {} });
      expect(take().at(-1), "nobody asks for them").to.equal("GET /addons/ADDON");
      other.close();
    });

    it("is gone only when the API says not_found", async () => {
      const held = await plugin.make(APP, appInputs);
      recorder.on("GET /apps/*", { status: 404, body: { id: "not_found", message: "no" } });
      expect(await plugin.read(held)).to.equal(undefined);
      recorder.on("GET /apps/*", { status: 403, body: { id: "forbidden", message: "You do not have access" } });
      expect(await message(plugin.read(held))).to.contain("You do not have access");
    });

    it("is imported by name; config vars are not", async () => {
      const found = await plugin.read({ token: APP, id: "usc-pis" });
      expect(found?.id).to.equal(stub.id);
      expect(found?.inputs).to.not.have.property("configVars");
      expect(found?.inputs).to.include({ name: "usc-pis", region: "us", stack: "heroku-24" });
    });

    it("leaves an app whose config vars failed out of the state, as an orphan, and a failed update as it was", async () => {
      const held = await plugin.make(APP, appInputs);
      recorder.on("GET /apps/*/releases/*", { id: stub.release, status: "failed" });
      const changed = (await plugin.check(APP, { ...appInputs, configVars: {} }, held.inputs)).inputs;
      for (const work of [plugin.create(APP, held.inputs), plugin.update(held, changed)]) {
        const error = await work.then(
          () => undefined,
          (thrown) => thrown,
        );
        expect(error.message).to.contain("unexpected state 'failed'");
        expect(error.metadata.get("grpc-status-details-bin"), "a state comes with it").to.deep.equal([]);
      }
    });
  });

  describe("Addon", () => {
    const token = "heroku:index/addon:Addon";

    it("another plan is an update; the state follows the program in naming the service only", async () => {
      const held = await plugin.make(token, addonInputs());
      take();
      const plan = "heroku-postgresql:essential-1";
      recorder.requests.length = 0;
      await plugin.apply(held, { ...addonInputs(), plan });
      expect(recorder.requests[0]?.body).to.deep.equal({ plan });
      const bare = await plugin.make(token, { ...addonInputs(), plan: "heroku-postgresql" });
      expect(bare.state.plan).to.equal("heroku-postgresql");
      expect((await plugin.read(bare))?.state).to.deep.equal(bare.state);
    });

    it("is gone on not_found", async () => {
      const held = await plugin.make(token, addonInputs());
      recorder.on("GET /addons/*", { status: 404, body: { id: "not_found", message: "no" } });
      expect(await plugin.read(held)).to.equal(undefined);
    });

    it("leaves nothing in the state when it can't be provisioned", async () => {
      recorder.on("GET /apps/*/addons/*", { id: stub.addon, state: "deprovisioned" });
      const { inputs } = await plugin.check(token, addonInputs());
      const error = await plugin.create(token, inputs).then(
        () => undefined,
        (thrown) => thrown,
      );
      expect(error.message).to.contain("deprovisioned");
      expect(error.metadata.get("grpc-status-details-bin")).to.deep.equal([]);
    });

    it("wants the app's UUID", async () => {
      const { failures } = await plugin.check(token, { ...addonInputs(), appId: "usc-pis" });
      expect(failures[0]).to.contain("valid UUID");
    });
  });

  it("Formation: the case of a size is no difference; a quantity of zero is not sent at the creation", async () => {
    const token = "heroku:index/formation:Formation";
    const given = { appId: stub.id, type: "web", quantity: 1, size: "basic" };
    const held = await plugin.make(token, given);
    expect(held.state.size).to.equal("Basic");
    expect(held.inputs.size).to.equal("basic");
    expect((await plugin.apply(held, given)).diff.changed).to.equal(false);
    stub.formation.quantity = 2;
    const drifted = (await plugin.read(held)) as Held;
    expect((await plugin.apply(drifted, given)).diff.paths).to.deep.equal(["quantity"]);
    recorder.requests.length = 0;
    await plugin.make(token, { ...given, quantity: 0 });
    expect(recorder.requests[1]?.body).to.deep.equal({ dyno_size: { name: "basic" } });
  });

  it("AppConfigAssociation: a drift is put back, another app is no replacement, and it can't be imported", async () => {
    const token = "heroku:index/appConfigAssociation:AppConfigAssociation";
    const given = { appId: stub.id, vars: { A: "1", B: "2" }, sensitiveVars: { C: "3" } };
    const held = await plugin.make(token, given);
    delete stub.vars.A;
    const drifted = (await plugin.read(held)) as Held;
    expect((await plugin.apply(drifted, given)).diff.paths).to.deep.equal(["vars.A"]);
    recorder.requests.length = 0;
    const { held: moved } = await plugin.apply(held, { ...given, appId: stub.addon });
    expect(take()[0], "the old app's vars stay").to.equal("PATCH /apps/ADDON/config-vars");
    expect(moved.state).to.include({ appId: stub.addon, appConfigAssociationId: `config:${stub.id}` });
    const found = plugin.read({ token, id: `config:${stub.id}` });
    expect(await message(found)).to.contain("not possible to import");
  });

  it("AppWebhook, Pipeline, PipelineCoupling: what a preview refuses", async () => {
    const reasons = async (type: string, inputs: object) =>
      (await plugin.check(`heroku:index/${type}`, { ...inputs })).failures.join();
    const webhook = { appId: "by-name", url: "https://x", level: "Notify", includes: ["API:release"] };
    expect(await reasons("appWebhook:AppWebhook", webhook), "any case, and an app's name").to.equal("");
    expect(await reasons("appWebhook:AppWebhook", { ...webhook, level: "often" })).to.contain("notify, sync");
    expect(await reasons("appWebhook:AppWebhook", { ...webhook, includes: ["dyno"] })).to.contain("api:dyno");
    expect(await reasons("appWebhook:AppWebhook", { ...webhook, includes: [] })).to.contain("at least one");
    expect(await reasons("pipeline:Pipeline", { name: "Too Long" })).to.contain("invalid pipeline name");
    expect(await reasons("pipeline:Pipeline", { name: UNKNOWN, owner: { id: "me", type: "user" } })).to.contain("UUID");
    const coupling = { appId: stub.id, pipeline: "name", stage: "later" };
    expect(await reasons("pipelineCoupling:PipelineCoupling", coupling)).to.contain("one of review");
    expect(await reasons("pipelineCoupling:PipelineCoupling", { ...coupling, stage: "review" })).to.contain("UUID");
  });

  it("Domain and the others: what is gone fails a refresh and a deletion", async () => {
    const gone: [string, object][] = [
      ["domain:Domain", { appId: stub.id, hostname: "clinic.example.org" }],
      ["appWebhook:AppWebhook", { appId: stub.id, level: "notify", url: "https://x", includes: ["api:app"] }],
      ["drain:Drain", { appId: stub.id, url: "https://x" }],
      ["pipeline:Pipeline", { name: "usc-pis" }],
      ["addonAttachment:AddonAttachment", { appId: stub.id, addonId: stub.addon }],
    ];
    const held = await Promise.all(gone.map(([type, inputs]) => plugin.make(`heroku:index/${type}`, { ...inputs })));
    recorder.routes.clear();
    for (const one of held) {
      expect(await message(plugin.read(one)), one.token).to.contain("Couldn't find");
      expect(await message(plugin.delete(one)), one.token).to.contain("Couldn't find");
    }
  });

  it("waits where the API asks to slow down, until the engine cancels", async () => {
    let asked: () => void;
    const first = new Promise<void>((done) => {
      asked = done;
    });
    recorder.on("POST /apps", () => {
      asked();
      return { status: 429, body: { id: "rate_limit", message: "slow down" } };
    });
    const work = message(plugin.make(APP, appInputs));
    await first;
    await plugin.cancel();
    expect(await work).to.contain("abort");
    expect(take(), "no error, and no second try before 30 s").to.deep.equal(["POST /apps"]);
  });
});
