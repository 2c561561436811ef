import { expect } from "chai";
import fc from "fast-check";
import { scheduledRetention } from "../../../sandbox/heroku/plans";
import { expiredScheduled, surplusManual } from "../../../sandbox/heroku/runtime/backup-retention";

const DAY_MS = 24 * 3_600_000;
const NOW = new Date("2026-05-31T02:10:00Z");

/** A scheduled backup for each of these ages in days. */
function daily(ages: readonly number[], succeeded = true) {
  return ages.map((age) => ({
    num: 1000 - age,
    createdAt: new Date(NOW.getTime() - age * DAY_MS).toISOString(),
    succeeded,
    scheduleId: "s",
    age,
  }));
}
const days = (count: number) => Array.from({ length: count }, (_, age) => age);
const kept = (all: ReturnType<typeof daily>, plan: string) => {
  const gone = expiredScheduled(all, NOW, scheduledRetention(plan));
  return all.filter((one) => !gone.includes(one)).map((one) => one.age);
};

describe("heroku emulator, retention of Heroku's own backups", () => {
  it("keeps the newest successful manual ones; failed and scheduled ones don't count", () => {
    const manual = (num: number, succeeded = true, scheduleId: string | null = null) => ({
      num,
      succeeded,
      scheduleId,
      createdAt: "",
    });
    const backups = [manual(1), manual(2, false), manual(3), manual(4, true, "s"), manual(5), manual(6)];
    expect(surplusManual(backups, 2).map((one) => one.num)).to.deep.equal([3, 1]);
    expect(surplusManual(backups, 4)).to.deep.equal([]);
  });

  it("keeps seven days on the essential plans", () => {
    expect(kept(daily(days(30)), "heroku-postgresql:essential-0")).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
  });

  it("keeps the oldest after each of four weekly thresholds on standard plans", () => {
    expect(kept(daily(days(60)), "heroku-postgresql:standard-0")).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 13, 20, 27]);
  });

  it("keeps weeks and twelve months on premium plans, months by the calendar", () => {
    // Thresholds of months: 30 April, 31 March, 28 February and so on; what stays is a day younger than each.
    const months = [30, 60, 91, 119, 150, 181, 211, 242, 272, 303, 334, 364];
    expect(kept(daily(days(400)), "heroku-postgresql:premium-0")).to.have.members([
      ...days(7),
      ...[13, 20, 27, 34, 41, 48, 55],
      ...months,
    ]);
  });

  it("ends old failed ones, and does not let them take a good one's place", () => {
    const all = [...daily([0, 1, 13]), ...daily([12, 20], false)];
    expect(kept(all, "heroku-postgresql:standard-0").sort((a, b) => a - b)).to.deep.equal([0, 1, 13]);
  });

  it("never ends one of the last seven days, and none twice over: a second look finds nothing", () => {
    const plans = ["essential-0", "standard-0", "premium-0"].map((one) => `heroku-postgresql:${one}`);
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(500)), fc.constantFrom(...plans), (ages, plan) => {
        const all = daily(ages);
        const gone = expiredScheduled(all, NOW, scheduledRetention(plan));
        expect(gone.every((one) => one.age >= 7)).to.equal(true);
        const left = all.filter((one) => !gone.includes(one));
        expect(expiredScheduled(left, NOW, scheduledRetention(plan))).to.deep.equal([]);
      }),
    );
  });
});
