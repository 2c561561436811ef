import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { commandLine } from "./command-line";

/** Arguments of {@link ReleaseReady}. */
export interface ReleaseReadyArgs {
  appName: pulumi.Input<string>;
  /** UUID of the build whose release is awaited. Another build is awaited anew. */
  build: pulumi.Input<string>;
  /** Environment of the command: Heroku's token and address. */
  environment: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/**
 * The release that a build made is live. A build has succeeded before its release command (migrations) has run: until
 * then the app has no processes to scale, and a release command that fails leaves the old code running. Both must end
 * the update, not pass unseen.
 */
export class ReleaseReady extends pulumi.ComponentResource {
  readonly nodes: { wait: Command };

  constructor(name: string, args: ReleaseReadyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:app:ReleaseReady", name, {}, opts);
    const line = pulumi
      .all([args.appName, args.build])
      .apply(([app, build]) => commandLine("release wait", { app, build }));
    const wait = new Command(
      `${name}-wait`,
      { create: line, update: line, environment: args.environment, logging: "stderr" },
      { parent: this },
    );
    this.nodes = { wait };
    this.registerOutputs({});
  }
}
