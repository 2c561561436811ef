import { expect } from "chai";
import * as fc from "fast-check";
import { advance, type EventSource, type MovableClock } from "../../../sandbox/clock/advance";

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

/** A clock that also ticks a little by itself each time that it is asked, as real time does. */
class TestClock implements MovableClock {
  constructor(public time = START) {}
  now(): Date {
    this.time += 3;
    return new Date(this.time);
  }
  moveTo(at: Date): void {
    this.time = Math.max(this.time, at.getTime());
  }
}

/** Happens every so many minutes, and notes when. */
function every(minutes: number, log: { name: string; at: number }[], name = `every ${minutes}`): EventSource {
  let next = START + minutes * MINUTE;
  return {
    name,
    next: async () => new Date(next),
    run: async (now) => {
      log.push({ name, at: now.getTime() });
      while (next <= now.getTime()) next += minutes * MINUTE;
    },
  };
}

const atRest = async () => undefined;

describe("advancing the clock", () => {
  it("lets everything happen once, in order, at its time, and ends at the end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 240 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 2000 }),
        async (periods, minutes) => {
          const clock = new TestClock();
          const log: { name: string; at: number }[] = [];
          const until = new Date(START + minutes * MINUTE);
          const sources = periods.map((period, index) => every(period, log, `${index}`));
          await advance(until, clock, sources, atRest);
          for (const [index, period] of periods.entries()) {
            const times = log
              .filter(({ name }) => name === `${index}`)
              .map(({ at }) => Math.floor((at - START) / MINUTE));
            const due = Array.from({ length: Math.floor(minutes / period) }, (_, n) => (n + 1) * period);
            expect(times).to.deep.equal(due);
          }
          expect(log.map(({ at }) => at)).to.deep.equal(log.map(({ at }) => at).sort((a, b) => a - b));
          expect(clock.time).to.be.at.least(until.getTime());
          expect(clock.time - until.getTime(), "no further than it has to").to.be.below(MINUTE);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("waits until one event has come to rest before the next", async () => {
    const clock = new TestClock();
    const order: string[] = [];
    let running = 0;
    const source: EventSource = {
      ...every(10, []),
      run: async (now) => {
        order.push(`start with ${running} running`);
        running++;
        await every(10, []).run(now);
      },
    };
    let next = START + 10 * MINUTE;
    source.next = async () => new Date(next);
    const run = source.run;
    source.run = async (now) => {
      await run(now);
      next += 10 * MINUTE;
    };
    await advance(new Date(START + 30 * MINUTE), clock, [source], async () => {
      running = 0;
    });
    expect(order).to.deep.equal(["start with 0 running", "start with 0 running", "start with 0 running"]);
  });

  it("does not go on when something does not come to rest, or is due for ever, or is interrupted", async () => {
    const clock = new TestClock();
    const until = new Date(START + 30 * MINUTE);
    const never = async () => {
      throw new Error("still running");
    };
    expect(await advance(until, clock, [], never).catch((error) => error.message)).to.equal("still running");
    const stuck: EventSource = { name: "stuck", next: async () => new Date(START), run: async () => undefined };
    const frozen: MovableClock = { now: () => new Date(START), moveTo: () => undefined };
    const error = await advance(until, frozen, [stuck], atRest).catch((caught) => caught);
    expect([error.code, error.message.includes("stuck is due again")]).to.deep.equal(["clock_stuck", true]);
    const stop = new AbortController();
    const log: { name: string; at: number }[] = [];
    const interrupting = { signal: stop.signal, onStep: () => stop.abort(new Error("enough")) };
    expect(
      await advance(until, clock, [every(1, log)], atRest, interrupting).catch((caught) => caught.message),
    ).to.equal("enough");
    expect(log).to.have.length(1);
  });

  it("moves on when nothing is due", async () => {
    const clock = new TestClock();
    await advance(new Date(START + 90 * 24 * 60 * MINUTE), clock, [], atRest);
    expect(clock.time).to.be.at.least(START + 90 * 24 * 60 * MINUTE);
  });
});
