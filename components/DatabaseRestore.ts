import { Command } from "@pulumi/command/local/command";
import * as pulumi from "@pulumi/pulumi";
import { UscPisError } from "../backup/errors";
import { commandLine } from "./command-line";

/** What a restore says of itself; the last line that the command prints. */
export interface RestoreResult {
  backupId: string;
  versionId: string;
  /** The side of the vault that gave the backup. */
  side: "primary" | "replica";
  sha256: string;
  bytes: number;
  /** ISO times. */
  takenAt: string;
  restoredAt: string;
  /** Rows by table after the restore. */
  tables: Record<string, number>;
  seconds: number;
}

/** Arguments of {@link DatabaseRestore}. */
export interface DatabaseRestoreArgs {
  appName: pulumi.Input<string>;
  /** UUID of the Postgres add-on that receives the data. */
  databaseId: pulumi.Input<string>;
  /** Id of the backup. @default the newest complete one, older ones when its restore fails */
  backup?: string;
  /** Only backups taken before this ISO time. @default no limit */
  before?: string;
  /** Name of the add-on whose rows may be overwritten. @default none: a database with patients is refused */
  overwrite?: string;
  /** Environment of the command: the Heroku token (a secret), the system and its regions. */
  environment: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/**
 * Restores one backup into a new database, once. Later changes of any input, a rotated token or another wish for a
 * backup included, only read the result of the restore that was done: a second restore is a person's decision, never an
 * update's. There are no triggers, so that it is never replaced.
 */
export class DatabaseRestore extends pulumi.ComponentResource {
  readonly result: pulumi.Output<RestoreResult>;
  readonly nodes: { restore: Command };

  constructor(name: string, args: DatabaseRestoreArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:recovery:DatabaseRestore", name, {}, opts);
    const target = pulumi.all([args.appName, args.databaseId]);
    const { backup, before, overwrite } = args;

    const restore = new Command(
      `${name}-restore`,
      {
        create: target.apply(([app, database]) =>
          commandLine("restore database", { app, database, backup, before, overwrite }),
        ),
        update: target.apply(([app, database]) => commandLine("restore status", { app, database })),
        environment: args.environment,
        logging: "stderr",
      },
      { parent: this },
    );

    this.nodes = { restore };
    // The provider marks all output of a command with a secret environment. What this one prints holds no secret, and a
    // person in an emergency must be able to read it.
    this.result = pulumi.unsecret(restore.stdout).apply(parseRestoreResult);
    this.registerOutputs({ result: this.result });
  }
}

/** @throws UscPisError if the last line is not a result: then the restore must not count as done. */
export function parseRestoreResult(stdout: string): RestoreResult {
  const last = stdout.trim().split("\n").at(-1) ?? "";
  try {
    const result = JSON.parse(last) as Partial<RestoreResult>;
    if (typeof result.backupId === "string" && typeof result.sha256 === "string" && result.tables) {
      return result as RestoreResult;
    }
  } catch {
    // Said below, together with what was printed instead.
  }
  throw new UscPisError("bad_restore_result", `the restore ended on ${JSON.stringify(last)}, expected its result`, {
    hint: "usc-pis restore status --app NAME --database ADDON_ID",
  });
}
