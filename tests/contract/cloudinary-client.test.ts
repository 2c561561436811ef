/** Our client of Cloudinary against the emulator, and its signatures against the official SDK's. */
import { createHash } from "node:crypto";
import { expect } from "chai";
import { openDownload } from "../../backup/download";
import type { UscPisError } from "../../backup/errors";
import { BudgetError, Cloudinary, type CloudinaryOptions, parseCloudinaryUrl } from "../../clients/cloudinary";
import type { AssetKind } from "../../clients/cloudinary-schemas";
import { ACCOUNT, Bench, cloudinaryUrl, dataUri, png } from "./cloudinary-support";

const IMAGES: AssetKind = { resourceType: "image", type: "upload" };

describe("Cloudinary client", () => {
  const bench = new Bench();
  let now = Date.now();
  let client: Cloudinary;
  const connect = (more: Partial<CloudinaryOptions> = {}) =>
    new Cloudinary({ ...ACCOUNT, apiUrl: bench.running.url, ...more });

  before(async () => {
    await bench.start({ now: () => now, deliverPdf: false });
    const { api, uploader } = bench.sdk;
    await api.add_metadata_field({ external_id: "ward", label: "Ward", type: "string" } as never);
    for (let index = 0; index < 3; index++) {
      await uploader.upload(dataUri(png(index)), {
        public_id: `ward/á ${index}`,
        tags: "x-ray",
        context: "caption=Hand",
        metadata: '{"ward":"7"}',
        asset_folder: "ward",
      } as never);
    }
    await uploader.upload(dataUri(png(9)), { public_id: "closed", type: "authenticated" });
    await uploader.upload(dataUri(Buffer.from("%PDF-1.7\n%%EOF"), "application/pdf"), { public_id: "certificate" });
    client = connect();
  });
  after(() => bench.stop());

  it("lists with everything that a listing can tell, page by page", async () => {
    const page = await client.page(IMAGES);
    expect(page.next).to.equal(undefined);
    expect(page.assets.map(({ publicId }) => publicId)).to.have.members([
      "ward/á 0",
      "ward/á 1",
      "ward/á 2",
      "certificate",
    ]);
    const asset = page.assets.find(({ publicId }) => publicId === "ward/á 1");
    expect(asset).to.include({ ...IMAGES, format: "png", bytes: png(1).length });
    expect(asset, "listings carry no checksum").to.not.have.property("md5");
    expect(asset?.facts).to.deep.include({
      tags: ["x-ray"],
      context: { custom: { caption: "Hand" } },
      metadata: { ward: "7" },
    });
    expect(asset?.facts.folder).to.equal("ward");
    // The official client sees the same cursor.
    const first = await bench.sdk.api.resources({ type: "upload", max_results: 2 });
    const rest = await client.page(IMAGES, first.next_cursor);
    expect(rest.assets).to.have.lengthOf(2);
  });

  it("asks for named assets, for details with their checksum, and for what is counted", async () => {
    const found = await client.byIds(IMAGES, ["ward/á 0", "no such", "ward/á 2"]);
    expect(found.map(({ publicId }) => publicId)).to.deep.equal(["ward/á 0", "ward/á 2"]);
    const details = await client.details(IMAGES, "ward/á 0");
    expect(details?.md5).to.equal(createHash("md5").update(png(0)).digest("hex"));
    expect(await client.details(IMAGES, "no such")).to.equal(undefined);
    expect(await client.usage()).to.include({ resources: 5 });
  });

  it("signs downloads as the SDK does, which fetch what a plain URL refuses", async () => {
    const [closed] = (await client.page({ resourceType: "image", type: "authenticated" })).assets;
    const pdf = await client.details(IMAGES, "certificate");
    for (const [asset, bytes] of [
      [closed, png(9)],
      [pdf, Buffer.from("%PDF-1.7\n%%EOF")],
    ] as const) {
      if (!asset) throw new Error("not listed");
      const refused = await openDownload(asset.url, { what: "it" }).catch((error) => error);
      expect(refused).to.include({ name: "DownloadRefused", status: 401 });
      const url = new URL(client.downloadUrl(asset));
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await openDownload(url.href)).body) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(bytes)).to.equal(true);
      const { timestamp, expires_at } = Object.fromEntries(url.searchParams);
      const options = { ...sdkAccount(), timestamp, expires_at, resource_type: "image", type: asset.type };
      const theirs = new URL(
        bench.sdk.utils.private_download_url(asset.publicId, asset.format ?? "", options as never),
      );
      expect(url.searchParams.get("signature")).to.equal(theirs.searchParams.get("signature"));
      url.searchParams.set("signature", "0".repeat(40));
      expect(await openDownload(url.href).catch((error) => error)).to.include({ status: 401 });
    }
  });

  const sdkAccount = () => ({ cloud_name: ACCOUNT.cloudName, api_key: ACCOUNT.apiKey, api_secret: ACCOUNT.apiSecret });

  it("reads CLOUDINARY_URL as the SDK does, and shows nothing of a wrong one", () => {
    const { apiUrl, ...account } = parseCloudinaryUrl(cloudinaryUrl(bench.running.url));
    expect([account, apiUrl]).to.deep.equal([ACCOUNT, bench.running.url]);
    for (const text of ["", "https://k:s3cret@clinic", "cloudinary://k:s3cret@", "cloudinary://clinic"]) {
      expect(() => parseCloudinaryUrl(text), text).to.throw(/^CLOUDINARY_URL .* cloudinary:\/\/KEY:SECRET@CLOUD$/);
    }
  });

  it("says what is wrong with credentials without showing them, and stops when it is told to", async () => {
    const wrong = connect({ apiSecret: "very-wrong" });
    const error = (await wrong.usage().catch((cause) => cause)) as UscPisError;
    expect(error).to.include({ code: "unauthorized" });
    expect(error.message).to.contain("api_secret mismatch").and.not.contain("very-wrong");
    expect(error.hint).to.contain("cloudinaryApiSecret");
    const stop = AbortSignal.abort(new Error("stop"));
    expect((await client.page(IMAGES, undefined, stop).catch((cause) => cause)).message).to.equal("stop");
  });

  it("leaves calls to others, and takes the limit's answer for a pause, not a failure", async () => {
    await bench.running.close();
    now += 3_600_000;
    await bench.start({ now: () => now, adminLimitPerHour: 10 });
    const pace = { now: () => new Date(now), random: () => 0, sleep: async () => undefined };
    const polite = connect({ pace, leave: 4 });
    const reset = new Date((Math.floor(now / 3_600_000) + 1) * 3_600_000);
    let ended: unknown;
    for (let call = 0; call < 9 && !ended; call++) await polite.usage().catch((error) => (ended = error));
    expect(ended).to.be.instanceOf(BudgetError).and.to.deep.include({ reset });
    expect(polite.calls, "none was sent in vain").to.equal(6);
    const greedy = connect({ pace, leave: 0 });
    for (let call = 0; call < 4; call++) await greedy.usage();
    const refused = await connect({ pace })
      .usage()
      .catch((error) => error);
    expect(refused).to.be.instanceOf(BudgetError).and.to.deep.include({ reset });
    expect(refused.cause.status).to.equal(420);
    now += 3_600_000;
    expect(await polite.usage(), "the next hour").to.include({ resources: 5 });
  });
});
