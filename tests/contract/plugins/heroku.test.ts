import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import { UNKNOWN } from "../../../sandbox/plugins/core/values";
import { herokuProvider } from "../../../sandbox/plugins/heroku/provider";
import { HerokuRecorder, oneApp } from "../../support/heroku-recorder";
import { type Held, PluginClient } from "../../support/plugin";

const APP = "heroku:index/app:App";
const message = (work: Promise<unknown>) =>
  work.then(
    () => "nothing failed",
    (error: Error) => error.message,
  );

describe("stand-in for heroku: the provider's requests", () => {
  const recorder = new HerokuRecorder();
  let plugin: PluginClient;
  let stub: ReturnType<typeof oneApp>;
  const take = () => recorder.take(stub.names);

  beforeEach(async () => {
    await recorder.start();
    recorder.routes.clear();
    recorder.requests.length = 0;
    stub = oneApp(recorder);
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
    it("create, no change, refresh, update, delete", async () => {
      const held = await plugin.make(APP, appInputs);
      expect(held.id).to.equal(stub.id);
      expect(recorder.requests[0]?.body).to.deep.equal({ name: "usc-pis", region: "us", stack: "heroku-24" });
      expect(recorder.requests[1]?.body).to.deep.equal({ DEBUG: "False", SECRET_KEY: "hush" });
      expect(take()).to.deep.equal([
        "POST /apps",
        "PATCH /apps/APP/config-vars",
        "GET /apps/APP/releases",
        "GET /apps/APP/releases/RELEASE",
        "PUT /apps/APP/buildpack-installations",
        "GET /apps/APP",
        "GET /apps/APP/buildpack-installations",
        "GET /apps/APP/config-vars",
      ]);
      expect(held.state).to.include({
        uuid: stub.id,
        herokuHostname: "usc-pis-0123456789ab.herokuapp.com",
        generation: "cedar",
      });

      expect((await plugin.apply(held, appInputs)).diff.changed).to.equal(false);
      expect(take()).to.deep.equal([]);

      const refreshed = await plugin.read(held);
      expect(take()).to.deep.equal([
        "GET /apps/APP",
        "GET /apps/APP",
        "GET /apps/APP/buildpack-installations",
        "GET /apps/APP/config-vars",
      ]);
      expect(refreshed?.state).to.deep.equal(held.state);
      expect(refreshed?.inputs).to.deep.equal(held.inputs);

      const changed = { ...appInputs, name: "usc-pis-2", configVars: { NEW: "1" }, buildpacks: ["heroku/python"] };
      const { held: after } = await plugin.apply(held, changed);
      expect(recorder.requests[0]?.body).to.deep.equal({ name: "usc-pis-2" });
      expect(recorder.requests[2]?.body).to.deep.equal({ DEBUG: null, NEW: "1", SECRET_KEY: "hush" });
      expect(take()).to.deep.equal([
        "PATCH /apps/APP",
        "PUT /apps/APP/buildpack-installations",
        "PATCH /apps/APP/config-vars",
        "GET /apps/APP/releases",
        "GET /apps/APP/releases/RELEASE",
        "GET /apps/APP",
        "GET /apps/APP/buildpack-installations",
        "GET /apps/APP/config-vars",
      ]);
      await plugin.delete(after);
      expect(take()).to.deep.equal(["DELETE /apps/APP"]);
    });

    it("writes an empty set of config vars too, and turns certificates on", async () => {
      recorder.on("POST /apps/*/acm", { id: "x" });
      await plugin.make(APP, { name: "usc-pis", region: "us", acm: true });
      expect(recorder.requests[1]?.body).to.deep.equal({});
      expect(take()).to.include("POST /apps/APP/acm");
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
      expect(diff.deleteBeforeReplace).to.equal(true);
      const { failures } = await plugin.check(APP, { ...appInputs, space: "x" });
      expect(failures[0]).to.contain("space");
    });

    it("fails on a variable that is plain and sensitive", async () => {
      const both = { ...appInputs, configVars: { A: "1" }, sensitiveConfigVars: { A: "2" } };
      expect(await message(plugin.make(APP, both))).to.contain("A is in both");
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

    it("keeps an app whose config vars failed in the state", async () => {
      recorder.on("GET /apps/*/releases/*", { id: stub.release, status: "failed" });
      const { inputs } = await plugin.check(APP, appInputs);
      const error = await plugin.create(APP, inputs).then(
        () => undefined,
        (thrown) => thrown,
      );
      expect(error.message).to.contain("unexpected state 'failed'");
      expect(error.metadata.get("grpc-status-details-bin")[0].toString()).to.contain(stub.id);
    });
  });

  describe("Addon", () => {
    const token = "heroku:index/addon:Addon";

    it("create, refresh, plan, delete", async () => {
      const held = await plugin.make(token, addonInputs());
      expect(recorder.requests[1]?.body).to.deep.equal({
        plan: "heroku-postgresql:essential-0",
        confirm: "usc-pis",
        name: "usc-pis-db",
      });
      expect(take()).to.deep.equal([
        "GET /apps/APP",
        "POST /apps/APP/addons",
        "GET /apps/APP/addons/ADDON",
        "GET /apps/APP/addons/ADDON",
        "GET /apps/APP/config-vars",
        "GET /addons/ADDON",
        "GET /apps/APP/config-vars",
      ]);
      expect(held.state.configVarValues).to.deep.equal({ DATABASE_URL: "postgres://secret" });
      const refreshed = await plugin.read(held);
      expect(refreshed?.state).to.deep.equal(held.state);
      expect(take()).to.deep.equal(["GET /addons/ADDON", "GET /addons/ADDON", "GET /apps/APP/config-vars"]);
      await plugin.apply(held, { ...addonInputs(), plan: "heroku-postgresql:essential-1" });
      expect(recorder.requests[0]?.body).to.deep.equal({ plan: "heroku-postgresql:essential-1" });
      expect(take()[0]).to.equal("PATCH /apps/APP/addons/ADDON");
      await plugin.delete(held);
      expect(take()).to.deep.equal(["DELETE /apps/APP/addons/ADDON"]);
    });

    it("has secret values, replaces for another app, and is gone on not_found", async () => {
      const { inputs } = await plugin.check(token, addonInputs());
      const { id, state, secrets } = await plugin.create(token, inputs);
      expect(secrets).to.deep.equal({ configVarValues: true });
      const held = { token, id, inputs, state };
      const other = await plugin.check(token, { ...addonInputs(), appId: stub.addon });
      expect((await plugin.diff(held, other.inputs)).replaces).to.deep.equal(["appId"]);
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

  describe("Build", () => {
    const token = "heroku:index/build:Build";
    let folder: string;
    let uploaded: Buffer;

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "usc-pis-build-"));
      const build = { id: "b1", app: { id: stub.id }, stack: "heroku-24", buildpacks: [] as object[] };
      let pending = 1;
      recorder
        .on("POST /sources", () => ({
          source_blob: { get_url: `${recorder.url}/get`, put_url: `${recorder.url}/put` },
        }))
        .on("PUT /put", (_match, body) => {
          uploaded = body;
          return {};
        })
        .on("POST /apps/*/builds", build)
        .on("GET /apps/*/builds/*", () => ({
          ...build,
          status: pending-- > 0 ? "pending" : "succeeded",
          output_stream_url: `${recorder.url}/output`,
          release: { id: "r" },
          slug: { id: "s" },
          user: { id: "u", email: "a@b.c" },
        }))
        .on("GET /output", "the build's own words");
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it("of a tarball: uploads it with its checksum, waits, and is never deleted", async () => {
      const path = join(folder, "release.tar.gz");
      writeFileSync(path, "tar");
      const held = await plugin.make(token, { appId: stub.id, source: { path, version: "v1" } });
      const put = recorder.requests.find(({ line }) => line === "PUT /put");
      expect(put?.headers).to.include({ "content-length": "3" }).and.not.to.have.property("authorization");
      const post = recorder.requests.find(({ line }) => line.endsWith("/builds"));
      expect(post?.body.source_blob).to.deep.equal({
        url: `${recorder.url}/get`,
        version: "v1",
        checksum: held.state.localChecksum,
      });
      expect(held.state.localChecksum).to.match(/^SHA256:[0-9a-f]{64}$/);
      expect(take()).to.deep.equal([
        "POST /sources",
        "PUT /put",
        "POST /apps/APP/builds",
        "GET /apps/APP/builds/b1",
        "GET /apps/APP/builds/b1",
        "GET /apps/APP/builds/b1",
      ]);
      expect((await plugin.read(held))?.state).to.deep.equal(held.state);
      expect(take()).to.deep.equal(["GET /apps/APP/builds/b1"]);
      writeFileSync(path, "other");
      const diff = await plugin.diff(held, held.inputs);
      expect(diff.replaces).to.deep.equal(["source"]);
      await plugin.delete(held);
      expect(take()).to.deep.equal([]);
    });

    it("of a folder: below the folder's own name, without a checksum, and is made again when a file changes", async () => {
      mkdirSync(join(folder, "src", "sub"), { recursive: true });
      writeFileSync(join(folder, "src", "sub", "a.txt"), "a");
      const source = { path: join(folder, "src") };
      const held = await plugin.make(token, { appId: stub.id, source });
      expect(gunzipSync(uploaded).toString()).to.contain("src/sub/a.txt");
      const post = recorder.requests.find(({ line }) => line.endsWith("/builds"));
      expect(post?.body.source_blob).to.not.have.property("checksum");
      expect((await plugin.diff(held, held.inputs)).changed).to.equal(false);
      writeFileSync(join(folder, "src", "sub", "a.txt"), "b");
      expect((await plugin.diff(held, held.inputs)).changed).to.equal(true);
    });

    it("of an address: with buildpacks asks for the app", async () => {
      const inputs = { appId: stub.id, source: { url: "https://x/y.tgz" }, buildpacks: ["https://buildpack"] };
      await plugin.make(token, inputs);
      expect(take()[0]).to.equal("GET /apps/APP");
    });

    it("that fails tells Heroku's own words and leaves nothing in the state", async () => {
      // A failed build is an answer of success whose status says so.
      recorder.on("GET /apps/*/builds/*", () => ({
        id: "b1",
        status: "failed",
        output_stream_url: `${recorder.url}/output`,
      }));
      const { inputs } = await plugin.check(token, { appId: stub.id, source: { url: "https://x/y.tgz" } });
      const error = await plugin.create(token, inputs).then(
        () => undefined,
        (thrown) => thrown,
      );
      expect(error.message).to.contain("the build's own words");
      expect(error.metadata.get("grpc-status-details-bin")).to.deep.equal([]);
      expect(recorder.requests.at(-1)?.headers).to.not.have.property("authorization");
    });

    it("refuses a source that does not exist, two sources and plain http", async () => {
      const reasons = async (source: object) => (await plugin.check(token, { appId: stub.id, source })).failures.join();
      expect(await reasons({ path: join(folder, "none") })).to.contain("no file or directory");
      expect(await reasons({ path: folder, url: "https://x" })).to.contain("exactly one");
      expect(await reasons({ url: "http://x" })).to.contain("https://");
      expect(await reasons({ path: folder, checksum: "SHA256:0" })).to.contain("checksum");
      expect(await reasons({ path: UNKNOWN })).to.equal("");
    });
  });

  it("Formation: create, update of what changed, no delete", async () => {
    const token = "heroku:index/formation:Formation";
    const process = { id: "f1", app: { id: stub.id, name: "usc-pis" }, type: "web", quantity: 1, size: "Basic" };
    recorder.on("PATCH /apps/*/formation/*", (_match, body) =>
      Object.assign(process, body.quantity === undefined ? {} : { quantity: body.quantity }),
    );
    recorder.on("GET /apps/*/formation/*", process);
    const given = { appId: stub.id, type: "web", quantity: 1, size: "basic" };
    const held = await plugin.make(token, given);
    expect(recorder.requests[1]?.body).to.deep.equal({ dyno_size: { name: "basic" }, quantity: 1 });
    expect(take()).to.deep.equal(["GET /apps/APP", "PATCH /apps/APP/formation/web", "GET /apps/APP/formation/f1"]);
    expect((await plugin.apply(held, given)).diff.changed, "the case of a size").to.equal(false);
    const { held: after } = await plugin.apply(held, { ...given, quantity: 2 });
    expect(recorder.requests[1]?.body).to.deep.equal({ quantity: 2 });
    take();
    process.quantity = 0;
    const drifted = (await plugin.read(after)) as Held;
    expect((await plugin.apply(drifted, { ...given, quantity: 2 })).diff.paths).to.deep.equal(["quantity"]);
    take();
    await plugin.delete(after);
    expect(take()).to.deep.equal([]);
  });

  it("AppConfigAssociation: create, drift, update with removed keys, delete", async () => {
    const token = "heroku:index/appConfigAssociation:AppConfigAssociation";
    const given = { appId: stub.id, vars: { A: "1", B: "2" }, sensitiveVars: { C: "3" } };
    const held = await plugin.make(token, given);
    expect(held.id).to.equal(`config:${stub.id}`);
    expect(take()).to.deep.equal([
      "PATCH /apps/APP/config-vars",
      "GET /apps/APP/releases",
      "GET /apps/APP/releases/RELEASE",
      "GET /apps/APP/config-vars",
    ]);
    delete stub.vars.A;
    const drifted = (await plugin.read(held)) as Held;
    expect((await plugin.apply(drifted, given)).diff.paths).to.deep.equal(["vars.A"]);
    take();
    recorder.requests.length = 0;
    const { held: after } = await plugin.apply(held, { ...given, vars: { A: "1" } });
    expect(recorder.requests[0]?.body).to.deep.equal({ A: "1", B: null, C: "3" });
    recorder.requests.length = 0;
    await plugin.delete(after);
    expect(recorder.requests[0]?.body).to.deep.equal({ A: null, C: null });
    expect(stub.vars).to.deep.equal({});
  });

  it("Domain: create, refresh, a loss fails, delete", async () => {
    const token = "heroku:index/domain:Domain";
    const domain = { id: "d1", app: { id: stub.id }, hostname: "clinic.example.org", cname: "x.herokudns.com" };
    recorder
      .on("POST /apps/*/domains", domain)
      .on("GET /apps/*/domains/*", domain)
      .on("DELETE /apps/*/domains/*", domain);
    const held = await plugin.make(token, { appId: stub.id, hostname: "clinic.example.org" });
    expect(recorder.requests[0]?.body).to.deep.equal({ hostname: "clinic.example.org", sni_endpoint: null });
    expect(take()).to.deep.equal(["POST /apps/APP/domains", "GET /apps/APP"]);
    expect((await plugin.read(held))?.state).to.deep.equal(held.state);
    expect(take()).to.deep.equal(["GET /apps/APP/domains/d1", "GET /apps/APP"]);
    await plugin.delete(held);
    recorder.routes.delete("GET /apps/*/domains/*");
    expect(await message(plugin.read(held)), "only apps and add-ons drop out of the state").to.contain("Couldn't find");
    recorder.routes.delete("DELETE /apps/*/domains/*");
    expect(await message(plugin.delete(held))).to.contain("Couldn't find");
  });

  it("AddonAttachment, AppFeature, AppWebhook, Drain, Pipeline, PipelineCoupling: create, refresh, delete", async () => {
    const id = stub.addon;
    const echo = (body: object) => ({ id, app: { id: stub.id }, addon: { id }, pipeline: { id }, token: "t", ...body });
    let last: object = {};
    const keep = (_match: string[], body: object) => {
      last = { ...last, ...body };
      return { ...echo(last), app: { id: stub.id }, addon: { id }, pipeline: { id } };
    };
    const paths = ["/addon-attachments", "/apps/*/webhooks", "/apps/*/log-drains", "/pipelines", "/pipeline-couplings"];
    for (const path of paths) {
      recorder
        .on(`POST ${path}`, keep)
        .on(`GET ${path}/*`, keep)
        .on(`PATCH ${path}/*`, keep)
        .on(`DELETE ${path}/*`, keep);
    }
    recorder.on("PATCH /apps/*/features/*", ([, name], body) => ({ id, name, ...body }));
    recorder.on("GET /apps/*/features/*", { id, name: "runtime-dyno-metadata", enabled: true });
    recorder.on("GET /account", { id: "me" });
    const lives: [string, object, string[], string[], string[]][] = [
      [
        "addonAttachment:AddonAttachment",
        { appId: stub.id, addonId: id, name: "DB" },
        ["POST /addon-attachments", "GET /addon-attachments/ADDON"],
        ["GET /addon-attachments/ADDON"],
        ["DELETE /addon-attachments/ADDON"],
      ],
      [
        "appFeature:AppFeature",
        { appId: stub.id, name: "runtime-dyno-metadata" },
        ["PATCH /apps/APP/features/runtime-dyno-metadata", "GET /apps/APP/features/ADDON"],
        ["GET /apps/APP/features/ADDON"],
        ["PATCH /apps/APP/features/ADDON"],
      ],
      [
        "appWebhook:AppWebhook",
        { appId: stub.id, level: "notify", includes: ["api:release"], url: "https://x", secret: "s" },
        ["POST /apps/APP/webhooks"],
        ["GET /apps/APP/webhooks/ADDON"],
        ["DELETE /apps/APP/webhooks/ADDON"],
      ],
      [
        "drain:Drain",
        { appId: stub.id, sensitiveUrl: "https://user:pass@x" },
        ["GET /apps/APP", "POST /apps/APP/log-drains", "GET /apps/APP/log-drains/ADDON"],
        ["GET /apps/APP/log-drains/ADDON"],
        ["DELETE /apps/APP/log-drains/ADDON"],
      ],
      [
        "pipeline:Pipeline",
        { name: "usc-pis" },
        ["GET /account", "POST /pipelines", "GET /pipelines/ADDON"],
        ["GET /pipelines/ADDON"],
        ["DELETE /pipelines/ADDON"],
      ],
      [
        "pipelineCoupling:PipelineCoupling",
        { appId: stub.id, pipeline: id, stage: "production" },
        ["POST /pipeline-couplings", "GET /pipeline-couplings/ADDON"],
        ["GET /pipeline-couplings/ADDON"],
        ["DELETE /pipeline-couplings/ADDON"],
      ],
    ];
    for (const [type, inputs, created, refreshed, deleted] of lives) {
      last = {};
      const held = await plugin.make(`heroku:index/${type}`, { ...inputs });
      expect(take(), type).to.deep.equal(created);
      expect((await plugin.read(held))?.state, type).to.deep.equal(held.state);
      expect(take(), type).to.deep.equal(refreshed);
      expect((await plugin.apply(held, { ...inputs })).diff.paths, type).to.deep.equal([]);
      await plugin.delete(held);
      expect(take(), type).to.deep.equal(deleted);
    }
  });
});
