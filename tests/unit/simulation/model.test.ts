import { expect } from "chai";
import * as fc from "fast-check";
import { BACKUP_CLASSES, MINIMUM_RETENTION_DAYS } from "../../../backup/classes";
import { vaultLifecycleRules } from "../../../components/lifecycle-rules";
import { nextRun, planKey } from "../../../sandbox/aws/lifecycle/plan";
import { readRules } from "../../../sandbox/aws/lifecycle/rules";
import { planIncidents } from "../../../sandbox/simulation/incidents";
import { compareEpisodes, expectBackups, failures, judgeSlots, silences } from "../../../sandbox/simulation/model";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5, 14, 16);
const at = (hours: number) => new Date(START + hours * HOUR);

describe("what AWS would show after the simulated time", () => {
  it("says of each backup what the lifecycle's own plan does to it, day by day", () => {
    const { rules } = readRules(
      vaultLifecycleRules(MINIMUM_RETENTION_DAYS).map(
        ({
          id,
          status,
          filter,
          expiration,
          noncurrentVersionExpiration: noncurrent,
          abortIncompleteMultipartUpload,
        }) => ({
          ID: id,
          Status: status,
          Filter: { Prefix: filter.prefix },
          ...(expiration === undefined
            ? {}
            : {
                Expiration: "days" in expiration ? { Days: expiration.days } : { ExpiredObjectDeleteMarker: true },
              }),
          ...(noncurrent === undefined
            ? {}
            : { NoncurrentVersionExpiration: { NoncurrentDays: noncurrent.noncurrentDays } }),
          ...(abortIncompleteMultipartUpload === undefined
            ? {}
            : {
                AbortIncompleteMultipartUpload: {
                  DaysAfterInitiation: abortIncompleteMultipartUpload.daysAfterInitiation,
                },
              }),
        }),
      ),
    );
    const details = { tags: {}, retainUntil: undefined, legalHold: false, replication: undefined };
    fc.assert(
      fc.property(fc.constantFrom(...BACKUP_CLASSES), fc.integer({ min: 0, max: 1439 }), (backupClass, minute) => {
        const storedAt = new Date(START + minute * 60_000);
        const key = `${backupClass}/usc-pis/x/manifest.json`;
        type Version = Parameters<typeof planKey>[1][number];
        let versions: Version[] = [
          { key, versionId: "v", createdAt: storedAt, isMarker: false, size: 1, details } as Version,
        ];
        const days = MINIMUM_RETENTION_DAYS[backupClass] + 5;
        for (let now = nextRun(storedAt); now.getTime() < storedAt.getTime() + days * DAY; now = nextRun(now)) {
          for (const action of planKey(rules, versions, now)) {
            if (action.kind === "expire")
              versions = [
                {
                  key,
                  versionId: "m",
                  createdAt: new Date(now.getTime() + 5_000),
                  isMarker: true,
                  size: 0,
                  details,
                } as Version,
                ...versions,
              ];
            else if (action.kind === "delete")
              versions = versions.filter(({ versionId }) => versionId !== action.version.versionId);
          }
          const look = new Date(now.getTime() + 2 * HOUR);
          const [expected] = expectBackups([{ id: "x", backupClass, storedAt }], look);
          const left = versions.filter(({ isMarker }) => !isMarker).length;
          const is = left === 0 ? "gone" : versions[0]?.isMarker ? "hidden" : "current";
          expect(is, `${backupClass} ${look.toISOString()}`).to.equal(expected?.state);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("misses slots that no incident explains, and sees doubled ones", () => {
    const slot = (hours: number) => `${new Date(Date.UTC(2026, 0, 5, 15) + hours * HOUR).toISOString().slice(0, 16)}Z`;
    const lost = [{ begin: at(2), end: at(3) }];
    const all = [0, 1, 2, 3, 4].map(slot);
    expect(judgeSlots(at(0), at(6), all, [])).to.deep.include({ missing: [], doubled: [] });
    expect(judgeSlots(at(0), at(6), [slot(0), slot(3), slot(4), slot(4)], lost)).to.deep.include({
      missing: [],
      doubled: [slot(4)],
    });
    expect(judgeSlots(at(0), at(6), [slot(0), slot(4)], lost).missing).to.deep.equal([slot(3)]);
  });

  it("rings a switch after silence and a counter for failures, and compares the mails", () => {
    const quiet = silences([at(0), at(1), at(5), at(6)], 2 * HOUR, 900_000);
    expect(quiet).to.have.lengthOf(1);
    const told = [
      { state: "ALARM" as const, at: at(3.1) },
      { state: "OK" as const, at: at(5.02) },
    ];
    expect(compareEpisodes("switch", told, quiet)).to.deep.equal([]);
    expect(compareEpisodes("switch", told.slice(0, 1), quiet)[0]).to.match(/no mail of OK/);
    expect(compareEpisodes("switch", told, [])[0]).to.match(/was not expected/);
    expect(compareEpisodes("switch", [{ state: "ALARM", at: at(4) }, ...told.slice(1)], quiet)[0]).to.match(
      /expected ALARM/,
    );
    expect(failures([at(0), at(0.25), at(0.5), at(2)], 300_000)).to.have.lengthOf(2);
    expect(failures([], 300_000)).to.deep.equal([]);
  });

  it("plans incidents within the time, none beside another, fewer in a short one", () => {
    for (const days of [2, 3, 4, 7, 30, 91, 400]) {
      const incidents = planIncidents(new Date(START), days);
      const ends = incidents.map(({ end }) => end.getTime());
      for (const [index, { begin }] of incidents.entries()) {
        expect(begin.getTime()).to.be.greaterThan(START + HOUR);
        if (index > 0) expect(begin.getTime()).to.be.greaterThan((ends[index - 1] ?? 0) + 6 * HOUR);
      }
      expect(Math.max(START, ...ends), `${days} days`).to.be.lessThan(START + days * DAY);
    }
    expect(planIncidents(new Date(START), 91)).to.have.lengthOf(4);
    expect(planIncidents(new Date(START), 2)).to.have.lengthOf(0);
  });
});
