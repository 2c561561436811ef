import { expect } from "chai";
import { ACCOUNT, Bench, cloudinaryUrl, dataUri, loadSdk, png, rejection } from "./cloudinary-support";

describe("Cloudinary emulator, Admin API with the official SDK", () => {
  const bench = new Bench();
  let now = Date.parse("2026-05-01T10:00:00Z");

  // The SDK signs with the real time, so uploads need a clock that is not far from it.
  before(async () => {
    now = Date.now();
    await bench.start({ now: () => now, adminLimitPerHour: 100_000 });
    for (let index = 0; index < 12; index++) {
      now += 1000;
      await bench.sdk.uploader.upload(dataUri(png(index)), {
        public_id: `list/${String(index).padStart(2, "0")}`,
        tags: index % 2 === 0 ? "even" : "odd",
      });
    }
  });
  after(() => bench.stop());

  it("answers ping and usage, and refuses wrong credentials", async () => {
    expect((await bench.sdk.api.ping()).status).to.equal("ok");
    const usage = await bench.sdk.api.usage();
    expect(usage.resources).to.equal(12);
    expect(usage.storage.usage).to.be.greaterThan(0);
    const wrong = loadSdk(cloudinaryUrl(bench.running.url, { ...ACCOUNT, apiSecret: "wrong" }));
    expect(await rejection(wrong.api.ping())).to.include({ http_code: 401 });
  });

  it("lists page by page, newest first, without repeating or skipping when assets come and go", async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await bench.sdk.api.resources({
        type: "upload",
        max_results: 5,
        next_cursor: cursor,
      } as never);
      seen.push(...page.resources.map((resource: { public_id: string }) => resource.public_id));
      expect(page.resources[0]).to.not.have.any.keys("etag", "tags");
      cursor = page.next_cursor;
      if (seen.length === 5) {
        now += 1000;
        await bench.sdk.uploader.upload(dataUri(png(99)), { public_id: "list/new" });
        await bench.sdk.uploader.destroy(seen[4] ?? "");
      }
    } while (cursor !== undefined);
    const expected = Array.from({ length: 12 }, (_, index) => `list/${String(11 - index).padStart(2, "0")}`);
    expect(seen).to.deep.equal(expected);
    await bench.sdk.uploader.destroy("list/new");
    await bench.sdk.uploader.upload(dataUri(png(7)), { public_id: "list/07", tags: "odd" });
  });

  const ids = async (page: Promise<{ resources: { public_id: string }[] }>) =>
    (await page).resources.map((resource) => resource.public_id);

  it("pages by 10 unless told otherwise, and by public id where a prefix is given, whatever the direction", async () => {
    expect(await ids(bench.sdk.api.resources({ type: "upload" }))).to.have.lengthOf(10);
    const byPrefix = { type: "upload", prefix: "list/0", direction: "desc", max_results: 4 };
    const first = await bench.sdk.api.resources(byPrefix as never);
    expect(await ids(Promise.resolve(first))).to.deep.equal(["list/00", "list/01", "list/02", "list/03"]);
    const next = bench.sdk.api.resources({ ...byPrefix, next_cursor: first.next_cursor } as never);
    expect((await ids(next))[0]).to.equal("list/04");
  });

  it("finds by ids, asset ids, tag, context, folder and start_at", async () => {
    const named = bench.sdk.api.resources_by_ids(["list/03", "list/absent", "list/04"]);
    expect(await ids(named)).to.deep.equal(["list/03", "list/04"]);
    expect(await ids(bench.sdk.api.resources_by_tag("even", { max_results: 500 }))).to.have.lengthOf(6);
    const details = await bench.sdk.api.resource("list/05");
    const api = bench.sdk.api as unknown as Record<string, (...args: unknown[]) => Promise<never>>;
    expect(await ids(api.resources_by_asset_ids?.([details.asset_id]) as never)).to.deep.equal(["list/05"]);
    await bench.sdk.api.update("list/05", { context: "ward=A 1", asset_folder: "wards/a" } as never);
    expect(await ids(api.resources_by_context?.("ward") as never)).to.deep.equal(["list/05"]);
    expect(await ids(api.resources_by_context?.("ward", "A 1") as never)).to.deep.equal(["list/05"]);
    expect(await ids(api.resources_by_context?.("ward", "B") as never)).to.deep.equal([]);
    expect(await ids(api.resources_by_asset_folder?.("wards/a") as never)).to.deep.equal(["list/05"]);
    expect(await rejection(api.resources_by_moderation?.("manual", "pending") as never)).to.include({ http_code: 400 });
    const from = { type: "upload", direction: 1, max_results: 500, start_at: details.created_at };
    expect((await ids(bench.sdk.api.resources(from as never)))[0]).to.equal("list/05");
    const both = bench.sdk.api.resources({ ...from, prefix: "list/" } as never);
    expect((await rejection(both)).message).to.match(/start_at/);
  });

  it("shows tags, context and metadata when asked to, and only the fields that are named", async () => {
    const [plain] = (await bench.sdk.api.resources_by_ids(["list/05"])).resources;
    expect(plain).to.not.have.any.keys("tags", "context", "metadata", "etag");
    const [full] = (await bench.sdk.api.resources_by_ids(["list/05"], { tags: true, context: true } as never))
      .resources;
    expect(full).to.deep.include({ tags: ["odd"], context: { custom: { ward: "A 1" } } });
    const [few] = (await bench.sdk.api.resources_by_ids(["list/05"], { fields: "tags,bytes" } as never)).resources;
    expect(Object.keys(few)).to.have.members(["asset_id", "public_id", "tags", "bytes"]);
  });

  it("refuses more than 500 a page, and a cursor that is foreign, broken or a day old", async () => {
    expect(await rejection(bench.sdk.api.resources({ max_results: 501 }))).to.include({ http_code: 400 });
    const query = { type: "upload", prefix: "list/", max_results: 2 };
    const { next_cursor } = await bench.sdk.api.resources(query);
    const refused = [
      { ...query, prefix: "x", next_cursor },
      { ...query, next_cursor: "bnVsbA" },
    ];
    for (const options of refused) {
      expect((await rejection(bench.sdk.api.resources(options as never))).message).to.match(/next_cursor/);
    }
    const again = () => bench.sdk.api.resources({ ...query, next_cursor } as never);
    expect((await again()).resources).to.have.lengthOf(2);
    now += 86_400_001;
    expect((await rejection(again())).message).to.match(/next_cursor/);
    now -= 86_400_001;
  });

  it("updates and deletes by ids, prefix, tag and all", async () => {
    await bench.sdk.api.update("list/00", { tags: "first,even", context: "a=b" });
    expect((await bench.sdk.api.resource("list/00")).tags).to.deep.equal(["first", "even"]);
    const byId = await bench.sdk.api.delete_resources(["list/00", "list/nothing"]);
    expect(byId.deleted).to.deep.equal({ "list/00": "deleted", "list/nothing": "not_found" });
    expect(Object.keys((await bench.sdk.api.delete_resources_by_prefix("list/1")).deleted)).to.have.lengthOf(2);
    expect(Object.keys((await bench.sdk.api.delete_resources_by_tag("even")).deleted)).to.have.lengthOf(4);
    expect((await bench.sdk.api.resources({ max_results: 500 })).resources).to.have.lengthOf(5);
    await bench.sdk.api.delete_all_resources();
    expect((await bench.sdk.api.resources({ max_results: 500 })).resources).to.have.lengthOf(0);
    expect(await rejection(bench.sdk.api.resource("list/01"))).to.include({ http_code: 404 });
    const { asset_id } = await bench.sdk.uploader.upload(dataUri(png(1)), { public_id: "again" });
    const byAssetIds = bench.sdk.api as unknown as {
      delete_resources_by_asset_ids(ids: string[]): Promise<{ deleted: Record<string, string> }>;
    };
    const { deleted } = await byAssetIds.delete_resources_by_asset_ids([asset_id]);
    expect(deleted).to.deep.equal({ [asset_id]: "deleted" });
  });

  it("keeps upload presets and applies them", async () => {
    const created = await bench.sdk.api.create_upload_preset({
      name: "medical",
      folder: "medical",
      allowed_formats: "png,jpg",
      tags: "clinic",
    } as never);
    expect(created).to.include({ message: "created", name: "medical" });
    expect(await bench.sdk.api.upload_preset("medical")).to.deep.include({
      name: "medical",
      unsigned: false,
      settings: { folder: "medical", allowed_formats: ["png", "jpg"], tags: ["clinic"] },
    });
    const again = bench.sdk.api.create_upload_preset({ name: "medical" });
    expect(await rejection(again)).to.include({ http_code: 409 });
    const uploaded = await bench.sdk.uploader.upload(dataUri(png(3)), { upload_preset: "medical", public_id: "x" });
    expect(uploaded).to.include({ public_id: "medical/x" });
    expect(uploaded.tags).to.deep.equal(["clinic"]);
    const pdf = dataUri(Buffer.from("%PDF-1.7\n"), "application/pdf");
    const refused = bench.sdk.uploader.upload(pdf, { upload_preset: "medical" });
    expect((await rejection(refused)).message).to.equal("Image file format pdf not allowed");
    const unsigned = bench.sdk.uploader.unsigned_upload(dataUri(png(3)), "medical");
    expect((await rejection(unsigned)).message).to.match(/whitelisted for unsigned/);

    await bench.sdk.api.update_upload_preset("medical", { unsigned: true, folder: "open" });
    expect((await bench.sdk.api.upload_preset("medical")).settings).to.deep.equal({ folder: "open" });
    const open = await bench.sdk.uploader.unsigned_upload(dataUri(png(3)), "medical", { public_id: "y" });
    expect(open.public_id).to.equal("open/y");
    expect((await bench.sdk.api.upload_presets()).presets).to.have.lengthOf(1);
    await bench.sdk.api.delete_upload_preset("medical");
    expect(await rejection(bench.sdk.api.upload_preset("medical"))).to.include({ http_code: 404 });
  });

  it("refuses what it has not: search, transformations, mappings, streaming profiles, relations", async () => {
    for (const path of [
      "resources/search",
      "transformations",
      "upload_mappings",
      "streaming_profiles",
      "metadata_rules",
    ]) {
      const response = await bench.api(path);
      expect(response.status, path).to.equal(400);
      expect(await response.text(), path).to.match(/not carried out/);
    }
    expect((await bench.api("usage/01-01-2026")).status).to.equal(400);
  });
});

describe("Cloudinary emulator, hourly limit and persistence", () => {
  it("answers 420 with the limit's headers, and lets calls through in the next hour", async () => {
    const bench = new Bench();
    let now = Date.now();
    await bench.start({ now: () => now, adminLimitPerHour: 3 });
    try {
      const first = await bench.sdk.api.ping();
      expect(first.rate_limit_allowed).to.equal(3);
      expect(first.rate_limit_remaining).to.equal(2);
      expect(first.rate_limit_reset_at.getTime()).to.equal((Math.floor(now / 3_600_000) + 1) * 3_600_000);
      await bench.sdk.api.ping();
      await bench.sdk.api.ping();
      const limited = await rejection(bench.sdk.api.ping());
      expect(limited.http_code).to.equal(420);
      expect(limited.message).to.match(/^Rate Limit Exceeded. Limit of 3 api operations reached/);
      const response = await bench.api("usage");
      expect(response.status).to.equal(420);
      expect(response.headers.get("x-featureratelimit-remaining")).to.equal("0");
      const reset = new Date((Math.floor(now / 3_600_000) + 1) * 3_600_000);
      expect(response.headers.get("x-featureratelimit-reset")).to.equal(reset.toUTCString());
      const { error } = (await response.json()) as { error: { message: string } };
      expect(error.message).to.match(/Try again on \d{4}-\d\d-\d\d \d\d:00:00 UTC$/);
      // The Upload API has no such limit.
      expect((await bench.sdk.uploader.upload(dataUri(png()), {})).format).to.equal("png");
      now += 3_600_000;
      expect((await bench.sdk.api.ping()).status).to.equal("ok");
    } finally {
      await bench.stop();
    }
  });

  it("remembers everything across a restart, and shows an inventory without secrets", async () => {
    const bench = new Bench();
    await bench.start();
    const uploaded = await bench.sdk.uploader.upload(dataUri(png(1)), { public_id: "stays" });
    await bench.sdk.api.create_upload_preset({ name: "stays" });
    const form = new URLSearchParams({ uri: "https://hook.example/x", event_type: "upload" });
    await bench.api("triggers", { method: "POST", body: form });
    await bench.running.close();
    await bench.start();
    try {
      const found = await bench.sdk.api.resource("stays");
      expect(found.asset_id).to.equal(uploaded.asset_id);
      expect((await fetch(found.secure_url)).status).to.equal(200);
      const inventory = await (await fetch(`${bench.running.url}/_control/inventory`)).text();
      expect(JSON.parse(inventory)).to.include({ presets: 1, triggers: 1, resources: 1 });
      expect(inventory).to.not.contain(ACCOUNT.apiSecret);
    } finally {
      await bench.stop();
    }
  });
});
