import { expect } from "chai";
import { LEASE_MS, takeLease } from "../../../backup/lease";
import { FakePace, FakeRuns } from "./support/world";

describe("takeLease", () => {
  const at = () => new FakePace(new Date("2026-05-23T14:17:00Z"));

  it("lets one work at a time, and another one in after a death", async () => {
    const [runs, pace] = [new FakeRuns(), at()];
    const lease = await takeLease(runs, "database", "a", pace);
    expect(lease).to.not.equal(undefined);
    expect(await takeLease(runs, "database", "b", pace)).to.equal(undefined);
    expect(await takeLease(runs, "media", "b", pace), "another kind").to.not.equal(undefined);
    pace.advance(LEASE_MS + 1);
    expect(await takeLease(runs, "database", "b", pace)).to.not.equal(undefined);
    await lease?.release();
    expect(runs.locks.get("database")?.owner, "a release never takes another's lock").to.equal("b");
  });

  it("aborts when the outer signal does", async () => {
    const outer = new AbortController();
    const lease = await takeLease(new FakeRuns(), "database", "a", at(), outer.signal);
    outer.abort(new Error("enough"));
    expect(lease?.signal.reason.message).to.equal("enough");
    await lease?.release();
  });
});
