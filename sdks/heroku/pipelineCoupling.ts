import * as pulumi from "@pulumi/pulumi";
import { type Members, prepare, registeredPackage } from "./utilities";

const members: Members = {
  inputs: ["appId", "pipeline", "stage", "pipelineCouplingId"],
  outputs: [],
  required: ["appId", "pipeline", "stage"],
  secretInputs: [],
  secretOutputs: [],
};

/** An app's place in a pipeline. Everything about it replaces it. */
export class PipelineCoupling extends pulumi.CustomResource {
  /** @internal */
  static readonly __pulumiType = "heroku:index/pipelineCoupling:PipelineCoupling";

  /** Looks up an existing resource by its provider id. */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    state?: PipelineCouplingState,
    opts?: pulumi.CustomResourceOptions,
  ): PipelineCoupling {
    return new PipelineCoupling(name, state as unknown as PipelineCouplingArgs, { ...opts, id });
  }

  /** True if the object is a PipelineCoupling, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is PipelineCoupling {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === PipelineCoupling.__pulumiType;
  }

  declare readonly appId: pulumi.Output<string>;
  declare readonly pipeline: pulumi.Output<string>;
  declare readonly stage: pulumi.Output<string>;
  declare readonly pipelineCouplingId: pulumi.Output<string>;

  constructor(name: string, args: PipelineCouplingArgs, opts?: pulumi.CustomResourceOptions) {
    const { inputs, options } = prepare(members, args, opts);
    super(PipelineCoupling.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of PipelineCoupling. */
export interface PipelineCouplingArgs {
  /** UUID of the app. */
  appId: pulumi.Input<string>;
  /** UUID of the pipeline. */
  pipeline: pulumi.Input<string>;
  /** review, development, staging or production. */
  stage: pulumi.Input<string>;
  /** Terraform's own id. */
  pipelineCouplingId?: pulumi.Input<string>;
}

/** Known state of a PipelineCoupling for look-ups: every member is optional. */
export interface PipelineCouplingState extends Partial<PipelineCouplingArgs> {}
