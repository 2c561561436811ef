import { expect } from "chai";
import fc from "fast-check";
import { differences, inputDifferences, policyForm } from "../../../sandbox/plugins/core/compare";
import type { Input } from "../../../sandbox/plugins/core/types";
import { UNKNOWN } from "../../../sandbox/plugins/core/values";

const paths = (old: unknown, news: unknown, input: Input = {}) =>
  differences("x", old, news, input).map(({ path, kind }) => `${kind} ${path}`);

describe("stand-in plugins: differences", () => {
  it("a value does not differ from itself", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(paths(value, value)).to.deep.equal([]);
      }),
    );
  });

  it("two values that differ in a leaf do differ", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer(), { minKeys: 1 }), (map) => {
        const key = Object.keys(map)[0] as string;
        expect(paths(map, { ...map, [key]: (map[key] ?? 0) + 1 })).to.have.lengthOf(1);
      }),
    );
  });

  it("names the path of the leaf", () => {
    expect(paths({ a: [{ b: 1 }] }, { a: [{ b: 2 }] })).to.deep.equal(["update x.a[0].b"]);
    expect(paths({ "a.b": 1 }, { "a.b": 2 })).to.deep.equal(['update x["a.b"]']);
    expect(paths({ a: 1 }, {})).to.deep.equal(["delete x.a"]);
    expect(paths([1], [1, 2])).to.deep.equal(["add x[1]"]);
  });

  it("takes what services answer for nothing as nothing", () => {
    for (const nothing of ["", false, 0, [], {}, null]) {
      expect(paths(nothing, undefined), JSON.stringify(nothing)).to.deep.equal([]);
      expect(paths(undefined, nothing), JSON.stringify(nothing)).to.deep.equal([]);
    }
    expect(paths(true, undefined)).to.deep.equal(["delete x"]);
    expect(paths(0, 1)).to.deep.equal(["update x"]);
  });

  it("an empty string in a map is a value: a config var may be empty", () => {
    expect(paths({ A: "" }, {})).to.deep.equal(["delete x.A"]);
    expect(paths({}, { A: "" })).to.deep.equal(["add x.A"]);
  });

  it("what the service fills in is no difference, unless the program says otherwise", () => {
    expect(paths("filled", undefined, { computed: true })).to.deep.equal([]);
    expect(paths("filled", "wanted", { computed: true })).to.deep.equal(["update x"]);
  });

  it("an unknown value may be another", () => {
    expect(paths("a", UNKNOWN)).to.deep.equal(["update x"]);
    expect(paths('{"a":1}', UNKNOWN, { compare: "json" })).to.deep.equal(["update x"]);
  });

  it("sets know no order, lists do", () => {
    const shuffled = fc.uniqueArray(fc.integer(), { minLength: 2 });
    fc.assert(
      fc.property(shuffled, (list) => {
        expect(paths(list, [...list].reverse(), { compare: "set" })).to.deep.equal([]);
        expect(paths(list, [...list].reverse())).to.not.deep.equal([]);
      }),
    );
    expect(paths(["a", "b"], ["b", "c"], { compare: "set" })).to.have.lengthOf(1);
  });

  it("sets of objects ignore what the service fills in", () => {
    const input: Input = { compare: "set", fields: { name: {}, size: { computed: true } } };
    const old = [
      { name: "a", size: 1 },
      { name: "b", size: 2 },
    ];
    expect(paths(old, [{ name: "b" }, { name: "a" }], input)).to.deep.equal([]);
  });

  it("archives differ by their hash", () => {
    const archive = (hash: string) => ({
      "4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7",
      hash,
      path: hash,
    });
    expect(paths(archive("a"), archive("b"))).to.deep.equal(["update x"]);
    expect(paths(archive("a"), { ...archive("a"), path: "moved" })).to.deep.equal([]);
  });

  it("a member of what replaces replaces", () => {
    const found = inputDifferences({ a: { b: 1 }, c: 1 }, { a: { b: 2 }, c: 2 }, { a: { replace: true }, c: {} });
    expect(found.map(({ path, replace }) => [path, replace])).to.deep.equal([
      ["a.b", true],
      ["c", false],
    ]);
  });

  it("policies of one meaning are equal, others are not", () => {
    const statement = { Effect: "Allow", Principal: { AWS: "a" }, Action: "s3:Get", Resource: ["x", "y"] };
    const one = JSON.stringify({ Version: "1", Statement: statement });
    const same = { Principal: { AWS: ["a"] }, Effect: "Allow", Resource: ["y", "x"], Action: ["s3:Get"] };
    const two = JSON.stringify({ Statement: [same], Version: "1" });
    expect(paths(one, two, { compare: "policy" })).to.deep.equal([]);
    for (const change of [{ Effect: "Deny" }, { Action: "s3:Put" }, { Resource: "x" }, { Principal: "*" }]) {
      const other = JSON.stringify({ Version: "1", Statement: { ...statement, ...change } });
      expect(paths(one, other, { compare: "policy" }), JSON.stringify(change)).to.deep.equal(["update x"]);
    }
    expect(policyForm("no json")).to.equal("no json");
  });
});
