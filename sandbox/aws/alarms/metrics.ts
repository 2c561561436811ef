/** Fetches what alarms look at: their definitions, reported data by the minute, and lengths of queues. */
import type { CloudWatch, MetricAlarm, MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import type { SQS } from "@aws-sdk/client-sqs";
import type { AlarmPlan } from "./schedule";
import { MINUTE_MS, type MinuteData, minuteOf, STATISTICS, type Statistic } from "./series";
import { type AlarmState, COMPARISONS, type Comparison, type MissingData } from "./state";

/** One alarm as it is known in memory. */
export interface WatchedAlarm {
  name: string;
  metric: { namespace: string; name: string; dimensions: { Name: string; Value: string }[] };
  plan: AlarmPlan;
  state: AlarmState;
}

/** An alarm that is not evaluated, and why. */
export interface Unwatched {
  name: string;
  reason: string;
}

/** Reads one alarm of CloudWatch; what this evaluator can't carry out is said, never guessed. */
export function readAlarm(alarm: MetricAlarm): WatchedAlarm | Unwatched {
  const name = alarm.AlarmName ?? "";
  const refuse = (reason: string): Unwatched => ({ name, reason });
  const { Namespace, MetricName, Period = 60, Statistic: statistic, ComparisonOperator: comparison } = alarm;
  if (!Namespace || !MetricName) return refuse("it has no metric: metric math is not evaluated");
  if (!STATISTICS.includes(statistic as Statistic)) {
    return refuse(`statistic ${alarm.ExtendedStatistic ?? statistic} is not evaluated`);
  }
  if (!((comparison ?? "") in COMPARISONS)) return refuse(`comparison ${comparison} is not evaluated`);
  if (Period % 60 !== 0) return refuse(`a period of ${Period} s is not evaluated, only whole minutes`);
  const dimensions = (alarm.Dimensions ?? []).map(({ Name = "", Value = "" }) => ({ Name, Value }));
  if (dimensions.length === 0) return refuse("a metric without dimensions can't be asked for here");
  const evaluationPeriods = alarm.EvaluationPeriods ?? 1;
  // AWS ignores missing data of this namespace whatever the alarm says.
  const missingData = Namespace === "AWS/DynamoDB" ? "ignore" : (alarm.TreatMissingData ?? "missing");
  return {
    name,
    metric: { namespace: Namespace, name: MetricName, dimensions },
    plan: {
      statistic: statistic as Statistic,
      periodMinutes: Period / 60,
      evaluationPeriods,
      datapointsToAlarm: alarm.DatapointsToAlarm ?? evaluationPeriods,
      threshold: alarm.Threshold ?? 0,
      comparison: comparison as Comparison,
      missingData: missingData as MissingData,
    },
    state: (alarm.StateValue ?? "INSUFFICIENT_DATA") as AlarmState,
  };
}

/** All metric alarms of a region. */
export async function fetchAlarms(cloudwatch: CloudWatch): Promise<(WatchedAlarm | Unwatched)[]> {
  const alarms: MetricAlarm[] = [];
  let NextToken: string | undefined;
  do {
    const page = await cloudwatch.describeAlarms({ AlarmTypes: ["MetricAlarm"], MaxRecords: 100, NextToken });
    alarms.push(...(page.MetricAlarms ?? []));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return alarms.map(readAlarm);
}

export function metricKey({ namespace, name, dimensions }: WatchedAlarm["metric"]): string {
  const sorted = dimensions.map(({ Name, Value }) => `${Name}=${Value}`).sort();
  return JSON.stringify([namespace, name, sorted]);
}

/** Statistics of one minute that a statistic of many is made of. */
const PARTS: Readonly<Record<Statistic, readonly Statistic[]>> = {
  Sum: ["Sum"],
  Average: ["Sum", "SampleCount"],
  Minimum: ["Minimum"],
  Maximum: ["Maximum"],
  SampleCount: ["SampleCount"],
};
/** Queries in one request, at most. */
const QUERIES = 500;

/** Data of the alarms' metrics by the minute, from, inclusive, to, exclusive: as much of it as their statistics need. */
export async function fetchData(
  cloudwatch: CloudWatch,
  alarms: readonly WatchedAlarm[],
  from: number,
  to: number,
): Promise<Map<string, MinuteData[]>> {
  const metrics = new Map(alarms.map(({ metric }) => [metricKey(metric), metric]));
  const keys = [...metrics.keys()];
  const queries = keys.flatMap((key, index): MetricDataQuery[] => {
    const { namespace, name, dimensions } = metrics.get(key) as WatchedAlarm["metric"];
    const Metric = { Namespace: namespace, MetricName: name, Dimensions: dimensions };
    const asked = alarms.filter(({ metric }) => metricKey(metric) === key).flatMap(({ plan }) => PARTS[plan.statistic]);
    return [...new Set(asked)].map((Stat) => ({ Id: `m${index}_${Stat}`, MetricStat: { Metric, Period: 60, Stat } }));
  });
  const found = new Map<string, Map<number, Record<string, number>>>();
  for (let at = 0; at < queries.length; at += QUERIES) {
    let NextToken: string | undefined;
    do {
      const page = await cloudwatch.getMetricData({
        MetricDataQueries: queries.slice(at, at + QUERIES),
        StartTime: new Date(from * MINUTE_MS),
        EndTime: new Date(to * MINUTE_MS),
        NextToken,
      });
      for (const { Id = "", Timestamps = [], Values = [] } of page.MetricDataResults ?? []) {
        const [, index = "", part = ""] = /^m(\d+)_(\w+)$/.exec(Id) ?? [];
        const key = keys[Number(index)] as string;
        const minutes = found.get(key) ?? new Map<number, Record<string, number>>();
        found.set(key, minutes);
        Timestamps.forEach((time, position) => {
          const minute = minuteOf(time);
          minutes.set(minute, { ...minutes.get(minute), [part]: Values[position] as number });
        });
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
  }
  const data = (minutes: Map<number, Record<string, number>>): MinuteData[] =>
    [...minutes].map(([minute, { Sum = 0, SampleCount = 1, Minimum = 0, Maximum = 0 }]) => ({
      minute,
      sum: Sum,
      count: SampleCount,
      minimum: Minimum,
      maximum: Maximum,
    }));
  return new Map([...found].map(([key, minutes]) => [key, data(minutes)]));
}

/** Whether a metric is the length of a queue, which nobody here reports. */
export function queueOf({ namespace, name, dimensions }: WatchedAlarm["metric"]): string | undefined {
  if (namespace !== "AWS/SQS" || name !== "ApproximateNumberOfMessagesVisible") return undefined;
  return dimensions.length === 1 && dimensions[0]?.Name === "QueueName" ? dimensions[0].Value : undefined;
}

/** Messages that a queue offers now; undefined when there is no such queue. @param urls addresses that are known */
export async function visibleMessages(
  sqs: SQS,
  QueueName: string,
  urls: Map<string, string>,
): Promise<number | undefined> {
  try {
    const QueueUrl = urls.get(QueueName) ?? (await sqs.getQueueUrl({ QueueName })).QueueUrl ?? "";
    urls.set(QueueName, QueueUrl);
    const { Attributes } = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] });
    return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
  } catch (error) {
    urls.delete(QueueName);
    if (/QueueDoesNotExist|NonExistentQueue/.test((error as Error).name)) return undefined;
    throw error;
  }
}
