import { expect } from "chai";
import fc from "fast-check";
import { controlFaults } from "../../../sandbox/faults/control";
import { Faults, type FaultTarget, fits, seeded } from "../../../sandbox/faults/engine";
import { type FaultRule, parseRules, RuleError } from "../../../sandbox/faults/rule";

const target = (changes: Partial<FaultTarget> = {}): FaultTarget => ({
  service: "s3",
  region: "ap-southeast-1",
  operation: "PutObject",
  method: "PUT",
  path: "/vault/hourly/a.dump",
  query: new URLSearchParams("partNumber=1&uploadId=abc"),
  ...changes,
});

describe("which requests a fault hits", () => {
  for (const [what, rule, fitting, other] of [
    ["a service", { service: "s3" }, {}, { service: "kms" }],
    ["one of some services", { service: ["s3", "kms"] }, { service: "kms" }, { service: undefined }],
    ["a region", { region: "ap-southeast-1" }, {}, { region: "ap-northeast-1" }],
    ["an operation", { operation: "PutObject" }, {}, { operation: "GetObject" }],
    ["a method", { method: "PUT" }, {}, { method: "GET" }],
    ["a pattern of paths", { path: "^/vault/.*\\.dump$" }, {}, { path: "/vault/hourly/a.json" }],
    ["a parameter", { query: { uploadId: "^a" } }, {}, { query: new URLSearchParams("uploadId=b") }],
    ["a parameter that is there", { query: { versionId: "" } }, { query: new URLSearchParams("versionId=1") }, {}],
  ] as [string, FaultRule, Partial<FaultTarget>, Partial<FaultTarget>][]) {
    it(`tells ${what} from others`, () => {
      expect(fits(rule, target(fitting))).to.equal(true);
      expect(fits(rule, target(other))).to.equal(false);
    });
  }

  it("takes everything when nothing is named, and no request for a switch", () => {
    expect(fits({ status: 500 }, target())).to.equal(true);
    expect(fits({ switch: "x" }, target())).to.equal(false);
  });
});

describe("how often a fault hits", () => {
  const hits = (rule: object, requests: number) => {
    const faults = new Faults();
    faults.set([{ status: 503, ...rule }]);
    return Array.from({ length: requests }, () => (faults.meet(target()) === undefined ? "." : "x")).join("");
  };

  it("lets the first pass, then hits as often as told", () => {
    expect(hits({}, 4)).to.equal("xxxx");
    expect(hits({ times: 2 }, 4)).to.equal("xx..");
    expect(hits({ skip: 1, times: 2 }, 5)).to.equal(".xx..");
    expect(hits({ times: 0 }, 2)).to.equal("..");
  });

  it("hits a part of them, the same ones for the same seed", () => {
    expect(hits({ probability: 0 }, 50)).not.to.contain("x");
    expect(hits({ probability: 1 }, 50)).not.to.contain(".");
    const some = hits({ probability: 0.3, seed: 7 }, 1000);
    expect(some.replaceAll(".", "").length).to.be.within(230, 370);
    expect(hits({ probability: 0.3, seed: 7 }, 1000)).to.equal(some);
    expect(hits({ probability: 0.3, seed: 8 }, 1000)).not.to.equal(some);
  });

  it("draws numbers from 0 to below 1", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seeded(seed);
        return Array.from({ length: 50 }, random).every((number) => number >= 0 && number < 1);
      }),
    );
  });

  it("gives a request to the first rule that hits, and counts what each saw", () => {
    const faults = new Faults();
    faults.set([
      { name: "late", status: 500, skip: 1 },
      { name: "other", service: "kms", status: 400 },
      { name: "always", status: 503 },
    ]);
    expect([faults.meet(target())?.name, faults.meet(target())?.name]).to.deep.equal(["always", "late"]);
    expect(faults.list().map(({ rule, seen, hits: hit }) => [rule.name, seen, hit])).to.deep.equal([
      ["late", 2, 1],
      ["other", 0, 0],
      ["always", 1, 1],
    ]);
  });

  it("knows switches apart from requests", () => {
    const faults = new Faults({ switches: ["hang"] });
    faults.set([{ switch: "hang", value: 3, times: 1 }]);
    expect(faults.meet(target())).to.equal(undefined);
    expect(faults.switched("hang")?.value).to.equal(3);
    expect(faults.switched("hang")).to.equal(undefined);
    expect(faults.list()[0]).to.include({ seen: 2, hits: 1, over: true });
  });

  it("puts new rules before old ones, and takes back those of a name", () => {
    const faults = new Faults();
    faults.set([{ name: "old", status: 500 }]);
    faults.add([{ name: "new", status: 501 }]);
    expect(faults.meet(target())?.name).to.equal("new");
    expect(faults.remove("new")).to.equal(1);
    expect(faults.remove("new")).to.equal(0);
    expect(faults.meet(target())?.name).to.equal("old");
    expect(faults.remove()).to.equal(1);
    expect(faults.meet(target())).to.equal(undefined);
  });

  it("keeps what stands when new rules make no sense", () => {
    const faults = new Faults();
    faults.set([{ status: 500 }]);
    expect(() => faults.set([{ status: 501 }, { cut: true, hang: true }])).to.throw(RuleError, /^rule 2: /);
    expect(faults.list()).to.have.length(1);
  });
});

describe("rules that make no sense", () => {
  const abilities = { switches: ["hang"] };
  for (const [what, rules, words] of [
    ["no list", { status: 500 }, /must be a list/],
    ["no effect", [{ path: "/x" }], /does nothing/],
    ["an unknown field", [{ status: 500, often: 3 }], /often/],
    ["a broken pattern", [{ path: "(", status: 500 }], /regular expression/],
    ["a status that is none", [{ status: 99 }], /status/],
    ["two ends", [{ status: 500, hang: true }], /exclude/],
    ["a cut with a change of the body", [{ cut: true, flipBitAt: 1 }], /leaves nothing/],
    ["two lengths", [{ truncateTo: 1, truncateBy: 1 }], /exclude/],
    ["a kept length of nothing", [{ keepLength: true, flipBitAt: 1 }], /keepLength/],
    ["words without a status", [{ delayMs: 1, code: "x" }], /go with a status/],
    ["headers of nothing", [{ delayMs: 1, headers: {} }], /headers/],
    ["another upload at an emulator", [{ shortenUpload: 1 }], /only the gateway/],
    ["an unknown switch", [{ switch: "jam" }], /expected hang/],
    ["a switch with a path", [{ switch: "hang", path: "/x" }], /takes a value, not path/],
    ["a probability above 1", [{ status: 500, probability: 1.5 }], /probability/],
  ] as [string, unknown, RegExp][]) {
    it(`are refused: ${what}`, () => expect(() => parseRules(rules, abilities)).to.throw(RuleError, words));
  }

  it("and those that do are taken", () => {
    const rules = [
      { status: 500, delayMs: 5, code: "x", headers: { a: "b" } },
      { truncateBy: 3, flipBitAt: 1, drip: { bytes: 1, pauseMs: 0 }, keepLength: true },
      { switch: "hang" },
      { cut: "answer" },
    ];
    expect(parseRules(rules, abilities)).to.deep.equal(rules);
    expect(parseRules([{ shortenUpload: 1 }], { uploads: true })).to.have.length(1);
  });
});

describe("the control of faults", () => {
  it("lists, replaces, adds and takes back", () => {
    const faults = new Faults();
    const names = () => controlFaults(faults, "GET", undefined).faults.map(({ rule }) => rule.name);
    controlFaults(faults, "POST", { rules: [{ name: "a", status: 500 }] });
    controlFaults(faults, "PATCH", { rules: [{ name: "b", status: 500 }] });
    expect(names()).to.deep.equal(["b", "a"]);
    expect(controlFaults(faults, "DELETE", undefined, "a").removed).to.equal(1);
    expect(names()).to.deep.equal(["b"]);
    controlFaults(faults, "POST", { rules: [] });
    expect(names()).to.deep.equal([]);
    for (const body of [undefined, {}, { rules: "x" }, []])
      expect(() => controlFaults(faults, "POST", body)).to.throw(RuleError, "rules must be a list");
  });
});
