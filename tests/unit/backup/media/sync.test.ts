import { expect } from "chai";
import fc from "fast-check";
import { DownloadRefused } from "../../../../backup/download";
import { UscPisError } from "../../../../backup/errors";
import { mediaKeys, mediaProgressKey } from "../../../../backup/layout";
import type { MediaRequest, MediaResult } from "../../../../backup/media/ports";
import { verifyMedia } from "../../../../backup/media/verify";
import { mortal } from "../support/world";
import { chunks, DAILY, type MediaWorld, mediaWorld } from "./support/media-world";

type Synced = Extract<MediaResult, { outcome: "synced" }>;

async function failure(work: Promise<unknown>): Promise<UscPisError> {
  try {
    await work;
  } catch (error) {
    return error as UscPisError;
  }
  throw new Error("it did not fail");
}

const MANUAL: MediaRequest = { trigger: "manual", requestedBy: "ana" };

async function clinic(assets = 5): Promise<MediaWorld> {
  const world = await mediaWorld();
  for (let index = 0; index < assets; index++) world.cloudinary.upload(`media/${index}`, `picture ${index}`);
  return world;
}

describe("the media sync", () => {
  it("mirrors every asset, locked, with its facts, and tells of it in a manifest", async () => {
    const world = await clinic();
    world.cloudinary.upload("report.pdf", "%PDF", { resourceType: "raw", type: "private", format: undefined });
    world.cloudinary.tag("media/1", "ward", "x-ray");
    const result = (await world.sync()) as Synced;
    expect(result).to.include({ outcome: "synced", status: "success", assets: 6, fetched: 6, deleted: 0, vanished: 0 });
    expect(world.mirrored()).to.deep.equal(world.original());
    const { asset: key } = mediaKeys("usc-pis", "image/upload/media/1");
    const [stored] = world.media.objects.get(key) ?? [];
    expect(stored?.retainUntil?.getTime()).to.be.at.least(world.pace.now().getTime() + 30 * 86_400_000 - 1000);
    expect(world.facts("image/upload/media/1").facts.tags).to.deep.equal(["ward", "x-ray"]);
    const [manifest] = world.mediaManifests();
    expect(manifest?.counts).to.deep.include({ listed: 6, counted: 6, mirrored: 6, fetched: 6, bytes: result.bytes });
    const told = manifest?.assets.find((each) => each.publicId === "media/1");
    expect(told).to.include({ key, versionId: stored?.versionId, bytes: 9, version: 1_700_000_002 });
    expect(await world.runs.get(result.id)).to.include({
      type: "media",
      status: "success",
      assets: 6,
      bytes: result.bytes,
    });
    expect(world.metrics).to.have.lengthOf(1);
    expect(world.metrics[0]).to.include({ MediaSynced: 1, MediaDiffers: 0, MediaAssets: 6 });
    expect(world.runs.locks.size).to.equal(0);
  });

  it("does nothing more on its day, and on the next asks only for listings and usage when nothing changed", async () => {
    const world = await clinic(7);
    const first = (await world.sync()) as Synced;
    const { calls, downloads } = world.cloudinary;
    world.pace.advance(3_600_000);
    expect(await world.sync()).to.include({ outcome: "already_done", id: first.id });
    expect(world.cloudinary.calls).to.equal(calls);
    const again = (await world.nextDay()) as Synced;
    // Nine kinds, one of them with 3 pages for 7 assets, and the usage report.
    expect(again).to.include({ fetched: 0, described: 0, assets: 7, calls: 8 + 3 + 1 });
    expect(world.cloudinary.downloads).to.equal(downloads);
    expect(world.mediaManifests()[1]?.assets).to.deep.equal(world.mediaManifests()[0]?.assets);
  });

  it("replaces what changed, describes what is only described otherwise, and hides what is deleted", async () => {
    const world = await clinic();
    await world.sync();
    world.cloudinary.upload("media/0", "another picture");
    world.cloudinary.tag("media/1", "seen");
    world.cloudinary.remove("media/2");
    const { downloads } = world.cloudinary;
    expect(await world.nextDay()).to.include({ fetched: 1, described: 1, deleted: 1, assets: 4 });
    expect(world.cloudinary.downloads - downloads).to.equal(1);
    expect(world.mirrored()).to.deep.equal(world.original());
    expect(world.facts("image/upload/media/1").facts.tags).to.deep.equal(["seen"]);
    const versions = world.media.objects.get(mediaKeys("usc-pis", "image/upload/media/0").asset);
    expect(versions?.map(({ bytes }) => bytes.toString())).to.deep.equal(["picture 0", "another picture"]);
    const gone = world.mediaManifests()[1]?.deleted;
    expect(gone?.map(({ publicId }) => publicId)).to.deep.equal(["media/2"]);
    const below = world.media.objects
      .get(gone?.[0]?.key ?? "")
      ?.find(({ versionId }) => versionId === gone?.[0]?.versionId);
    expect(below?.bytes.toString()).to.equal("picture 2");
    // Told on for a year, and no longer.
    await world.nextDay();
    expect(world.mediaManifests()[2]?.deleted).to.have.lengthOf(1);
    world.pace.advance(366 * 86_400_000);
    await world.sync();
    expect(world.mediaManifests().at(-1)?.deleted).to.deep.equal([]);
  });

  it("takes a placeholder, which Cloudinary lists for a deleted asset, for deleted", async () => {
    const world = await clinic();
    await world.sync();
    world.cloudinary.upload("media/3", "", { placeholder: true });
    expect(await world.nextDay()).to.include({ deleted: 1, assets: 4, status: "success" });
    expect(world.mirrored()).to.not.have.property("image/upload/media/3");
  });

  it("finds what was removed or put into the mirror behind its back", async () => {
    const world = await clinic();
    await world.sync();
    const keys = (id: string) => mediaKeys("usc-pis", `image/upload/${id}`);
    await world.media.hide(keys("media/0").asset);
    await world.media.hide(keys("media/1").facts);
    world.media.add(keys("media/2").asset, Buffer.from("foreign!!"));
    world.media.add(keys("media/9").asset, Buffer.from("foreign"));
    expect(await world.nextDay()).to.include({ status: "success", fetched: 2, described: 1, deleted: 0 });
    expect(world.mirrored()).to.include(world.original());
  });

  it("refuses an app that is not the current one", async () => {
    const world = await clinic();
    await world.claim("usc-pis-r", true);
    expect(await world.sync()).to.include({ outcome: "refused" });
    expect([world.mirrored(), world.metrics, world.cloudinary.calls]).to.deep.equal([{}, [], 0]);
  });

  it("is done once when two run beside each other, and a manual request once", async () => {
    const world = await clinic();
    const outcomes = (await Promise.all([world.sync(), world.sync()])).map(({ outcome }) => outcome).sort();
    expect(outcomes).to.deep.equal(["busy", "synced"]);
    const request = { ...MANUAL, request: "r-1" };
    const taken = (await world.nextDay(request)) as Synced;
    expect(await world.sync(request)).to.include({ outcome: "already_done", id: taken.id });
    expect(await world.sync(MANUAL)).to.include({ outcome: "synced" });
  });
});

describe("the media sync believes no listing that", () => {
  it("is shorter than Cloudinary's own count", async () => {
    const world = await clinic(8);
    world.cloudinary.shows = (page) => page.slice(0, 4);
    const error = await failure(world.sync());
    expect(error.code).to.equal("listing_incomplete");
    expect(error.message).to.contain("listed 4 assets, but counts 8");
    expect(world.mediaManifests()).to.deep.equal([]);
    expect(world.metrics).to.deep.equal([{ MediaFailed: 1 }]);
    expect((await world.runs.newest(1))[0]?.error?.code).to.equal("listing_incomplete");
    world.cloudinary.shows = (page) => page;
    world.pace.advance(3_600_000);
    expect(await world.sync(), "the next trigger").to.include({ outcome: "synced", assets: 8 });
  });

  it("left out an asset that is there, even when the count agrees", async () => {
    const world = await clinic(8);
    await world.sync();
    world.cloudinary.shows = (page) => page.slice(0, 7);
    world.cloudinary.counted = (truth) => truth - 1;
    const error = await failure(world.nextDay());
    expect(error.message).to.contain("did not list image/upload/media/7, but has it");
    expect(Object.keys(world.mirrored())).to.have.lengthOf(8);
  });

  it("lets a count lag behind deletions for two days, and behind what is deleted meanwhile", async () => {
    const world = await clinic(8);
    await world.sync();
    world.cloudinary.remove("media/7");
    world.cloudinary.counted = () => 8;
    expect(await world.nextDay()).to.include({ status: "success", deleted: 1 });
    expect(await world.nextDay()).to.include({ status: "success" });
    world.pace.advance(24 * 3_600_000);
    expect((await failure(world.nextDay())).code).to.equal("listing_incomplete");
    let asked = 0;
    world.cloudinary.counted = (truth) => (asked++ === 0 ? truth + 1 : truth);
    expect(await world.nextDay()).to.include({ status: "success" });
  });

  it("shows so many deletions at once that nobody meant them, until a person says so", async () => {
    const world = await clinic(20);
    await world.sync();
    for (let index = 0; index < 11; index++) world.cloudinary.remove(`media/${index}`);
    world.cloudinary.upload("new", "new");
    const result = (await world.nextDay()) as Synced;
    expect(result).to.include({ outcome: "synced", status: "suspect", vanished: 11, deleted: 0, fetched: 1 });
    expect(result.notes.join()).to.contain("11 of 20 assets are gone from Cloudinary at once");
    expect(Object.keys(world.mirrored())).to.have.lengthOf(21);
    expect(world.metrics.at(-1)).to.include({ MediaFailed: 1, MediaDiffers: 11 }).and.not.have.property("MediaSynced");
    expect((await world.runs.get(result.id))?.status).to.equal("suspect");
    expect(await world.sync(), "its day is over").to.include({ outcome: "already_done" });
    // Some come back, and what is left would be few enough: it is still nobody's deletion.
    world.cloudinary.upload("media/0", "picture 0");
    world.cloudinary.upload("media/1", "picture 1");
    expect(await world.nextDay()).to.include({ status: "suspect", vanished: 9, deleted: 0 });
    const told = world
      .mediaManifests()
      .at(-1)
      ?.assets.filter(({ vanishedSince }) => vanishedSince);
    expect(told?.map(({ vanishedSince }) => vanishedSince?.slice(0, 10))).to.deep.equal(Array(9).fill("2026-05-24"));
    expect(await world.sync({ ...MANUAL, acceptDeletions: true })).to.include({ status: "success", deleted: 9 });
    expect(world.mirrored()).to.deep.equal(world.original());
  });

  it("believes as many as are few, and as are a small share", async () => {
    const few = await clinic(12);
    await few.sync();
    for (let index = 0; index < 10; index++) few.cloudinary.remove(`media/${index}`);
    expect(await few.nextDay()).to.include({ status: "success", deleted: 10 });
    const share = await clinic(60);
    await share.sync();
    for (let index = 0; index < 12; index++) share.cloudinary.remove(`media/${index}`);
    expect(await share.nextDay()).to.include({ status: "success", deleted: 12 });
  });
});

describe("the media sync within Cloudinary's limit", () => {
  it("stops when the hour's calls are used up, and the next trigger goes on where it stood", async () => {
    const world = await clinic(10);
    world.cloudinary.left = 3;
    const paused = await world.sync();
    expect(paused).to.include({ outcome: "paused", resumeAt: "2026-05-23T03:00:00.000Z", listed: 6 });
    const { id } = paused as { id: string };
    expect(await world.runs.get(id)).to.include({ status: "in_progress" });
    expect(world.metrics, "no failure").to.deep.equal([]);
    world.cloudinary.left = 5;
    world.pace.advance(3_600_000);
    expect(await world.sync()).to.include({ outcome: "paused", id });
    world.cloudinary.left = 500;
    world.pace.advance(3_600_000);
    const { calls } = world.cloudinary;
    expect(await world.sync()).to.include({ outcome: "synced", id, assets: 10, status: "success" });
    // 9 kinds, one with 4 pages, and usage are 13; 8 were made before.
    expect(world.cloudinary.calls - calls).to.equal(5);
    expect(await world.runs.get(id)).to.include({ status: "success" });
    expect(await world.media.getText(mediaProgressKey("usc-pis"))).to.equal(undefined);
  });

  it("stops before it would confirm deletions, and deletes nothing", async () => {
    const world = await clinic(4);
    await world.sync();
    world.cloudinary.remove("media/1");
    world.cloudinary.left = 10;
    expect(await world.nextDay()).to.include({ outcome: "paused" });
    expect(Object.keys(world.mirrored())).to.have.lengthOf(4);
    world.cloudinary.left = 1;
    world.pace.advance(3_600_000);
    expect(await world.sync()).to.include({ outcome: "synced", deleted: 1, calls: 1 });
  });

  it("begins anew when the listing that was stopped is half a day old", async () => {
    const world = await clinic(4);
    world.cloudinary.left = 2;
    const first = (await world.sync()) as { id: string };
    world.cloudinary.left = 500;
    const next = (await world.nextDay()) as Synced;
    expect(next.id).to.not.equal(first.id);
    expect(next).to.include({ status: "success", assets: 4 });
    expect((await world.runs.get(first.id))?.error?.code).to.equal("interrupted");
  });

  it("ends in its own words at the time limit, and goes on with the listing", async () => {
    const world = await clinic(10);
    const limit = new AbortController();
    const error = new UscPisError("time_limit", "the media sync did not end within its 5 s");
    world.cloudinary.answer = () => {
      if (world.cloudinary.downloads > 3) limit.abort(error);
      return undefined;
    };
    expect((await failure(world.sync(DAILY, { signal: limit.signal }))).code).to.equal("time_limit");
    expect((await world.runs.newest(1))[0]).to.deep.include({ status: "failed" });
    expect(world.metrics).to.deep.equal([{ MediaFailed: 1 }]);
    const had = Object.keys(world.mirrored()).length;
    expect(had).to.be.within(1, 9);
    const { calls, downloads } = world.cloudinary;
    world.cloudinary.answer = undefined;
    world.pace.advance(3_600_000);
    expect(await world.sync()).to.include({ status: "success", assets: 10 });
    expect(world.cloudinary.calls).to.equal(calls);
    expect(world.cloudinary.downloads - downloads).to.equal(10 - had);
  });
});

describe("the media sync of an asset that", () => {
  const damaged = Buffer.from("pictur? 2");
  const cases: { name: string; answer: (url: string) => object | Error | undefined; reason: RegExp }[] = [
    {
      name: "comes cut",
      answer: () => ({ body: chunks(Buffer.from("pict")) }),
      reason: /came with 4 bytes, expected 9/,
    },
    {
      name: "comes too long",
      answer: () => ({ body: chunks(Buffer.from("picture 2 and more")) }),
      reason: /came with 18 bytes, expected 9/,
    },
    {
      name: "comes damaged",
      answer: () => ({ body: chunks(damaged) }),
      reason: /damaged: its bytes have MD5/,
    },
    {
      name: "is said to be of another length",
      answer: () => ({ contentLength: 8 }),
      reason: /got 8 bytes, expected 9/,
    },
    { name: "comes without a length", answer: () => ({ contentLength: undefined }), reason: /no Content-Length/ },
    { name: "breaks off", answer: () => new UscPisError("download_failed", "downloading failed: cut"), reason: /cut/ },
  ];
  for (const { name, answer, reason } of cases) {
    it(`${name} fails it, names the asset, and holds up no other`, async () => {
      const world = await clinic();
      world.cloudinary.answer = (asset, url) => (asset.publicId === "media/2" ? (answer(url) as never) : undefined);
      const error = await failure(world.sync());
      expect(error.code).to.equal("media_differs");
      expect(error.message).to.match(reason).and.contain("image/upload/media/2").and.contain("1 of 5");
      expect(Object.keys(world.mirrored())).to.have.lengthOf(4);
      expect(world.mediaManifests()[0]?.assessment.status).to.equal("failed");
      expect(world.metrics).to.deep.equal([{ MediaFailed: 1, MediaDiffers: 1 }]);
      world.cloudinary.answer = undefined;
      world.pace.advance(3_600_000);
      expect(await world.sync()).to.include({ outcome: "synced", status: "success", fetched: 1, assets: 5 });
      expect(world.mirrored()).to.deep.equal(world.original());
    });
  }

  it("a plain URL refuses, or converts, is fetched by a signed one", async () => {
    const world = await clinic(3);
    world.cloudinary.answer = (asset, url) => {
      if (!url.startsWith("https://res.")) return undefined;
      if (asset.publicId === "media/0") return new UscPisError("download_failed", "broken") as never;
      return asset.publicId === "media/1" ? { contentLength: 4, body: chunks(Buffer.from("webp")) } : undefined;
    };
    expect((await failure(world.sync())).message).to.contain("broken");
    const before = world.cloudinary.answer;
    world.cloudinary.answer = (asset, url, bytes) =>
      asset.publicId === "media/0" && url.startsWith("https://res.")
        ? new DownloadRefused("it", 401)
        : before(asset, url, bytes);
    world.pace.advance(3_600_000);
    expect(await world.sync()).to.include({ status: "success", assets: 3 });
    expect(world.mirrored()).to.deep.equal(world.original());
  });

  it("has an entity tag of a cache's own is believed by the checksum of its details", async () => {
    const world = await clinic(3);
    world.cloudinary.answer = (asset) => (asset.publicId === "media/0" ? { etag: `"${"0".repeat(32)}"` } : undefined);
    expect(await world.sync()).to.include({ status: "success", assets: 3, calls: 9 + 1 + 1 });
    expect(world.cloudinary.downloads).to.equal(4);
  });

  it("changes, or goes, between listing and download is mirrored as it is then, or not at all", async () => {
    const world = await clinic(4);
    let changed = false;
    const { download } = world.cloudinary;
    world.cloudinary.download = async (url, what, signal) => {
      if (!changed) {
        changed = true;
        world.cloudinary.upload("media/1", "changed meanwhile");
        world.cloudinary.remove("media/2");
      }
      return download.call(world.cloudinary, url, what, signal);
    };
    expect(await world.sync()).to.include({ status: "success", assets: 3 });
    expect(world.mirrored()).to.deep.equal(world.original());
  });

  it("somebody mirrored newer than the listing says is left as it is", async () => {
    const world = await clinic(4);
    await world.sync();
    world.cloudinary.left = 11;
    world.cloudinary.upload("media/0", "newer");
    const stale = world.cloudinary.shows;
    const old = [...world.cloudinary.assets.values()].map(({ asset }) => asset);
    expect(await world.nextDay()).to.include({ outcome: "synced", fetched: 1 });
    world.cloudinary.shows = () =>
      old.map((asset) => (asset.publicId === "media/0" ? { ...asset, version: asset.version - 1 } : asset));
    world.cloudinary.left = 100;
    const { downloads } = world.cloudinary;
    await world.nextDay();
    expect(world.cloudinary.downloads).to.equal(downloads);
    expect(world.mirrored()["image/upload/media/0"]).to.equal("newer");
    world.cloudinary.shows = stale;
  });

  it("goes with all others, when delivery is down, is given up soon", async () => {
    const world = await clinic(60);
    world.cloudinary.answer = () => new UscPisError("download_failed", "no route");
    const error = await failure(world.sync());
    expect(error.code).to.equal("too_many_failures");
    expect(world.cloudinary.downloads).to.be.below(90);
  });
});

describe("the media sync, killed", () => {
  for (const when of ["before", "after"] as const) {
    it(`${when} any of its steps, is gone on with by the next`, async () => {
      for (let step = 1; ; step++) {
        const world = await clinic(3);
        await world.sync();
        world.cloudinary.upload("media/0", "changed");
        world.cloudinary.upload("new", "new");
        world.cloudinary.tag("media/1", "tagged");
        world.cloudinary.remove("media/2");
        world.pace.advance(24 * 3_600_000);
        const { ports, state } = mortal(world.mediaPorts, step, when);
        await world.sync(DAILY, { ports }).catch(() => undefined);
        if (!state.dead) {
          expect(step).to.be.greaterThan(30);
          break;
        }
        const at = `step ${step} (${state.last})`;
        world.pace.advance(10 * 60_000);
        const result = await world.sync();
        expect(result.outcome, at).to.be.oneOf(["synced", "already_done"]);
        expect(world.mirrored(), at).to.deep.equal(world.original());
        expect(world.described(), at).to.deep.equal(Object.keys(world.original()).sort());
        expect(world.facts("image/upload/media/1").facts.tags, at).to.deep.equal(["tagged"]);
        const manifest = world.mediaManifests().at(-1);
        expect(
          manifest?.assets.map(({ publicId }) => publicId),
          at,
        ).to.deep.equal(["media/0", "media/1", "new"]);
        expect(
          manifest?.deleted.map(({ publicId }) => publicId),
          at,
        ).to.deep.equal(["media/2"]);
        const records = await world.runs.newest(9);
        expect(
          records.filter(({ status }) => status === "in_progress"),
          at,
        ).to.deep.equal([]);
        expect((await world.runs.get(manifest?.id ?? ""))?.status, at).to.equal("success");
        expect(world.runs.locks.size, at).to.equal(0);
      }
    }).timeout(60_000);
  }
});

describe("whatever happens, the media sync", () => {
  const id = fc.integer({ min: 0, max: 5 }).map((number) => `a/${number}`);
  const step = fc.oneof(
    fc.record({ what: fc.constant("upload" as const), id, content: fc.string({ maxLength: 12 }) }),
    fc.record({ what: fc.constant("remove" as const), id }),
    fc.record({ what: fc.constant("tag" as const), id, tag: fc.string({ minLength: 1, maxLength: 3 }) }),
    fc.record({ what: fc.constant("sync" as const) }),
    fc.record({ what: fc.constant("crash" as const), at: fc.integer({ min: 1, max: 60 }), after: fc.boolean() }),
    fc.record({ what: fc.constant("limit" as const), calls: fc.integer({ min: 0, max: 20 }) }),
  );

  it("comes to parity, and loses no version that was ever in the mirror", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const world = await mediaWorld();
        const everMirrored = new Map<string, Set<string>>();
        const look = () => {
          for (const [path, text] of Object.entries(world.mirrored())) {
            everMirrored.set(path, (everMirrored.get(path) ?? new Set()).add(text));
          }
        };
        for (const each of steps) {
          if (each.what === "upload") world.cloudinary.upload(each.id, `x${each.content}`);
          else if (each.what === "remove") world.cloudinary.remove(each.id);
          else if (each.what === "tag") {
            if (world.cloudinary.assets.has(`image/upload/${each.id}`)) world.cloudinary.tag(each.id, each.tag);
          } else {
            world.pace.advance(60 * 60_000);
            const request = { ...MANUAL };
            if (each.what === "limit") world.cloudinary.left = each.calls;
            const { ports } =
              each.what === "crash"
                ? mortal(world.mediaPorts, each.at, each.after ? "after" : "before")
                : { ports: world.mediaPorts };
            await world.sync(request, { ports }).catch(() => undefined);
            world.cloudinary.left = Number.POSITIVE_INFINITY;
          }
          look();
        }
        world.pace.advance(60 * 60_000);
        // A listing that was begun before the last changes is gone on with first; the one after it sees them all.
        await world.sync(MANUAL);
        world.pace.advance(60_000);
        expect(await world.sync(MANUAL)).to.include({ outcome: "synced", status: "success" });
        expect(world.mirrored()).to.deep.equal(world.original());
        expect(world.described()).to.deep.equal(Object.keys(world.original()).sort());
        const manifest = world.mediaManifests().at(-1);
        const told = [...(manifest?.assets ?? []), ...(manifest?.deleted ?? [])].map(({ key }) => key);
        for (const [path, texts] of everMirrored) {
          const { asset } = mediaKeys("usc-pis", path);
          const kept = world.media.objects.get(asset)?.filter(({ deleteMarker }) => !deleteMarker) ?? [];
          expect(kept.map(({ bytes }) => bytes.toString())).to.include.members([...texts]);
          expect(told, path).to.include(asset);
        }
        for (const { versionId, key } of manifest?.deleted ?? []) {
          expect(
            world.media.objects.get(key)?.some((version) => version.versionId === versionId && !version.deleteMarker),
          ).to.equal(true);
        }
      }),
      { numRuns: 150 },
    );
  }).timeout(60_000);
});

describe("the comparison of the mirror with Cloudinary", () => {
  const verify = (world: MediaWorld) =>
    verifyMedia("usc-pis", world.cloudinary, world.media, world.pace.now(), new AbortController().signal);

  it("passes after a sync, and names what differs, is gone, or was damaged in the mirror", async () => {
    const world = await clinic(4);
    await world.sync();
    expect(await verify(world)).to.deep.include({ status: "pass", listed: 4, mirrored: 4, differs: [], vanished: [] });
    world.cloudinary.upload("media/0", "changed");
    world.cloudinary.remove("media/1");
    world.media.add(mediaKeys("usc-pis", "image/upload/media/2").asset, Buffer.from("short"));
    world.cloudinary.upload("new", "new");
    const { status, differs, vanished } = await verify(world);
    expect(status).to.equal("fail");
    expect(differs).to.deep.equal([
      { path: "image/upload/media/0", reason: "is version 1700000001 in the mirror, expected 1700000005" },
      { path: "image/upload/media/2", reason: "is not in the mirror" },
      { path: "image/upload/new", reason: "is not in the mirror" },
    ]);
    expect(vanished).to.deep.equal(["image/upload/media/1"]);
  });

  it("does not call a short listing parity, but lets the count lag behind deletions", async () => {
    const world = await clinic(4);
    world.cloudinary.counted = () => 5;
    expect((await failure(verify(world))).code).to.equal("listing_incomplete");
    world.cloudinary.counted = undefined;
    await world.sync();
    world.cloudinary.remove("media/1");
    world.cloudinary.counted = () => 4;
    expect(await verify(world)).to.include({ status: "pass", listed: 3 });
    await world.nextDay();
    expect(await verify(world)).to.include({ status: "pass", listed: 3 });
  });
});
