import { expect } from "chai";
import fc from "fast-check";
import { canonical, hasUnknown, mergeSecrets, open, seal, UNKNOWN } from "../../../sandbox/plugins/core/values";

const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
const plain = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,5}$/),
  fc.oneof(
    fc.string(),
    fc.integer(),
    fc.array(fc.string()),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.boolean()),
  ),
);

describe("stand-in plugins: values on the wire", () => {
  it("come back as they went, with any member secret", () => {
    fc.assert(
      fc.property(plain, fc.boolean(), (value, some) => {
        const key = Object.keys(value)[0];
        const secrets = some && key !== undefined ? { [key]: true as const } : undefined;
        expect(open(seal(value, secrets))).to.deep.equal({ value, secrets });
      }),
    );
  });

  it("hide a secret inside a secret", () => {
    const nested = { ...SECRET, value: { a: { ...SECRET, value: "x" } } };
    expect(open({ top: nested })).to.deep.equal({ value: { top: { a: "x" } }, secrets: { top: true } });
  });

  it("drop what is null or undefined", () => {
    expect(open({ a: null, b: 1 }).value).to.deep.equal({ b: 1 });
    expect(seal({ a: undefined, b: 1 }, { a: true })).to.deep.equal({ b: 1 });
  });

  it("add up secrets", () => {
    expect(mergeSecrets({ a: true }, { a: { b: true }, c: true })).to.deep.equal({ a: true, c: true });
    expect(mergeSecrets(undefined, true)).to.equal(true);
  });

  it("know what is unknown, and their own form", () => {
    expect(hasUnknown({ a: [{ b: UNKNOWN }] })).to.equal(true);
    expect(hasUnknown({ a: ["x"] })).to.equal(false);
    expect(canonical({ b: 1, a: { d: 1, c: 2 } })).to.equal('{"a":{"c":2,"d":1},"b":1}');
  });
});
