import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { commandLine } from "./command-line";

/** Arguments of {@link PostgresBackups}. */
export interface PostgresBackupsArgs {
  appName: pulumi.Input<string>;
  /** The database, so that the schedule is only set once it stands, and again when it is another one. */
  databaseId: pulumi.Input<string>;
  /** Time of day and zone in Heroku's form. @default "02:00 UTC", which is 10:00 in Manila (D1) */
  at?: string;
  /** Environment of the command: the Heroku token (a secret) and, where it is not Heroku's own, the API's address. */
  environment: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/**
 * Heroku's own daily backup (D1). Removing the component removes the schedule. A command has no read: a schedule that
 * somebody changes by hand is seen, and put back, by the hourly job, not by `refresh`.
 */
export class PostgresBackups extends pulumi.ComponentResource {
  /** The schedule as declared. */
  readonly at: string;
  readonly nodes: { schedule: Command };

  constructor(name: string, args: PostgresBackupsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:backup:PostgresBackups", name, {}, opts);
    const at = args.at ?? "02:00 UTC";

    // Without `update` the engine runs `create` again on any change: right here, since setting a schedule is idempotent.
    const schedule = new Command(
      `${name}-schedule`,
      {
        create: pulumi.output(args.appName).apply((app) => commandLine("backup schedule", { app, at })),
        delete: pulumi.output(args.appName).apply((app) => commandLine("backup unschedule", { app })),
        environment: args.environment,
        logging: "stderr",
        // Heroku keeps the schedule with the database: another database has none.
        triggers: [args.databaseId],
      },
      // Else the old one's end would unschedule what the new one has just set.
      { parent: this, deleteBeforeReplace: true },
    );

    this.at = at;
    this.nodes = { schedule };
    this.registerOutputs({ at });
  }
}
