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
        prefix: "list/",
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

  it("filters by prefix, ids, tag and start_at", async () => {
    const ids = async (page: Promise<{ resources: { public_id: string }[] }>) =>
      (await page).resources.map((resource) => resource.public_id);
    expect(await ids(bench.sdk.api.resources({ type: "upload", prefix: "list/1", tags: true }))).to.have.lengthOf(2);
    const named = bench.sdk.api.resources_by_ids(["list/03", "list/absent", "list/04"]);
    expect(await ids(named)).to.deep.equal(["list/03", "list/04"]);
    expect(await ids(bench.sdk.api.resources_by_tag("even", { max_results: 500 }))).to.have.lengthOf(6);
    const details = await bench.sdk.api.resource("list/05");
    const from = { type: "upload", prefix: "list/", direction: 1, max_results: 500, start_at: details.created_at };
    expect((await ids(bench.sdk.api.resources(from as never)))[0]).to.equal("list/05");
  });

  it("refuses more than 500 a page and a cursor of another query", async () => {
    expect(await rejection(bench.sdk.api.resources({ max_results: 501 }))).to.include({ http_code: 400 });
    const page = await bench.sdk.api.resources({ type: "upload", prefix: "list/", max_results: 2 });
    const elsewhere = bench.sdk.api.resources({ type: "upload", prefix: "x", next_cursor: page.next_cursor } as never);
    expect((await rejection(elsewhere)).message).to.match(/next_cursor/);
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

  it("knows folders and metadata fields", async () => {
    await bench.sdk.api.create_folder("forms/2026");
    expect((await bench.sdk.api.root_folders()).folders.map((folder: { name: string }) => folder.name)).to.include(
      "forms",
    );
    expect((await bench.sdk.api.sub_folders("forms")).folders).to.have.lengthOf(1);
    await bench.sdk.api.delete_folder("forms/2026");
    await bench.sdk.api.add_metadata_field({ external_id: "ward", label: "Ward", type: "string" } as never);
    expect((await bench.sdk.api.list_metadata_fields()).metadata_fields).to.have.lengthOf(1);
    await bench.sdk.api.delete_metadata_field("ward");
    expect((await bench.sdk.api.list_metadata_fields()).metadata_fields).to.have.lengthOf(0);
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
