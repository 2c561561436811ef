import { expect } from "chai";
import fc from "fast-check";
import { captureCron } from "../../components/capture-schedule";
import { longestGapMinutes } from "../../policies/cron";

describe("longestGapMinutes", () => {
  const cases: [string, number | undefined][] = [
    ["rate(1 hour)", 60],
    ["rate(30 minutes)", 30],
    ["rate(1 day)", 1440],
    ["cron(17 * * * ? *)", 60],
    ["cron(17,32,47 * * * ? *)", 30],
    ["cron(17 0/4 * * ? *)", 240],
    ["cron(17 0/5 * * ? *)", 300],
    ["cron(0/20 * * * ? *)", 20],
    ["cron(0 8-18 * * ? *)", 840],
    ["cron(30 2 * * ? *)", 1440],
    ["cron(17 * ? * MON-FRI *)", undefined],
    ["cron(17 * 1 * ? *)", undefined],
    ["cron(99 * * * ? *)", undefined],
    ["cron(17 * * * ?)", undefined],
    ["rate(1 fortnight)", undefined],
    ["at(2026-01-01T00:00:00)", undefined],
    ["", undefined],
  ];
  for (const [expression, gap] of cases) {
    it(`${expression || "nothing"} is ${gap ?? "refused"}`, () => expect(longestGapMinutes(expression)).to.equal(gap));
  }

  it("never exceeds the interval that the program itself writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 29 }), fc.constantFrom(60, 120, 180, 240), (minute, interval) => {
        const gap = longestGapMinutes(captureCron(minute, interval));
        return gap !== undefined && gap <= interval;
      }),
    );
  });
});
