import * as pulumi from "@pulumi/pulumi";
import { type Members, prepare, registeredPackage } from "./utilities";

const members: Members = {
  inputs: ["appId", "type", "quantity", "size", "formationId"],
  outputs: [],
  required: ["appId", "type", "quantity", "size"],
  secretInputs: [],
  secretOutputs: [],
};

/** Number and size of the dynos of one process type. Deleting it does nothing on Heroku. */
export class Formation extends pulumi.CustomResource {
  /** @internal */
  static readonly __pulumiType = "heroku:index/formation:Formation";

  /** Looks up an existing resource by its provider id. */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    state?: FormationState,
    opts?: pulumi.CustomResourceOptions,
  ): Formation {
    return new Formation(name, state as unknown as FormationArgs, { ...opts, id });
  }

  /** True if the object is a Formation, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is Formation {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === Formation.__pulumiType;
  }

  declare readonly appId: pulumi.Output<string>;
  declare readonly type: pulumi.Output<string>;
  declare readonly quantity: pulumi.Output<number>;
  declare readonly size: pulumi.Output<string>;
  declare readonly formationId: pulumi.Output<string>;

  constructor(name: string, args: FormationArgs, opts?: pulumi.CustomResourceOptions) {
    const { inputs, options } = prepare(members, args, opts);
    super(Formation.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of Formation. */
export interface FormationArgs {
  /** UUID of the app. */
  appId: pulumi.Input<string>;
  /** Process type of the Procfile. */
  type: pulumi.Input<string>;
  /** Dynos. */
  quantity: pulumi.Input<number>;
  /** Dyno size, such as `basic`; case does not matter. */
  size: pulumi.Input<string>;
  /** Terraform's own id. */
  formationId?: pulumi.Input<string>;
}

/** Known state of a Formation for look-ups: every member is optional. */
export interface FormationState extends Partial<FormationArgs> {}
