import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ACCOUNT, Bench, cloudinaryUrl, dataUri, loadSdk, png, rejection } from "./cloudinary-support";

describe("Cloudinary emulator, Upload API with the official SDK", () => {
  const bench = new Bench();
  let now = Date.now();

  before(() => bench.start({ now: () => now, maxBytes: { raw: 16 * 1024 * 1024 } }));
  after(() => bench.stop());

  function file(name: string, content: Buffer): string {
    const path = join(bench.dataDir, name);
    writeFileSync(path, content);
    return path;
  }

  it("takes upload_prefix and credentials from CLOUDINARY_URL's query, for both APIs", async () => {
    expect(bench.sdk.config().upload_prefix).to.equal(bench.running.url);
    expect(bench.sdk.api).to.be.an("object");
    const uploaded = await bench.sdk.uploader.upload(dataUri(png(1)), { public_id: "prefix" });
    const found = await bench.sdk.api.resource("prefix");
    expect(found.asset_id).to.equal(uploaded.asset_id);
  });

  it("uploads a signed image and serves the same bytes", async () => {
    const content = png(7, 9);
    const result = await bench.sdk.uploader.upload(file("patient photo.png", content), {
      public_id: "patients/1/photo ü",
      tags: ["media", "patient"],
      context: { alt: "a | b = c" },
      overwrite: true,
    });
    expect(result).to.include({ bytes: content.length, format: "png", width: 9, height: 9, type: "upload" });
    expect(result.etag).to.equal(createHash("md5").update(content).digest("hex"));
    expect(result.tags).to.deep.equal(["media", "patient"]);
    expect(result.context).to.deep.equal({ custom: { alt: "a | b = c" } });
    expect(result.asset_folder).to.equal("");
    expect(result.display_name).to.equal("photo ü");
    const utils = bench.sdk.utils as unknown as {
      verify_api_response_signature(id: string, version: number, signature: string): boolean;
    };
    expect(utils.verify_api_response_signature(result.public_id, result.version, result.signature)).to.equal(true);
    const served = await fetch(result.secure_url);
    expect(served.headers.get("content-type")).to.equal("image/png");
    expect(Buffer.from(await served.arrayBuffer()).equals(content)).to.equal(true);
  });

  it("accepts SHA-256 signatures, and parameters with an ampersand", async () => {
    const options = { public_id: "sha256", context: { note: "this & that" } };
    const uploaded = await bench.sdk.uploader.upload(dataUri(png(2)), {
      ...options,
      signature_algorithm: "sha256",
    } as never);
    expect(uploaded.context).to.deep.equal({ custom: { note: "this & that" } });
  });

  it("refuses a wrong secret, a wrong key, a changed parameter and an old timestamp", async () => {
    const wrongSecret = loadSdk(cloudinaryUrl(bench.running.url, { ...ACCOUNT, apiSecret: "wrong" }));
    expect(await rejection(wrongSecret.uploader.upload(dataUri(png()), {}))).to.include({ http_code: 401 });
    const wrongKey = loadSdk(cloudinaryUrl(bench.running.url, { ...ACCOUNT, apiKey: "1" }));
    expect((await rejection(wrongKey.uploader.upload(dataUri(png()), {}))).message).to.match(/Invalid api_key/);

    const send = async (timestamp: number, changed: Record<string, string> = {}) => {
      const params = { public_id: "tampered", timestamp };
      const signature = bench.sdk.utils.api_sign_request(params, ACCOUNT.apiSecret);
      const form = new FormData();
      const fields = { ...params, signature, api_key: ACCOUNT.apiKey, file: dataUri(png()), ...changed };
      for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
      return fetch(`${bench.running.url}/v1_1/clinic/image/upload`, { method: "POST", body: form });
    };
    const seconds = Math.floor(now / 1000);
    expect((await send(seconds)).status).to.equal(200);
    const tampered = await send(seconds, { public_id: "other" });
    expect(tampered.status).to.equal(401);
    expect(await tampered.text()).to.match(/Invalid Signature/);
    const stale = await send(seconds - 3601);
    expect(stale.status).to.equal(400);
    expect(await stale.text()).to.match(
      /Stale request - reported time is \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 which is more than 1 hour ago/,
    );
    expect((await send(seconds - 3599)).status).to.equal(200);
  });

  it("gives rising versions, also after a deletion and within one second", async () => {
    const first = await bench.sdk.uploader.upload(dataUri(png(1)), { public_id: "versions" });
    const second = await bench.sdk.uploader.upload(dataUri(png(2)), { public_id: "versions" });
    expect(second.version).to.be.greaterThan(first.version);
    expect(second.asset_id).to.equal(first.asset_id);
    expect(await bench.sdk.uploader.destroy("versions")).to.deep.equal({ result: "ok" });
    expect(await bench.sdk.uploader.destroy("versions")).to.deep.equal({ result: "not found" });
    const third = await bench.sdk.uploader.upload(dataUri(png(3)), { public_id: "versions" });
    expect(third.version).to.be.greaterThan(second.version);
    now += 5000;
    const later = await bench.sdk.uploader.upload(dataUri(png(4)), { public_id: "versions" });
    expect(later.version).to.equal(Math.max(Math.floor(now / 1000), third.version + 1));
  });

  it("keeps raw files with their extension and refuses a text file as image", async () => {
    const content = Buffer.from("id,name\n1,Ana\n");
    const path = file("report.csv", content);
    const raw = await bench.sdk.uploader.upload(path, { resource_type: "raw", use_filename: true, folder: "reports" });
    expect(raw.public_id).to.match(/^reports\/report_[a-z0-9]{6}\.csv$/);
    expect(await (await fetch(raw.secure_url)).text()).to.equal(content.toString());
    expect((await bench.sdk.uploader.upload(path, { resource_type: "auto" })).resource_type).to.equal("raw");
    expect(await rejection(bench.sdk.uploader.upload(path, {}))).to.include({ message: "Invalid image file" });
  });

  it("uploads in chunks", async () => {
    const content = Buffer.alloc(12 * 1024 * 1024 + 17, "clinic");
    const path = file("large.bin", content);
    const result = await new Promise<{ bytes: number; etag: string }>((resolve, reject) => {
      bench.sdk.uploader.upload_large(
        path,
        { resource_type: "raw", chunk_size: 5 * 1024 * 1024, public_id: "large.bin" },
        (error, done) => (error ? reject(error) : resolve(done as never)),
      );
    });
    expect(result.bytes).to.equal(content.length);
    expect(result.etag).to.equal(createHash("md5").update(content).digest("hex"));
  });

  it("renames, sets tags and context, and applies explicit", async () => {
    await bench.sdk.uploader.upload(dataUri(png(5)), { public_id: "old/name" });
    await bench.sdk.uploader.upload(dataUri(png(6)), { public_id: "taken" });
    expect(await rejection(bench.sdk.uploader.rename("old/name", "taken"))).to.include({ http_code: 400 });
    expect(await rejection(bench.sdk.uploader.rename("absent", "x"))).to.include({ http_code: 404 });
    const renamed = await bench.sdk.uploader.rename("old/name", "new/name");
    expect(renamed.public_id).to.equal("new/name");
    expect((await fetch(renamed.secure_url)).status).to.equal(200);
    await bench.sdk.uploader.add_tag("a,b", ["new/name"]);
    await bench.sdk.uploader.remove_tag("a", ["new/name"]);
    await bench.sdk.uploader.add_context("k=v", ["new/name"]);
    const details = await bench.sdk.api.resource("new/name");
    expect(details.tags).to.deep.equal(["b"]);
    expect(details.context).to.deep.equal({ custom: { k: "v" } });
    const explicit = await bench.sdk.uploader.explicit("new/name", { type: "upload", tags: "c" });
    expect(explicit.tags).to.deep.equal(["c"]);
  });

  it("keeps private and authenticated assets behind signed URLs", async () => {
    const content = png(8);
    const sealed = await bench.sdk.uploader.upload(dataUri(content), { public_id: "sealed/x", type: "authenticated" });
    expect((await fetch(sealed.secure_url)).status).to.equal(401);
    const base = { type: "authenticated", format: "png", version: sealed.version, secure: false };
    const origin = `${bench.running.url}/clinic`;
    const path = (options: object) => new URL(bench.sdk.url("sealed/x", { ...base, ...options })).pathname;
    const signed = `${origin}${path({ sign_url: true }).replace("/clinic", "")}`;
    expect((await fetch(signed)).status).to.equal(200);
    expect((await fetch(signed.replace(/s--.{4}/, "s--AAAA"))).status).to.equal(401);

    const download = bench.sdk.utils.private_download_url("sealed/x", "png", { type: "authenticated" } as never);
    const bytes = await (await fetch(download)).arrayBuffer();
    expect(Buffer.from(bytes).equals(content)).to.equal(true);
    expect((await fetch(download.replace("sealed", "other"))).status).to.equal(401);
    const expired = bench.sdk.utils.private_download_url("sealed/x", "png", {
      type: "authenticated",
      expires_at: Math.floor(now / 1000) - 1,
    } as never);
    expect((await fetch(expired)).status).to.equal(401);
  });

  it("restores a deleted asset when it was uploaded with backup, and only then", async () => {
    const content = png(9);
    await bench.sdk.uploader.upload(dataUri(content), { public_id: "kept", backup: true });
    await bench.sdk.uploader.upload(dataUri(png(10)), { public_id: "lost" });
    await bench.sdk.api.delete_resources(["kept", "lost"]);
    expect(await rejection(bench.sdk.api.resource("kept"))).to.include({ http_code: 404 });
    const restored = (await bench.sdk.api.restore(["kept", "lost"])) as unknown as Record<
      string,
      { secure_url: string }
    >;
    expect(restored.lost).to.deep.equal({ error: "no_backup" });
    const bytes = await (await fetch(restored.kept?.secure_url ?? "")).arrayBuffer();
    expect(Buffer.from(bytes).equals(content)).to.equal(true);
  });

  it("refuses what it does not carry out instead of ignoring it", async () => {
    const refused = await rejection(
      bench.sdk.uploader.upload(dataUri(png()), { eager: [{ width: 10, crop: "scale" }] }),
    );
    expect(refused).to.include({ http_code: 400 });
    expect(refused.message).to.match(/eager is not carried out/);
  });
});
