import { expect } from "chai";
import fc from "fast-check";
import { BackupId } from "../../../backup/backup-id";
import {
  BACKUP_CLASSES,
  dueClass,
  MINIMUM_RETENTION_DAYS,
  type PastBackup,
  parseBackupClass,
  periodStart,
  resolveRetention,
  retainUntil,
} from "../../../backup/classes";
import { Digest } from "../../../backup/digest";
import { DAY_MS, Duration, HOUR_MS } from "../../../backup/duration";
import { backupKeys, backupPrefix } from "../../../backup/layout";
import { formatDailySchedule, parseDailySchedule, slotOf } from "../../../backup/slot";

const moment = fc.date({
  min: new Date("2020-01-01T00:00:00Z"),
  max: new Date("2060-01-01T00:00:00Z"),
  noInvalidDate: true,
});
const intervals = [1, 5, 15, 30, 60, 90, 120, 240].filter((minutes) => 1440 % minutes === 0);

describe("backup ids", () => {
  it("sort as text in the order of their seconds, and say when they began", () => {
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        const [first, second] = [BackupId.create(a), BackupId.create(b)];
        expect(first.startedAt.getTime()).to.equal(Math.floor(a.getTime() / 1000) * 1000);
        if (first.startedAt < second.startedAt) expect(first.text < second.text).to.equal(true);
        expect(BackupId.parse(first.text).text).to.equal(first.text);
        expect(first.text >= BackupId.lowerBound(a)).to.equal(true);
      }),
    );
  });

  it("refuse what only looks like one", () => {
    for (const text of [
      "",
      "b001",
      "20260523T141732Z",
      "20261323T141732Z-3f9a1c07",
      "20260231T141732Z-3f9a1c07",
      "20260523T141732Z-3F9A1C07",
    ]) {
      expect(() => BackupId.parse(text), text).to.throw("invalid backup id");
    }
  });
});

describe("slots", () => {
  it("hold their moment, follow each other without gaps, and never change within", () => {
    fc.assert(
      fc.property(moment, fc.constantFrom(...intervals), (at, minutes) => {
        const slot = slotOf(at, minutes);
        expect(slot.start <= at && at < slot.end).to.equal(true);
        expect(slot.end.getTime() - slot.start.getTime()).to.equal(minutes * 60_000);
        expect(slotOf(slot.start, minutes).name).to.equal(slot.name);
        expect(slotOf(new Date(slot.end.getTime() - 1), minutes).name).to.equal(slot.name);
        expect(slotOf(slot.end, minutes).start.getTime()).to.equal(slot.end.getTime());
      }),
    );
  });

  it("refuse an interval that breaks RPO or does not divide a day", () => {
    for (const minutes of [0, -60, 7, 300, 1440, 0.5])
      expect(() => slotOf(new Date(), minutes)).to.throw("invalid capture interval");
  });

  it("read Heroku's daily schedule", () => {
    expect(parseDailySchedule("02:00 UTC")).to.deep.equal({ hour: 2, timezone: "UTC" });
    expect(formatDailySchedule(parseDailySchedule("4:00 Asia/Manila"))).to.equal("04:00 Asia/Manila");
    expect(parseDailySchedule("23:00")).to.deep.equal({ hour: 23, timezone: "UTC" });
    for (const text of ["02:30 UTC", "24:00 UTC", "UTC", "", "02:00 Mars/Olympus"]) {
      expect(() => parseDailySchedule(text), text).to.throw("invalid daily schedule");
    }
  });
});

/** Runs the hourly job over a stretch of time, failing where told, and gives what it took. */
function simulate(start: Date, hours: number, fails: (hour: number) => boolean): PastBackup[] {
  const taken: PastBackup[] = [];
  for (let hour = 0; hour < hours; hour++) {
    if (fails(hour)) continue;
    const takenAt = new Date(start.getTime() + hour * HOUR_MS);
    taken.push({ backupClass: dueClass(takenAt, taken.slice(-1000)), takenAt });
  }
  return taken;
}

describe("classes", () => {
  it("give each month, ISO week and day with a success exactly one backup that stands for it", () => {
    fc.assert(
      fc.property(moment, fc.array(fc.boolean(), { minLength: 24 * 9, maxLength: 24 * 9 }), (start, failing) => {
        const taken = simulate(start, 24 * 40, (hour) => failing[hour % failing.length] === true);
        for (const period of ["monthly", "weekly", "daily"] as const) {
          const rank = BACKUP_CLASSES.indexOf(period);
          const starts = new Set(taken.map(({ takenAt }) => periodStart(period, takenAt)?.getTime()));
          for (const at of starts) {
            const inside = taken.filter(({ takenAt }) => periodStart(period, takenAt)?.getTime() === at);
            const lasting = inside.filter(({ backupClass }) => BACKUP_CLASSES.indexOf(backupClass) <= rank);
            expect(lasting[0]?.takenAt, "the first success stands for it").to.equal(inside[0]?.takenAt);
            expect(inside.filter(({ backupClass }) => backupClass === period).length).to.be.at.most(1);
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  it("keep what D3 promises: at any time each day, week and month it reaches back to still has a backup", () => {
    const start = new Date("2026-01-01T00:17:00Z");
    const taken = simulate(start, 24 * 200, (hour) => hour % 7 === 3);
    const now = taken.at(-1)?.takenAt as Date;
    const alive = taken.filter(
      ({ backupClass, takenAt }) => retainUntil(backupClass, takenAt, MINIMUM_RETENTION_DAYS) > now,
    );
    for (let days = 0; days < 7; days++) {
      const day = new Date(now.getTime() - days * DAY_MS).toISOString().slice(0, 10);
      expect(
        alive.some(({ takenAt }) => takenAt.toISOString().startsWith(day)),
        day,
      ).to.equal(true);
    }
    const months = new Set(alive.map(({ takenAt }) => takenAt.toISOString().slice(0, 7)));
    expect([...months].sort()).to.include.members(["2026-05", "2026-06", "2026-07"]);
    for (let weeks = 0; weeks < 4; weeks++) {
      const week = periodStart("weekly", new Date(now.getTime() - weeks * 7 * DAY_MS))?.getTime();
      expect(
        alive.some(({ takenAt }) => periodStart("weekly", takenAt)?.getTime() === week),
        `week ${weeks}`,
      ).to.equal(true);
    }
    expect(alive.filter(({ takenAt }) => now.getTime() - takenAt.getTime() <= 2 * DAY_MS).length).to.be.at.least(40);
  });

  it("let a critical one fill the month, but never an hourly one taken by hand", () => {
    const at = new Date("2026-06-01T10:00:00Z");
    const earlier = new Date("2026-06-01T00:05:00Z");
    expect(dueClass(at, [{ backupClass: "critical", takenAt: earlier }])).to.equal("hourly");
    expect(dueClass(at, [{ backupClass: "hourly", takenAt: earlier }])).to.equal("monthly");
    expect(dueClass(at, [])).to.equal("monthly");
  });

  it("begin weeks on Monday, also across a year's end", () => {
    expect(periodStart("weekly", new Date("2027-01-03T23:59:59Z"))?.toISOString()).to.equal("2026-12-28T00:00:00.000Z");
    expect(periodStart("weekly", new Date("2027-01-04T00:00:00Z"))?.toISOString()).to.equal("2027-01-04T00:00:00.000Z");
  });

  it("hold a backup at least as long as its class says, and a shorter retention is refused", () => {
    fc.assert(
      fc.property(moment, fc.constantFrom(...BACKUP_CLASSES), fc.nat(500), (at, name, more) => {
        const days = resolveRetention({ [name]: MINIMUM_RETENTION_DAYS[name] + more });
        const held = retainUntil(name, at, days).getTime() - at.getTime();
        expect(held).to.be.at.least((MINIMUM_RETENTION_DAYS[name] + more) * DAY_MS);
        expect(held).to.be.below((MINIMUM_RETENTION_DAYS[name] + more) * DAY_MS + 60_000);
      }),
    );
    for (const name of BACKUP_CLASSES) {
      expect(() => resolveRetention({ [name]: MINIMUM_RETENTION_DAYS[name] - 1 })).to.throw("invalid retention");
      expect(() => resolveRetention({ [name]: 1000.5 })).to.throw("invalid retention");
    }
    expect(() => parseBackupClass("yearly")).to.throw("unknown backup class");
  });
});

describe("keys", () => {
  it("begin with class, then system, then id, and no backup's prefix holds another's", () => {
    fc.assert(
      fc.property(fc.constantFrom(...BACKUP_CLASSES), moment, moment, (name, a, b) => {
        const [first, second] = [BackupId.create(a).text, BackupId.create(b).text];
        const keys = backupKeys(name, "usc-pis", first);
        for (const key of Object.values(keys)) expect(key.startsWith(`${name}/usc-pis/${first}/`)).to.equal(true);
        if (first !== second) expect(keys.dump.startsWith(backupPrefix(name, "usc-pis", second))).to.equal(false);
      }),
    );
  });
});

describe("durations and digests", () => {
  it("print what they were read from", () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), (milliseconds) => {
        const text = Duration.ofMilliseconds(milliseconds).toString();
        expect(Duration.parse(text).milliseconds).to.equal(milliseconds);
      }),
    );
    expect(Duration.parse("120s").toString()).to.equal("2m");
    for (const text of ["", "5", "-1s", "1.5h", "3 m", "1w"])
      expect(() => Duration.parse(text)).to.throw("invalid duration");
  });

  it("say the same in hex and base64", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const digest = Digest.ofBytes(bytes);
        expect(Digest.fromBase64(digest.base64).equals(digest)).to.equal(true);
        expect(Digest.parse(digest.hex.toUpperCase()).hex).to.equal(digest.hex);
      }),
    );
    expect(() => Digest.parse("abc")).to.throw("invalid SHA-256");
    expect(() => Digest.fromBase64("abcd")).to.throw("invalid SHA-256");
  });
});
