import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { ACCOUNT, Bench, dataUri, png, rejection } from "./cloudinary-support";

const MIB = 1024 * 1024;

describe("Cloudinary emulator, the forms that an upload may have", () => {
  const bench = new Bench();
  let files: Server;
  let origin: string;

  before(async () => {
    await bench.start({ maxBytes: { image: 1000, raw: 6 * MIB } });
    files = createServer((request, response) => {
      if (request.url === "/scan.png") response.end(png(1));
      else response.writeHead(404, "Not Found").end();
    });
    await new Promise<void>((resolve) => files.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
  });
  after(async () => {
    files.close();
    files.closeAllConnections();
    await bench.stop();
  });

  function signed(params: Record<string, unknown>): Record<string, unknown> {
    const all = { timestamp: Math.floor(Date.now() / 1000), ...params };
    return { ...all, signature: bench.sdk.utils.api_sign_request(all, ACCOUNT.apiSecret), api_key: ACCOUNT.apiKey };
  }

  function form(params: Record<string, unknown>): URLSearchParams {
    return new URLSearchParams(Object.entries(params).map(([name, value]): [string, string] => [name, String(value)]));
  }

  function post(action: string, init: RequestInit): Promise<Response> {
    return fetch(`${bench.running.url}/v1_1/${ACCOUNT.cloudName}/${action}`, { method: "POST", ...init });
  }

  it("takes the same request as multipart, form and JSON, whatever else is not signed", async () => {
    const params = { ...signed({ public_id: "form", tags: "a,b" }), file: dataUri(png(2)), resource_type: "image" };
    const fields = form(params);
    const multipart = new FormData();
    for (const [name, value] of fields) multipart.set(name, value);
    const json = { body: JSON.stringify(params), headers: { "content-type": "application/json" } };
    for (const init of [{ body: fields }, { body: multipart }, json]) {
      const response = await post("image/upload", init);
      expect(response.status).to.equal(200);
      expect(((await response.json()) as { tags: string[] }).tags).to.deep.equal(["a", "b"]);
    }
    fields.set("tags", "a,c");
    expect((await post("image/upload", { body: fields })).status).to.equal(401);
  });

  it("signs lists joined by commas", async () => {
    const params = signed({ public_ids: ["form", "absent"], tag: "c", command: "add" });
    const headers = { "content-type": "application/json" };
    const answer = await post("image/tags", { body: JSON.stringify(params), headers });
    expect(await answer.json()).to.deep.equal({ public_ids: ["form"] });
  });

  it("fetches a file from this machine, and from nowhere else", async () => {
    const uploaded = await bench.sdk.uploader.upload(`${origin}/scan.png`, {
      use_filename: true,
      unique_filename: false,
    });
    expect(uploaded).to.include({ public_id: "scan", original_filename: "scan", bytes: png(1).length });
    const missing = bench.sdk.uploader.upload(`${origin}/other.png`, {});
    expect((await rejection(missing)).message).to.match(/^Error in loading .* - 404 Not Found$/);
    for (const elsewhere of ["https://example.com/a.png", "s3://bucket/a.png", "ftp://127.0.0.1/a.png"]) {
      expect((await rejection(bench.sdk.uploader.upload(elsewhere, {}))).message, elsewhere).to.match(
        /not carried out/,
      );
    }
  });

  it("keeps what is there when it may not overwrite, which an unsigned upload never may", async () => {
    const { etag } = await bench.sdk.uploader.upload(dataUri(png(3)), { public_id: "first" });
    const kept = await bench.sdk.uploader.upload(dataUri(png(4)), { public_id: "first", overwrite: false });
    expect(kept).to.include({ existing: true, etag });
    await bench.sdk.api.create_upload_preset({ name: "open", unsigned: true, overwrite: true } as never);
    const unsigned = await bench.sdk.uploader.unsigned_upload(dataUri(png(4)), "open", { public_id: "first" });
    expect(unsigned).to.include({ existing: true, etag });
    const forbidden = bench.sdk.uploader.unsigned_upload(dataUri(png(4)), "open", { type: "private" });
    expect((await rejection(forbidden)).message).to.equal("type parameter is not allowed when using unsigned upload");
    await bench.sdk.api.update_upload_preset("open", { unsigned: true, disallow_public_id: true } as never);
    const named = bench.sdk.uploader.unsigned_upload(dataUri(png(4)), "open", { public_id: "mine" });
    expect((await rejection(named)).message).to.match(/public_id is not allowed/);
    const replaced = await bench.sdk.uploader.upload(dataUri(png(4)), { public_id: "first" });
    expect(replaced.etag).to.not.equal(etag);
  });

  it("places by folder, prefix and asset folder", async () => {
    const upload = (options: object) => bench.sdk.uploader.upload(dataUri(png(5)), options as never);
    expect(await upload({ public_id: "a", folder: "f/g" })).to.include({ public_id: "f/g/a", asset_folder: "f/g" });
    expect(await upload({ public_id: "a", asset_folder: "f" })).to.include({ public_id: "a", asset_folder: "f" });
    const prefixed = { public_id: "a", asset_folder: "f", use_asset_folder_as_public_id_prefix: true };
    expect((await upload(prefixed)).public_id).to.equal("f/a");
    expect((await upload({ public_id: "a", public_id_prefix: "p" })).public_id).to.equal("p/a");
    expect(await rejection(upload({ public_id: "a?b" }))).to.include({ http_code: 400 });
  });

  it("keeps to the plan's largest files, and to chunks of 5 MiB", async () => {
    const large = bench.sdk.uploader.upload(dataUri(Buffer.concat([png(6), Buffer.alloc(1000)])), {});
    expect((await rejection(large)).message).to.match(/^File size too large. Got \d+. Maximum is 1000/);
    const chunk = async (from: number, bytes: number, total: number) => {
      const body = new FormData();
      for (const [name, value] of Object.entries(signed({ public_id: "big.bin" }))) body.set(name, String(value));
      body.set("file", new Blob([new Uint8Array(bytes)]), "big.bin");
      const headers = {
        "content-range": `bytes ${from}-${from + bytes - 1}/${total}`,
        "x-unique-upload-id": "one",
      };
      return post("raw/upload", { body, headers });
    };
    expect(await (await chunk(0, MIB, -1)).text()).to.match(/All parts except EOF-chunk must be larger than 5mb/);
    expect(await (await chunk(0, 5 * MIB, 6 * MIB)).json()).to.include({ done: false, upload_id: "one" });
    expect((await chunk(4 * MIB, MIB, 6 * MIB)).status).to.equal(400);
    expect(await (await chunk(5 * MIB, MIB, 6 * MIB)).json()).to.include({ bytes: 6 * MIB, public_id: "big.bin" });
    expect((await chunk(0, 6 * MIB, 7 * MIB)).status).to.equal(200);
    expect(await (await chunk(6 * MIB, MIB, 7 * MIB)).text()).to.match(/File size too large/);
  });

  it("ignores switches that are off, and refuses conversions and everything that would work in the background", async () => {
    const upload = (options: object) => bench.sdk.uploader.upload(dataUri(png(7)), options as never);
    const off = { public_id: "off", colors: false, faces: false, async: false, format: "png", invalidate: true };
    expect((await upload(off)).public_id).to.equal("off");
    const refused = [
      { colors: true },
      { async: true },
      { format: "webp" },
      { moderation: "manual" },
      { eager: "w_10" },
    ];
    for (const option of refused) {
      expect((await rejection(upload(option))).message, JSON.stringify(option)).to.match(/not carried out/);
    }
    for (const action of ["sprite", "multi", "explode", "generate_archive", "text"]) {
      const body = form(signed({ tag: "x" }));
      expect(await (await post(`image/${action}`, { body })).text(), action).to.match(/not carried out/);
    }
    const { type, ...untyped } = { type: "upload", tags: "x" };
    expect((await rejection(bench.sdk.uploader.explicit("off", untyped as never))).message).to.match(/type/);
    expect((await bench.sdk.uploader.explicit("off", { type, tags: "x" } as never)).tags).to.deep.equal(["x"]);
  });

  it("sets a tag for some assets alone, replaces and removes all", async () => {
    for (const id of ["t1", "t2"]) await bench.sdk.uploader.upload(dataUri(png(8)), { public_id: id, tags: "cover" });
    const tags = async (id: string) => (await bench.sdk.api.resource(id)).tags;
    // The SDK's own `exclusive` is lost on the way: it hands its arguments on in the wrong order.
    const exclusive = form(signed({ tag: "cover", public_ids: "t2", command: "set_exclusive" }));
    expect((await post("image/tags", { body: exclusive })).status).to.equal(200);
    expect([await tags("t1"), await tags("t2")]).to.deep.equal([[], ["cover"]]);
    await bench.sdk.uploader.replace_tag("n", ["t1", "t2"]);
    expect([await tags("t1"), await tags("t2")]).to.deep.equal([["n"], ["n"]]);
    await bench.sdk.uploader.remove_all_tags(["t1", "absent"]);
    expect([await tags("t1"), await tags("t2")]).to.deep.equal([[], ["n"]]);
  });

  it("renames into another type and over what is there only when told to", async () => {
    await bench.sdk.uploader.upload(dataUri(png(9)), { public_id: "r1" });
    await bench.sdk.uploader.upload(dataUri(png(10)), { public_id: "r2", type: "private" });
    const to = { to_type: "private" };
    expect((await rejection(bench.sdk.uploader.rename("r1", "r2", to as never))).message).to.match(/already exists/);
    const renamed = await bench.sdk.uploader.rename("r1", "r2", { ...to, overwrite: true, invalidate: true } as never);
    expect(renamed).to.include({ public_id: "r2", type: "private" });
    expect(await rejection(bench.sdk.api.resource("r1"))).to.include({ http_code: 404 });
  });
});
