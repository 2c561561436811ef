import { expect } from "chai";
import { capture } from "../../../backup/capture";
import type { CaptureRequest, CaptureResult } from "../../../backup/capture-ports";
import { UscPisError } from "../../../backup/errors";
import { HttpError } from "../../../clients/http";
import { CLINIC, fakeDump, mortal, World } from "./support/world";

type Captured = Extract<CaptureResult, { outcome: "captured" }>;

const HOURLY: CaptureRequest = { trigger: "schedule", requestedBy: "scheduler" };
const never = () => new AbortController().signal;

async function run(world: World, request = HOURLY): Promise<CaptureResult> {
  return capture(request, world.settings, world.ports, never());
}

async function failure(work: Promise<unknown>): Promise<UscPisError> {
  try {
    await work;
  } catch (error) {
    return error as UscPisError;
  }
  throw new Error("it did not fail");
}

async function claimed(start?: string): Promise<World> {
  const world = new World(start);
  await world.claim();
  return world;
}

describe("capture", () => {
  it("puts a verified, locked backup with its manifest into the vault and removes Heroku's copy", async () => {
    const world = await claimed();
    const result = await run(world);
    expect(result).to.include({ outcome: "captured", status: "success", class: "monthly", exact: true });
    const [manifest] = world.manifests();
    expect(manifest.rows.tables.patients_patient).to.deep.equal({ atLeast: 5, atMost: 5 });
    expect(manifest.dump.archiveVersion).to.equal("1.15.0");
    const [dump] = world.primary.objects.get(manifest.dump.key) ?? [];
    expect(dump?.bytes.equals(fakeDump(CLINIC))).to.equal(true);
    expect(dump?.retainUntil?.getTime()).to.be.at.least(Date.parse(manifest.takenAt) + 92 * 86_400_000);
    expect(world.heroku.transfersByNum.size).to.equal(0);
    const record = await world.runs.get(manifest.id);
    expect(record).to.include({ status: "success", type: "database", bytes: dump?.bytes.length });
    expect(record?.herokuCopy?.state).to.equal("removed");
    expect(world.metrics).to.have.lengthOf(1);
    expect(world.metrics[0]).to.include({ CaptureSucceeded: 1, CaptureBytes: dump?.bytes.length });
    expect(world.runs.locks.size).to.equal(0);
  });

  it("gives bounds where rows were written meanwhile", async () => {
    const world = await claimed();
    world.heroku.duringCapture = () => {
      world.source.tables.patients_patient = 6;
    };
    expect(await run(world)).to.include({ outcome: "captured", exact: false });
    expect(world.manifests()[0].rows).to.deep.include({ exact: false });
    expect(world.manifests()[0].rows.tables.patients_patient).to.deep.equal({ atLeast: 5, atMost: 6 });
  });

  it("takes one backup a slot, another in the next, and classes by what is due", async () => {
    const world = await claimed();
    const first = await run(world);
    world.pace.advance(15 * 60_000);
    expect(await run(world)).to.include({ outcome: "already_done", id: (first as { id: string }).id });
    world.pace.advance(60 * 60_000);
    expect(await run(world)).to.include({ outcome: "captured", class: "hourly" });
    world.pace.advance(24 * 60 * 60_000);
    expect(await run(world)).to.include({ outcome: "captured", class: "daily" });
    world.pace.advance(24 * 60 * 60_000);
    expect(await run(world)).to.include({ outcome: "captured", class: "weekly" }); // 25 May 2026 is a Monday
  });

  it("does a manual request once, and never counts a slot against it", async () => {
    const world = await claimed();
    await run(world);
    const manual: CaptureRequest = { trigger: "manual", requestedBy: "ana", class: "critical", request: "r-1" };
    world.pace.advance(60_000);
    const taken = await run(world, manual);
    expect(taken).to.include({ outcome: "captured", class: "critical" });
    expect(await run(world, manual)).to.include({ outcome: "already_done", id: (taken as { id: string }).id });
  });

  it("refuses an app that is not the current one, without touching the metric", async () => {
    const world = await claimed();
    await world.claim("usc-pis-r", true);
    expect(await run(world)).to.include({ outcome: "refused" });
    const unclaimed = new World();
    expect(await run(unclaimed)).to.include({ outcome: "refused" });
    expect(world.metrics.concat(unclaimed.metrics)).to.deep.equal([]);
    expect(world.manifests()).to.deep.equal([]);
  });

  it("believes the newer of two pointers, and goes on when the other side is gone", async () => {
    const world = await claimed();
    world.replicate();
    world.primary.down = true;
    await world.claim("usc-pis-r", true); // made while the primary side was away
    world.primary.down = false;
    expect(await run(world)).to.include({ outcome: "refused" });
    const other = await claimed();
    other.replica.down = true;
    expect(await run(other)).to.include({ outcome: "captured" });
  });

  it("puts Heroku's own schedule back and says so, but never fails for it", async () => {
    const world = await claimed();
    world.heroku.schedulesOf = [{ uuid: "x", name: "DATABASE_URL", hour: 4, timezone: "UTC" }];
    const result = (await run(world)) as Captured;
    expect(world.heroku.schedulesOf[0]?.hour).to.equal(2);
    expect(result.notes.join()).to.contain("was at 04:00 UTC: put back to 02:00 UTC");
    const broken = await claimed();
    broken.heroku.schedules = async () => {
      throw new HttpError("Heroku Postgres was answered by 500", 500, undefined, true);
    };
    expect(await run(broken)).to.include({ outcome: "captured", status: "success" });
  });

  it("waits for a transfer that runs", async () => {
    const world = await claimed();
    const { uuid } = await world.heroku.startCapture("db-1");
    world.heroku.polls = 4;
    await run(world);
    // Three pauses, of 40, 80 and 160 ms, for the one before it and for its own.
    expect(world.pace.slept, uuid).to.be.at.least(560);
    expect(world.heroku.transfersByNum.size, "somebody else's capture is not removed").to.equal(1);
  });

  describe("of what is not a good dump", () => {
    const cases: { name: string; answer: (dump: Buffer) => Response; code: string; words: RegExp }[] = [
      {
        name: "an HTML error page",
        answer: () => new Response("<!DOCTYPE html><html>", { headers: { "content-length": "21" } }),
        code: "not_a_dump",
        words: /an HTML or XML page/,
      },
      {
        name: "nothing",
        answer: () => new Response("", { headers: { "content-length": "0" } }),
        code: "empty_dump",
        words: /got 0 bytes/,
      },
      {
        name: "a dump that is shorter than Heroku captured",
        answer: (dump) => new Response(new Uint8Array(dump.subarray(0, 500)), { headers: { "content-length": "500" } }),
        code: "truncated",
        words: /got 500 bytes, Heroku captured \d+/,
      },
      {
        name: "a stream that ends early",
        answer: (dump) =>
          new Response(new Uint8Array(dump.subarray(0, 500)), { headers: { "content-length": String(dump.length) } }),
        code: "truncated",
        words: /only 500 bytes/,
      },
      {
        name: "a refusal",
        answer: () => new Response("no", { status: 503 }),
        code: "download_failed",
        words: /answered by 503/,
      },
      {
        name: "no length",
        answer: (dump) => new Response(new Uint8Array(dump)),
        code: "download_failed",
        words: /without Content-Length/,
      },
    ];
    for (const { name, answer, code, words } of cases) {
      it(`fails on ${name}, records it, and leaves nothing`, async () => {
        const world = await claimed();
        world.heroku.answer = answer;
        const error = await failure(run(world));
        expect(error.code).to.equal(code);
        expect(error.message).to.match(words);
        expect(world.manifests()).to.deep.equal([]);
        const [record] = await world.runs.newest(1);
        expect(record).to.include({ status: "failed" });
        expect(record?.error?.code).to.equal(code);
        expect(world.metrics).to.deep.equal([{ CaptureFailed: 1 }]);
        expect(world.heroku.transfersByNum.size, "Heroku's copy").to.equal(0);
        world.heroku.answer = undefined;
        expect(await run(world)).to.include({ outcome: "captured", status: "success" });
      });
    }

    it("fails when the vault holds other bytes than were sent", async () => {
      const world = await claimed();
      const head = world.primary.head.bind(world.primary);
      world.primary.head = async (key, version) => {
        const found = await head(key, version);
        return found && { ...found, checksum: "AAAA" };
      };
      expect((await failure(run(world))).code).to.equal("stored_differs");
    });

    it("refuses what one run cannot carry", async () => {
      const world = await claimed();
      const error = await failure(capture(HOURLY, { ...world.settings, maxDumpBytes: 100 }, world.ports, never()));
      expect(error.code).to.equal("too_large");
    });

    it("fails when Heroku's capture does, or never ends", async () => {
      const world = await claimed();
      world.heroku.captureFails = true;
      expect((await failure(run(world))).code).to.equal("transfer_failed");
      const stuck = await claimed();
      stuck.heroku.polls = Number.POSITIVE_INFINITY;
      expect((await failure(run(stuck))).code).to.equal("transfer_timeout");
    });
  });

  it("fetches again when a download breaks off once", async () => {
    const world = await claimed();
    let broken = 1;
    world.heroku.answer = (dump) =>
      new Response(new Uint8Array(broken-- > 0 ? dump.subarray(0, 99) : dump), {
        headers: { "content-length": String(dump.length) },
      });
    expect(await run(world)).to.include({ outcome: "captured", status: "success" });
  });

  it("keeps a much smaller dump as suspect, which counts as a failure and is no yardstick", async () => {
    const world = await claimed();
    const first = (await run(world)) as { id: string };
    world.pace.advance(60 * 60_000);
    world.source.tables = { authentication_user: 7, patients_patient: 0 };
    const result = (await run(world)) as Captured;
    expect(result).to.include({ outcome: "captured", status: "suspect" });
    expect(result.notes.join()).to.contain("patients_patient is empty").and.contain(first.id);
    expect(world.metrics.at(-1)).to.include({ CaptureFailed: 1 });
    world.pace.advance(60 * 60_000);
    expect(await run(world)).to.include({ status: "suspect" });
    expect(world.manifests().at(-1).assessment.comparedWith).to.equal(first.id);
  });

  it("uses a capture whose start got no answer, and does not remove it", async () => {
    const world = await claimed();
    world.heroku.lostAnswer = "capture";
    expect(await run(world)).to.include({ outcome: "captured", status: "success" });
    expect(world.heroku.transfersByNum.size).to.equal(1);
  });

  it("ends in its own words at the time limit, and tidies up", async () => {
    const world = await claimed();
    const limit = new AbortController();
    world.heroku.polls = Number.POSITIVE_INFINITY;
    world.pace.onSleep = () => limit.abort(new UscPisError("time_limit", "the capture did not end within its 5 s"));
    const error = await failure(capture(HOURLY, world.settings, world.ports, limit.signal));
    expect(error.code).to.equal("time_limit");
    expect((await world.runs.newest(1))[0]?.error?.code).to.equal("time_limit");
    expect(world.heroku.transfersByNum.size).to.equal(0);
  });

  it("sees a slot that is done without the lock, but believes the vault, not the record", async () => {
    const world = await claimed();
    await run(world);
    const untouched = world.runs.acquireLock;
    world.runs.acquireLock = async () => {
      throw new Error("the lock was asked for");
    };
    world.pace.advance(15 * 60_000);
    expect(await run(world)).to.include({ outcome: "already_done" });
    world.runs.acquireLock = untouched;
    for (const key of [...world.primary.objects.keys()]) if (key.endsWith("manifest.json")) world.primary.hide(key);
    expect((await run(world)).outcome, "its manifest is gone").to.equal("captured");
  });

  it("does it once when two run beside each other", async () => {
    const world = await claimed();
    world.heroku.polls = 5;
    const outcomes = (await Promise.all([run(world), run(world), run(world)])).map((each) => each.outcome).sort();
    expect(outcomes).to.deep.equal(["busy", "busy", "captured"]);
    expect(world.manifests()).to.have.lengthOf(1);
  });

  it("lets a manual capture wait for the one at work", async () => {
    const world = await claimed();
    world.heroku.polls = 5;
    const manual: CaptureRequest = { trigger: "manual", requestedBy: "ana" };
    const first = run(world);
    while (world.runs.locks.size === 0) await new Promise((resolve) => setImmediate(resolve));
    const results = await Promise.all([first, run(world, manual)]);
    expect(results.map((each) => each.outcome)).to.deep.equal(["captured", "captured"]);
    expect(world.manifests()).to.have.lengthOf(2);
  });

  for (const when of ["before", "after"] as const) {
    it(`is whole again after being killed ${when} any of its steps`, async () => {
      for (let step = 1; ; step++) {
        const world = await claimed();
        world.heroku.polls = 2;
        const { ports, state } = mortal(world.ports, step, when);
        await capture(HOURLY, world.settings, ports, never()).catch(() => undefined);
        if (!state.dead) {
          expect(step).to.be.greaterThan(25);
          break;
        }
        const at = `step ${step} (${state.last})`;
        world.pace.advance(10 * 60_000);
        const result = await run(world);
        expect(result.outcome, at).to.be.oneOf(["captured", "already_done"]);
        const manifests = world.manifests();
        expect(manifests, at).to.have.lengthOf(1);
        expect((await world.runs.get(manifests[0].id))?.status, at).to.equal("success");
        expect(
          (await world.runs.newest(9)).filter((each) => each.status === "in_progress"),
          at,
        ).to.deep.equal([]);
        // A copy that Heroku began without our learning its number might be an administrator's: it stays.
        const unknown = state.last === "startCapture" || (state.last === "put" && when === "before");
        expect(world.heroku.transfersByNum.size, at).to.be.at.most(unknown ? 1 : 0);
        const held = await world.runs.acquireLock("database", "somebody else", world.pace.now(), 1000);
        expect(held, `${at}: a lock that still holds`).to.equal(true);
      }
    });
  }
});
