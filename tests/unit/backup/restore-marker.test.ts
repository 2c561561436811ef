import { expect } from "chai";
import { readMarker, writeMarker } from "../../../backup/restore-marker";
import { World } from "./support/world";

describe("restore markers", () => {
  const at = "2026-05-23T14:00:00.000Z";
  const started = (attempt: string) => ({
    system: "usc-pis",
    databaseId: "db-2",
    state: "started" as const,
    attempt,
    backupId: "20260523T131700Z-00000001",
    startedAt: at,
    updatedAt: at,
  });
  const sides = (world: World) => [world.primary, world.replica];

  it("let one of two win that follow the same one, at once or one after the other", async () => {
    const world = new World();
    const both = await Promise.all([
      writeMarker(sides(world), undefined, started("a")),
      writeMarker(sides(world), undefined, started("b")),
    ]);
    expect(both.filter(Boolean)).to.have.lengthOf(1);
    const winner = both.find(Boolean);
    expect(await writeMarker(sides(world), undefined, started("late"))).to.equal(undefined);
    expect((await writeMarker(sides(world), winner, started("next")))?.generation).to.equal(2);
    expect(await writeMarker(sides(world), winner, started("late"))).to.equal(undefined);
    expect((await readMarker(sides(world), "usc-pis", "db-2"))?.attempt).to.equal("next");
  });

  it("count by the newer of both sides, and lie where a side answers", async () => {
    const world = new World();
    const first = await writeMarker(sides(world), undefined, started("a"));
    world.primary.down = true;
    expect(await readMarker(sides(world), "usc-pis", "db-2")).to.equal(undefined);
    world.primary.down = false;
    world.replicate();
    world.primary.down = true;
    const second = await writeMarker(sides(world), first, started("b"));
    world.primary.down = false;
    expect((await readMarker(sides(world), "usc-pis", "db-2"))?.attempt).to.equal("b");
    expect((await writeMarker(sides(world), second, started("c")))?.generation).to.equal(3);
  });

  it("are read for their own database and system only", async () => {
    const world = new World();
    world.primary.add(
      "restore/usc-pis/db-2.json",
      Buffer.from(JSON.stringify({ version: 1, generation: 1, ...started("a"), system: "other" })),
    );
    const error = await readMarker([world.primary], "usc-pis", "db-2").catch((cause) => cause);
    expect(error.message).to.contain("is not a restore marker");
  });
});
