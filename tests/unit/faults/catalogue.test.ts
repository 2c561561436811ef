import { expect } from "chai";
import { InputError } from "../../../backup/errors";
import { CATALOGUE, findFault, NOT_OF_A_SERVICE, NOT_STAGED } from "../../../sandbox/faults/catalogue";
import { FAULT_SERVICES, parseParameters } from "../../../sandbox/faults/named/define";
import { type Abilities, parseRules } from "../../../sandbox/faults/rule";
import { CLOUDINARY_SWITCHES, HEROKU_SWITCHES } from "../../../sandbox/faults/switches";

/** Rows of facts/failures.md that a service brings about; the others are mistakes of configuration, code or people. */
const ROWS_OF_SERVICES = [1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 17, 18, 19, 20, 22, 23, 24, 25];
const ROWS = 25;
const NOW = new Date("2026-05-24T10:20:30Z");

const ABILITIES: Record<string, Abilities> = {
  gateway: { uploads: true },
  heroku: { switches: Object.values(HEROKU_SWITCHES) },
  cloudinary: { switches: Object.values(CLOUDINARY_SWITCHES) },
};

/** Values that a fault needs and has no default for. */
const NEEDED: Record<string, string[]> = { "cloudinary-metadata-edited": ["asset=clinic/logo"] };

const planned = (name: string, params: string[] = NEEDED[name] ?? []) => {
  const fault = findFault(name);
  return fault.plan(parseParameters(fault, params), NOW);
};
const rulesOf = (name: string, params?: string[]) => {
  const plan = planned(name, params);
  if (!("rules" in plan)) throw new Error(`${name} has no rules`);
  return plan.rules;
};

describe("the catalogue of faults", () => {
  it("stages every failure that a service brings about, and says why not the others", () => {
    const staged = [...new Set(CATALOGUE.flatMap(({ rows }) => rows))].sort((a, b) => a - b);
    expect(staged).to.deep.equal(ROWS_OF_SERVICES);
    const others = Object.keys(NOT_OF_A_SERVICE).map(Number);
    expect([...staged, ...others].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: ROWS }, (_, i) => i + 1));
    for (const why of [...Object.values(NOT_OF_A_SERVICE), ...Object.values(NOT_STAGED)]) expect(why).to.match(/\w{4}/);
  });

  it("has a name only once", () => {
    const names = CATALOGUE.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
    for (const name of names) expect(name).to.match(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  for (const { name, at, about, reset, isAct, parameters } of CATALOGUE) {
    it(`has ${name} with rules that its service takes`, () => {
      expect(FAULT_SERVICES).to.contain(at);
      expect(about).to.match(/^.{15,130}$/);
      const plan = planned(name);
      // A call has to be ended somehow, or to be an act.
      if ("call" in plan) expect(reset !== undefined || isAct === true).to.equal(true);
      else expect(parseRules(plan.rules, ABILITIES[at])).to.have.length.greaterThan(0);
      for (const [key, parameter] of Object.entries(parameters)) {
        expect(parameter.about, key).to.not.equal("");
        if (parameter.kind === "choice")
          for (const value of parameter.choices) planned(name, [...(NEEDED[name] ?? []), `${key}=${value}`]);
      }
    });
  }

  it("hands parameters to rules", () => {
    expect(rulesOf("dump-truncated", ["bytes=7", "length=kept"])[0]).to.include({ truncateBy: 7, keepLength: true });
    expect(rulesOf("region-lost", ["region=eu-west-1", "how=hang"])).to.deep.equal([
      { region: "eu-west-1", hang: true },
    ]);
    expect(rulesOf("s3-slow-down")[0]).to.not.have.property("region");
    expect(rulesOf("s3-slow-down", ["region=eu-west-1"])[0]).to.have.property("region", "eu-west-1");
    expect(rulesOf("cloudinary-rate-limited")[0]?.headers).to.include({
      "x-featureratelimit-reset": "Sun, 24 May 2026 11:00:00 GMT",
    });
  });

  for (const [what, work, words] of [
    ["an unknown name", () => findFault("nothing"), /dump-html-page, /],
    ["an unknown parameter", () => planned("dump-truncated", ["size=1"]), /bytes=512, length=adapted/],
    ["a parameter of one that takes none", () => planned("dump-html-page", ["size=1"]), /takes none/],
    ["a parameter without a value", () => planned("dump-truncated", ["bytes"]), /bytes=512/],
    ["a number that is none", () => planned("dump-truncated", ["bytes=many"]), /expected a whole number/],
    ["another choice", () => planned("region-lost", ["how=slowly"]), /expected cut, hang, error/],
    ["no asset", () => planned("cloudinary-metadata-edited", []), /--param asset=/],
  ] as [string, () => unknown, RegExp][]) {
    it(`refuses ${what}, and says what is known`, () => {
      let caught: unknown;
      try {
        work();
      } catch (error) {
        caught = error;
      }
      expect(caught).to.be.instanceOf(InputError);
      const { message, hint = "" } = caught as InputError;
      expect(`${message} ${hint}`).to.match(words);
    });
  }
});
