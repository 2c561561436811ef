import { expect } from "chai";
import { waitForRelease } from "../../../backup/release-wait";
import type { HerokuBuild, HerokuRelease } from "../../../clients/heroku-schemas";
import type { Pace } from "../../../clients/retry";

/** A Heroku whose answers come in this order; the last one stays. */
function heroku(builds: Partial<HerokuBuild>[], releases: Partial<HerokuRelease>[]) {
  const next = <T>(list: T[]) => (list.length > 1 ? list.shift() : list[0]) as T;
  return {
    build: async (_app: string, id: string) => ({ id, status: "succeeded", ...next(builds) }) as HerokuBuild,
    release: async (_app: string, id: string | number) =>
      ({ id: String(id), version: 7, ...next(releases) }) as HerokuRelease,
  };
}

/** Time that passes only while somebody sleeps. */
function pace(): Pace {
  let now = 0;
  return {
    now: () => new Date(now),
    random: () => 0,
    sleep: async (milliseconds) => {
      now += milliseconds;
    },
  };
}

describe("waiting for a release", () => {
  const made = { release: { id: "r7" } };
  const wait = (...[builds, releases]: Parameters<typeof heroku>) =>
    waitForRelease(heroku(builds, releases), "usc-pis", "b1", pace());
  const failure = (...args: Parameters<typeof heroku>) => wait(...args).catch((error) => error);

  it("goes on while the build has no release, and while its command runs", async () => {
    const live = await wait([{ status: "pending" }, {}, made], [{ status: "pending" }, { status: "succeeded" }]);
    expect(live).to.deep.equal({ app: "usc-pis", release: 7 });
  });

  it("fails when the release command fails, since the old code goes on running", async () => {
    const error = await failure([made], [{ status: "pending" }, { status: "failed" }]);
    expect(error).to.include({ code: "release_failed", hint: "heroku releases:output v7 -a usc-pis" });
    expect(error.message).to.include("v7 of usc-pis failed");
  });

  it("fails when the build failed", async () => {
    expect(await failure([{ status: "failed" }], [])).to.include({ code: "build_failed" });
  });

  it("throws when it gives up", async () => {
    expect(await failure([made], [{ status: "pending" }])).to.include({ code: "release_timeout" });
  });

  it("takes a state that it does not know for no success", async () => {
    expect(await failure([made], [{ status: null }])).to.include({ code: "release_timeout" });
  });

  it("stops when it is told to", async () => {
    const stop = AbortSignal.abort(new Error("stopped"));
    const error = await waitForRelease(heroku([made], [{ status: "pending" }]), "a", "b", pace(), stop).catch((e) => e);
    expect(error.message).to.equal("stopped");
  });
});
