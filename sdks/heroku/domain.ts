import * as pulumi from "@pulumi/pulumi";
import { type Members, prepare, registeredPackage } from "./utilities";

const members: Members = {
  inputs: ["appId", "hostname", "sniEndpointId", "domainId"],
  outputs: ["cname"],
  required: ["appId", "hostname"],
  secretInputs: [],
  secretOutputs: [],
};

/** A domain name of one's own on an app. */
export class Domain extends pulumi.CustomResource {
  /** @internal */
  static readonly __pulumiType = "heroku:index/domain:Domain";

  /** Looks up an existing resource by its provider id. */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    state?: DomainState,
    opts?: pulumi.CustomResourceOptions,
  ): Domain {
    return new Domain(name, state as unknown as DomainArgs, { ...opts, id });
  }

  /** True if the object is a Domain, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is Domain {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === Domain.__pulumiType;
  }

  declare readonly appId: pulumi.Output<string>;
  declare readonly hostname: pulumi.Output<string>;
  declare readonly sniEndpointId: pulumi.Output<string>;
  declare readonly domainId: pulumi.Output<string>;
  /** Target for the CNAME record at the DNS host. */
  declare readonly cname: pulumi.Output<string>;

  constructor(name: string, args: DomainArgs, opts?: pulumi.CustomResourceOptions) {
    const { inputs, options } = prepare(members, args, opts);
    super(Domain.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of Domain. */
export interface DomainArgs {
  /** UUID of the app. */
  appId: pulumi.Input<string>;
  /** Full host name. */
  hostname: pulumi.Input<string>;
  /** Certificate endpoint. @default none (automated certificates) */
  sniEndpointId?: pulumi.Input<string>;
  /** Terraform's own id. */
  domainId?: pulumi.Input<string>;
}

/** Known state of a Domain for look-ups: every member is optional. */
export interface DomainState extends Partial<DomainArgs> {
  cname?: pulumi.Input<string>;
}
