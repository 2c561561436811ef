import * as pulumi from "@pulumi/pulumi";
import { PACKAGE_VERSION, registeredPackage } from "./utilities";

/** An explicit provider, for another account or address than the one of the stack's configuration. */
export class Provider extends pulumi.ProviderResource {
  /** @internal */
  static readonly __pulumiType = "heroku";

  /** True if the object is a Provider, also when several copies of this package are loaded. */
  static override isInstance(obj: unknown): obj is Provider {
    return (obj as { __pulumiType?: string } | undefined)?.__pulumiType === `pulumi:providers:${Provider.__pulumiType}`;
  }

  declare readonly apiKey: pulumi.Output<string | undefined>;
  declare readonly email: pulumi.Output<string | undefined>;
  declare readonly headers: pulumi.Output<string | undefined>;
  declare readonly url: pulumi.Output<string | undefined>;

  constructor(name: string, args?: ProviderArgs, opts?: pulumi.ResourceOptions) {
    const json = (value: unknown) =>
      value === undefined ? undefined : pulumi.output(value).apply((known) => JSON.stringify(known));
    const inputs: pulumi.Inputs = {
      apiKey: args?.apiKey,
      customizations: json(args?.customizations),
      delays: json(args?.delays),
      email: args?.email,
      headers: args?.headers,
      timeouts: json(args?.timeouts),
      url: args?.url,
    };
    const options = pulumi.mergeOptions({ version: PACKAGE_VERSION }, opts ?? {});
    super(Provider.__pulumiType, name, inputs, options, false, registeredPackage());
  }
}

/** Arguments of Provider. All are optional: the environment's HEROKU_* variables stand in for what is absent. */
export interface ProviderArgs {
  /** API key. Not marked secret by the provider: wrap it in `pulumi.secret`. */
  apiKey?: pulumi.Input<string>;
  /** User half of the basic authentication; may stay empty. */
  email?: pulumi.Input<string>;
  /** More headers, as a JSON object in a string. */
  headers?: pulumi.Input<string>;
  /** Address of the API. @default https://api.heroku.com */
  url?: pulumi.Input<string>;
  /** What of an app's and an add-on's config vars goes into the state. @default everything */
  customizations?: pulumi.Input<
    pulumi.Input<{ setAppAllConfigVarsInState?: boolean; setAddonConfigVarsInState?: boolean }>[]
  >;
  /** Seconds to wait after a creation. @default app 10, domain 5 */
  delays?: pulumi.Input<{ postAppCreateDelay?: number; postDomainCreateDelay?: number; postSpaceCreateDelay?: number }>;
  /** Minutes to wait for an add-on. @default 20 */
  timeouts?: pulumi.Input<{ addonCreateTimeout?: number }>;
}
