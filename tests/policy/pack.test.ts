import type { ResourceValidationArgs, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { expect } from "chai";
import { type Checked, findings, REHEARSAL_TAG, toPolicy } from "../../policies/model";
import { RULES } from "../../policies/rules";
import * as types from "../../policies/types";
import { changed, compliantStack, unprotected } from "./fixtures";

// What the policy server hands to policies in a preview; without types, since it is internal to the package.
const { unknownCheckingProxy, unknownStringValue } = require("@pulumi/policy/proxy") as {
  unknownCheckingProxy<T extends object>(props: T): T;
  unknownStringValue: string;
};

/** Runs the whole pack as Pulumi's policy server does: each policy with its own arguments, awaited. */
async function run(
  resources: Checked[],
  tags: Record<string, string> = {},
  config: object = {},
): Promise<{ policy: string; message: string; urn: string | undefined }[]> {
  const reported: { policy: string; message: string; urn: string | undefined }[] = [];
  const shared = { stackTags: new Map(Object.entries(tags)), getConfig: () => config };
  for (const policy of RULES.map(toPolicy)) {
    const report = (message: string, urn?: string) => reported.push({ policy: policy.name, message, urn });
    if ("validateStack" in policy) {
      await (policy as StackValidationPolicy).validateStack({ ...shared, resources } as never, report);
      continue;
    }
    const validate = (policy as ResourceValidationPolicy).validateResource;
    if (typeof validate !== "function") throw new Error(`${policy.name} has no single validation`);
    for (const resource of resources) {
      await validate({ ...shared, ...resource } as unknown as ResourceValidationArgs, report);
    }
  }
  return reported;
}

describe("policy pack", () => {
  it("has metadata that a person can act on, and unique names", () => {
    const names = RULES.map((rule) => rule.name);
    expect(new Set(names).size).to.equal(names.length);
    for (const policy of RULES.map(toPolicy)) {
      expect(policy.name).to.match(/^[a-z]+(-[a-z]+)+$/);
      expect(policy.enforcementLevel).to.equal("mandatory");
      expect(policy.description, policy.name).to.match(/^[A-Z].{20,}\.$/);
      expect(policy.remediationSteps, policy.name).to.match(/^[A-Z].{10,}[^.]$/);
      expect(policy.severity, policy.name).to.be.oneOf(["medium", "high", "critical"]);
      expect(policy.tags?.join(), policy.name).to.match(/^[A-Z]\d+$/);
    }
  });

  it("reports nothing of a compliant stack", async () => {
    expect(await run(compliantStack())).to.deep.equal([]);
  });

  it("reports a violation with its resource and what to do", async () => {
    const [found, ...others] = await run(changed("key", { enableKeyRotation: false }));
    expect(others).to.deep.equal([]);
    expect(found).to.include({ policy: "keys-rotate" });
    expect(found?.urn).to.match(/::key$/);
    expect(found?.message).to.equal("key rotation is false, expected true. Set enableKeyRotation");
  });

  it("takes a rehearsal from the stack's tag or the policy's configuration, and from nothing else", async () => {
    const stack = unprotected("database");
    expect(await run(stack, { [REHEARSAL_TAG]: "true" })).to.deep.equal([]);
    expect(await run(stack, {}, { allowUnprotected: true })).to.deep.equal([]);
    expect(await run(stack)).to.have.lengthOf(1);
    expect(await run(stack, { [REHEARSAL_TAG]: "false" })).to.have.lengthOf(1);
    expect(await run(stack, { "usc-pis:environment": "sandbox" }, { allowUnprotected: "yes" })).to.have.lengthOf(1);
  });

  it("stays silent about what only the update will know, and speaks then", () => {
    const hidden = { protect: true };
    const preview = (type: string, props: Record<string, unknown>): Checked => ({
      type,
      name: "x",
      urn: "urn:x",
      props: unknownCheckingProxy(props),
      opts: hidden,
    });
    const unknown = [
      preview(types.KEY, { enableKeyRotation: unknownStringValue, deletionWindowInDays: unknownStringValue }),
      preview(types.ALARM, {
        alarmActions: [unknownStringValue],
        treatMissingData: unknownStringValue,
        metricName: unknownStringValue,
      }),
      preview(types.BUCKET_LIFECYCLE, { bucket: unknownStringValue, rules: unknownStringValue }),
      preview(types.BUCKET_POLICY, { policy: unknownStringValue }),
      preview(types.SCHEDULE, { name: "capture", scheduleExpression: unknownStringValue }),
      preview(types.CONFIG, { vars: unknownStringValue, sensitiveVars: unknownStringValue }),
      preview(types.FUNCTION, { environment: { variables: unknownStringValue } }),
      preview(types.ADDON, { plan: unknownStringValue }),
      preview(types.COMMAND, { create: unknownStringValue }),
      preview(types.UPLOAD_PRESET, { allowedFormats: unknownStringValue }),
      preview(types.BUCKET_REPLICATION, { bucket: unknownStringValue, rules: unknownStringValue }),
    ];
    const context = { rehearsal: false };
    expect(RULES.flatMap((rule) => findings(rule, unknown, context))).to.deep.equal([]);
    // The control: the same proxy does not hide a known violation.
    const known = [preview(types.KEY, { enableKeyRotation: false, deletionWindowInDays: unknownStringValue })];
    expect(RULES.flatMap((rule) => findings(rule, known, context))).to.have.lengthOf(1);
    expect(() => preview(types.KEY, { enableKeyRotation: unknownStringValue }).props.enableKeyRotation).to.throw(
      "can't be known during preview",
    );
  });
});
