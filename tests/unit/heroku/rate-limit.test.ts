import { expect } from "chai";
import fc from "fast-check";
import { ApiError } from "../../../sandbox/heroku/http";
import { RateLimit } from "../../../sandbox/heroku/rate-limit";
import { joinedRequestId } from "../../../sandbox/heroku/request-ids";

describe("heroku emulator, budget of calls", () => {
  /** Calls until one is refused. */
  function drain(limit: RateLimit): number {
    for (let calls = 0; ; calls++) {
      try {
        limit.take();
      } catch (error) {
        expect(error).to.be.instanceOf(ApiError).and.to.deep.include({ status: 429, id: "rate_limit" });
        expect((error as ApiError).body).to.have.all.keys("id", "message", "url");
        return calls;
      }
    }
  }

  it("gives as many calls as the bucket holds, tells what is left, and refuses the next", () => {
    const limit = new RateLimit(3, () => 0);
    expect([limit.remaining, limit.take(), limit.take(), limit.take()]).to.deep.equal([3, 2, 1, 0]);
    expect(drain(limit)).to.equal(0);
    expect(limit.remaining).to.equal(0);
  });

  it("fills up over an hour: Heroku's 75 calls a minute, and never beyond its size", () => {
    let time = 0;
    const limit = new RateLimit(4500, () => time);
    expect(drain(limit)).to.equal(4500);
    time += 60_000;
    expect(drain(limit)).to.equal(75);
    time += 5 * 24 * 3_600_000;
    expect(drain(limit)).to.equal(4500);
  });

  it("gives nothing for a clock that is set back, and goes on from there", () => {
    let time = 10 * 3_600_000;
    const limit = new RateLimit(60, () => time);
    expect(drain(limit)).to.equal(60);
    time = 0;
    expect(drain(limit)).to.equal(0);
    time += 60_000;
    expect(drain(limit)).to.equal(1);
  });

  it("never gives more than the bucket and what time brought, whatever the times", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.array(fc.nat(600_000), { maxLength: 50 }), (size, steps) => {
        let time = 0;
        let taken = 0;
        const limit = new RateLimit(size, () => time);
        for (const step of steps) {
          time += step;
          taken += drain(limit);
        }
        expect(taken).to.be.at.most(size + (time / 3_600_000) * size + 1e-6);
      }),
    );
  });

  it("refuses budgets that are none", () => {
    for (const bad of [0, -1, 1.5, Number.NaN]) expect(() => new RateLimit(bad), String(bad)).to.throw("whole number");
  });
});

describe("heroku emulator, request ids", () => {
  const first = "11111111-1111-4111-8111-111111111111";
  const second = "22222222-2222-4222-8222-222222222222";

  it("joins what the client sent and its own, and repeats nothing that is no id", () => {
    expect(joinedRequestId(undefined, first)).to.equal(first);
    expect(joinedRequestId(second, first)).to.equal(`${second},${first}`);
    expect(joinedRequestId(`${second}, short,<script>alert(1)</script>,${second}`, first)).to.equal(
      `${second},${second},${first}`,
    );
  });

  it("does not grow without end", () => {
    const many = Array.from({ length: 500 }, () => second).join(",");
    expect(joinedRequestId(many, first).split(",")).to.have.length(21);
  });
});
