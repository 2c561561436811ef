import * as pulumi from "@pulumi/pulumi";
import { type Members, prepare, registeredPackage } from "./utilities";

const members: Members = {
  inputs: ["appId", "includes", "level", "url", "secret", "authorization", "appWebhookId"],
  outputs: [],
  required: ["appId", "includes", "level", "url"],
  secretInputs: ["secret", "authorization"],
  secretOutputs: ["secret", "authorization"],
};

/** A webhook on an app's events. */
export class AppWebhook extends pulumi.CustomResource {
  /** @internal */
  static readonly __pulumiType = "heroku:index/appWebhook:AppWebhook";

  /** Looks up an existing resource by its provider id. */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    state?: AppWebhookState,
    opts?: pulumi.CustomResourceOptions,
  ): AppWebhook {
    return new AppWebhook(name, state as unknown as AppWebhookArgs, { ...opts, id });
  }

  /** True if the object is an AppWebhook, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is AppWebhook {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === AppWebhook.__pulumiType;
  }

  declare readonly appId: pulumi.Output<string>;
  declare readonly includes: pulumi.Output<string[]>;
  declare readonly level: pulumi.Output<string>;
  declare readonly url: pulumi.Output<string>;
  declare readonly secret: pulumi.Output<string | undefined>;
  declare readonly authorization: pulumi.Output<string | undefined>;
  declare readonly appWebhookId: pulumi.Output<string>;

  constructor(name: string, args: AppWebhookArgs, opts?: pulumi.CustomResourceOptions) {
    const { inputs, options } = prepare(members, args, opts);
    super(AppWebhook.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of AppWebhook. */
export interface AppWebhookArgs {
  /** The app's UUID or name. */
  appId: pulumi.Input<string>;
  /** Entities, such as `api:release`. */
  includes: pulumi.Input<pulumi.Input<string>[]>;
  /** `notify` or `sync`. */
  level: pulumi.Input<string>;
  /** Receiver. */
  url: pulumi.Input<string>;
  /** Key of the signature. Secret. */
  secret?: pulumi.Input<string>;
  /** Authorization header sent along. Secret. */
  authorization?: pulumi.Input<string>;
  /** Terraform's own id. */
  appWebhookId?: pulumi.Input<string>;
}

/** Known state of an AppWebhook for look-ups: every member is optional. */
export interface AppWebhookState extends Partial<AppWebhookArgs> {}
