import { expect } from "chai";
import fc from "fast-check";
import { password } from "../../../sandbox/plugins/random/provider";

const count = (text: string, kind: RegExp) => [...text].filter((character) => kind.test(character)).length;

describe("stand-in plugins: random passwords", () => {
  it("have the asked length and at least the asked number of each kind", () => {
    const least = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 80 }),
        least,
        least,
        least,
        least,
        (length, minLower, minUpper, minNumeric, minSpecial) => {
          const kinds = { lower: true, upper: true, numeric: true, special: true, overrideSpecial: "_-" };
          const text = password({ ...kinds, length, minLower, minUpper, minNumeric, minSpecial });
          expect(text)
            .to.have.lengthOf(length)
            .and.to.match(/^[A-Za-z0-9_-]+$/);
          expect(count(text, /[a-z]/)).to.be.at.least(minLower);
          expect(count(text, /[A-Z]/)).to.be.at.least(minUpper);
          expect(count(text, /[0-9]/)).to.be.at.least(minNumeric);
          expect(count(text, /[_-]/)).to.be.at.least(minSpecial);
        },
      ),
    );
  });

  it("leave out the kinds that are switched off", () => {
    const text = password({ length: 200, lower: true, upper: false, numeric: false, special: false });
    expect(text).to.match(/^[a-z]{200}$/);
  });
});
