import { expect } from "chai";
import fc from "fast-check";
import { isUnchanged, wantedRange } from "../../../sandbox/cloudinary/ranges";

const ETAG = '"abc"';

describe("ranges and conditions of delivery", () => {
  const range = (value: string, bytes = 10, more: Record<string, string> = {}) =>
    wantedRange({ range: value, ...more }, ETAG, bytes);

  it("are read as first, last and suffix bytes", () => {
    expect(range("bytes=0-0")).to.deep.equal({ start: 0, end: 0 });
    expect(range("bytes=4-")).to.deep.equal({ start: 4, end: 9 });
    expect(range("bytes=4-99")).to.deep.equal({ start: 4, end: 9 });
    expect(range("bytes=-3")).to.deep.equal({ start: 7, end: 9 });
    expect(range("bytes=-99")).to.deep.equal({ start: 0, end: 9 });
  });

  it("are ignored in forms that a server need not know, and for other bytes", () => {
    for (const value of ["bytes=-", "bytes=5-4", "bytes=0-1,3-4", "items=0-1", "nonsense"]) {
      expect(range(value), value).to.equal(undefined);
    }
    expect(range("bytes=0-1", 10, { "if-range": '"old"' })).to.equal(undefined);
    expect(range("bytes=0-1", 10, { "if-range": ETAG })).to.deep.equal({ start: 0, end: 1 });
    expect(wantedRange({}, ETAG, 10)).to.equal(undefined);
  });

  it("are refused beyond the end", () => {
    expect(range("bytes=10-")).to.equal("unsatisfiable");
    expect(range("bytes=-0")).to.equal("unsatisfiable");
  });

  it("never leave the file", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(20), fc.integer({ min: 1, max: 20 }), (first, last, bytes) => {
        const found = range(`bytes=${first}-${last}`, bytes);
        if (found === undefined || found === "unsatisfiable") return;
        expect(found.start).to.be.at.most(found.end);
        expect(found.end).to.be.below(bytes);
      }),
    );
  });

  it("tell what the client has from what it has not", () => {
    const modified = "2026-05-01T10:00:00.500Z";
    const unchanged = (headers: Record<string, string>) => isUnchanged(headers, ETAG, modified);
    expect(unchanged({})).to.equal(false);
    expect(unchanged({ "if-none-match": `"x", W/${ETAG}` })).to.equal(true);
    expect(unchanged({ "if-none-match": "*" })).to.equal(true);
    expect(unchanged({ "if-modified-since": "Fri, 01 May 2026 10:00:00 GMT" })).to.equal(true);
    expect(unchanged({ "if-modified-since": "Fri, 01 May 2026 09:59:59 GMT" })).to.equal(false);
    const both = { "if-none-match": '"x"', "if-modified-since": "Fri, 01 May 2026 10:00:00 GMT" };
    expect(unchanged(both)).to.equal(false);
  });
});
