import * as pulumi from "@pulumi/pulumi";
import { type Members, prepare, registeredPackage } from "./utilities";

const members: Members = {
  inputs: ["appId", "url", "sensitiveUrl", "drainId"],
  outputs: ["token"],
  required: ["appId"],
  secretInputs: ["sensitiveUrl"],
  secretOutputs: ["sensitiveUrl"],
};

/** A log drain. Everything about it replaces it. */
export class Drain extends pulumi.CustomResource {
  /** @internal */
  static readonly __pulumiType = "heroku:index/drain:Drain";

  /** Looks up an existing resource by its provider id. */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    state?: DrainState,
    opts?: pulumi.CustomResourceOptions,
  ): Drain {
    return new Drain(name, state as unknown as DrainArgs, { ...opts, id });
  }

  /** True if the object is a Drain, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is Drain {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === Drain.__pulumiType;
  }

  declare readonly appId: pulumi.Output<string>;
  declare readonly url: pulumi.Output<string | undefined>;
  declare readonly sensitiveUrl: pulumi.Output<string | undefined>;
  declare readonly drainId: pulumi.Output<string>;
  /** The drain's token. Not secret in the provider. */
  declare readonly token: pulumi.Output<string>;

  constructor(name: string, args: DrainArgs, opts?: pulumi.CustomResourceOptions) {
    const { inputs, options } = prepare(members, args, opts);
    super(Drain.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of Drain. */
export interface DrainArgs {
  /** UUID of the app. */
  appId: pulumi.Input<string>;
  /** Receiver. Exactly one of url and sensitiveUrl. */
  url?: pulumi.Input<string>;
  /** Receiver whose address holds a credential. Secret. */
  sensitiveUrl?: pulumi.Input<string>;
  /** Terraform's own id. */
  drainId?: pulumi.Input<string>;
}

/** Known state of a Drain for look-ups: every member is optional. */
export interface DrainState extends Partial<DrainArgs> {
  token?: pulumi.Input<string>;
}
