import { expect } from "chai";
import * as fc from "fast-check";
import { reasonData, reasonText } from "../../../../sandbox/aws/alarms/reason";
import { type AlarmPlan, evaluate, evaluationMinute, nextTransition } from "../../../../sandbox/aws/alarms/schedule";
import { type MinuteData, ReportedSeries, SampledSeries, type Series } from "../../../../sandbox/aws/alarms/series";
import { type AlarmRule, type AlarmState, decide, type MissingData } from "../../../../sandbox/aws/alarms/state";

const MISSING: MissingData[] = ["missing", "ignore", "breaching", "notBreaching"];
const STATES: AlarmState[] = ["OK", "ALARM", "INSUFFICIENT_DATA"];

/** As the documentation writes a range: 0 good, X breaching, - missing; the newest on the right. */
const range = (text: string) => text.split(" ").map((one) => ({ "0": 0, X: 2, "-": undefined })[one]);
const rule = (datapointsToAlarm: number, missingData: MissingData, evaluationPeriods = 3): AlarmRule => ({
  evaluationPeriods,
  datapointsToAlarm,
  missingData,
  comparison: "GreaterThanThreshold",
  threshold: 1,
});

describe("an alarm's state", () => {
  const INSUFFICIENT = "INSUFFICIENT_DATA";
  const KEEPS = "keeps";
  // The tables of "Configuring how CloudWatch alarms treat missing data", the older edition's rows included.
  const tables: Record<number, [string, number, string, string, string, string][]> = {
    3: [
      ["0 - X - X", 0, "OK", "OK", "OK", "OK"],
      ["- - - - 0", 2, "OK", "OK", "OK", "OK"],
      ["0 - - - -", 2, "OK", "OK", "OK", "OK"],
      ["- - - - -", 3, INSUFFICIENT, KEEPS, "ALARM", "OK"],
      ["0 X X - X", 0, "ALARM", "ALARM", "ALARM", "ALARM"],
      ["- - X - -", 2, "ALARM", KEEPS, "ALARM", "OK"],
      ["X - - - -", 2, "ALARM", KEEPS, "ALARM", "OK"],
      ["- - - - X", 2, INSUFFICIENT, KEEPS, "ALARM", "OK"],
    ],
    2: [
      ["0 - X - X", 0, "ALARM", "ALARM", "ALARM", "ALARM"],
      ["0 0 X 0 X", 0, "ALARM", "ALARM", "ALARM", "ALARM"],
      ["0 - X - -", 1, "OK", "OK", "ALARM", "OK"],
      ["- - - - 0", 2, "OK", "OK", "ALARM", "OK"],
      ["- - - X -", 2, "ALARM", KEEPS, "ALARM", "OK"],
      ["- - - - X", 2, INSUFFICIENT, KEEPS, "ALARM", "OK"],
    ],
  };
  for (const [datapoints, rows] of Object.entries(tables)) {
    for (const [points, filled, ...wanted] of rows) {
      it(`${datapoints} of 3 on ${points}`, () => {
        for (const [index, missingData] of MISSING.entries()) {
          for (const current of STATES) {
            const verdict = decide(rule(Number(datapoints), missingData), range(points), current);
            const state = wanted[index] === KEEPS ? current : wanted[index];
            expect(verdict, `${missingData} from ${current}`).to.deep.include({ state, filled });
          }
        }
      });
    }
  }

  it("does not go to ALARM before its time on intermittent data", () => {
    for (const points of ["- - - - X", "- - - X -"])
      expect(decide(rule(3, "missing"), range(points), "OK").state, points).to.equal(INSUFFICIENT);
    for (const points of ["- - - X 0", "- - X - 0"])
      expect(decide(rule(3, "missing"), range(points), "OK").state, points).to.equal("OK");
  });

  it("compares as it is told, and equal is equal", () => {
    const one = (comparison: AlarmRule["comparison"], value: number) =>
      decide({ ...rule(1, "missing", 1), comparison }, [undefined, undefined, value], "OK").state;
    const found = (["GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold"] as const).map((it) =>
      [0, 1, 2].map((value) => one(it, value)),
    );
    expect(found).to.deep.equal([
      ["OK", "OK", "ALARM"],
      ["OK", "ALARM", "ALARM"],
      ["ALARM", "OK", "OK"],
    ]);
    expect([0, 1, 2].map((value) => one("LessThanOrEqualToThreshold", value))).to.deep.equal(["ALARM", "ALARM", "OK"]);
  });

  const points = fc.array(fc.constantFrom(0, 2, undefined), { minLength: 7, maxLength: 7 });
  const periods = fc.integer({ min: 1, max: 5 });

  it("needs no setting where there is data enough, and fills in as little as it can", () => {
    fc.assert(
      fc.property(points, fc.constantFrom(...STATES), (data, current) => {
        const verdicts = MISSING.map((missing) => decide(rule(3, missing, 5), data, current));
        const real = data.filter((value) => value !== undefined).length;
        for (const { filled } of verdicts) expect(filled).to.equal(Math.max(0, 5 - real));
        if (real >= 5) expect(new Set(verdicts.map(({ state }) => state)).size).to.equal(1);
      }),
    );
  });

  it("is never better for another breach, nor for stricter settings", () => {
    const badness = (state: AlarmState) => ["OK", "INSUFFICIENT_DATA", "ALARM"].indexOf(state);
    fc.assert(
      fc.property(points, periods, fc.integer({ min: 0, max: 6 }), (data, needed, at) => {
        const worse = data.map((value, index) => (index === at && value === 0 ? 2 : value));
        const state = (missing: MissingData, m: number, from = data) => decide(rule(m, missing, 5), from, "OK").state;
        for (const missing of ["breaching", "notBreaching"] as const) {
          expect(badness(state(missing, needed, worse))).to.be.at.least(badness(state(missing, needed)));
          if (needed > 1) expect(badness(state(missing, needed - 1))).to.be.at.least(badness(state(missing, needed)));
        }
        expect(badness(state("breaching", needed))).to.be.at.least(badness(state("notBreaching", needed)));
      }),
    );
  });
});

const plan = (more: Partial<AlarmPlan> = {}): AlarmPlan => ({
  ...rule(1, "notBreaching", 1),
  statistic: "Sum",
  periodMinutes: 5,
  ...more,
});
const at = (minute: number, value: number): MinuteData => ({
  minute,
  sum: value,
  count: 1,
  minimum: value,
  maximum: value,
});

describe("the evaluation of an alarm", () => {
  it("slides by the minute, and sees nothing of the minute itself", () => {
    const series = new ReportedSeries([at(100, 5)]);
    const state = (minute: number) => evaluate(plan(), series, minute, "OK").state;
    expect([100, 101, 105].map(state)).to.deep.equal(["OK", "ALARM", "ALARM"]);
    // The one data point stays within the range of three periods, though a newer one would push it out.
    expect([106, 115, 116].map(state)).to.deep.equal(["ALARM", "ALARM", "OK"]);
    const followed = new ReportedSeries([at(100, 5), at(105, 0)]);
    expect(evaluate(plan(), followed, 106, "ALARM").state).to.equal("OK");
  });

  it("sums, averages and finds extremes of what one period holds", () => {
    const series = new ReportedSeries([at(3, 1), at(1, 4), at(4, 1)]);
    const of = (statistic: AlarmPlan["statistic"]) => series.statistic(statistic, 0, 5);
    expect([of("Sum"), of("Average"), of("Minimum"), of("Maximum"), of("SampleCount")]).to.deep.equal([6, 2, 1, 4, 3]);
    expect(series.statistic("Sum", 5, 9)).to.equal(undefined);
  });

  it("takes a queue to stay as long as it was seen", () => {
    const queue = new SampledSeries(1000);
    queue.sample(10, 0);
    queue.sample(20, 3);
    queue.sample(20, 1);
    queue.sample(200, 0);
    expect(queue.statistic("Maximum", 0, 10)).to.equal(undefined);
    expect(queue.statistic("Maximum", 5, 20)).to.equal(0);
    expect(queue.statistic("Maximum", 15, 21)).to.equal(3);
    expect(queue.statistic("Average", 198, 202)).to.equal(1.5);
    expect(queue.statistic("SampleCount", 0, 30)).to.equal(20);
    expect(queue.statistic("Maximum", 5000, 5005)).to.equal(0);
    queue.sample(5000, 1);
    expect(queue.statistic("Maximum", 10, 100), "forgotten").to.equal(undefined);
  });

  it("of more than a day happens three minutes past each hour, on whole hours", () => {
    const days = plan({ periodMinutes: 1440, evaluationPeriods: 3, datapointsToAlarm: 3, missingData: "breaching" });
    expect([602, 603, 662].map((minute) => evaluationMinute(days, minute))).to.deep.equal([543, 603, 603]);
    expect(evaluationMinute(plan({ periodMinutes: 60, evaluationPeriods: 24 }), 602), "a day is not more").to.equal(
      602,
    );
    // Good data of 10:01 is seen at 11:03, not at 10:03.
    const series = new ReportedSeries([at(10_001 * 60 + 1, 0)]);
    const state = (minute: number) => evaluate(days, series, minute, "OK").state;
    expect(state(10_001 * 60 + 3)).to.equal("ALARM");
    expect(state(10_002 * 60 + 2)).to.equal("ALARM");
    expect(state(10_002 * 60 + 3)).to.equal("OK");
  });

  it("of a dead man's switch comes later than its periods: old data counts as long as it is within the range", () => {
    const silence = plan({
      ...rule(8, "breaching", 8),
      comparison: "LessThanThreshold",
      periodMinutes: 15,
      statistic: "Sum",
    });
    const series = new ReportedSeries([at(1000, 1)]);
    // Two hours of silence are over at 1120; the success leaves the range of ten periods at 1151.
    expect(nextTransition(silence, series, "OK", 1000, 5000)).to.equal(1151);
  });

  it("tells the next change as an evaluation of each minute would find it", () => {
    const data = fc.array(
      fc.record({ minute: fc.integer({ min: 0, max: 120 }), value: fc.integer({ min: 0, max: 3 }) }),
    );
    const plans = fc.record({
      periodMinutes: fc.constantFrom(1, 5, 7, 60, 600),
      evaluationPeriods: fc.integer({ min: 1, max: 4 }),
      datapointsToAlarm: fc.integer({ min: 1, max: 4 }),
      missingData: fc.constantFrom(...MISSING),
      statistic: fc.constantFrom("Sum", "Average", "Maximum", "Minimum", "SampleCount"),
      comparison: fc.constantFrom("GreaterThanThreshold", "LessThanThreshold"),
    });
    const kinds = fc.boolean();
    fc.assert(
      fc.property(
        data,
        plans,
        kinds,
        fc.constantFrom(...STATES),
        fc.integer({ min: 0, max: 150 }),
        (points, some, sampled, current, from) => {
          const alarm = plan({
            ...some,
            datapointsToAlarm: Math.min(some.datapointsToAlarm, some.evaluationPeriods),
          } as Partial<AlarmPlan>);
          const series = sampled ? sampledSeries(points) : reported(points);
          const until = from + 4000;
          let wanted: number | undefined;
          for (let minute = from + 1; minute <= until && wanted === undefined; minute++)
            if (evaluate(alarm, series, minute, current).state !== current) wanted = minute;
          expect(nextTransition(alarm, series, current, from, until)).to.equal(wanted);
        },
      ),
      { numRuns: 300 },
    );
  });
});

function reported(points: { minute: number; value: number }[]): Series {
  return new ReportedSeries([...new Map(points.map(({ minute, value }) => [minute, at(minute, value)])).values()]);
}

function sampledSeries(points: { minute: number; value: number }[]): Series {
  const series = new SampledSeries(100_000);
  for (const { minute, value } of [...points].sort((one, other) => one.minute - other.minute))
    series.sample(minute, value);
  return series;
}

describe("the reason of a change", () => {
  const BEGIN = Date.UTC(2027, 0, 31, 12, 0) / 60_000;

  it("is in CloudWatch's words", () => {
    const failed = evaluate(
      plan({ threshold: 1, comparison: "GreaterThanOrEqualToThreshold" }),
      reported([{ minute: BEGIN, value: 1 }]),
      BEGIN + 5,
      "OK",
    );
    const alarm = plan({ threshold: 1, comparison: "GreaterThanOrEqualToThreshold" });
    expect(reasonText(alarm, "OK", failed)).to.equal(
      "Threshold Crossed: 1 out of the last 1 datapoint [1.0 (31/01/27 12:00:00)] was greater than or equal to the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition).",
    );
    const silent = plan({ ...rule(8, "breaching", 8), periodMinutes: 15 });
    expect(reasonText(silent, "OK", evaluate(silent, reported([]), BEGIN, "OK"))).to.equal(
      "Threshold Crossed: no datapoints were received for 8 periods and 8 missing datapoints were treated as [Breaching].",
    );
    const quiet = evaluate(plan(), reported([]), BEGIN, "ALARM");
    expect(reasonText(plan(), "ALARM", quiet)).to.equal(
      "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].",
    );
    const unknown = plan({ missingData: "missing", evaluationPeriods: 3 });
    expect(reasonText(unknown, "OK", evaluate(unknown, reported([]), BEGIN, "OK"))).to.equal(
      "Insufficient Data: 3 datapoints were unknown.",
    );
  });

  it("carries what was looked at as JSON", () => {
    const found = evaluate(plan(), reported([{ minute: BEGIN, value: 4 }]), BEGIN + 5, "OK");
    expect(JSON.parse(reasonData(plan(), found, new Date((BEGIN + 5) * 60_000)))).to.deep.equal({
      version: "1.0",
      queryDate: "2027-01-31T12:05:00.000+0000",
      startDate: "2027-01-31T12:00:00.000+0000",
      statistic: "Sum",
      period: 300,
      recentDatapoints: [4],
      threshold: 1,
      evaluatedDatapoints: [{ timestamp: "2027-01-31T12:00:00.000+0000", value: 4 }],
    });
  });
});
