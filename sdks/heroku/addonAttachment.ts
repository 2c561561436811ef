import * as pulumi from "@pulumi/pulumi";
import { type Members, prepare, registeredPackage } from "./utilities";

const members: Members = {
  inputs: ["appId", "addonId", "name", "namespace", "addonAttachmentId"],
  outputs: [],
  required: ["appId", "addonId"],
  secretInputs: [],
  secretOutputs: [],
};

/** An add-on attached to another app. Everything about it replaces it. */
export class AddonAttachment extends pulumi.CustomResource {
  /** @internal */
  static readonly __pulumiType = "heroku:index/addonAttachment:AddonAttachment";

  /** Looks up an existing resource by its provider id. */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    state?: AddonAttachmentState,
    opts?: pulumi.CustomResourceOptions,
  ): AddonAttachment {
    return new AddonAttachment(name, state as unknown as AddonAttachmentArgs, { ...opts, id });
  }

  /** True if the object is an AddonAttachment, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is AddonAttachment {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === AddonAttachment.__pulumiType;
  }

  declare readonly appId: pulumi.Output<string>;
  declare readonly addonId: pulumi.Output<string>;
  declare readonly name: pulumi.Output<string>;
  declare readonly namespace: pulumi.Output<string | undefined>;
  declare readonly addonAttachmentId: pulumi.Output<string>;

  constructor(name: string, args: AddonAttachmentArgs, opts?: pulumi.CustomResourceOptions) {
    const { inputs, options } = prepare(members, args, opts);
    super(AddonAttachment.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of AddonAttachment. */
export interface AddonAttachmentArgs {
  /** UUID of the app that receives the add-on. */
  appId: pulumi.Input<string>;
  /** The add-on. */
  addonId: pulumi.Input<string>;
  /** Prefix of the config vars. Set it: the default is the logical name and 7 hex digits. */
  name?: pulumi.Input<string>;
  /** Credential namespace, such as `credential:NAME`. */
  namespace?: pulumi.Input<string>;
  /** Terraform's own id. */
  addonAttachmentId?: pulumi.Input<string>;
}

/** Known state of an AddonAttachment for look-ups: every member is optional. */
export interface AddonAttachmentState extends Partial<AddonAttachmentArgs> {}
