import { expect } from "chai";
import {
  parseCaptureEvent,
  parseMediaEvent,
  readCaptureEnvironment,
  readMediaEnvironment,
} from "../../../functions/environment";

const GOOD = {
  SYSTEM: "usc-pis",
  APP: "usc-pis",
  PRIMARY_REGION: "ap-southeast-1",
  REPLICA_REGION: "ap-northeast-1",
  VAULT_BUCKET: "a",
  REPLICA_BUCKET: "b",
  RUN_TABLE: "e",
  SECRET_ARN: "f",
  RETENTION_DAYS: "{}",
  HEROKU_SCHEDULE: "02:00 UTC",
};

describe("the environment of the capture function", () => {
  it("is read with its defaults", () => {
    const read = readCaptureEnvironment(GOOD);
    expect(read).to.deep.include({ intervalMinutes: 60, herokuSchedule: { hour: 2, timezone: "UTC" } });
    expect(read.retention).to.include({ hourly: 2, critical: 366 });
    expect(read).to.not.have.any.keys("herokuApiUrl", "maxDumpBytes");
  });

  it("names each variable that is missing", () => {
    for (const name of Object.keys(GOOD)) {
      for (const value of [undefined, ""]) {
        expect(() => readCaptureEnvironment({ ...GOOD, [name]: value }), name).to.throw(`environment variable ${name}`);
      }
    }
  });

  it("names each variable that is wrong", () => {
    const wrong = {
      RETENTION_DAYS: ["x", "[]", '{"hourly":1}', '{"yearly":9}', '{"daily":"9"}'],
      HEROKU_SCHEDULE: ["02:30 UTC"],
      CAPTURE_INTERVAL_MINUTES: ["7", "300", "x"],
      MAX_DUMP_BYTES: ["-1", "1e9"],
      HEROKU_API_URL: ["nowhere"],
    };
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        expect(() => readCaptureEnvironment({ ...GOOD, [name]: value }), value).to.throw(
          `environment variable ${name}`,
        );
      }
    }
  });
});

describe("the event of the capture function", () => {
  it("is taken as the scheduler and the command line send it, and refused otherwise", () => {
    expect(parseCaptureEvent({ trigger: "schedule", requestedBy: "scheduler" })).to.include({ trigger: "schedule" });
    expect(parseCaptureEvent({ trigger: "manual", requestedBy: "ana", class: "critical", request: "r" })).to.include({
      class: "critical",
    });
    for (const event of [
      undefined,
      {},
      { trigger: "cron", requestedBy: "x" },
      { trigger: "manual", requestedBy: "x", class: "yearly" },
    ]) {
      expect(() => parseCaptureEvent(event)).to.throw("invalid event");
    }
  });
});

describe("the environment of the media sync", () => {
  const { RETENTION_DAYS: _, HEROKU_SCHEDULE: __, ...common } = GOOD;
  const good = { ...common, MEDIA_BUCKET: "m", CLOUDINARY_CLOUD_NAME: "clinic" };

  it("is read, and each variable that is missing or wrong is named", () => {
    expect(readMediaEnvironment(good)).to.include({ mediaBucket: "m", cloudName: "clinic", app: "usc-pis" });
    expect(readMediaEnvironment({ ...good, MAX_VANISHED_SHARE: "0.3" }).maxVanishedShare).to.equal(0.3);
    for (const name of Object.keys(good)) {
      expect(() => readMediaEnvironment({ ...good, [name]: "" }), name).to.throw(`environment variable ${name}`);
    }
    for (const share of ["-0.1", "1.1", "x", "20%"]) {
      expect(() => readMediaEnvironment({ ...good, MAX_VANISHED_SHARE: share }), share).to.throw("a share from 0 to 1");
    }
    expect(() => readMediaEnvironment({ ...good, CLOUDINARY_API_URL: "nowhere" })).to.throw("CLOUDINARY_API_URL");
  });
});

describe("the event of the media sync", () => {
  it("lets a person accept deletions, but no schedule", () => {
    const manual = { trigger: "manual", requestedBy: "ana", acceptDeletions: true };
    expect(parseMediaEvent(manual)).to.deep.equal(manual);
    expect(parseMediaEvent({ trigger: "schedule", requestedBy: "schedule" }).trigger).to.equal("schedule");
    for (const event of [{ ...manual, trigger: "schedule" }, {}, null, "x", { trigger: "webhook", requestedBy: "x" }]) {
      expect(() => parseMediaEvent(event)).to.throw("invalid event");
    }
  });
});
