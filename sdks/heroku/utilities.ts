import * as pulumi from "@pulumi/pulumi";

/** What the bridge needs to know to become the heroku provider: the value of the package's parameterization. */
const PARAMETER =
  "eyJyZW1vdGUiOnsidXJsIjoicmVnaXN0cnkub3BlbnRvZnUub3JnL2hlcm9rdS9oZXJva3UiLCJ2ZXJzaW9uIjoiNS4zLjIifX0=";

/** Version of the heroku/heroku Terraform provider, and so of this package. */
export const PACKAGE_VERSION = "5.3.2";

/** Version of Pulumi's `terraform-provider` bridge that serves it. */
export const BRIDGE_VERSION = "1.1.3";

/** Registers this package with the engine; the answer goes with every resource. The runtime keeps one per deployment. */
export async function registeredPackage(): Promise<string> {
  return pulumi.runtime.registerPackage({
    baseProviderName: "terraform-provider",
    baseProviderVersion: BRIDGE_VERSION,
    baseProviderDownloadUrl: "",
    packageName: "heroku",
    packageVersion: PACKAGE_VERSION,
    base64Parameter: PARAMETER,
  });
}

/** Names of a resource's members, by what happens to them. */
export interface Members {
  inputs: string[];
  outputs: string[];
  required: string[];
  /** Inputs that are wrapped as secrets before they leave the program. */
  secretInputs: string[];
  /** Outputs, inputs' echoes included, that come back as secrets. */
  secretOutputs: string[];
}

/**
 * Inputs and options of a resource call.
 *
 * @throws Error if a required argument is missing and the resource is not looked up.
 */
export function prepare(
  members: Members,
  argsOrState: object | undefined,
  opts: pulumi.CustomResourceOptions | undefined,
): { inputs: pulumi.Inputs; options: pulumi.CustomResourceOptions } {
  const given = (argsOrState ?? {}) as Record<string, unknown>;
  const inputs: pulumi.Inputs = {};
  if (opts?.id) {
    for (const name of [...members.inputs, ...members.outputs]) inputs[name] = given[name];
  } else {
    for (const name of members.required) {
      if (given[name] === undefined && !opts?.urn) throw new Error(`Missing required property '${name}'`);
    }
    for (const name of members.inputs) {
      const value = given[name];
      inputs[name] = value && members.secretInputs.includes(name) ? pulumi.secret(value) : value;
    }
    for (const name of members.outputs) inputs[name] = undefined;
  }
  let options = pulumi.mergeOptions({ version: PACKAGE_VERSION }, opts ?? {});
  if (members.secretOutputs.length > 0) {
    options = pulumi.mergeOptions(options, { additionalSecretOutputs: members.secretOutputs });
  }
  return { inputs, options };
}
