import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { CloudinaryMedia, type CloudinaryMediaArgs, DEFAULT_PRESETS } from "../../components/CloudinaryMedia";

const PRESET = "pulumi-nodejs:dynamic/cloudinary:UploadPreset";
const TRIGGER = "pulumi-nodejs:dynamic/cloudinary:Trigger";
const COMPONENT = "usc-pis:media:CloudinaryMedia";

const base: CloudinaryMediaArgs = { system: "usc-pis", cloudName: "clinic", apiKey: "123", apiSecret: "s3cret" };

interface Recorded {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

function promise<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply((value) => resolve(value as T)));
}

describe("CloudinaryMedia", () => {
  let recorded: Recorded[];

  beforeEach(async () => {
    recorded = [];
    await pulumi.runtime.setMocks(
      {
        newResource: ({ type, name, inputs }) => {
          if (![COMPONENT, PRESET, TRIGGER].includes(type)) throw new Error(`unmocked resource type ${type}`);
          recorded.push({ type, name, inputs });
          return { id: `${name}-id`, state: inputs };
        },
        call: ({ token }) => {
          throw new Error(`unmocked call ${token}`);
        },
      },
      "usc-pis",
      "test",
    );
  });

  async function create(args: Partial<CloudinaryMediaArgs> = {}): Promise<CloudinaryMedia> {
    const media = new CloudinaryMedia("media", { ...base, ...args });
    await promise(media.presetNames);
    await Promise.all(media.nodes.triggers.map((trigger) => promise(trigger.id)));
    return media;
  }

  const of = (type: string) => recorded.filter((resource) => resource.type === type);

  it("declares exactly the default presets, signed and limited, each below the component", async () => {
    const media = await create();
    expect(recorded.map((resource) => resource.name).sort()).to.deep.equal([
      "media",
      "media-preset-documents",
      "media-preset-images",
    ]);
    for (const { inputs } of of(PRESET)) {
      expect(inputs).to.include({ unsigned: false, cloudName: "clinic", overwrite: false, adopt: false });
      expect(inputs.allowedFormats).to.be.an("array").that.is.not.empty;
      expect(inputs.folder).to.match(/^media\//);
    }
    expect(await promise(media.presetNames)).to.deep.equal(["usc-pis-images", "usc-pis-documents"]);
    for (const preset of media.nodes.presets) {
      expect(await promise(preset.urn)).to.contain(`${COMPONENT}$${PRESET}::`);
    }
  });

  it("hands the app its credentials as secrets, under names that are known at once", async () => {
    const media = await create();
    expect(Object.keys(media.secretConfig).sort()).to.deep.equal([
      "CLOUDINARY_API_KEY",
      "CLOUDINARY_API_SECRET",
      "CLOUDINARY_CLOUD_NAME",
      "USE_CLOUDINARY",
    ]);
    for (const value of Object.values(media.secretConfig)) expect(await pulumi.isSecret(value)).to.equal(true);
    expect(await promise(media.secretConfig.CLOUDINARY_API_SECRET)).to.equal("s3cret");
    expect(await promise(media.secretConfig.USE_CLOUDINARY)).to.equal("True");
    // The control: a plain output is not a secret.
    expect(await pulumi.isSecret(pulumi.output("plain"))).to.equal(false);
  });

  it("gives no resource the API secret, nor anything of the provider but its code", async () => {
    await create({ webhookUrl: "https://hook.example/media" });
    for (const { inputs } of recorded) expect(JSON.stringify(inputs)).to.not.contain("s3cret");
  });

  it("has no trigger without an address, and one for each event with it", async () => {
    await create();
    expect(of(TRIGGER)).to.have.lengthOf(0);
    recorded.length = 0;
    const media = await create({ webhookUrl: pulumi.output("https://hook.example/media") });
    expect(of(TRIGGER).map(({ inputs }) => inputs.eventType)).to.deep.equal(["upload", "delete", "rename"]);
    for (const { inputs } of of(TRIGGER)) expect(inputs.uri).to.equal("https://hook.example/media");
    for (const trigger of media.nodes.triggers) {
      expect(await promise(trigger.urn)).to.contain(`${COMPONENT}$${TRIGGER}::`);
    }
  });

  it("adopts only when told to", async () => {
    await create({ existing: "adopt", webhookUrl: "https://hook.example/media" });
    expect([...of(PRESET), ...of(TRIGGER)].every(({ inputs }) => inputs.adopt === true)).to.equal(true);
  });

  it("refuses presets that accept everything, collide or have no usable name or folder", () => {
    const [good] = DEFAULT_PRESETS;
    if (good === undefined) throw new Error("no default preset");
    const make =
      (...presets: (typeof good)[]) =>
      () =>
        new CloudinaryMedia("media", { ...base, presets });
    expect(make(good)).to.not.throw();
    expect(make({ ...good, allowedFormats: [] })).to.throw("no allowed formats");
    expect(make(good, good)).to.throw("there twice");
    expect(make({ ...good, role: "Bad Role" })).to.throw("expected lower-case letters");
    expect(make({ ...good, folder: "../x" })).to.throw("expected a path");
  });
});
