import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { commandLine } from "./command-line";

/** Arguments of {@link AppChecks}. */
export interface AppChecksArgs {
  /** Address of the app on Heroku's own name: the domain only moves when this one answers. */
  url: pulumi.Input<string>;
}

/** Real requests to the running app; a failed check fails the update, and the domain stays where it is. */
export class AppChecks extends pulumi.ComponentResource {
  /** Result of each check, as JSON. */
  readonly result: pulumi.Output<string>;
  readonly nodes: { checks: Command };

  constructor(name: string, args: AppChecksArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:recovery:AppChecks", name, {}, opts);
    const checks = new Command(
      `${name}-checks`,
      { create: pulumi.output(args.url).apply((url) => commandLine("checks app", { url })), logging: "stderr" },
      { parent: this },
    );
    this.nodes = { checks };
    this.result = checks.stdout;
    this.registerOutputs({ result: this.result });
  }
}
