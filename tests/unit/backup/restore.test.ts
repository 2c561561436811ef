import { expect } from "chai";
import { capture } from "../../../backup/capture";
import { UscPisError } from "../../../backup/errors";
import { type RestoreRequest, restoreDatabase, restoreStatus } from "../../../backup/restore";
import { CLINIC, mortal, World } from "./support/world";

const REQUEST: RestoreRequest = { system: "usc-pis", app: "usc-pis-r", database: "db-2" };
const HOUR = 60 * 60_000;

async function failure(work: Promise<unknown>): Promise<UscPisError> {
  try {
    await work;
  } catch (error) {
    return error as UscPisError;
  }
  throw new Error("it did not fail");
}

/** A world with backups an hour apart; the nth holds n more patients than the first. */
async function withBackups(count: number): Promise<{ world: World; ids: string[] }> {
  const world = new World();
  await world.claim();
  for (let n = 0; n < count; n++) {
    world.source.tables.patients_patient = 5 + n;
    const request = { trigger: "schedule", requestedBy: "scheduler" } as const;
    await capture(request, world.settings, world.ports, new AbortController().signal);
    world.pace.advance(HOUR);
  }
  world.replicate();
  return { world, ids: world.manifests().map((manifest) => manifest.id) };
}

const dumpKey = (world: World, id: string) => world.manifests().find((each) => each.id === id).dump.key as string;

describe("restoreDatabase", () => {
  it("restores the newest complete backup and proves it by its rows", async () => {
    const { world, ids } = await withBackups(3);
    const result = await restoreDatabase(REQUEST, world.restorePorts);
    expect(result).to.include({ backupId: ids[2], side: "primary" });
    expect(result.tables).to.deep.equal({ ...CLINIC, patients_patient: 7 });
    expect(world.target.tables).to.deep.equal(result.tables);
    expect(await restoreStatus(REQUEST, world.restorePorts)).to.deep.equal(result);
  });

  it("takes the backup that is asked for, or the newest one before a time", async () => {
    const { world, ids } = await withBackups(3);
    const before = new Date(Date.parse(world.manifests()[1].takenAt) + 1_000);
    expect(await restoreDatabase({ ...REQUEST, before }, world.restorePorts)).to.include({ backupId: ids[1] });
    const { world: other, ids: others } = await withBackups(3);
    const backup = others[0] as string;
    expect(await restoreDatabase({ ...REQUEST, backup }, other.restorePorts)).to.include({ backupId: backup });
  });

  it("asks a database again whose connections a restore beside it cuts, but not for ever", async () => {
    const cut = (times: number, world: World) => {
      let left = times;
      return {
        ...world.restorePorts,
        inspect: async (...args: Parameters<typeof world.restorePorts.inspect>) => {
          if (left-- > 0) throw new UscPisError("database_failed", "terminating connection");
          return world.restorePorts.inspect(...args);
        },
      };
    };
    const { world, ids } = await withBackups(1);
    expect(await restoreDatabase(REQUEST, cut(4, world))).to.include({ backupId: ids[0] });
    const { world: lost } = await withBackups(1);
    expect((await failure(restoreDatabase(REQUEST, cut(5, lost)))).code).to.equal("database_failed");
  });

  it("ignores a backup whose manifest was never written, and says when there is none", async () => {
    const { world, ids } = await withBackups(2);
    for (const vault of [world.primary, world.replica]) {
      for (const key of vault.objects.keys())
        if (key.includes(ids[1] as string) && key.endsWith("manifest.json")) vault.objects.delete(key);
    }
    expect(await restoreDatabase(REQUEST, world.restorePorts)).to.include({ backupId: ids[0] });
    expect((await failure(restoreDatabase(REQUEST, new World().restorePorts))).code).to.equal("no_backup");
  });

  it("reads past delete markers", async () => {
    const { world, ids } = await withBackups(2);
    world.replica.objects.clear();
    for (const key of world.primary.objects.keys()) world.primary.hide(key);
    expect(await restoreDatabase(REQUEST, world.restorePorts)).to.include({ backupId: ids[1], side: "primary" });
  });

  it("uses the replica when the primary side does not answer, and writes its marker there", async () => {
    const { world, ids } = await withBackups(2);
    world.primary.down = true;
    expect(await restoreDatabase(REQUEST, world.restorePorts)).to.include({ backupId: ids[1], side: "replica" });
    expect((await restoreStatus(REQUEST, world.restorePorts)).side).to.equal("replica");
    expect([...world.replica.objects.keys()]).to.include("restore/usc-pis/db-2.json");
  });

  it("says which sides do not answer when none does", async () => {
    const { world } = await withBackups(1);
    world.primary.down = world.replica.down = true;
    const error = await failure(restoreDatabase(REQUEST, world.restorePorts));
    expect(error.code).to.equal("vault_unreachable");
    expect(error.message).to.contain("primary").and.contain("replica");
  });

  it("refuses a database with rows in a critical table, unless told so by its name", async () => {
    const { world } = await withBackups(1);
    world.target.tables = { ...CLINIC, patients_patient: 1 };
    const error = await failure(restoreDatabase(REQUEST, world.restorePorts));
    expect(error.code).to.equal("database_not_empty");
    expect(error.message).to.contain("patients_patient 1");
    expect(world.target.tables.patients_patient).to.equal(1);
    const wrong = await failure(restoreDatabase({ ...REQUEST, overwrite: "usc-pis-r" }, world.restorePorts));
    expect(wrong.code).to.equal("bad_input");
    const allowed = { ...REQUEST, overwrite: "postgresql-new-2" };
    await restoreDatabase(allowed, world.restorePorts);
    expect(world.target.tables).to.deep.equal(CLINIC);
  });

  it("does not mind rows elsewhere", async () => {
    const { world } = await withBackups(1);
    world.target.tables = { django_session: 3 };
    expect(await restoreDatabase(REQUEST, world.restorePorts)).to.include({ side: "primary" });
  });

  it("restores once: asked again it tells what it did, though the app has written since", async () => {
    const { world } = await withBackups(1);
    const first = await restoreDatabase(REQUEST, world.restorePorts);
    world.pace.advance(1_000);
    world.target.tables.patients_patient = 99;
    expect(await restoreDatabase(REQUEST, world.restorePorts)).to.deep.equal(first);
    expect(world.target.tables.patients_patient).to.equal(99);
    expect([...world.heroku.transfersByNum.values()].filter((each) => each.to_type === "pg_restore")).to.have.lengthOf(
      1,
    );
  });

  it("restores again when the rows are gone, and another backup only over a permission", async () => {
    const { world, ids } = await withBackups(2);
    await restoreDatabase(REQUEST, world.restorePorts);
    world.pace.advance(1_000);
    world.target.tables = {};
    await restoreDatabase(REQUEST, world.restorePorts);
    expect(world.target.tables.patients_patient).to.equal(6);
    world.pace.advance(1_000);
    const older = { ...REQUEST, backup: ids[0] as string };
    expect((await failure(restoreDatabase(older, world.restorePorts))).code).to.equal("database_not_empty");
    expect(await restoreDatabase({ ...older, overwrite: "postgresql-new-2" }, world.restorePorts)).to.include({
      backupId: ids[0],
    });
  });

  it("falls back to older backups when a restore fails, but not from one that was chosen", async () => {
    const { world, ids } = await withBackups(3);
    world.heroku.restoreFails = (url) => url.includes(ids[2] as string);
    expect(await restoreDatabase(REQUEST, world.restorePorts)).to.include({ backupId: ids[1] });
    const { world: other, ids: others } = await withBackups(3);
    other.heroku.restoreFails = () => true;
    const error = await failure(restoreDatabase({ ...REQUEST, backup: others[2] as string }, other.restorePorts));
    expect(error.code).to.equal("transfer_failed");
    expect((await failure(restoreDatabase(REQUEST, other.restorePorts))).code).to.equal("restore_failed");
  });

  it("does not touch the database with a dump whose bytes are not those of its manifest", async () => {
    const { world, ids } = await withBackups(2);
    const newest = dumpKey(world, ids[1] as string);
    for (const vault of [world.primary, world.replica]) {
      const [stored] = vault.objects.get(newest) ?? [];
      if (stored) stored.bytes = Buffer.from(stored.bytes.map((byte, index) => (index === 700 ? byte ^ 1 : byte)));
    }
    expect(await restoreDatabase(REQUEST, world.restorePorts)).to.include({ backupId: ids[0] });
    expect(world.said.join()).to.contain("does not read as its manifest says");
  });

  it("takes the version that the manifest tells of when somebody wrote over the dump", async () => {
    const { world, ids } = await withBackups(1);
    world.primary.add(dumpKey(world, ids[0] as string), Buffer.from("PGDMP something else"));
    expect(await restoreDatabase(REQUEST, world.restorePorts)).to.include({ backupId: ids[0], side: "primary" });
    expect(world.target.tables).to.deep.equal(CLINIC);
  });

  it("goes to the other side for a dump that one side has lost", async () => {
    const { world, ids } = await withBackups(1);
    const [stored] = world.primary.objects.get(dumpKey(world, ids[0] as string)) ?? [];
    if (stored) stored.checksum = "other";
    expect(await restoreDatabase(REQUEST, world.restorePorts)).to.include({ backupId: ids[0], side: "replica" });
  });

  it("refuses another system's manifest", async () => {
    const { world } = await withBackups(1);
    for (const vault of [world.primary, world.replica]) {
      for (const [key, versions] of vault.objects) {
        if (!key.endsWith("manifest.json")) continue;
        const [stored] = versions;
        if (stored)
          stored.bytes = Buffer.from(stored.bytes.toString().replace('"system": "usc-pis"', '"system": "other"'));
      }
    }
    const error = await failure(restoreDatabase(REQUEST, world.restorePorts));
    expect(error.code).to.equal("other_system");
    expect(world.target.tables).to.deep.equal({});
  });

  it("prefers an older good backup to a suspect one, and takes the suspect one when it is asked for", async () => {
    const { world, ids } = await withBackups(1);
    world.source.tables = { authentication_user: 7 };
    const request = { trigger: "schedule", requestedBy: "scheduler" } as const;
    await capture(request, world.settings, world.ports, new AbortController().signal);
    const suspect = world.manifests().at(-1).id;
    expect(await restoreDatabase(REQUEST, world.restorePorts)).to.include({ backupId: ids[0] });
    const asked = { ...REQUEST, backup: suspect, overwrite: "postgresql-new-2" };
    expect(await restoreDatabase(asked, world.restorePorts)).to.include({ backupId: suspect });
  });

  it("fails when the restored rows are not the manifest's, and goes to an older one", async () => {
    const { world, ids } = await withBackups(2);
    const inspect = world.inspect;
    const lossy = async (url: string) => {
      const facts = await inspect(url);
      const tables = { ...facts.tables };
      if (url.endsWith("db-2") && tables.patients_patient === 6) tables.patients_patient = 5;
      return { ...facts, tables };
    };
    const ports = { ...world.restorePorts, inspect: lossy };
    expect(await restoreDatabase(REQUEST, ports)).to.include({ backupId: ids[0] });
    expect(world.said.join()).to.contain("table patients_patient has 5 rows, expected 6");
  });

  it("refuses a database of another app and an id that is none", async () => {
    const { world } = await withBackups(1);
    const wrong = { ...REQUEST, app: "usc-pis" };
    expect((await failure(restoreDatabase(wrong, world.restorePorts))).code).to.equal("bad_input");
    const bad = { ...REQUEST, backup: "b001" };
    expect((await failure(restoreDatabase(bad, world.restorePorts))).code).to.equal("bad_input");
  });

  it("uses a restore whose start got no answer", async () => {
    const { world } = await withBackups(1);
    world.heroku.lostAnswer = "restore";
    await restoreDatabase(REQUEST, world.restorePorts);
    expect([...world.heroku.transfersByNum.values()].filter((each) => each.to_type === "pg_restore")).to.have.lengthOf(
      1,
    );
  });

  it("does it once when two restore beside each other", async () => {
    for (const polls of [1, 3, 9]) {
      const { world, ids } = await withBackups(2);
      world.heroku.polls = polls;
      const results = await Promise.all([1, 2, 3].map(() => restoreDatabase(REQUEST, world.restorePorts)));
      for (const result of results) expect(result.backupId).to.equal(ids[1]);
      expect(world.target.tables).to.deep.equal({ ...CLINIC, patients_patient: 6 });
      const restores = [...world.heroku.transfersByNum.values()].filter((each) => each.to_type === "pg_restore");
      expect(restores, `with ${polls} polls`).to.have.lengthOf(1);
    }
  });

  for (const when of ["before", "after"] as const) {
    it(`ends with the right data after being killed ${when} any of its steps`, async () => {
      for (let step = 1; ; step++) {
        const { world, ids } = await withBackups(2);
        world.heroku.polls = 3;
        const { ports, state } = mortal(world.restorePorts, step, when);
        await restoreDatabase(REQUEST, ports).catch(() => undefined);
        if (!state.dead) {
          expect(step).to.be.greaterThan(25);
          break;
        }
        world.pace.advance(5_000);
        const result = await restoreDatabase(REQUEST, world.restorePorts);
        const at = `step ${step} (${state.last})`;
        expect(result.backupId, at).to.equal(ids[1]);
        expect(world.target.tables, at).to.deep.equal({ ...CLINIC, patients_patient: 6 });
        const restores = [...world.heroku.transfersByNum.values()].filter((each) => each.to_type === "pg_restore");
        expect(restores, at).to.have.lengthOf(1);
      }
    });
  }

  it("no longer takes an unfinished restore of yesterday as leave to overwrite", async () => {
    const { world } = await withBackups(1);
    world.heroku.polls = Number.POSITIVE_INFINITY;
    const { ports } = mortal(world.restorePorts, 24, "after");
    await restoreDatabase(REQUEST, ports).catch(() => undefined);
    expect([...world.primary.objects.keys()]).to.include("restore/usc-pis/db-2.json");
    for (const each of world.heroku.transfersByNum.values()) each.finished_at = "2026-05-23T15:00:00Z";
    world.target.tables = { patients_patient: 3 };
    world.pace.advance(25 * HOUR);
    expect((await failure(restoreDatabase(REQUEST, world.restorePorts))).code).to.equal("database_not_empty");
  });
});
