import { MetricAlarm } from "@pulumi/aws/cloudwatch/metricAlarm";
import type * as pulumi from "@pulumi/pulumi";
import type { Tags } from "./options";
import { METRIC_NAMESPACE } from "./policies/job";

/** `critical`: backups or service are at stake, act now. `warning`: act today. */
export type Severity = "critical" | "warning";

/**
 * What silence means. There is no default: for a dead man's switch it is the alarm itself, for a failure counter it is
 * the good case.
 */
export type MissingData = "breaching" | "notBreaching";

/** Everything that an alarm needs; nothing of it can be left out. */
export interface AlarmSpec {
  /** Name in CloudWatch, unique in its region. */
  alarmName: string;
  severity: Severity;
  /** What it means, in one sentence for somebody who was just woken up. */
  meaning: string;
  /** Path of the runbook in this repository, from its root. */
  runbook: string;
  /** Command to type next. */
  nextCommand: string;
  missingData: MissingData;
  /** Topic that is told, when it begins and when it ends. */
  topicArn: pulumi.Input<string>;
  /** The measured figure. */
  metric: {
    namespace: string;
    name: string;
    dimensions: Record<string, pulumi.Input<string>>;
    statistic: "Sum" | "Maximum" | "Minimum" | "Average";
    /** Seconds. */
    period: number;
  };
  /** Alarms while this holds for so many periods in a row. */
  when: {
    comparison: "GreaterThanOrEqualToThreshold" | "GreaterThanThreshold" | "LessThanThreshold";
    threshold: number;
    periods: number;
  };
  region: string;
  tags: Tags;
}

/**
 * Text of an alarm's mail. CloudWatch sends nothing but this description, so that meaning, runbook and next command
 * must all be in it.
 */
export function alarmDescription(spec: Pick<AlarmSpec, "severity" | "meaning" | "runbook" | "nextCommand">): string {
  return [
    `${spec.severity.toUpperCase()}: ${spec.meaning}`,
    `Next: ${spec.nextCommand}`,
    `Runbook: ${spec.runbook}`,
  ].join("\n");
}

/** The one way to make an alarm. */
export function createAlarm(name: string, spec: AlarmSpec, opts: pulumi.CustomResourceOptions): MetricAlarm {
  return new MetricAlarm(
    name,
    {
      name: spec.alarmName,
      alarmDescription: alarmDescription(spec),
      namespace: spec.metric.namespace,
      metricName: spec.metric.name,
      dimensions: spec.metric.dimensions,
      statistic: spec.metric.statistic,
      period: spec.metric.period,
      evaluationPeriods: spec.when.periods,
      datapointsToAlarm: spec.when.periods,
      threshold: spec.when.threshold,
      comparisonOperator: spec.when.comparison,
      treatMissingData: spec.missingData,
      actionsEnabled: true,
      alarmActions: [spec.topicArn],
      okActions: [spec.topicArn],
      region: spec.region,
      tags: { ...spec.tags, severity: spec.severity, runbook: spec.runbook },
    },
    opts,
  );
}

/** A figure of the project's own. */
export function ownMetric(name: string, system: string) {
  return { namespace: METRIC_NAMESPACE, name, dimensions: { System: system }, statistic: "Sum" as const };
}

/** How many events lie in a dead letter queue. */
export function undeliveredMetric(queueName: pulumi.Input<string>) {
  return {
    namespace: "AWS/SQS",
    name: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName: queueName },
    statistic: "Maximum" as const,
    period: 300,
  };
}
