import * as pulumi from "@pulumi/pulumi";
import { type Members, prepare, registeredPackage } from "./utilities";

const members: Members = {
  inputs: ["appId", "plan", "name", "config", "addonId"],
  outputs: ["configVars", "configVarValues", "providerId"],
  required: ["appId", "plan"],
  secretInputs: [],
  secretOutputs: ["configVarValues"],
};

/** An add-on, such as a database, that belongs to an app. */
export class Addon extends pulumi.CustomResource {
  /** @internal */
  static readonly __pulumiType = "heroku:index/addon:Addon";

  /** Looks up an existing resource by its provider id. */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    state?: AddonState,
    opts?: pulumi.CustomResourceOptions,
  ): Addon {
    return new Addon(name, state as unknown as AddonArgs, { ...opts, id });
  }

  /** True if the object is an Addon, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is Addon {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === Addon.__pulumiType;
  }

  declare readonly appId: pulumi.Output<string>;
  declare readonly plan: pulumi.Output<string>;
  declare readonly name: pulumi.Output<string>;
  declare readonly config: pulumi.Output<{ [key: string]: string }>;
  declare readonly addonId: pulumi.Output<string>;
  /** Names of the config vars that the add-on sets. */
  declare readonly configVars: pulumi.Output<string[]>;
  /** Their values. Secret. */
  declare readonly configVarValues: pulumi.Output<{ [key: string]: string }>;
  declare readonly providerId: pulumi.Output<string>;

  constructor(name: string, args: AddonArgs, opts?: pulumi.CustomResourceOptions) {
    const { inputs, options } = prepare(members, args, opts);
    super(Addon.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of Addon. */
export interface AddonArgs {
  /** UUID of the app. Changing it replaces the add-on. */
  appId: pulumi.Input<string>;
  /** `service:plan`, such as `heroku-postgresql:essential-0`. Changed in place. */
  plan: pulumi.Input<string>;
  /** Globally unique name. @default the logical name and 7 hex digits */
  name?: pulumi.Input<string>;
  /** Options of the service at creation, plain text. Changing it replaces the add-on. */
  config?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
  /** Terraform's own id. */
  addonId?: pulumi.Input<string>;
}

/** Known state of an Addon for look-ups: every member is optional. */
export interface AddonState extends Partial<AddonArgs> {
  configVars?: pulumi.Input<pulumi.Input<string>[]>;
  configVarValues?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
  providerId?: pulumi.Input<string>;
}
