import { expect } from "chai";
import { type Json, startTestHeroku, type TestClient, type TestHeroku } from "../support/heroku";

const RealDate = Date;
const HOUR_MS = 3_600_000;
let offsetMs = 0;

/** A clock that runs on and can be set ahead; the emulator of this test lives in the same process. */
class ShiftedDate extends RealDate {
  constructor(...parts: [] | [string | number | Date]) {
    if (parts.length === 0) super(RealDate.now() + offsetMs);
    else super(parts[0]);
  }

  static override now(): number {
    return RealDate.now() + offsetMs;
  }
}

/** Sets the clock ahead to the next time that it is this hour and minute (UTC), some days on. */
function jumpTo(hour: number, minute: number, days = 0): void {
  const now = new Date();
  const then = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + days, hour, minute);
  offsetMs += (then <= now.getTime() ? then + 24 * HOUR_MS : then) - now.getTime();
}

describe("heroku emulator: schedules under a clock that jumps", function () {
  this.timeout(60_000);
  let heroku: TestHeroku;
  let client: TestClient;
  let path: string;
  before(async () => {
    globalThis.Date = ShiftedDate as DateConstructor;
    heroku = await startTestHeroku();
    client = heroku.client;
    await client.createApp("usc-pis");
    const { id } = await client.addAddon("usc-pis", "heroku-postgresql:essential-0");
    path = `/client/v11/databases/${id}/transfer-schedules`;
    await client.ok("POST", path, { hour: "02", timezone: "UTC", schedule_name: "DATABASE_URL" });
  });
  after(async () => {
    globalThis.Date = RealDate;
    await heroku.stop();
  });

  const run = (body: object = {}): Promise<Json> =>
    client.ok("POST", "/_control/schedules/run", { wait: true, ...body });
  const next = async (): Promise<string> => (await client.ok("GET", "/_control/schedules/next")).next;
  const scheduled = async (): Promise<Json[]> =>
    (await client.ok("GET", "/client/v11/apps/usc-pis/transfers")).filter((one: Json) => one.schedule !== null);

  it("runs what is due, once in its hour, and waits for the dump", async () => {
    jumpTo(1, 30);
    await run();
    expect(await scheduled()).to.deep.equal([]);
    const slot = new Date(Date.now() + HOUR_MS / 2).toISOString();
    expect((await next()).slice(0, 16)).to.equal(slot.slice(0, 16));
    jumpTo(2, 5);
    expect(Math.abs(Date.parse(await next()) - Date.now())).to.be.lessThan(60_000);
    const first = await run();
    expect(first.transfers[0]).to.include({ num: 1, succeeded: true });
    expect(await run()).to.deep.equal({ started: 0, transfers: [] });
    expect(await next()).to.match(/T02:00:00\.000Z$/);
    expect((await scheduled())[0]).to.deep.include({ from_name: "DATABASE", num_keep: null, succeeded: true });
  });

  it("does not make up for a slot that was jumped over, and finds the next one", async () => {
    jumpTo(3, 0, 2);
    await run();
    expect(await scheduled()).to.have.length(1);
    jumpTo(2, 55);
    await run();
    expect(await scheduled()).to.have.length(2);
  });

  it("takes one at any hour when forced, and refuses a time that is none", async () => {
    jumpTo(12, 0);
    expect((await run({ at: new Date().toISOString() })).started).to.equal(0);
    const refused = await client.send("POST", "/_control/schedules/run", { at: "soon" });
    expect([refused.status, refused.body.message]).to.deep.equal([422, "at must be a time, not soon."]);
    expect((await run({ force: true })).started).to.equal(1);
  });

  it("keeps seven days of scheduled backups on an essential plan; manual ones stay, whatever their age", async () => {
    const manual = await client.capture(path.split("/")[4] ?? "", "usc-pis");
    expect(manual).to.include({ num_keep: 5, schedule: null });
    for (let day = 0; day < 10; day++) {
      jumpTo(2, 10);
      await run();
    }
    const ages = (await scheduled()).map((one) =>
      Math.floor((Date.now() - Date.parse(one.created_at)) / (24 * HOUR_MS)),
    );
    expect(ages.sort((a, b) => a - b)).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
    expect((await client.ok("GET", `/client/v11/apps/usc-pis/transfers/${manual.uuid}`)).succeeded).to.equal(true);
    expect((await client.send("GET", "/client/v11/apps/usc-pis/transfers/1")).status).to.equal(410);
  });

  it("lets public URLs end with the clock", async () => {
    const [latest] = (await scheduled()).slice(-1);
    const { url } = await client.ok("POST", `/client/v11/apps/usc-pis/transfers/${latest.num}/actions/public-url`);
    expect((await fetch(url)).status).to.equal(200);
    offsetMs += 11 * 60_000;
    expect((await fetch(url)).status).to.equal(403);
  });

  it("has nothing to run once the schedule is gone", async () => {
    const [schedule] = await client.ok("GET", path);
    await client.ok("DELETE", `${path}/${schedule.uuid}`);
    expect(await client.ok("GET", "/_control/schedules/next")).to.deep.equal({ next: null });
    expect((await run({ force: true })).started).to.equal(0);
  });
});
