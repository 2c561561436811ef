/** Why an alarm changed its state, in CloudWatch's words and in its JSON. */
import type { AlarmPlan, Evaluation } from "./schedule";
import { MINUTE_MS } from "./series";
import { type AlarmState, COMPARISONS } from "./state";

const TREATED = { breaching: "Breaching", notBreaching: "NonBreaching", ignore: "Ignore", missing: "Missing" } as const;

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
const decimal = (value: number) => (Number.isInteger(value) ? value.toFixed(1) : String(value));

/** As CloudWatch writes times in a reason: 31/12/26 23:59:00. */
function stamp(minute: number): string {
  const [date = "", time = ""] = new Date(minute * MINUTE_MS).toISOString().split("T");
  const [year = "", month, day] = date.split("-");
  return `${day}/${month}/${year.slice(2)} ${time.slice(0, 8)}`;
}

/** The text of SetAlarmState. @param from the state that is left */
export function reasonText(plan: AlarmPlan, from: AlarmState, evaluation: Evaluation): string {
  const { state, evaluated, filled, range, starts } = evaluation;
  if (state === "INSUFFICIENT_DATA") return `Insufficient Data: ${plural(filled, "datapoint")} were unknown.`;
  const were = filled === 1 ? "was" : "were";
  const treated = `${plural(filled, "missing datapoint")} ${were} treated as [${TREATED[plan.missingData]}]`;
  if (evaluated.length === 0) {
    const periods = plural(plan.evaluationPeriods, "period");
    return `Threshold Crossed: no datapoints were received for ${periods} and ${treated}.`;
  }
  const { words, breaches } = COMPARISONS[plan.comparison];
  const all = evaluated.map((index) => ({ value: range[index] as number, minute: starts[index] as number }));
  const alarms = state === "ALARM";
  const telling = all.filter(({ value }) => breaches(value, plan.threshold) === alarms).reverse();
  const shown = telling.map(({ value, minute }) => `${decimal(value)} (${stamp(minute)})`).join(", ");
  const verb = telling.length === 1 ? "was" : "were";
  const crossing = `${verb}${alarms ? "" : " not"} ${words} the threshold (${decimal(plan.threshold)})`;
  const needed = alarms ? plan.datapointsToAlarm : plan.evaluationPeriods - plan.datapointsToAlarm + 1;
  // CloudWatch names the opposite state, also where it comes from no data.
  const left = from === "INSUFFICIENT_DATA" ? (alarms ? "OK" : "ALARM") : from;
  const minimum = `(minimum ${plural(needed, "datapoint")} for ${left} -> ${state} transition)`;
  const count = `${telling.length} out of the last ${plural(plan.evaluationPeriods, "datapoint")}`;
  const known = `Threshold Crossed: ${count} [${shown}] ${crossing} ${minimum}`;
  return filled === 0 || plan.missingData === "missing" ? `${known}.` : `${known}, and ${treated}.`;
}

/** The JSON of SetAlarmState: what was looked at, for whoever reads the alarm's history. */
export function reasonData(plan: AlarmPlan, evaluation: Evaluation, now: Date): string {
  const { evaluated, range, starts } = evaluation;
  const time = (minute: number) => new Date(minute * MINUTE_MS).toISOString().replace("Z", "+0000");
  const first = evaluated[0];
  return JSON.stringify({
    version: "1.0",
    queryDate: now.toISOString().replace("Z", "+0000"),
    ...(first === undefined ? {} : { startDate: time(starts[first] as number) }),
    statistic: plan.statistic,
    period: plan.periodMinutes * 60,
    recentDatapoints: evaluated.map((index) => range[index]),
    threshold: plan.threshold,
    evaluatedDatapoints: evaluated
      .map((index) => ({ timestamp: time(starts[index] as number), value: range[index] }))
      .reverse(),
  });
}
