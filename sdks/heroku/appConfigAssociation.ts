import * as pulumi from "@pulumi/pulumi";
import { type Members, prepare, registeredPackage } from "./utilities";

const members: Members = {
  inputs: ["appId", "vars", "sensitiveVars", "appConfigAssociationId"],
  outputs: [],
  required: ["appId"],
  secretInputs: ["sensitiveVars"],
  secretOutputs: ["sensitiveVars"],
};

/** Config vars set on an app that this resource does not own. */
export class AppConfigAssociation extends pulumi.CustomResource {
  /** @internal */
  static readonly __pulumiType = "heroku:index/appConfigAssociation:AppConfigAssociation";

  /** Looks up an existing resource by its provider id. */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    state?: AppConfigAssociationState,
    opts?: pulumi.CustomResourceOptions,
  ): AppConfigAssociation {
    return new AppConfigAssociation(name, state as unknown as AppConfigAssociationArgs, { ...opts, id });
  }

  /** True if the object is an AppConfigAssociation, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is AppConfigAssociation {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === AppConfigAssociation.__pulumiType;
  }

  declare readonly appId: pulumi.Output<string>;
  declare readonly vars: pulumi.Output<{ [key: string]: string } | undefined>;
  declare readonly sensitiveVars: pulumi.Output<{ [key: string]: string } | undefined>;
  declare readonly appConfigAssociationId: pulumi.Output<string>;

  constructor(name: string, args: AppConfigAssociationArgs, opts?: pulumi.CustomResourceOptions) {
    const { inputs, options } = prepare(members, args, opts);
    super(AppConfigAssociation.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of AppConfigAssociation. */
export interface AppConfigAssociationArgs {
  /** UUID of the app. */
  appId: pulumi.Input<string>;
  /** Plain config vars. */
  vars?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
  /** Secret config vars. A key may not be in `vars` too. */
  sensitiveVars?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
  /** Terraform's own id. */
  appConfigAssociationId?: pulumi.Input<string>;
}

/** Known state of an AppConfigAssociation for look-ups: every member is optional. */
export interface AppConfigAssociationState extends Partial<AppConfigAssociationArgs> {}
