import { expect } from "chai";
import { UNKNOWN } from "../../../sandbox/plugins/core/values";
import { randomProvider } from "../../../sandbox/plugins/random/provider";
import { PluginClient } from "../../support/plugin";

describe("stand-in for random", () => {
  let plugin: PluginClient;
  before(async () => {
    plugin = await PluginClient.start(randomProvider);
  });
  after(() => plugin.close());

  it("RandomPassword: made once, secret, and kept until an input changes", async () => {
    const token = "random:index/randomPassword:RandomPassword";
    const given = { length: 50, special: false, keepers: { a: "b" } };
    const { inputs } = await plugin.check(token, given);
    expect((await plugin.create(token, inputs, { preview: true })).state).to.include({ result: UNKNOWN });
    const { id, state, secrets } = await plugin.create(token, inputs);
    expect(secrets).to.deep.equal({ result: true, bcryptHash: true });
    expect(state.result).to.match(/^[A-Za-z0-9]{50}$/);
    expect(state.bcryptHash).to.match(/^\$2[aby]\$10\$/);
    const held = { token, id, inputs, state };
    expect(await plugin.read(held)).to.deep.equal(held);
    expect((await plugin.apply(held, given)).diff.changed).to.equal(false);
    const other = await plugin.check(token, { ...given, keepers: { a: "c" } });
    expect((await plugin.diff(held, other.inputs)).replaces).to.deep.equal(["keepers"]);
    expect((await plugin.check(token, { length: 2, minUpper: 3 })).failures[0]).to.contain("at least 3");
  });

  it("RandomId: the same bytes in four forms", async () => {
    const held = await plugin.make("random:index/randomId:RandomId", { byteLength: 6, prefix: "x-" });
    const { hex, b64Url, b64Std, dec } = held.state;
    const bytes = Buffer.from(hex.slice(2), "hex");
    expect(bytes).to.have.lengthOf(6);
    expect(b64Url)
      .to.equal(`x-${bytes.toString("base64url")}`)
      .and.to.equal(`x-${held.id}`);
    expect(b64Std).to.equal(`x-${bytes.toString("base64")}`);
    expect(dec).to.equal(`x-${BigInt(`0x${bytes.toString("hex")}`)}`);
  });
});
