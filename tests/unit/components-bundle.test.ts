import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { bundleFunction } from "../../components/bundle";

describe("a function's bundle", function () {
  this.timeout(60_000);

  for (const name of ["capture", "media-sync"]) {
    it(`lies below the project, exports its handler, and names no path of this machine: ${name}`, () => {
      const folder = bundleFunction(name);
      expect(folder).to.equal(`dist/functions/${name}`);
      const file = join(folder, "index.js");
      const text = readFileSync(file, "utf8");
      expect(text).not.to.contain(process.cwd());
      expect(text).not.to.contain("node_modules/");
      // The control: what is looked for would be found in a text that has it.
      expect(`${text}//${process.cwd()}/node_modules/x`).to.contain(process.cwd()).and.to.contain("node_modules/");
      expect(require(join(process.cwd(), file)).handler).to.be.a("function");
    });
  }

  it("has the same bytes each time, and is not written again when nothing changed", () => {
    const file = join(bundleFunction("capture"), "index.js");
    const [bytes, written] = [readFileSync(file), statSync(file).mtimeMs];
    bundleFunction("capture");
    expect(readFileSync(file).equals(bytes)).to.equal(true);
    expect(statSync(file).mtimeMs).to.equal(written);
  });

  it("refuses a function that is not there", () => {
    expect(() => bundleFunction("no-such-function")).to.throw();
  });
});
