import { expect } from "chai";
import { Bench, dataUri, png, rejection } from "./cloudinary-support";

type Call = (...args: unknown[]) => Promise<any>;

describe("Cloudinary emulator, folders and structured metadata with the official SDK", () => {
  const bench = new Bench();
  const api = () => bench.sdk.api as unknown as Record<string, Call>;
  const call = (name: string, ...args: unknown[]) => (api()[name] as Call)(...args);

  before(() => bench.start({ adminLimitPerHour: 10_000 }));
  after(() => bench.stop());

  it("makes, lists, moves and deletes folders", async () => {
    expect(await call("create_folder", "forms/2026")).to.include({ success: true, path: "forms/2026", name: "2026" });
    await bench.sdk.uploader.upload(dataUri(png(1)), { public_id: "x/y", asset_folder: "forms/2026/may" });
    const roots = (await call("root_folders")).folders.map((one: { name: string }) => one.name);
    // A public id's slashes make no folder.
    expect(roots).to.deep.equal(["forms"]);
    expect((await call("sub_folders", "forms")).folders).to.deep.equal([{ name: "2026", path: "forms/2026" }]);
    expect((await rejection(call("delete_folder", "forms/2026"))).message).to.equal("Folder is not empty");
    const moved = await call("rename_folder", "forms/2026", "archive");
    expect(moved).to.deep.include({ to: { name: "archive", path: "archive" } });
    expect((await bench.sdk.api.resource("x/y")).asset_folder).to.equal("archive/may");
    await call("update", "x/y", { asset_folder: "" });
    expect((await call("delete_folder", "forms")).deleted).to.deep.equal(["forms"]);
    expect(await rejection(call("sub_folders", "forms"))).to.include({ http_code: 404 });
  });

  it("ends a listing of folders after 2,000 without a word, but pages when asked to", async () => {
    const paths = Array.from({ length: 2010 }, (_, index) => `many/${String(index).padStart(4, "0")}`);
    await bench.sdk.uploader.upload(dataUri(png(2)), { public_id: "many", asset_folder: "many/last" });
    for (let at = 0; at < paths.length; at += 100) {
      const batch = paths.slice(at, at + 100);
      await Promise.all(batch.map((folder) => bench.api(`folders/${folder}`, { method: "POST" })));
    }
    const all = await call("sub_folders", "many");
    expect(all.folders).to.have.lengthOf(2000);
    expect(all.next_cursor).to.equal(null);
    const first = await call("sub_folders", "many", { max_results: 500 });
    expect(first.total_count).to.equal(2011);
    const second = await call("sub_folders", "many", { max_results: 500, next_cursor: first.next_cursor });
    expect(second.folders[0].path).to.equal("many/0500");
  });

  it("declares fields and takes only values that fit them", async () => {
    const values = [
      { external_id: "a", value: "Ward A" },
      { external_id: "b", value: "Ward B" },
    ];
    await call("add_metadata_field", { external_id: "ward", label: "Ward", type: "enum", datasource: { values } });
    await call("add_metadata_field", { external_id: "room", label: "Room", type: "integer" });
    await call("add_metadata_field", { external_id: "taken", label: "Taken", type: "date" });
    const again = call("add_metadata_field", { external_id: "room", label: "Room", type: "integer" });
    expect(await rejection(again)).to.include({ http_code: 409 });
    const good = { ward: "a", room: 7, taken: "2026-05-01" };
    const uploaded = await bench.sdk.uploader.upload(dataUri(png(3)), { public_id: "field", metadata: good } as never);
    expect(uploaded.metadata).to.deep.equal({ ward: "a", room: 7, taken: "2026-05-01" });
    for (const bad of [{ ward: "c" }, { room: "seven" }, { taken: "May" }, { unknown: "x" }]) {
      const refused = bench.sdk.uploader.update_metadata(bad as never, ["field"]);
      expect(await rejection(refused), JSON.stringify(bad)).to.include({ http_code: 400 });
    }
    expect((await bench.sdk.api.resource("field")).metadata).to.deep.equal(uploaded.metadata);
    await call("delete_datasource_entries", "ward", ["b"]);
    const inactive = bench.sdk.uploader.update_metadata({ ward: "b" } as never, ["field"]);
    expect(await rejection(inactive)).to.include({ http_code: 400 });
    await call("restore_metadata_field_datasource", "ward", ["b"]);
    await call("update_metadata_field_datasource", "ward", { values: [{ external_id: "c", value: "Ward C" }] });
    await bench.sdk.uploader.update_metadata({ ward: "c" } as never, ["field"]);
    await call("delete_metadata_field", "room");
    const left = (await bench.sdk.api.resource("field")).metadata;
    expect(left).to.deep.equal({ ward: "c", taken: "2026-05-01" });
    const strict = call("add_metadata_field", { label: "Must", type: "string", mandatory: true });
    expect((await rejection(strict)).message).to.match(/not carried out/);
  });
});
