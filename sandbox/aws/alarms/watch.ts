/** Evaluates the alarms of all regions on MiniStack, in the place of CloudWatch. */
import { CloudWatch } from "@aws-sdk/client-cloudwatch";
import { SQS } from "@aws-sdk/client-sqs";
import {
  fetchAlarms,
  fetchData,
  metricKey,
  queueOf,
  type Unwatched,
  visibleMessages,
  type WatchedAlarm,
} from "./metrics";
import { reasonData, reasonText } from "./reason";
import { type Evaluation, evaluate, nextTransition, reachMinutes } from "./schedule";
import { MINUTE_MS, minuteOf, ReportedSeries, SampledSeries, type Series } from "./series";
import type { AlarmState } from "./state";

/** What an SDK client is made with, without its region. */
export interface WatchOptions {
  regions: readonly string[];
  client: { endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } };
}

/** A change that was made. */
export interface Transition {
  region: string;
  alarm: string;
  from: AlarmState;
  to: AlarmState;
  reason: string;
}

/** The longest that an alarm looks back. */
const WEEK_MINUTES = 7 * 24 * 60;

class Region {
  readonly cloudwatch: CloudWatch;
  readonly sqs: SQS;
  alarms: WatchedAlarm[] = [];
  unwatched: Unwatched[] = [];
  reported = new Map<string, Series>();
  readonly sampled = new Map<string, SampledSeries>();
  readonly queueUrls = new Map<string, string>();
  /** Count what was said to be new, so that what comes during a fetch is fetched again. */
  readonly news = { alarms: 1, data: 1 };
  readonly fetched = { alarms: 0, data: 0 };

  constructor(
    readonly name: string,
    options: WatchOptions["client"],
  ) {
    this.cloudwatch = new CloudWatch({ ...options, region: name });
    this.sqs = new SQS({ ...options, region: name });
  }

  series({ metric }: WatchedAlarm): Series {
    const queue = queueOf(metric);
    if (queue !== undefined) return this.sampled.get(queue) ?? NOTHING;
    return this.reported.get(metricKey(metric)) ?? NOTHING;
  }
}

/** Whether it was set: an alarm may have been deleted since it was fetched. */
async function setState(
  region: Region,
  alarm: WatchedAlarm,
  found: Evaluation,
  StateReason: string,
  now: Date,
): Promise<boolean> {
  try {
    await region.cloudwatch.setAlarmState({
      AlarmName: alarm.name,
      StateValue: found.state,
      StateReason,
      StateReasonData: reasonData(alarm.plan, found, now),
    });
    return true;
  } catch (error) {
    if (!/ResourceNotFound/.test((error as Error).name)) throw error;
    region.news.alarms++;
    return false;
  }
}

const NOTHING = new ReportedSeries([]);

/**
 * The alarms of an account. Definitions and data are kept in memory and fetched again only where `dirty` said that there
 * is something new, so that asking minute after minute costs nothing.
 *
 * ```ts
 * const watch = new AlarmWatch({ regions: ["ap-southeast-1"], client: { endpoint, credentials } });
 * watch.dirty("ap-southeast-1");            // data was put, or an alarm was changed
 * await watch.evaluate(new Date());         // each minute; sets states, which notifies
 * await watch.nextTransition(now, later);   // where a driver of the clock has to stop
 * ```
 */
export class AlarmWatch {
  private readonly regions: Map<string, Region>;
  private queue: Promise<unknown> = Promise.resolve();

  constructor({ regions, client }: WatchOptions) {
    this.regions = new Map(regions.map((name) => [name, new Region(name, client)]));
  }

  /** Says that metric data or alarms of a region may have changed; of all regions without a name. @param what both without */
  dirty(region?: string, what?: "alarms" | "data"): void {
    for (const [name, { news }] of this.regions) {
      if (region !== undefined && region !== name) continue;
      if (what !== "data") news.alarms++;
      if (what !== "alarms") news.data++;
    }
  }

  /** Alarms that can't be evaluated, and why. */
  get unwatched(): (Unwatched & { region: string })[] {
    return [...this.regions.values()].flatMap(({ name, unwatched }) =>
      unwatched.map((alarm) => ({ ...alarm, region: name })),
    );
  }

  /** Sets the state of each alarm whose state is another one now, which notifies its topics. */
  evaluate(now: Date): Promise<Transition[]> {
    return this.alone(async () => {
      const changes: Transition[] = [];
      for (const region of this.regions.values()) {
        await this.refresh(region, now);
        await this.sampleQueues(region, now);
        for (const alarm of region.alarms) {
          const found = evaluate(alarm.plan, region.series(alarm), minuteOf(now), alarm.state);
          if (found.state === alarm.state) continue;
          const reason = reasonText(alarm.plan, alarm.state, found);
          if (!(await setState(region, alarm, found, reason, now))) continue;
          changes.push({ region: region.name, alarm: alarm.name, from: alarm.state, to: found.state, reason });
          alarm.state = found.state;
        }
      }
      return changes;
    });
  }

  /**
   * The first minute after `from`, up to `until`, in which an alarm would change its state if nothing more were reported.
   * Queues are taken to stay as they are.
   */
  nextTransition(from: Date, until: Date): Promise<Date | undefined> {
    return this.alone(async () => {
      let last = minuteOf(until);
      let found: number | undefined;
      for (const region of this.regions.values()) {
        await this.refresh(region, from);
        for (const alarm of region.alarms) {
          const minute = nextTransition(alarm.plan, region.series(alarm), alarm.state, minuteOf(from), last);
          if (minute === undefined) continue;
          found = minute;
          last = minute - 1;
        }
      }
      return found === undefined ? undefined : new Date(found * MINUTE_MS);
    });
  }

  close(): void {
    for (const { cloudwatch, sqs } of this.regions.values()) {
      cloudwatch.destroy();
      sqs.destroy();
    }
  }

  private async refresh(region: Region, now: Date): Promise<void> {
    const { fetched } = region;
    const { alarms, data } = region.news;
    if (fetched.alarms === alarms && fetched.data === data) return;
    if (fetched.alarms !== alarms) {
      const found = await fetchAlarms(region.cloudwatch);
      region.alarms = found.filter((alarm): alarm is WatchedAlarm => "plan" in alarm);
      region.unwatched = found.filter((alarm): alarm is Unwatched => "reason" in alarm);
    }
    const reported = region.alarms.filter(({ metric }) => queueOf(metric) === undefined);
    const reach = Math.max(0, ...reported.map(({ plan }) => reachMinutes(plan)));
    const to = minuteOf(now) + 1;
    const found = await fetchData(region.cloudwatch, reported, to - reach, to);
    region.reported = new Map([...found].map(([key, minutes]) => [key, new ReportedSeries(minutes)]));
    Object.assign(fetched, { alarms, data });
  }

  private async sampleQueues(region: Region, now: Date): Promise<void> {
    const queues = new Set(region.alarms.flatMap(({ metric }) => queueOf(metric) ?? []));
    for (const name of region.sampled.keys()) if (!queues.has(name)) region.sampled.delete(name);
    for (const name of queues) {
      const length = await visibleMessages(region.sqs, name, region.queueUrls);
      if (length === undefined) continue;
      const known = region.sampled.get(name) ?? new SampledSeries(WEEK_MINUTES);
      region.sampled.set(name, known);
      known.sample(minuteOf(now), length);
    }
  }

  /** One after another: an evaluation in between would see half of what another one has fetched. */
  private alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work);
    this.queue = result.catch(() => undefined);
    return result;
  }
}
