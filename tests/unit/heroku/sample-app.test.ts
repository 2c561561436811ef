import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { expect } from "chai";
import { buildRelease, mediaAssets } from "../../../sandbox/app/index";
import { Dice } from "../../../sandbox/app/seed/random";
import { TABLES } from "../../../sandbox/app/seed/tables";
import { MIGRATIONS } from "../../../sandbox/app/source/schema";
import { connection, isAllowedHost, readSettings } from "../../../sandbox/app/source/settings";

describe("sample application", () => {
  const folder = mkdtempSync(join(tmpdir(), "sample-app-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("packs the same bytes for the same version, other bytes for another", async () => {
    const first = await buildRelease({ version: "1.0.0", outDir: join(folder, "a") });
    const again = await buildRelease({ version: "1.0.0", outDir: join(folder, "b") });
    const other = await buildRelease({ version: "1.0.1", outDir: join(folder, "c") });
    expect(readFileSync(first.path).equals(readFileSync(again.path))).to.equal(true);
    expect(first.sha256).to.equal(again.sha256).and.not.equal(other.sha256);
    const names = execFileSync("tar", ["-tzf", first.path], { encoding: "utf8" }).trim().split("\n");
    expect(names).to.have.members(["Procfile", "app.js", "package.json", "requirements.txt"]);
    const program = execFileSync("tar", ["-xzOf", first.path, "app.js"], { encoding: "utf8", maxBuffer: 1e8 });
    expect(program).to.not.contain(process.cwd());
  });

  it("is particular about its configuration", () => {
    const good = {
      SECRET_KEY: "s",
      DATABASE_URL: "postgres://u:p@h:1/d",
      ALLOWED_HOSTS: "a.example, 127.0.0.1:99,.b.example",
    };
    const settings = readSettings(good);
    expect(settings.allowedHosts).to.deep.equal(["a.example", "127.0.0.1", ".b.example"]);
    expect(() => readSettings({ ...good, SECRET_KEY: "" })).to.throw("SECRET_KEY");
    expect(() => readSettings({ ...good, DATABASE_URL: undefined })).to.throw("DATABASE_URL");
    expect(() => readSettings({ ...good, DEBUG: "True" })).to.throw("DEBUG");
    expect(isAllowedHost("A.example:80", settings.allowedHosts)).to.equal(true);
    expect(isAllowedHost("x.b.example", settings.allowedHosts)).to.equal(true);
    expect(isAllowedHost("evil.example", settings.allowedHosts)).to.equal(false);
    expect(isAllowedHost("a.example", [])).to.equal(false);
    expect(connection(`${good.DATABASE_URL}?sslmode=disable`).ssl).to.equal(false);
    expect(connection(good.DATABASE_URL).ssl).to.deep.equal({ rejectUnauthorized: false });
  });

  it("makes media that are what they say, the same each time", () => {
    const assets = mediaAssets();
    expect(assets).to.have.length(25);
    expect(mediaAssets(3)).to.have.length(75);
    expect(new Set(mediaAssets(3).map((asset) => asset.publicId)).size).to.equal(75);
    const magic: Record<string, string> = { png: "89504e47", jpg: "ffd8ffe0", pdf: "25504446", csv: "726f772c" };
    for (const [index, asset] of mediaAssets().entries()) {
      expect(asset.bytes.equals(assets[index]?.bytes ?? Buffer.alloc(0)), asset.publicId).to.equal(true);
      expect(asset.bytes.subarray(0, 4).toString("hex"), asset.publicId).to.equal(magic[asset.format]);
      expect(asset.bytes.length).to.be.greaterThan(100);
    }
    const picture = assets.find((asset) => asset.format === "png")?.bytes ?? Buffer.alloc(0);
    const data = picture.subarray(picture.indexOf("IDAT") + 4, picture.indexOf("IEND") - 8);
    expect(inflateSync(data).length).to.equal((picture.readUInt32BE(16) * 3 + 1) * picture.readUInt32BE(20));
  });

  it("seeds each table after those that it refers to, and nothing but media that exist", () => {
    const seen: string[] = [];
    const used = new Set<string>();
    for (const spec of TABLES) {
      for (let index = 0; index < spec.rows * 2; index++) {
        const row = spec.make(index, new Dice("t"), (table) => {
          expect(seen, `${spec.table} refers to ${table}`).to.include(table);
          return 1;
        });
        for (const value of Object.values(row))
          if (typeof value === "string" && value.startsWith("usc_pis/")) used.add(value);
      }
      seen.push(spec.table);
    }
    const media = new Set(mediaAssets(2).map((asset) => asset.publicId));
    expect([...used].filter((id) => !media.has(id))).to.deep.equal([]);
    expect([...media].filter((id) => !used.has(id))).to.deep.equal([]);
    const made = MIGRATIONS.flatMap((one) => one.statements).join("\n");
    for (const table of seen) expect(made).to.contain(`CREATE TABLE ${table} (`);
  });
});
