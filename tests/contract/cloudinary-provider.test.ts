import type { dynamic } from "@pulumi/pulumi";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { type ConfiguredProvider, triggerProvider, uploadPresetProvider } from "../../sdks/cloudinary/provider";
import { ACCOUNT, Bench, cloudinaryUrl, forgetSdk } from "./cloudinary-support";

type Full = Required<dynamic.ResourceProvider> & ConfiguredProvider;

/** A stack's configuration, with the project's namespace as Pulumi adds it. */
function config(values: Record<string, string>): dynamic.Config {
  const get = (key: string) => values[key.includes(":") ? key : `usc-pis:${key}`];
  return { get, require: (key) => get(key) ?? "" };
}

describe("@pulumi/cloudinary against the emulator", () => {
  const bench = new Bench();
  let restore: () => void;

  before(async () => {
    await bench.start();
    restore = forgetSdk(undefined);
  });
  after(async () => {
    restore();
    await bench.stop();
  });

  async function configured(provider: ConfiguredProvider, values?: Record<string, string>): Promise<Full> {
    const full = provider as Full;
    const own = {
      "cloudinary:cloudName": ACCOUNT.cloudName,
      "cloudinary:apiKey": ACCOUNT.apiKey,
      "cloudinary:apiSecret": ACCOUNT.apiSecret,
      "cloudinary:uploadPrefix": bench.running.url,
    };
    await full.configure({ config: config(values ?? own) });
    return full;
  }

  /** What is written to stderr meanwhile. */
  async function quietly(run: () => Promise<unknown>): Promise<unknown[]> {
    const said: unknown[] = [];
    const { error } = console;
    console.error = (text: unknown) => said.push(text);
    try {
      await run();
    } finally {
      console.error = error;
    }
    return said;
  }

  async function failure(promise: Promise<unknown>): Promise<string> {
    try {
      await promise;
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("expected a failure");
  }

  it("creates, reads, updates and deletes a preset, and tolerates that it is gone", async () => {
    const provider = await configured(uploadPresetProvider());
    const { inputs } = await provider.check({}, { name: "records", folder: "records", allowedFormats: ["png", "pdf"] });
    expect(inputs).to.include({ unsigned: false, cloudName: "clinic" });
    const created = await provider.create(inputs);
    expect(created.id).to.equal("records");
    const read = await provider.read("records", created.outs);
    expect(read.inputs).to.deep.equal(inputs);
    expect(read.props).to.deep.equal({ ...inputs, adopted: false });
    const news = { ...inputs, folder: "medical", tags: ["x"], overwrite: false };
    expect(await provider.diff("records", created.outs, news)).to.deep.include({ changes: true, replaces: [] });
    await provider.update("records", created.outs, news);
    expect((await provider.read("records", news)).inputs).to.deep.equal(news);
    expect((await provider.diff("records", news, { ...news, name: "other" })).replaces).to.deep.equal(["name"]);
    expect((await provider.diff("records", news, { ...news })).changes).to.equal(false);
    await provider.delete("records", news);
    await provider.delete("records", news);
    expect((await provider.read("records", news)).id).to.equal("");
    expect(await failure(provider.update("records", news, news))).to.match(/is gone; run pulumi refresh/);
  });

  it("takes over an existing preset only when told to, and then leaves it behind", async () => {
    const provider = await configured(uploadPresetProvider());
    await provider.create({ name: "existing", folder: "old" });
    expect(await failure(provider.create({ name: "existing", folder: "new" }))).to.match(/HTTP 409.*already taken/);
    const adopted = await provider.create({ name: "existing", folder: "new", adopt: true });
    const read = await provider.read("existing", adopted.outs);
    expect(read.props).to.include({ folder: "new", adopted: true });
    const updated = await provider.update("existing", read.props, { name: "existing", folder: "newer" });
    await quietly(() => provider.delete("existing", updated.outs));
    expect((await provider.read("existing")).props).to.include({ folder: "newer" });
    // What `adopt` did not find is this stack's own.
    const fresh = await provider.create({ name: "fresh", adopt: true });
    await provider.delete("fresh", fresh.outs);
    expect((await provider.read("fresh")).id).to.equal("");
    await provider.delete("existing", {});
  });

  it("creates, changes, adopts and deletes a trigger", async () => {
    const provider = await configured(triggerProvider());
    const inputs = { uri: "https://hook.example/a", eventType: "upload" };
    const created = await provider.create(inputs);
    expect((await provider.read(created.id)).inputs).to.deep.equal({ ...inputs, cloudName: "clinic" });
    const adopted = await provider.create({ ...inputs, adopt: true });
    expect(adopted.id).to.equal(created.id);
    await quietly(() => provider.delete(created.id, adopted.outs));
    const moved = { ...inputs, uri: "https://hook.example/b" };
    expect(await provider.diff(created.id, created.outs, { ...created.outs, ...moved })).to.deep.equal({
      changes: true,
      replaces: [],
    });
    await provider.update(created.id, created.outs, moved);
    expect((await provider.read(created.id)).props).to.include({ uri: moved.uri });
    await provider.delete(created.id, {});
    await provider.delete(created.id, {});
    expect((await provider.read(created.id)).id).to.equal("");
  });

  it("reads the project's own configuration, and CLOUDINARY_URL only where that is silent", async () => {
    const project = {
      "usc-pis:cloudinary": JSON.stringify({ cloudName: "clinic", apiKey: Number(ACCOUNT.apiKey) }),
      "usc-pis:cloudinaryApiSecret": ACCOUNT.apiSecret,
      "usc-pis:endpoints": JSON.stringify({ cloudinaryUploadPrefix: bench.running.url }),
    };
    const elsewhere = "cloudinary://other:wrong@production";
    const restoreVariable = forgetSdk(elsewhere);
    try {
      const provider = await configured(uploadPresetProvider(), project);
      expect(provider.account).to.deep.equal({ ...ACCOUNT, uploadPrefix: bench.running.url });
      expect((await provider.read("absent")).id).to.equal("");
      process.env.CLOUDINARY_URL = cloudinaryUrl(bench.running.url);
      expect((await configured(uploadPresetProvider(), {})).account?.apiSecret).to.equal(ACCOUNT.apiSecret);
    } finally {
      restoreVariable();
    }
    expect(await failure(configured(uploadPresetProvider(), {}))).to.match(/cloudName is missing/);
  });

  it("refuses credentials of another cloud, but lets go of what stayed there", async () => {
    const provider = await configured(uploadPresetProvider());
    const elsewhere = { name: "x", cloudName: "old" };
    expect(await failure(provider.create(elsewhere))).to.match(/belongs to cloud old.*credentials are of clinic/);
    const { inputs } = await provider.check(elsewhere, { name: "x" });
    expect((await provider.diff("x", elsewhere, inputs)).replaces).to.deep.equal(["cloudName"]);
    const said = await quietly(() => provider.delete("x", elsewhere));
    expect(said.join()).to.match(/stays in cloud old/);
  });

  it("never lets the secret into an error", async () => {
    const wrong = { ...ACCOUNT, apiSecret: "wrong-secret-value" };
    const values = {
      "cloudinary:cloudName": wrong.cloudName,
      "cloudinary:apiKey": wrong.apiKey,
      "cloudinary:apiSecret": wrong.apiSecret,
      "cloudinary:uploadPrefix": bench.running.url,
    };
    for (const provider of [uploadPresetProvider(), triggerProvider()]) {
      const refused = (await configured(provider, values)).create({
        name: "n",
        uri: "https://x.example",
        eventType: "upload",
      });
      const error = await refused.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      const told = `${(error as Error).message} ${JSON.stringify(error)} ${(error as Error).stack}`;
      expect(told).to.match(/HTTP 401/);
      expect(told).to.not.contain("wrong-secret-value");
    }
  });

  it("puts neither secret nor foreign code into the state", async () => {
    for (const provider of [uploadPresetProvider(), triggerProvider()]) {
      // The text that `pulumi.dynamic.Resource` stores as `__provider`.
      const { text } = await pulumi.runtime.serializeFunction(() => provider, { allowSecrets: true });
      expect(text).to.contain("account: undefined");
      expect(text).to.not.contain(ACCOUNT.apiSecret);
      expect(text.length).to.be.lessThan(16_000);
      const required = [...text.matchAll(/require\("([^"]+)"\)/g)].map((match) => match[1]);
      expect(required.every((name) => name?.startsWith("cloudinary"))).to.equal(true);
    }
    // The control: a provider that was configured before it was serialized would carry the secret.
    const leaking = await configured(uploadPresetProvider());
    const { text } = await pulumi.runtime.serializeFunction(() => leaking, { allowSecrets: true });
    expect(text).to.contain(ACCOUNT.apiSecret);
  });
});
