/** When an alarm is evaluated, on what, and when its state changes if nothing more is reported. No clock, no network. */

import type { Series, Statistic } from "./series";
import { type AlarmRule, type AlarmState, type DataPoint, decide, evaluationRange, type Verdict } from "./state";

/** A metric alarm without its names. */
export interface AlarmPlan extends AlarmRule {
  statistic: Statistic;
  periodMinutes: number;
}

const HOUR = 60;
const DAY = 24 * HOUR;
/** Alarms over more than a day look at whole hours, some minutes after each. */
const HOURLY_MINUTE = 3;

function isHourly(plan: AlarmPlan): boolean {
  return plan.periodMinutes * plan.evaluationPeriods > DAY;
}

/** The last minute up to the given one at which the alarm is evaluated. */
export function evaluationMinute(plan: AlarmPlan, minute: number): number {
  if (!isHourly(plan)) return minute;
  return Math.floor((minute - HOURLY_MINUTE) / HOUR) * HOUR + HOURLY_MINUTE;
}

/** Where the data ends that an evaluation of this minute sees: windows slide with it, they do not stand on the clock. */
function dataEnd(plan: AlarmPlan, evaluation: number): number {
  return isHourly(plan) ? evaluation - HOURLY_MINUTE : evaluation;
}

/** How many minutes of data an evaluation may need. */
export function reachMinutes(plan: AlarmPlan): number {
  return evaluationRange(plan.evaluationPeriods) * plan.periodMinutes + HOUR;
}

export interface Evaluation extends Verdict {
  /** The range, oldest first, and the minute with which each data point begins. */
  range: DataPoint[];
  starts: number[];
}

/** Evaluates an alarm as CloudWatch would in the given minute, on what was reported before it. */
export function evaluate(plan: AlarmPlan, series: Series, minute: number, current: AlarmState): Evaluation {
  const end = dataEnd(plan, evaluationMinute(plan, minute));
  const count = evaluationRange(plan.evaluationPeriods);
  const starts = Array.from({ length: count }, (_, index) => end - (count - index) * plan.periodMinutes);
  const range = starts.map((start) => series.statistic(plan.statistic, start, start + plan.periodMinutes));
  return { ...decide(plan, range, current), range, starts };
}

/**
 * The first minute after `from`, up to `until`, in which the alarm would leave its state if nothing more were reported;
 * undefined if it would not. Only minutes in which some data enters or leaves a window are looked at.
 */
export function nextTransition(
  plan: AlarmPlan,
  series: Series,
  current: AlarmState,
  from: number,
  until: number,
): number | undefined {
  const isChange = (minute: number) => evaluate(plan, series, minute, current).state !== current;
  // What is overdue comes first: data of this minute, or an alarm that was never evaluated.
  const first = from + 1;
  if (first > until) return undefined;
  if (isChange(first)) return first;
  const minutes = new Set<number>();
  for (const edge of series.edges(plan.statistic, plan.periodMinutes, from - reachMinutes(plan), until)) {
    for (let step = 0; step <= evaluationRange(plan.evaluationPeriods); step++) {
      const minute = nextEvaluation(plan, edge + step * plan.periodMinutes + 1);
      if (minute > first && minute <= until) minutes.add(minute);
      // A sample that ends leaves one minute later than one that begins enters.
      const after = nextEvaluation(plan, edge + step * plan.periodMinutes);
      if (after > first && after <= until) minutes.add(after);
    }
  }
  return [...minutes].sort((one, other) => one - other).find(isChange);
}

/** The first evaluation that sees data up to an end. */
function nextEvaluation(plan: AlarmPlan, end: number): number {
  return isHourly(plan) ? Math.ceil(end / HOUR) * HOUR + HOURLY_MINUTE : end;
}
