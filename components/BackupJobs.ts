import * as pulumi from "@pulumi/pulumi";
import type { RetentionDays } from "../backup/classes";
import { captureCron, RETRY_MINUTES } from "./capture-schedule";
import { FunctionJob, type JobPlace } from "./FunctionJob";
import { capturePolicy } from "./policies/capture";

/** Arguments of {@link BackupJobs}. */
export interface BackupJobsArgs extends JobPlace {
  /** Object Lock of each class, in whole days; the same as the vault's lifecycle. */
  retentionDays: RetentionDays;
  /** Minute of the hour of the first trigger. @default 17: clear of Heroku's job at 02:00 */
  minute?: number;
  /** Minutes between slots. @default 60 */
  captureIntervalMinutes?: number;
  /** Heroku's own schedule, which the job puts back when it is missing. */
  herokuSchedule: string;
  /** Heroku token. A secret. */
  herokuApiKey: pulumi.Input<string>;
  /** Addresses of Heroku's APIs, where they are not Heroku's own. */
  endpoints?: { herokuApi?: string; herokuDataApi?: string };
}

/** The hourly capture of the database into the vault (D2, D4, D6, A1). */
export class BackupJobs extends pulumi.ComponentResource {
  readonly functionName: pulumi.Output<string>;
  readonly deadLetterQueueName: pulumi.Output<string>;
  readonly nodes: { job: FunctionJob };

  constructor(name: string, args: BackupJobsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:backup:BackupJobs", name, {}, opts);
    const { system, account, appName, home, other } = args;

    const job = new FunctionJob(
      name,
      {
        ...{ system, account, appName, home, other },
        jobName: "capture",
        description: `Captures the database of ${appName} into the vault`,
        secret: { herokuApiKey: args.herokuApiKey },
        secretDescription: `Heroku token of the captures of ${appName}`,
        policy: capturePolicy,
        environment: captureEnvironment(args),
        // A dump is streamed, not held; processor and network grow with memory.
        memorySize: 1024,
        schedule: {
          expression: captureCron(args.minute ?? 17, args.captureIntervalMinutes ?? 60),
          description: `Database of ${appName}; further triggers within a slot do nothing once it has a good backup`,
          retrySeconds: RETRY_MINUTES * 60,
        },
      },
      { parent: this },
    );

    this.nodes = { job };
    this.functionName = job.functionName;
    this.deadLetterQueueName = job.deadLetterQueueName;
    this.registerOutputs({ functionName: this.functionName, deadLetterQueueName: this.deadLetterQueueName });
  }
}

/** What the capture function's environment has beside what every job gets; functions/environment.ts reads it. */
function captureEnvironment(args: BackupJobsArgs): Record<string, string> {
  const { endpoints = {} } = args;
  return {
    RETENTION_DAYS: JSON.stringify(args.retentionDays),
    HEROKU_SCHEDULE: args.herokuSchedule,
    CAPTURE_INTERVAL_MINUTES: String(args.captureIntervalMinutes ?? 60),
    ...(endpoints.herokuApi ? { HEROKU_API_URL: endpoints.herokuApi } : {}),
    ...(endpoints.herokuDataApi ? { HEROKU_DATA_API_URL: endpoints.herokuDataApi } : {}),
  };
}
