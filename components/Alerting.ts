import { Dashboard } from "@pulumi/aws/cloudwatch/dashboard";
import type { MetricAlarm } from "@pulumi/aws/cloudwatch/metricAlarm";
import * as pulumi from "@pulumi/pulumi";
import { AlertTopic } from "./AlertTopic";
import { createAlarm, ownMetric, undeliveredMetric } from "./alarm-factory";
import { dashboardBody } from "./dashboard-body";
import { createMediaAlarms, type MediaAlarms } from "./media-alarms";
import { projectTags } from "./options";

/** Runbook of the alarms on captures. */
const RUNBOOK = "docs/runbooks/failed-backup.md";

/** Arguments of {@link Alerting}. */
export interface AlertingArgs {
  system: string;
  account: string;
  appName: string;
  /** Region of the jobs. */
  region: string;
  /** The other region: it carries the dead man's switch, so that the loss of the first is seen. */
  switchRegion: string;
  /** Addresses that are told. Secrets; at least one, or the alarms would notify no one. */
  emails: readonly pulumi.Input<string>[];
  /** Minutes between slots. @default 60 */
  captureIntervalMinutes?: number;
  functionName: pulumi.Input<string>;
  deadLetterQueueName: pulumi.Input<string>;
  /** The media sync. */
  media: { functionName: pulumi.Input<string>; deadLetterQueueName: pulumi.Input<string> };
}

/** Seconds without a success after which the switch alarms (A3). */
const SILENCE_SECONDS = 2 * 3600;
/**
 * Fine, because CloudWatch looks a few periods further back than it evaluates: a success still counts while it is in
 * sight. With periods of five minutes the switch alarms between two hours of silence and ten minutes later.
 */
const SWITCH_PERIOD_SECONDS = 300;

/** Topics and addresses in both regions, the alarms on captures and on media, and the dashboard (A3, A6). */
export class Alerting extends pulumi.ComponentResource {
  readonly topicArn: pulumi.Output<string>;
  readonly dashboardUrl: pulumi.Output<string>;
  readonly nodes: {
    topic: AlertTopic;
    switchTopic: AlertTopic;
    captureFailed: MetricAlarm;
    noSuccess: MetricAlarm;
    undelivered: MetricAlarm;
    media: MediaAlarms;
    dashboard: Dashboard;
  };

  constructor(name: string, args: AlertingArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:monitoring:Alerting", name, {}, opts);

    const topic = this.topic(`${name}-topic`, args, args.region);
    const switchTopic = this.topic(`${name}-switch-topic`, args, args.switchRegion);
    const captureFailed = this.captureFailed(name, args, topic);
    const noSuccess = this.noSuccess(name, args, switchTopic);
    const undelivered = this.undelivered(name, args, topic);
    const media = createMediaAlarms(
      `${name}-media`,
      {
        ...{ system: args.system, appName: args.appName, region: args.region, switchRegion: args.switchRegion },
        topicArn: topic.topicArn,
        switchTopicArn: switchTopic.topicArn,
        deadLetterQueueName: args.media.deadLetterQueueName,
      },
      { parent: this },
    );
    const alarms = [captureFailed, noSuccess, undelivered, ...Object.values(media)];
    const dashboard = this.dashboard(name, args, alarms);

    this.nodes = { topic, switchTopic, captureFailed, noSuccess, undelivered, media, dashboard };
    this.topicArn = topic.topicArn;
    this.dashboardUrl = dashboard.dashboardName.apply(
      (dashboardName) =>
        `https://${args.region}.console.aws.amazon.com/cloudwatch/home?region=${args.region}#dashboards/dashboard/${dashboardName}`,
    );
    this.registerOutputs({ topicArn: this.topicArn, dashboardUrl: this.dashboardUrl });
  }

  private topic(name: string, args: AlertingArgs, region: string): AlertTopic {
    const { system, account, appName, emails } = args;
    return new AlertTopic(
      name,
      { topicName: `${appName}-alerts`, account, region, emails, tags: projectTags(system, appName) },
      { parent: this },
    );
  }

  private captureFailed(name: string, args: AlertingArgs, topic: AlertTopic): MetricAlarm {
    return createAlarm(
      `${name}-capture-failed`,
      {
        alarmName: `${args.appName}-capture-failed`,
        severity: "warning",
        meaning: `A backup of ${args.appName} failed. The next trigger repeats it; two hours of failures alarm again.`,
        runbook: RUNBOOK,
        nextCommand: "usc-pis backup list --runs",
        missingData: "notBreaching",
        topicArn: topic.topicArn,
        metric: { ...ownMetric("CaptureFailed", args.system), period: 300 },
        when: { comparison: "GreaterThanOrEqualToThreshold", threshold: 1, periods: 1 },
        region: args.region,
        tags: projectTags(args.system, args.appName),
      },
      { parent: this },
    );
  }

  private noSuccess(name: string, args: AlertingArgs, topic: AlertTopic): MetricAlarm {
    const seconds = switchSeconds(args.captureIntervalMinutes ?? 60);
    return createAlarm(
      `${name}-no-success`,
      {
        alarmName: `${args.appName}-no-success`,
        severity: "critical",
        meaning: `No backup of ${args.appName} succeeded for ${seconds / 3600} hours: the recovery point objective is at stake.`,
        runbook: RUNBOOK,
        nextCommand: `usc-pis backup create --app ${args.appName} --class critical`,
        missingData: "breaching",
        topicArn: topic.topicArn,
        metric: { ...ownMetric("CaptureSucceeded", args.system), period: SWITCH_PERIOD_SECONDS },
        when: { comparison: "LessThanThreshold", threshold: 1, periods: seconds / SWITCH_PERIOD_SECONDS },
        region: args.switchRegion,
        tags: projectTags(args.system, args.appName),
      },
      { parent: this },
    );
  }

  private undelivered(name: string, args: AlertingArgs, topic: AlertTopic): MetricAlarm {
    return createAlarm(
      `${name}-undelivered`,
      {
        alarmName: `${args.appName}-capture-undelivered`,
        severity: "warning",
        meaning: `A trigger of the captures of ${args.appName} reached nobody, or its run broke off.`,
        runbook: RUNBOOK,
        nextCommand: "usc-pis backup list --runs",
        missingData: "notBreaching",
        topicArn: topic.topicArn,
        metric: undeliveredMetric(args.deadLetterQueueName),
        when: { comparison: "GreaterThanThreshold", threshold: 0, periods: 1 },
        region: args.region,
        tags: projectTags(args.system, args.appName),
      },
      { parent: this },
    );
  }

  private dashboard(name: string, args: AlertingArgs, alarms: MetricAlarm[]): Dashboard {
    const { system, appName, region, switchRegion } = args;
    const body = pulumi
      .all([
        pulumi.all([args.functionName, args.media.functionName]),
        pulumi.all([args.deadLetterQueueName, args.media.deadLetterQueueName]),
        pulumi.all(alarms.map((alarm) => alarm.arn)),
      ])
      .apply(([functionNames, queueNames, alarmArns]) =>
        dashboardBody({ system, appName, region, switchRegion, functionNames, queueNames, alarmArns }),
      );
    return new Dashboard(
      `${name}-dashboard`,
      { dashboardName: `${appName}-backups`, dashboardBody: body, region },
      { parent: this },
    );
  }
}

/** Silence that alarms: two hours, or two slots where slots are longer, since one slot has only one success. */
export function switchSeconds(intervalMinutes: number): number {
  return Math.max(SILENCE_SECONDS, 2 * intervalMinutes * 60);
}
