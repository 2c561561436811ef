import * as pulumi from "@pulumi/pulumi";
import { type Members, prepare, registeredPackage } from "./utilities";

/** Source of a build: exactly one of path and url. */
export interface BuildSource {
  /** Directory or tarball on this machine. */
  path?: pulumi.Input<string>;
  /** https address of a tarball. */
  url?: pulumi.Input<string>;
  /** Any word for the version, shown by Heroku. */
  version?: pulumi.Input<string>;
  /** `SHA256:<hex>` of the tarball behind the url. Must be absent with a path. */
  checksum?: pulumi.Input<string>;
}

/** Who started a build. */
export interface BuildUser {
  email: string;
  id: string;
}

const members: Members = {
  inputs: ["appId", "source", "buildpacks", "buildId"],
  outputs: ["localChecksum", "outputStreamUrl", "releaseId", "slugId", "stack", "status", "users", "uuid"],
  required: ["appId", "source"],
  secretInputs: [],
  secretOutputs: [],
};

/** A build of source code, released on the app. Everything about it replaces it; deleting it does nothing on Heroku. */
export class Build extends pulumi.CustomResource {
  /** @internal */
  static readonly __pulumiType = "heroku:index/build:Build";

  /** Looks up an existing resource by its provider id. */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    state?: BuildState,
    opts?: pulumi.CustomResourceOptions,
  ): Build {
    return new Build(name, state as unknown as BuildArgs, { ...opts, id });
  }

  /** True if the object is a Build, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is Build {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === Build.__pulumiType;
  }

  declare readonly appId: pulumi.Output<string>;
  declare readonly source: pulumi.Output<pulumi.Unwrap<BuildSource>>;
  declare readonly buildpacks: pulumi.Output<string[] | undefined>;
  declare readonly buildId: pulumi.Output<string>;
  /** Digest of the local source's names and bytes. */
  declare readonly localChecksum: pulumi.Output<string>;
  declare readonly outputStreamUrl: pulumi.Output<string>;
  declare readonly releaseId: pulumi.Output<string>;
  declare readonly slugId: pulumi.Output<string>;
  declare readonly stack: pulumi.Output<string>;
  declare readonly status: pulumi.Output<string>;
  declare readonly users: pulumi.Output<BuildUser[]>;
  declare readonly uuid: pulumi.Output<string>;

  constructor(name: string, args: BuildArgs, opts?: pulumi.CustomResourceOptions) {
    const { inputs, options } = prepare(members, args, opts);
    super(Build.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of Build. */
export interface BuildArgs {
  /** UUID of the app. */
  appId: pulumi.Input<string>;
  /** Where the code comes from. Plain text in the state: no token in an url. */
  source: pulumi.Input<BuildSource>;
  /** Buildpack urls. @default those of the app */
  buildpacks?: pulumi.Input<pulumi.Input<string>[]>;
  /** Terraform's own id. */
  buildId?: pulumi.Input<string>;
}

/** Known state of a Build for look-ups: every member is optional. */
export interface BuildState extends Partial<BuildArgs> {
  localChecksum?: pulumi.Input<string>;
  outputStreamUrl?: pulumi.Input<string>;
  releaseId?: pulumi.Input<string>;
  slugId?: pulumi.Input<string>;
  stack?: pulumi.Input<string>;
  status?: pulumi.Input<string>;
  users?: pulumi.Input<BuildUser[]>;
  uuid?: pulumi.Input<string>;
}
