/**
 * The state of a metric alarm from its data points, as CloudWatch documents it ("Configuring how CloudWatch alarms treat
 * missing data", with its tables, and "Avoiding premature transitions to alarm state").
 */

export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";
export type MissingData = "missing" | "ignore" | "breaching" | "notBreaching";

export const COMPARISONS = {
  GreaterThanThreshold: { breaches: (value: number, threshold: number) => value > threshold, words: "greater than" },
  GreaterThanOrEqualToThreshold: {
    breaches: (value: number, threshold: number) => value >= threshold,
    words: "greater than or equal to",
  },
  LessThanThreshold: { breaches: (value: number, threshold: number) => value < threshold, words: "less than" },
  LessThanOrEqualToThreshold: {
    breaches: (value: number, threshold: number) => value <= threshold,
    words: "less than or equal to",
  },
} as const;
export type Comparison = keyof typeof COMPARISONS;

/** What decides, apart from the data. */
export interface AlarmRule {
  /** N: data points that are looked at. */
  evaluationPeriods: number;
  /** M: of these, how many must breach. */
  datapointsToAlarm: number;
  comparison: Comparison;
  threshold: number;
  missingData: MissingData;
}

/** One data point of the evaluation range; without a value where nothing was reported. */
export type DataPoint = number | undefined;

export interface Verdict {
  state: AlarmState;
  /** Real data points that were looked at, as indices into the range. */
  evaluated: number[];
  /** Data points that were filled in by the setting for missing data. */
  filled: number;
}

/**
 * Data points that are asked for: more than needed, in case that some are missing. AWS says that the number depends on
 * period and resolution, and gives one example: 5 for 3 evaluation periods.
 */
export function evaluationRange(evaluationPeriods: number): number {
  return evaluationPeriods + 2;
}

/**
 * Decides the state.
 * @param range the evaluation range, oldest first; its length is `evaluationRange`
 * @param current state before, which `ignore` keeps
 */
export function decide(rule: AlarmRule, range: readonly DataPoint[], current: AlarmState): Verdict {
  const real = range.flatMap((value, index) => (value === undefined ? [] : [index]));
  const evaluated = real.slice(-rule.evaluationPeriods);
  const filled = rule.evaluationPeriods - evaluated.length;
  const { breaches } = COMPARISONS[rule.comparison];
  const isBreaching = (index: number) => breaches(range[index] as number, rule.threshold);
  const breaching = evaluated.filter(isBreaching);
  return { state: stateOf(), evaluated, filled };

  function stateOf(): AlarmState {
    const enough = (count: number): AlarmState => (count >= rule.datapointsToAlarm ? "ALARM" : "OK");
    if (filled === 0 || rule.missingData === "notBreaching") return enough(breaching.length);
    if (rule.missingData === "breaching") return enough(breaching.length + filled);
    if (breaching.length >= rule.datapointsToAlarm) return "ALARM";
    // One good data point is a reason to be in order; what is missing is no reason for anything.
    if (breaching.length < evaluated.length) return "OK";
    if (rule.missingData === "ignore") return current;
    const [oldest] = breaching;
    // Few but old breaches, and nothing better since: waiting longer would only hide them.
    const age = oldest === undefined ? 0 : range.length - oldest;
    return age >= rule.datapointsToAlarm ? "ALARM" : "INSUFFICIENT_DATA";
  }
}
