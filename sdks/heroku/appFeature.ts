import * as pulumi from "@pulumi/pulumi";
import { type Members, prepare, registeredPackage } from "./utilities";

const members: Members = {
  inputs: ["appId", "name", "enabled", "appFeatureId"],
  outputs: [],
  required: ["appId"],
  secretInputs: [],
  secretOutputs: [],
};

/** A feature of an app switched on or off. */
export class AppFeature extends pulumi.CustomResource {
  /** @internal */
  static readonly __pulumiType = "heroku:index/appFeature:AppFeature";

  /** Looks up an existing resource by its provider id. */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    state?: AppFeatureState,
    opts?: pulumi.CustomResourceOptions,
  ): AppFeature {
    return new AppFeature(name, state as unknown as AppFeatureArgs, { ...opts, id });
  }

  /** True if the object is an AppFeature, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is AppFeature {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === AppFeature.__pulumiType;
  }

  declare readonly appId: pulumi.Output<string>;
  declare readonly name: pulumi.Output<string>;
  declare readonly enabled: pulumi.Output<boolean | undefined>;
  declare readonly appFeatureId: pulumi.Output<string>;

  constructor(name: string, args: AppFeatureArgs, opts?: pulumi.CustomResourceOptions) {
    const { inputs, options } = prepare(members, args, opts);
    super(AppFeature.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of AppFeature. */
export interface AppFeatureArgs {
  /** UUID of the app. */
  appId: pulumi.Input<string>;
  /** Name of the feature. Set it: the default would be a name that does not exist. */
  name?: pulumi.Input<string>;
  /** @default true */
  enabled?: pulumi.Input<boolean>;
  /** Terraform's own id. */
  appFeatureId?: pulumi.Input<string>;
}

/** Known state of an AppFeature for look-ups: every member is optional. */
export interface AppFeatureState extends Partial<AppFeatureArgs> {}
