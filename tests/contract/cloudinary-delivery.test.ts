import { createHash } from "node:crypto";
import { expect } from "chai";
import { ACCOUNT, Bench, dataUri, png } from "./cloudinary-support";

describe("Cloudinary emulator, delivery", () => {
  const bench = new Bench();
  const content = png(1, 64);
  const now = Date.now();
  let url: string;

  before(async () => {
    await bench.start({ now: () => now, deliverPdf: false });
    url = (await bench.sdk.uploader.upload(dataUri(content), { public_id: "forms/a b" })).secure_url;
  });
  after(() => bench.stop());

  const get = (address: string, headers: Record<string, string> = {}, method = "GET") =>
    fetch(address, { method, headers });
  const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer());

  it("serves the same bytes with and without a version, with or without the extension", async () => {
    for (const address of [url, url.replace(/v\d+\//, ""), url.replace(/v\d+\//, "v1/"), url.replace(".png", "")]) {
      const response = await get(address);
      expect(response.status, address).to.equal(200);
      expect(response.headers.get("content-type")).to.equal("image/png");
      expect((await bytes(response)).equals(content), address).to.equal(true);
    }
  });

  it("answers HEAD, and that nothing changed", async () => {
    const head = await get(url, {}, "HEAD");
    expect(head.headers.get("content-length")).to.equal(String(content.length));
    const etag = head.headers.get("etag") ?? "";
    expect(etag).to.equal(`"${createHash("md5").update(content).digest("hex")}"`);
    expect(await head.text()).to.equal("");
    expect((await get(url, { "if-none-match": etag })).status).to.equal(304);
    expect((await get(url, { "if-none-match": '"other"' })).status).to.equal(200);
    const modified = head.headers.get("last-modified") ?? "";
    expect((await get(url, { "if-modified-since": modified })).status).to.equal(304);
    expect((await get(url, { "if-modified-since": new Date(0).toUTCString() })).status).to.equal(200);
  });

  it("serves ranges", async () => {
    const part = await get(url, { range: "bytes=10-19" });
    expect(part.status).to.equal(206);
    expect(part.headers.get("content-range")).to.equal(`bytes 10-19/${content.length}`);
    expect((await bytes(part)).equals(content.subarray(10, 20))).to.equal(true);
    const tail = await get(url, { range: "bytes=-5" });
    expect((await bytes(tail)).equals(content.subarray(-5))).to.equal(true);
    expect((await get(url, { range: `bytes=${content.length}-` })).status).to.equal(416);
    expect((await get(url, { range: "bytes=10-19", "if-range": '"old"' })).status).to.equal(200);
  });

  it("says in x-cld-error why there is nothing, and tells a transformation from a wrong name", async () => {
    const missing = await get(url.replace("forms", "absent"));
    expect(missing.status).to.equal(404);
    expect(missing.headers.get("x-cld-error")).to.match(/^Resource not found - absent/);
    expect(await missing.text()).to.equal("");
    const scaled = await get(url.replace("/upload/", "/upload/w_100,c_scale/f_auto/"));
    expect(scaled.status).to.equal(400);
    expect(scaled.headers.get("x-cld-error")).to.match(/transformation w_100,c_scale\/f_auto is not carried out/);
    expect((await get(url.replace("/upload/", "/upload/a_folder/"))).status).to.equal(400);
    expect((await get(url.replace(".png", ".webp"))).status).to.equal(400);
    expect((await get(url.replace("/clinic/", "/other/"))).status).to.equal(404);
    expect((await get(url, {}, "DELETE")).status).to.equal(400);
  });

  it("keeps PDFs back where their delivery is off, but not from a signed download", async () => {
    const pdf = Buffer.from("%PDF-1.7\nclinic");
    const uploaded = await bench.sdk.uploader.upload(dataUri(pdf, "application/pdf"), { public_id: "form" });
    const refused = await get(uploaded.secure_url);
    expect(refused.status).to.equal(401);
    expect(refused.headers.get("x-cld-error")).to.match(/PDF/);
    const expires_at = Math.floor(now / 1000) + 7 * 86_400;
    const timestamp = Math.floor(now / 1000) - 86_400;
    const options = { attachment: true, expires_at, timestamp } as never;
    const download = await get(bench.sdk.utils.private_download_url("form", "pdf", options));
    expect(download.headers.get("content-disposition")).to.equal('attachment; filename="form.pdf"');
    expect((await bytes(download)).equals(pdf)).to.equal(true);
    // The control: without an end of its own a signed URL is good for an hour.
    const stale = await get(bench.sdk.utils.private_download_url("form", "pdf", { timestamp } as never));
    expect(stale.status).to.equal(400);
  });

  it("keeps an asset of access mode authenticated behind a signature", async () => {
    const uploaded = await bench.sdk.uploader.upload(dataUri(content), {
      public_id: "kept",
      access_mode: "authenticated",
    });
    expect((await get(uploaded.secure_url)).status).to.equal(401);
    const path = bench.sdk.url("kept", { format: "png", sign_url: true, secure: false });
    expect((await get(`${bench.running.url}${new URL(path).pathname}`)).status).to.equal(200);
  });

  it("hands out and removes backed-up versions", async () => {
    const first = await bench.sdk.uploader.upload(dataUri(png(2)), { public_id: "old", backup: true });
    await bench.sdk.uploader.upload(dataUri(png(3)), { public_id: "old", backup: true });
    const api = bench.sdk.api as unknown as Record<string, (...args: unknown[]) => Promise<any>>;
    const { versions } = await bench.sdk.api.resource("old", { versions: true } as never);
    const [{ version_id }, current] = versions;
    expect([versions[0].restorable, current.restorable]).to.deep.equal([true, false]);
    const link = bench.sdk.utils.download_backedup_asset(first.asset_id, version_id);
    expect((await bytes(await get(link))).equals(png(2))).to.equal(true);
    expect((await get(link.replace(version_id, current.version_id))).status).to.equal(401);
    const gone = await api.delete_backed_up_assets?.(first.asset_id, [version_id]);
    expect(gone).to.deep.include({ asset_id: first.asset_id, deleted_version_ids: [version_id] });
    const refused = await api.restore?.(["old"], { versions: [version_id] });
    expect(refused.old).to.deep.equal({ error: "no_backup" });
  });

  it("brings back the version that is named", async () => {
    for (const seed of [10, 11, 12]) {
      await bench.sdk.uploader.upload(dataUri(png(seed)), { public_id: "many", backup: true });
    }
    const { versions, asset_id } = await bench.sdk.api.resource("many", { versions: true } as never);
    await bench.sdk.uploader.destroy("many");
    const api = bench.sdk.api as unknown as Record<string, (...args: unknown[]) => Promise<any>>;
    const answer = await api.restore_by_asset_ids?.([asset_id], { versions: [versions[0].version_id] });
    expect((await bytes(await get(answer[asset_id].secure_url))).equals(png(10))).to.equal(true);
    expect(answer[asset_id].version).to.be.greaterThan(Number(versions[2].version));
  });

  it("serves nothing of another account's name, and answers each request under an id", async () => {
    const response = await bench.api("ping");
    expect(response.headers.get("x-request-id")).to.match(/^[0-9a-f]{32}$/);
    const other = await fetch(`${bench.running.url}/v1_1/other/ping`, {
      headers: { authorization: `Basic ${Buffer.from(`${ACCOUNT.apiKey}:${ACCOUNT.apiSecret}`).toString("base64")}` },
    });
    expect(other.status).to.equal(401);
  });
});
