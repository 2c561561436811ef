import type { MetricAlarm } from "@pulumi/aws/cloudwatch/metricAlarm";
import type * as pulumi from "@pulumi/pulumi";
import { type AlarmSpec, createAlarm, ownMetric, undeliveredMetric } from "./alarm-factory";
import { projectTags } from "./options";

/** Runbook of the alarms on media. */
const RUNBOOK = "docs/runbooks/media.md";
/** Hours without a sync after which the switch alarms: a day, and two more triggers. */
export const MEDIA_SILENCE_HOURS = 26;

/** What the alarms on media stand on. */
export interface MediaAlarmsArgs {
  system: string;
  appName: string;
  /** Region of the jobs. */
  region: string;
  /** Region of the dead man's switch. */
  switchRegion: string;
  topicArn: pulumi.Input<string>;
  switchTopicArn: pulumi.Input<string>;
  deadLetterQueueName: pulumi.Input<string>;
}

export interface MediaAlarms {
  failed: MetricAlarm;
  differ: MetricAlarm;
  noSync: MetricAlarm;
  undelivered: MetricAlarm;
}

/** Alarms on the media sync (A3): it failed, media differ, none for more than a day, a trigger reached nobody. */
export function createMediaAlarms(
  name: string,
  args: MediaAlarmsArgs,
  opts: pulumi.CustomResourceOptions,
): MediaAlarms {
  const { system, appName } = args;
  type Own = "severity" | "meaning" | "nextCommand" | "missingData" | "metric" | "when";
  const alarm = (what: string, spec: Pick<AlarmSpec, Own>, isSwitch = false) =>
    createAlarm(
      `${name}-${what}`,
      {
        alarmName: `${appName}-media-${what}`,
        runbook: RUNBOOK,
        topicArn: isSwitch ? args.switchTopicArn : args.topicArn,
        region: isSwitch ? args.switchRegion : args.region,
        tags: projectTags(system, appName),
        ...spec,
      },
      opts,
    );
  const once = { comparison: "GreaterThanOrEqualToThreshold", threshold: 1, periods: 1 } as const;
  return {
    failed: alarm("failed", {
      severity: "warning",
      meaning: `A sync of the media of ${appName} failed or is suspect. Triggers of the same morning repeat a failed one.`,
      nextCommand: "usc-pis media status",
      missingData: "notBreaching",
      metric: { ...ownMetric("MediaFailed", system), period: 300 },
      when: once,
    }),
    differ: alarm("differ", {
      severity: "warning",
      meaning: `Media of ${appName} in the mirror are not what Cloudinary lists: some could not be copied, or many are gone there.`,
      nextCommand: "usc-pis media verify",
      missingData: "notBreaching",
      metric: { ...ownMetric("MediaDiffers", system), statistic: "Maximum", period: 300 },
      when: once,
    }),
    noSync: alarm(
      "no-sync",
      {
        severity: "critical",
        meaning: `No sync of the media of ${appName} succeeded for ${MEDIA_SILENCE_HOURS} hours: new uploads are without a copy.`,
        nextCommand: `usc-pis media sync --app ${appName}`,
        missingData: "breaching",
        // CloudWatch looks back further than a day only in whole hours.
        metric: { ...ownMetric("MediaSynced", system), period: 3600 },
        when: { comparison: "LessThanThreshold", threshold: 1, periods: MEDIA_SILENCE_HOURS },
      },
      true,
    ),
    undelivered: alarm("undelivered", {
      severity: "warning",
      meaning: `A trigger of the media sync of ${appName} reached nobody, or its run broke off.`,
      nextCommand: "usc-pis media status",
      missingData: "notBreaching",
      metric: undeliveredMetric(args.deadLetterQueueName),
      when: { comparison: "GreaterThanThreshold", threshold: 0, periods: 1 },
    }),
  };
}
