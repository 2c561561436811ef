import { expect } from "chai";
import * as fc from "fast-check";
import { BackupId } from "../../../backup/backup-id";
import { capture } from "../../../backup/capture";
import { BACKUP_CLASSES, type BackupClass, dueClass } from "../../../backup/classes";
import { DAY_MS, HOUR_MS } from "../../../backup/duration";
import { backupKeys } from "../../../backup/layout";
import { RecentBackups } from "../../../backup/recent-backups";
import { slotOf } from "../../../backup/slot";
import { World } from "./support/world";

const NOW = new Date("2026-05-13T14:17:00Z");

interface Past {
  backupClass: BackupClass;
  hoursAgo: number;
  status: "success" | "suspect";
  readable: boolean;
}

/** A vault that holds these backups, each with a manifest made from one that a real run wrote. */
async function vaultWith(past: readonly Past[]) {
  const world = new World(NOW.toISOString());
  await world.claim();
  await capture(
    { trigger: "schedule", requestedBy: "test" },
    world.settings,
    world.ports,
    new AbortController().signal,
  );
  const [sample] = world.manifests();
  world.primary.objects.clear();
  const all = past.map(({ backupClass, hoursAgo, status, readable }, index) => {
    const takenAt = new Date(NOW.getTime() - hoursAgo * HOUR_MS - index * 1000);
    const id = BackupId.create(takenAt, Buffer.from([0, 0, 0, index])).text;
    const keys = backupKeys(backupClass, "usc-pis", id);
    const manifest = {
      ...sample,
      id,
      class: backupClass,
      slot: slotOf(takenAt).name,
      takenAt: takenAt.toISOString(),
      startedAt: takenAt.toISOString(),
      dump: { ...sample.dump, key: keys.dump },
      assessment: { status, reasons: status === "success" ? [] : ["smaller"] },
    };
    world.primary.add(keys.manifest, Buffer.from(readable ? JSON.stringify(manifest) : "<html>"));
    return { id, backupClass, takenAt, good: status === "success" && readable, readable };
  });
  let reads = 0;
  const counting = {
    list: world.primary.list.bind(world.primary),
    getText: (key: string) => {
      reads++;
      return world.primary.getText(key);
    },
  };
  const recent = await RecentBackups.list(counting, "usc-pis", new Date(NOW.getTime() - 40 * DAY_MS));
  return { recent, all, reads: () => reads };
}

const pastBackup = fc.record({
  backupClass: fc.constantFrom(...BACKUP_CLASSES),
  hoursAgo: fc.integer({ min: 0, max: 38 * 24 }),
  status: fc.constantFrom("success" as const, "success" as const, "suspect" as const),
  readable: fc.integer({ min: 0, max: 9 }).map((luck) => luck > 0),
});

describe("recent backups", () => {
  it("tells the same due class as all manifests together would", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(pastBackup, { maxLength: 25 }), async (past) => {
        const { recent, all } = await vaultWith(past);
        const good = all.filter((each) => each.good);
        expect(dueClass(NOW, await recent.filling(NOW))).to.equal(dueClass(NOW, good));
        const newest = good
          .map(({ id }) => id)
          .sort()
          .at(-1);
        expect((await recent.newestGood())?.id).to.equal(newest);
        const here = slotOf(NOW);
        const inSlot = all.filter((each) => each.readable && each.takenAt >= here.start && each.takenAt < here.end);
        expect((await recent.inSlot(here))?.id).to.equal(
          inSlot
            .map(({ id }) => id)
            .sort()
            .at(-1),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("reads one manifest to see that a slot has its backup, however many there are", async () => {
    const past = Array.from({ length: 48 }, (_, hoursAgo): Past => {
      return { backupClass: "hourly", hoursAgo, status: "success", readable: true };
    });
    const { recent, reads } = await vaultWith(past);
    expect(await recent.inSlot(slotOf(NOW))).to.not.equal(undefined);
    expect(reads()).to.equal(1);
    await recent.newestGood();
    await recent.filling(NOW);
    expect(reads(), "an hourly one fills no period").to.equal(1);
    expect(await recent.inSlot(slotOf(new Date(NOW.getTime() + HOUR_MS))), "the next slot").to.equal(undefined);
  });

  it("passes over a manifest that cannot be read", async () => {
    const { recent, all } = await vaultWith([
      { backupClass: "hourly", hoursAgo: 0, status: "success", readable: false },
      { backupClass: "hourly", hoursAgo: 1, status: "success", readable: true },
    ]);
    expect(await recent.inSlot(slotOf(NOW))).to.equal(undefined);
    expect((await recent.newestGood())?.id).to.equal(all[1]?.id);
  });
});
