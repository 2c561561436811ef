import * as pulumi from "@pulumi/pulumi";
import { type Members, prepare, registeredPackage } from "./utilities";

/** The team that owns an app. */
export interface AppOrganization {
  name: string;
  locked?: boolean;
  personal?: boolean;
}

const members: Members = {
  inputs: [
    "region",
    "name",
    "acm",
    "buildpacks",
    "configVars",
    "sensitiveConfigVars",
    "internalRouting",
    "organization",
    "space",
    "stack",
    "appId",
  ],
  outputs: ["allConfigVars", "generation", "gitUrl", "herokuHostname", "uuid", "webUrl"],
  required: ["region"],
  secretInputs: ["sensitiveConfigVars"],
  secretOutputs: ["sensitiveConfigVars", "allConfigVars"],
};

/** A Heroku app with its stack, buildpacks and config vars. */
export class App extends pulumi.CustomResource {
  /** @internal */
  static readonly __pulumiType = "heroku:index/app:App";

  /** Looks up an existing resource by its provider id. */
  static get(name: string, id: pulumi.Input<pulumi.ID>, state?: AppState, opts?: pulumi.CustomResourceOptions): App {
    return new App(name, state as unknown as AppArgs, { ...opts, id });
  }

  /** True if the object is an App, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is App {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === App.__pulumiType;
  }

  declare readonly region: pulumi.Output<string>;
  declare readonly name: pulumi.Output<string>;
  declare readonly acm: pulumi.Output<boolean>;
  declare readonly buildpacks: pulumi.Output<string[]>;
  declare readonly configVars: pulumi.Output<{ [key: string]: string }>;
  declare readonly sensitiveConfigVars: pulumi.Output<{ [key: string]: string } | undefined>;
  declare readonly internalRouting: pulumi.Output<boolean | undefined>;
  declare readonly organization: pulumi.Output<AppOrganization | undefined>;
  declare readonly space: pulumi.Output<string | undefined>;
  declare readonly stack: pulumi.Output<string>;
  declare readonly appId: pulumi.Output<string>;
  /** Every config var of the app, add-ons' included. Secret. */
  declare readonly allConfigVars: pulumi.Output<{ [key: string]: string }>;
  declare readonly generation: pulumi.Output<string>;
  declare readonly gitUrl: pulumi.Output<string>;
  /** Host name that Heroku gave to the app. */
  declare readonly herokuHostname: pulumi.Output<string>;
  declare readonly uuid: pulumi.Output<string>;
  declare readonly webUrl: pulumi.Output<string>;

  constructor(name: string, args: AppArgs, opts?: pulumi.CustomResourceOptions) {
    const { inputs, options } = prepare(members, args, opts);
    super(App.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of App. */
export interface AppArgs {
  /** `us` or `eu` (or a private region's name). Changing it replaces the app. */
  region: pulumi.Input<string>;
  /** Name, unique on all of Heroku. @default the logical name and 7 hex digits */
  name?: pulumi.Input<string>;
  /** Automated certificate management. @default Heroku's */
  acm?: pulumi.Input<boolean>;
  /** Buildpacks in order. @default detected by Heroku at the build */
  buildpacks?: pulumi.Input<pulumi.Input<string>[]>;
  /** Config vars in plain text. Vars not named here are left alone. */
  configVars?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
  /** Config vars that are secret in state and output. */
  sensitiveConfigVars?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
  /** Private spaces only. Changing it replaces the app. */
  internalRouting?: pulumi.Input<boolean>;
  /** The team that owns the app. */
  organization?: pulumi.Input<AppOrganization>;
  /** Private space. Changing it replaces the app. */
  space?: pulumi.Input<string>;
  /** Stack, such as `heroku-24`. @default Heroku's newest */
  stack?: pulumi.Input<string>;
  /** Terraform's own id. */
  appId?: pulumi.Input<string>;
}

/** Known state of an App for look-ups: every member is optional. */
export interface AppState extends Partial<AppArgs> {
  allConfigVars?: pulumi.Input<{ [key: string]: pulumi.Input<string> }>;
  generation?: pulumi.Input<string>;
  gitUrl?: pulumi.Input<string>;
  herokuHostname?: pulumi.Input<string>;
  uuid?: pulumi.Input<string>;
  webUrl?: pulumi.Input<string>;
}
