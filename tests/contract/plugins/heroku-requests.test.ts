import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Properties } from "../../../sandbox/plugins/core/values";
import { herokuProvider } from "../../../sandbox/plugins/heroku/provider";
import { everything } from "../../support/heroku-everything";
import { HerokuRecorder, readable } from "../../support/heroku-recorder";
import { herokuRows, type Row } from "../../support/heroku-rows";
import { type Held, PluginClient } from "../../support/plugin";

describe("stand-in for heroku: what each resource type sends and keeps", () => {
  const recorder = new HerokuRecorder();
  const folder = mkdtempSync(join(tmpdir(), "usc-pis-requests-"));
  const path = join(folder, "release.tar.gz");
  writeFileSync(path, "tar");
  let plugin: PluginClient;
  let stub: ReturnType<typeof everything>;

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
  after(() => rmSync(folder, { recursive: true }));

  /** Names in place of ids, both ways. */
  const named = (value: Properties): Properties => JSON.parse(readable(JSON.stringify(value), stub.names));
  const real = (value: Properties): Properties =>
    JSON.parse(
      Object.entries(stub.names).reduce(
        (text, [id, name]) => text.replaceAll(`"${name}"`, `"${id}"`),
        JSON.stringify(value),
      ),
    );
  const sent = () => recorder.takeAll(stub.names);
  const token = (row: Row) => `heroku:index/${row.type}`;

  const rows = herokuRows(path);

  it("has a row for every type", () => {
    const served = herokuProvider.resources.map(({ token }) => token);
    expect(rows.map(token)).to.have.members(served);
  });

  for (const row of rows) {
    it(row.type, async () => {
      const given = real(row.inputs);
      const { inputs: checked, failures: refused } = await plugin.check(token(row), given);
      expect(refused).to.deep.equal([]);
      const { id, state, secrets } = await plugin.create(token(row), checked);
      expect(sent(), "create").to.deep.equal(row.created);
      const held: Held = { token: token(row), id, inputs: checked, state };
      expectState(held, row);
      expect(Object.keys(secrets ?? {}), "secret").to.have.members(row.secret ?? []);
      expect(held.inputs, "neither defaults nor their names are inputs").to.deep.equal(given);

      const asked = row.type === "build:Build" ? ["GET /apps/APP"] : [];
      expect((await plugin.apply(held, given)).diff.paths, "no change").to.deep.equal([]);
      expect(sent(), "no change").to.deep.equal(asked);

      const refreshed = await plugin.read(held);
      expect(sent(), "refresh").to.deep.equal(row.refreshed);
      expect(refreshed, "refresh").to.deep.equal(held);

      for (const [input, value] of Object.entries(row.replace)) {
        const { inputs, failures } = await plugin.check(token(row), { ...given, [input]: value }, held.inputs);
        expect(failures).to.deep.equal([]);
        const diff = await plugin.diff(held, inputs);
        expect(diff.replaces, `replaces for ${input}`).to.deep.equal([input]);
        expect(diff.deleteBeforeReplace, "the bridge creates first, whatever the name").to.equal(false);
      }
      sent();
      if (row.imported) {
        const found = await plugin.read({ token: token(row), id: readBack(row.imported.id) });
        expect(sent(), "import").to.deep.equal(row.imported.sent);
        const byName = row.type === "addon:Addon";
        expect(named({ id: found?.id }).id, "id after an import").to.equal(byName ? row.imported.id : row.id);
        expect(found?.inputs, "inputs of an import").to.not.have.property("__defaults");
      }
      if (row.update) {
        const { diff, held: after } = await plugin.apply(held, { ...given, ...row.update.inputs });
        expect(sent(), "update").to.deep.equal(row.update.sent);
        const changed = new Set(diff.paths.map((path) => path.split(/[.[]/)[0]));
        expect([...changed], "update").to.have.members(Object.keys(row.update.inputs));
        expect((await plugin.read(after))?.id).to.equal(held.id);
        sent();
      }
      await plugin.delete(held);
      expect(sent(), "delete").to.deep.equal(row.deleted);
    });
  }

  const readBack = (id: string) => {
    const uuids = Object.fromEntries(Object.entries(stub.names).map(([uuid, name]) => [name, uuid]));
    return id.replace(/[A-Z]+/g, (name) => uuids[name] ?? name);
  };

  function expectState(held: Held, row: Row): void {
    const { __meta, ...state } = named(held.state);
    expect(named({ id: held.id }).id).to.equal(row.id);
    expect(state, "state").to.deep.equal(row.state);
    const meta = JSON.parse(__meta);
    const version = row.schemaVersion === 0 ? undefined : String(row.schemaVersion);
    expect(meta.schema_version, "version of Terraform's schema").to.equal(version);
    const noted = JSON.parse(Buffer.from(meta.private_state, "base64").toString());
    expect(noted?.schema_version, "what the provider noted for itself").to.equal(version);
  }
});
