import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { MINIMUM_RETENTION_DAYS } from "../../../backup/classes";
import { BackupVault } from "../../../components/BackupVault";
import { awsProvider } from "../../../sandbox/plugins/aws/provider";
import { isEmpty, policyForm } from "../../../sandbox/plugins/core/compare";
import { canonical, type Properties, type Value } from "../../../sandbox/plugins/core/values";
import { type MiniStack, startMiniStack } from "../../support/ministack";
import { type Held, PluginClient } from "../../support/plugin";
import { attributesOf, TERRAFORM_TYPES } from "../../support/terraform-reads";

const PRIMARY = "ap-southeast-1";

/** Leaves of a value by path; what is empty is left out, since a provider takes it for absent. */
function leaves(value: Value, path = ""): [string, Value][] {
  if (Array.isArray(value) || (typeof value === "object" && value !== null && !(value instanceof Date))) {
    return Object.entries(value).flatMap(([key, member]) => leaves(member, path === "" ? key : `${path}.${key}`));
  }
  return isEmpty(value) ? [] : [[path, value]];
}

/** Policies by their meaning, sets in one order. */
function normal(attributes: Properties): Properties {
  const seen = { ...attributes };
  for (const name of ["policy", "assumeRolePolicy"]) if (seen[name]) seen[name] = canonical(policyForm(seen[name]));
  if (seen.attributes) seen.attributes = [...seen.attributes].sort((a, b) => (a.name < b.name ? -1 : 1));
  return seen;
}

describe("the vault that its program made through the stand-in, as Terraform's provider reads it", function () {
  this.timeout(120_000);
  let ministack: MiniStack;
  let plugin: PluginClient;
  const made: (Held & { name: string })[] = [];

  /** Runs the program without an engine: each resource that it declares is made by the stand-in. */
  before(async () => {
    ministack = await startMiniStack();
    plugin = await PluginClient.start(awsProvider, { region: PRIMARY });
    await pulumi.runtime.setMocks(
      {
        newResource: async ({ type, name, inputs, custom }) => {
          if (!custom) return { id: undefined, state: {} };
          const held = await plugin.make(type, inputs);
          made.push({ ...held, inputs, name });
          return { id: held.id, state: held.state };
        },
        call: () => ({}),
      },
      "usc-pis",
      "vault",
      false,
    );
    const account = { system: "usc-pis", account: "000000000000" };
    const where = { primaryRegion: PRIMARY, replicaRegion: "ap-northeast-1" };
    new BackupVault("vault", { ...account, ...where, retentionDays: MINIMUM_RETENTION_DAYS });
    await pulumi.runtime.disconnect();
  });
  after(async () => {
    plugin?.close();
    await ministack?.stop();
  });

  it("is complete, and no type of it is left out here", () => {
    expect(made).to.have.lengthOf(48);
    expect(Object.keys(TERRAFORM_TYPES)).to.have.members([...new Set(made.map(({ token }) => token))]);
  });

  for (const [token, type] of Object.entries(TERRAFORM_TYPES)) {
    it(token, async () => {
      const ours = made.filter((held) => held.token === token);
      for (const held of ours) {
        const live = await type.read(held.id, held.inputs.region ?? PRIMARY);
        const accounted = [...Object.keys(live), ...type.computed, ...type.unread];
        expect(accounted, "attributes of the provider's schema").to.include.members(attributesOf(type));

        const declared = normal({ ...held.inputs, ...(held.inputs.tags ? { tagsAll: held.inputs.tags } : {}) });
        const readable = Object.entries(normal(live)).filter(([name]) => !type.computed.includes(name));
        const seen = Object.fromEntries(leaves(Object.fromEntries(readable)));
        const wanted: Properties = { ...type.undeclared };
        for (const [path, value] of leaves(declared)) {
          if (!type.unread.includes(path.split(".")[0] ?? "")) wanted[path] = value;
        }
        expect(seen, held.name).to.deep.equal(wanted);
        for (const gap of Object.keys(type.gaps ?? {})) {
          expect(seen, "a gap that MiniStack has closed").to.not.have.property(gap);
          expect(wanted, "a gap where the program declares something").to.not.have.property(gap);
        }
      }
    });
  }

  it("would show a difference: a key whose rotation a person turned off", async () => {
    const key = made.find(({ token }) => token === "aws:kms/key:Key");
    if (!key) throw new Error("there is no key");
    const { KMS } = await import("@aws-sdk/client-kms");
    await new KMS({ region: key.inputs.region }).disableKeyRotation({ KeyId: key.id });
    const live = await TERRAFORM_TYPES[key.token]?.read(key.id, key.inputs.region);
    expect(live?.enableKeyRotation).to.not.equal(key.inputs.enableKeyRotation);
  });
});
