import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { Schedule } from "@pulumi/aws/scheduler/schedule";
import { ScheduleGroup } from "@pulumi/aws/scheduler/scheduleGroup";
import * as pulumi from "@pulumi/pulumi";
import type { Tags } from "./options";
import { policyJson, serviceTrust } from "./policies/document";
import { schedulerPolicy } from "./policies/scheduler";

/** Arguments of {@link JobSchedule}. */
export interface JobScheduleArgs {
  account: string;
  appName: string;
  /** Name of the schedule; with the app's before it, of its group and its role. */
  jobName: string;
  description: string;
  /** EventBridge Scheduler's expression, in UTC. */
  expression: string;
  functionArn: pulumi.Input<string>;
  /** Queue that keeps what could not be delivered. */
  queueArn: pulumi.Input<string>;
  /** Event that the function gets. */
  input: object;
  /** Seconds for which delivery is tried: no longer than until the next trigger. */
  deliverySeconds: number;
  region: string;
  tags: Tags;
}

/** Attempts at delivering one event. They say nothing about the run, which the next trigger repeats. */
const DELIVERY_ATTEMPTS = 5;

/** Starts a function on a schedule, with a role that can do only this. */
export class JobSchedule extends pulumi.ComponentResource {
  readonly nodes: { group: ScheduleGroup; role: Role; policy: RolePolicy; schedule: Schedule };

  constructor(name: string, args: JobScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:backup:JobSchedule", name, {}, opts);
    const { account, region, tags } = args;
    const fullName = `${args.appName}-${args.jobName}`;

    // A group of its own: the role's trust names the group, and so lets this one schedule use it.
    const group = new ScheduleGroup(`${name}-group`, { name: fullName, region, tags }, { parent: this });
    const role = new Role(
      `${name}-role`,
      {
        name: `${fullName}-scheduler`,
        assumeRolePolicy: policyJson(
          serviceTrust("scheduler.amazonaws.com", {
            StringEquals: {
              "aws:SourceAccount": account,
              "aws:SourceArn": `arn:aws:scheduler:${region}:${account}:schedule-group/${fullName}`,
            },
          }),
        ),
        tags,
      },
      { parent: this },
    );
    const policy = new RolePolicy(
      `${name}-role-policy`,
      {
        name: "start",
        role: role.name,
        policy: pulumi
          .all([args.functionArn, args.queueArn])
          .apply(([functionArn, queueArn]) => policyJson(schedulerPolicy(functionArn, queueArn))),
      },
      { parent: this },
    );
    const schedule = new Schedule(
      `${name}-schedule`,
      {
        name: args.jobName,
        groupName: group.name,
        description: args.description,
        scheduleExpression: args.expression,
        scheduleExpressionTimezone: "UTC",
        state: "ENABLED",
        flexibleTimeWindow: { mode: "OFF" },
        target: {
          arn: args.functionArn,
          roleArn: role.arn,
          input: JSON.stringify(args.input),
          retryPolicy: { maximumRetryAttempts: DELIVERY_ATTEMPTS, maximumEventAgeInSeconds: args.deliverySeconds },
          deadLetterConfig: { arn: args.queueArn },
        },
        region,
      },
      { parent: this, dependsOn: policy },
    );

    this.nodes = { group, role, policy, schedule };
    this.registerOutputs({});
  }
}
