import { expect } from "chai";
import fc from "fast-check";
import { archiveVersion } from "../../../backup/archive";
import { assess } from "../../../backup/assess";
import { criticalRows } from "../../../backup/critical-tables";
import { parseManifest, rowBounds, rowDifferences } from "../../../backup/manifest";

const counts = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.nat(50));

describe("rows of a manifest", () => {
  it("are exact when both counts agree, and hold both counts otherwise", () => {
    fc.assert(
      fc.property(counts, counts, (before, after) => {
        const bounds = rowBounds(before, after);
        const same = JSON.stringify(Object.entries(before).sort()) === JSON.stringify(Object.entries(after).sort());
        expect(bounds.exact).to.equal(same);
        expect(rowDifferences(bounds, before)).to.deep.equal([]);
        expect(rowDifferences(bounds, after)).to.deep.equal([]);
      }),
    );
  });

  it("miss no row: one less, one more, a table gone or added is told", () => {
    const bounds = rowBounds({ a: 3, b: 0 }, { a: 3, b: 0 });
    expect(rowDifferences(bounds, { a: 2, b: 0 })).to.deep.equal(["table a has 2 rows, expected 3"]);
    expect(rowDifferences(bounds, { a: 4, b: 0 })).to.deep.equal(["table a has 4 rows, expected 3"]);
    expect(rowDifferences(bounds, { a: 3 })).to.deep.equal(["table b is missing, expected 0 rows"]);
    expect(rowDifferences(bounds, { a: 3, b: 0, c: 1 })).to.deep.equal(["table c is not in the backup"]);
    expect(rowDifferences(rowBounds({ a: 3 }, { a: 5 }), { a: 6 })).to.deep.equal([
      "table a has 6 rows, expected 3 to 5",
    ]);
  });
});

describe("manifests", () => {
  it("of another version, system or form are refused, each in its own words", () => {
    const code = (text: string) => {
      try {
        parseManifest(text, { system: "usc-pis", key: "k" });
      } catch (error) {
        return (error as { code: string }).code;
      }
      return "read";
    };
    expect(code("<html>")).to.equal("bad_manifest");
    expect(code("null")).to.equal("bad_manifest");
    expect(code('{"version":2,"system":"usc-pis"}')).to.equal("bad_manifest");
    expect(code('{"version":1,"system":"other"}')).to.equal("other_system");
    expect(code('{"version":1,"system":"usc-pis"}')).to.equal("bad_manifest");
  });
});

describe("the judgement of a dump", () => {
  const previous = {
    id: "p",
    rows: rowBounds({ patients_patient: 5 }, { patients_patient: 5 }),
    dump: { key: "k", bytes: 1000, sha256: "", checksum: "", archiveVersion: "1.15.0" },
  };
  const rows = (patients: number) => rowBounds({ patients_patient: patients }, { patients_patient: patients });

  it("suspects less than half the bytes and a critical table that lost all rows, nothing else", () => {
    expect(assess({ bytes: 500, rows: rows(1) }, previous).status).to.equal("success");
    expect(assess({ bytes: 499, rows: rows(5) }, previous).status).to.equal("suspect");
    expect(assess({ bytes: 1000, rows: rows(0) }, previous).status).to.equal("suspect");
    expect(assess({ bytes: 1, rows: rows(0) }, undefined).status).to.equal("success");
  });

  it("knows which rows are the clinic's work", () => {
    expect(criticalRows({ django_session: 9, patients_patient: 0, authentication_user: 2 })).to.deep.equal({
      authentication_user: 2,
    });
  });
});

describe("the header of an archive", () => {
  const header = (...bytes: number[]) => Buffer.concat([Buffer.from("PGDMP"), Buffer.from(bytes)]);
  const code = (bytes: Uint8Array) => {
    try {
      return archiveVersion(bytes);
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it("tells versions, and everything that is no dump apart", () => {
    expect(code(header(1, 15, 0, 4, 8, 1))).to.equal("1.15.0");
    expect(code(Buffer.alloc(0))).to.equal("empty_dump");
    expect(code(header(1, 15))).to.equal("truncated");
    expect(code(header(2, 0, 0, 4, 8, 1))).to.equal("not_a_dump");
    expect(code(header(1, 15, 0, 4, 8, 3)), "a tar archive").to.equal("not_a_dump");
    expect(code(Buffer.from("--\n-- PostgreSQL database dump"))).to.equal("not_a_dump");
    expect(code(Buffer.from("  <html><head>"))).to.equal("not_a_dump");
  });
});
