import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { commandLine } from "./command-line";

/** Arguments of {@link CurrentApp}. */
export interface CurrentAppArgs {
  appName: pulumi.Input<string>;
  /** Whether it takes the place of another app. @default false: claims only what nobody holds */
  takeOver?: boolean;
  /** Environment of the command: the system and its regions. */
  environment: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/**
 * Says in the vault that this app is the system's current one. Only its jobs write backups, so that a surviving old app
 * can't add its own after a recovery. Destroying the component leaves the pointer: an app that is gone writes nothing.
 */
export class CurrentApp extends pulumi.ComponentResource {
  readonly nodes: { claim: Command };

  constructor(name: string, args: CurrentAppArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:backup:CurrentApp", name, {}, opts);
    const claim = new Command(
      `${name}-claim`,
      {
        create: pulumi
          .output(args.appName)
          .apply((app) => commandLine("vault claim", { app, "take-over": args.takeOver })),
        environment: args.environment,
        logging: "stderr",
      },
      { parent: this },
    );
    this.nodes = { claim };
    this.registerOutputs({});
  }
}
