import * as pulumi from "@pulumi/pulumi";
import { type Members, prepare, registeredPackage } from "./utilities";

/** Owner of a pipeline. */
export interface PipelineOwner {
  id: pulumi.Input<string>;
  /** `user` or `team`. */
  type: pulumi.Input<string>;
}

const members: Members = {
  inputs: ["name", "owner", "pipelineId"],
  outputs: [],
  required: [],
  secretInputs: [],
  secretOutputs: [],
};

/** A pipeline of apps. */
export class Pipeline extends pulumi.CustomResource {
  /** @internal */
  static readonly __pulumiType = "heroku:index/pipeline:Pipeline";

  /** Looks up an existing resource by its provider id. */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    state?: PipelineState,
    opts?: pulumi.CustomResourceOptions,
  ): Pipeline {
    return new Pipeline(name, state as unknown as PipelineArgs, { ...opts, id });
  }

  /** True if the object is a Pipeline, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is Pipeline {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === Pipeline.__pulumiType;
  }

  declare readonly name: pulumi.Output<string>;
  declare readonly owner: pulumi.Output<pulumi.Unwrap<PipelineOwner>>;
  declare readonly pipelineId: pulumi.Output<string>;

  constructor(name: string, args?: PipelineArgs, opts?: pulumi.CustomResourceOptions) {
    const { inputs, options } = prepare(members, args, opts);
    super(Pipeline.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of Pipeline. */
export interface PipelineArgs {
  /** 3 to 30 of a-z, 0-9 and -. @default the logical name and 7 hex digits */
  name?: pulumi.Input<string>;
  /** @default the account that creates it */
  owner?: pulumi.Input<PipelineOwner>;
  /** Terraform's own id. */
  pipelineId?: pulumi.Input<string>;
}

/** Known state of a Pipeline for look-ups: every member is optional. */
export interface PipelineState extends Partial<PipelineArgs> {}
