import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import { UNKNOWN } from "../../../sandbox/plugins/core/values";
import { herokuProvider } from "../../../sandbox/plugins/heroku/provider";
import { HerokuRecorder, oneApp } from "../../support/heroku-recorder";
import { type Held, PluginClient } from "../../support/plugin";

describe("stand-in for heroku: builds", () => {
  const recorder = new HerokuRecorder();
  let plugin: PluginClient;
  let stub: ReturnType<typeof oneApp>;
  const take = () => recorder.take(stub.names);

  const token = "heroku:index/build:Build";
  let folder: string;
  let uploaded: Buffer;
  let build: any;

  beforeEach(async () => {
    await recorder.start();
    recorder.routes.clear();
    recorder.requests.length = 0;
    stub = oneApp(recorder);
    plugin = await PluginClient.start(herokuProvider, { url: recorder.url, apiKey: "key" }, { apiKey: true });
    folder = mkdtempSync(join(tmpdir(), "usc-pis-build-"));
    build = { id: "b1", app: { id: stub.id }, stack: "heroku-24", buildpacks: [] };
    let pending = 1;
    recorder
      .on("POST /sources", () => ({
        source_blob: { get_url: `${recorder.url}/get`, put_url: `${recorder.url}/put` },
      }))
      .on("PUT /put", (_match, body) => {
        uploaded = body;
        return {};
      })
      .on("POST /apps/*/builds", (_match, { source_blob: blob }) =>
        Object.assign(build, { source_blob: { version: null, checksum: null, ...blob } }),
      )
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
  afterEach(async () => {
    plugin.close();
    await recorder.stop();
    rmSync(folder, { recursive: true });
  });

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
    const looks = take().filter((line) => line === "GET /apps/APP/builds/b1");
    expect(looks, "pending, succeeded, and what it has become").to.have.lengthOf(3);
    writeFileSync(path, "other");
    const diff = await plugin.diff(held, held.inputs);
    expect(diff.replaces).to.deep.equal(["localChecksum"]);
  });

  it("of a tarball: the state has the version that the API knows, and empty text for what a local source lacks", async () => {
    const path = join(folder, "release.tar.gz");
    writeFileSync(path, "tar");
    const held = await plugin.make(token, { appId: stub.id, source: { path } });
    expect(held.state.source).to.deep.equal({ path, version: "", url: "", checksum: "" });
    expect((await plugin.diff(held, held.inputs)).paths).to.deep.equal([]);
    build.source_blob = { version: "another", url: "https://get", checksum: "SHA256:1" };
    const drifted = (await plugin.read(held)) as Held;
    expect(drifted.state.source).to.deep.equal({ path, version: "another", url: "", checksum: "" });
    expect((await plugin.diff(drifted, { ...held.inputs, source: { path, version: "v1" } })).replaces).to.include(
      "source",
    );
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

  it("with buildpacks: each plan asks for the app, a preview's too, and does without an answer", async () => {
    const given = { appId: stub.id, source: { url: "https://x/y.tgz" }, buildpacks: ["https://buildpack"] };
    build.buildpacks = [{ url: "https://buildpack" }];
    const { inputs } = await plugin.check(token, given);
    await plugin.create(token, inputs, { preview: true });
    expect(take()).to.deep.equal(["GET /apps/APP"]);
    await plugin.create(token, { ...inputs, appId: UNKNOWN }, { preview: true });
    expect(take(), "an app that is not there yet").to.deep.equal([]);
    const { id, state } = await plugin.create(token, inputs);
    expect(take().slice(0, 2)).to.deep.equal(["GET /apps/APP", "POST /apps/APP/builds"]);
    const { buildpacks: _, ...silent } = inputs;
    recorder.on("GET /apps/*", { status: 404, body: { id: "not_found", message: "no" } });
    const diff = await plugin.diff({ token, id, inputs, state }, silent);
    expect(diff.changed, "those of the state count where the program is silent").to.equal(false);
    expect(take()).to.deep.equal(["GET /apps/APP"]);
  });

  it("of an address: the state has what the API answers, and no digest", async () => {
    const url = "https://x/y.tgz";
    const held = await plugin.make(token, { appId: stub.id, source: { url, checksum: "SHA256:0" } });
    expect(held.state).to.include({ localChecksum: "" });
    expect(held.state.source).to.deep.equal({ path: "", url, version: "", checksum: "SHA256:0" });
    expect(held.state.buildpacks).to.deep.equal([]);
    expect((await plugin.diff(held, held.inputs)).paths).to.deep.equal([]);
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
