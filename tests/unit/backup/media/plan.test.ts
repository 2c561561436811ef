import { expect } from "chai";
import fc from "fast-check";
import { assetPath, mediaKeys, mediaManifestKey, mediaPrefix, mediaProgressKey } from "../../../../backup/layout";
import type { Held } from "../../../../backup/media/held";
import { isComplete, KINDS, newProgress, resumable } from "../../../../backup/media/listing";
import { parseMediaManifest } from "../../../../backup/media/manifest";
import { recentlyDeleted } from "../../../../backup/media/outcome";
import {
  canonical,
  difference,
  planSync,
  requireComplete,
  suspicion,
  VANISH_LIMIT,
} from "../../../../backup/media/plan";
import { inPool } from "../../../../backup/media/pool";
import { escapePublicId, unescapePublicId } from "../../../../backup/media/public-id";
import { mediaRetainUntil } from "../../../../backup/media/transfer";
import type { Asset, AssetFacts } from "../../../../clients/cloudinary-schemas";

const anyId = fc.oneof(
  fc.string({ minLength: 1, maxLength: 255, unit: "grapheme" }),
  fc.string({ minLength: 1, maxLength: 255, unit: fc.constantFrom("/", ".", "%", "a", "~", " ", "é", "医", "2", "E") }),
);

describe("keys of assets", () => {
  it("never meet, can be read back, fit S3, and have no part that others take for something else", () => {
    fc.assert(
      fc.property(anyId, anyId, (a, b) => {
        // Only what is text in UTF-8 can be a public id.
        fc.pre(a.isWellFormed() && b.isWellFormed());
        const [first, second] = [escapePublicId(a), escapePublicId(b)];
        expect(first === second).to.equal(a === b);
        const key = mediaKeys("a-system-of-20-chars", `image/authenticated/${first}`).facts;
        expect(Buffer.byteLength(key)).to.be.at.most(1024);
        expect(first).to.match(/^[A-Za-z0-9._%/-]+$/);
        for (const part of first.split("/")) expect(part).to.not.be.oneOf(["", ".", ".."]);
        if (!first.startsWith("%sha256-")) expect(unescapePublicId(first)).to.equal(a);
      }),
    );
  });

  it("keep folders, and go by their digest when they would be too long", () => {
    expect(escapePublicId("usc_pis/uploads/scan.pdf")).to.equal("usc_pis/uploads/scan.pdf");
    expect(escapePublicId("über x/../a//b/%41~")).to.equal("%C3%BCber%20x/%2E%2E/a/%/b/%2541%7E");
    const long = "医".repeat(255);
    expect(escapePublicId(long)).to.match(/^%sha256-[0-9a-f]{64}$/);
    expect(unescapePublicId(escapePublicId(long))).to.equal(undefined);
    expect(escapePublicId(`${long.slice(1)}x`)).to.not.equal(escapePublicId(long));
  });

  it("begin with media, system and part, and no part holds another's", () => {
    const path = assetPath({ resourceType: "raw", type: "private", publicId: "a/b.csv" });
    expect(mediaKeys("s", path)).to.deep.equal({
      asset: "media/s/asset/raw/private/a/b.csv",
      facts: "media/s/facts/raw/private/a/b.csv",
    });
    expect(mediaManifestKey("s", "i")).to.equal("media/s/manifest/i.json");
    for (const part of ["asset", "facts", "manifest"] as const) {
      expect(mediaProgressKey("s").startsWith(mediaPrefix("s", part))).to.equal(false);
    }
  });
});

const facts: AssetFacts = { tags: ["a"], context: { custom: { x: "1", y: "2" } } };
const asset = (publicId: string, version = 1, more: Partial<Asset> = {}): Asset => ({
  resourceType: "image",
  type: "upload",
  publicId,
  version,
  bytes: 10,
  url: "https://res.invalid/x",
  placeholder: false,
  facts,
  ...more,
});
const held = (publicId: string, version = 1, more: Partial<Held> = {}): [string, Held] => {
  const name = { resourceType: "image", type: "upload", publicId } as const;
  return [assetPath(name), { ...name, version, bytes: 10, key: "k", versionId: "v", facts, ...more }];
};

describe("the plan of a sync", () => {
  it("tells new, changed, described otherwise, same and vanished apart, each asset once", () => {
    const listed = [
      asset("new"),
      asset("newer", 2),
      asset("longer", 1, { bytes: 11 }),
      asset("tagged", 1, { facts: { ...facts, tags: ["b"] } }),
      asset("nameless"),
      asset("same", 1, { facts: { context: { custom: { y: "2", x: "1" } }, tags: ["a"] } }),
      asset("same"),
      asset("gone", 1, { placeholder: true }),
    ];
    const mirror = new Map([
      held("newer"),
      held("longer"),
      held("tagged"),
      held("nameless", 1, { facts: undefined }),
      held("same"),
      held("gone"),
      held("deleted"),
    ]);
    const plan = planSync(listed, mirror);
    const ids = (list: readonly { publicId: string }[]) => list.map(({ publicId }) => publicId);
    expect(ids(plan.fetch)).to.deep.equal(["new", "newer", "longer"]);
    expect(ids(plan.describe)).to.deep.equal(["tagged", "nameless"]);
    expect(ids(plan.same)).to.deep.equal(["same"]);
    expect(ids([...plan.vanished.values()])).to.deep.equal(["gone", "deleted"]);
  });

  it("says how the mirror differs", () => {
    const [, mirrored] = held("x", 3);
    expect(difference(asset("x", 3), mirrored)).to.equal(undefined);
    expect(difference(asset("x", 4), mirrored)).to.equal("is version 3 in the mirror, expected 4");
    expect(difference(asset("x", 3, { bytes: 9 }), mirrored)).to.equal("has 10 bytes in the mirror, expected 9");
    expect(difference(asset("x"), undefined)).to.equal("is not in the mirror");
  });

  it("does not mind the order of names, but that of lists", () => {
    expect(canonical({ a: 1, b: { d: [1, 2], c: 3 } })).to.equal(canonical({ b: { c: 3, d: [1, 2] }, a: 1 }));
    expect(canonical({ a: [1, 2] })).to.not.equal(canonical({ a: [2, 1] }));
  });

  it("never hides more at once than its limit without a person", () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(5000), (vanished, more) => {
        const all = vanished + more;
        const few = vanished <= VANISH_LIMIT.count || vanished / all <= VANISH_LIMIT.share;
        expect(suspicion(vanished, all, VANISH_LIMIT) === undefined).to.equal(few);
      }),
    );
    expect(suspicion(11, 20, VANISH_LIMIT)).to.contain("11 of 20 assets");
    expect(suspicion(11, 20, { share: 1, count: 0 })).to.equal(undefined);
  });

  it("refuses a listing that is shorter than the count, beyond what is known to be deleted", () => {
    for (const [seen, counted, explained] of [
      [5, 5, 0],
      [6, 5, 0],
      [3, 5, 2],
    ] as const) {
      expect(() => requireComplete(seen, counted, explained)).to.not.throw();
    }
    expect(() => requireComplete(4, 5, 0)).to.throw("listed 4 assets, but counts 5");
    expect(() => requireComplete(3, 5, 1)).to.throw("nothing is taken for deleted");
    const at = (deletedAt: string) => ({ ...held("x")[1], deletedAt });
    const deleted = [at("2026-05-21T04:00:00Z"), at("2026-05-22T04:00:00Z")];
    expect(recentlyDeleted({ deleted }, new Date("2026-05-23T05:00:00Z"))).to.equal(1);
  });
});

describe("a listing that had to stop", () => {
  const now = new Date("2026-05-23T03:52:00Z");
  const stopped = {
    ...newProgress("20260523T025200Z-00000001", new Date("2026-05-23T02:52:00Z")),
    done: 2,
    cursor: "c",
  };
  const text = JSON.stringify({ ...stopped, assets: [asset("a")] });

  it("is gone on with for half a day, unless a manifest followed it", () => {
    expect(resumable(text, now, undefined)).to.deep.include({ done: 2, cursor: "c" });
    expect(resumable(text, now, "2026-05-22T02:52:00.000Z")?.assets).to.have.lengthOf(1);
    expect(resumable(text, now, stopped.startedAt)).to.equal(undefined);
    expect(resumable(text, new Date("2026-05-23T15:00:00Z"), undefined)).to.equal(undefined);
    for (const bad of [undefined, "", "{}", "null", text.replace('"done":2', '"done":99')]) {
      expect(resumable(bad, now, undefined)).to.equal(undefined);
    }
  });

  it("covers each resource type in each delivery type whose originals Cloudinary holds", () => {
    expect(KINDS).to.have.lengthOf(9);
    expect(isComplete({ ...stopped, done: 9 })).to.equal(true);
    expect(isComplete(stopped)).to.equal(false);
  });
});

describe("a media manifest", () => {
  it("is refused when it is none, another system's, or lies elsewhere", () => {
    const key = mediaManifestKey("s", "20260523T025200Z-00000001");
    const zero = { listed: 0, counted: 0, mirrored: 0, fetched: 0, described: 0, deleted: 0, bytes: 0 };
    const at = "2026-05-23T02:52:00Z";
    const manifest = {
      ...{ version: 1, id: "20260523T025200Z-00000001", type: "media", system: "s", app: "a", cloudName: "c" },
      trigger: { kind: "schedule", requestedBy: "schedule" },
      ...{ slot: "2026-05-23", startedAt: at, listedAt: at, completedAt: at },
      ...{ counts: zero, assets: [], deleted: [], differs: [], assessment: { status: "success", reasons: [] } },
    };
    const parse = (change: object, where = key) =>
      parseMediaManifest(JSON.stringify({ ...manifest, ...change }), { system: "s", key: where });
    expect(parse({}).id).to.equal(manifest.id);
    expect(() => parseMediaManifest("<html>", { system: "s", key })).to.throw("is not JSON");
    expect(() => parse({ version: 2 })).to.throw("version");
    expect(() => parse({ system: "other" })).to.throw('belongs to system "other"');
    expect(() => parse({}, mediaManifestKey("s", "20260523T025200Z-00000002"))).to.throw("another place");
    expect(() => parse({ assessment: { status: "fine", reasons: [] } })).to.throw("assessment.status");
  });
});

describe("work in a pool", () => {
  it("goes on so many at a time, and begins nothing after a failure", async () => {
    let [running, most, begun] = [0, 0, 0];
    const work = async (item: number) => {
      begun++;
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (item === 5) throw new Error("five");
    };
    await inPool([1, 2, 3, 4], 3, work);
    expect([most, begun, running]).to.deep.equal([3, 4, 0]);
    const failed = await inPool([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 2, work).catch((error) => error.message);
    expect(failed).to.equal("five");
    expect([begun, running]).to.deep.equal([4 + 6, 0]);
  });

  it("locks for whole minutes, at least as long as the bucket does", () => {
    expect(mediaRetainUntil(new Date("2026-05-01T02:52:01.001Z")).toISOString()).to.equal("2026-05-31T02:53:00.000Z");
  });
});
