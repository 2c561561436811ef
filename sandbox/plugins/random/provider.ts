import { randomBytes, randomInt } from "node:crypto";
import type { Inputs, Provider, ResourceType } from "../core/types";
import type { Properties } from "../core/values";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";
/** The random provider's own set. */
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";

/** Rounds of bcrypt; the provider takes Go's default. */
const BCRYPT_COST = 10;

const pick = (from: string) => from[randomInt(from.length)] ?? "";

/** Characters with at least the asked number of each kind, in random order. */
export function password(inputs: Properties): string {
  const kinds = [
    { use: inputs.lower, least: inputs.minLower, from: LOWER },
    { use: inputs.upper, least: inputs.minUpper, from: LOWER.toUpperCase() },
    { use: inputs.numeric, least: inputs.minNumeric, from: DIGITS },
    { use: inputs.special, least: inputs.minSpecial, from: inputs.overrideSpecial || SPECIAL },
  ];
  const all = kinds.map(({ use, from }) => (use ? from : "")).join("");
  const characters = kinds.flatMap(({ least, from }) => Array.from({ length: least ?? 0 }, () => pick(from)));
  while (characters.length < inputs.length) characters.push(pick(all));
  for (let index = characters.length - 1; index > 0; index--) {
    const other = randomInt(index + 1);
    [characters[index], characters[other]] = [characters[other] ?? "", characters[index] ?? ""];
  }
  return characters.join("");
}

/** Everything about a random value replaces it. */
const fixed = (inputs: Inputs): Inputs =>
  Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, { ...input, replace: true }]));

const randomPassword: ResourceType<null> = {
  token: "random:index/randomPassword:RandomPassword",
  inputs: fixed({
    length: { required: true },
    keepers: {},
    lower: { default: true },
    upper: { default: true },
    numeric: { default: true },
    special: { default: true },
    overrideSpecial: {},
    minLower: { default: 0 },
    minUpper: { default: 0 },
    minNumeric: { default: 0 },
    minSpecial: { default: 0 },
  }),
  outputs: { result: { secret: true }, bcryptHash: { secret: true }, number: {} },
  check(inputs) {
    const least = inputs.minLower + inputs.minUpper + inputs.minNumeric + inputs.minSpecial;
    const length = inputs.length;
    if (typeof length === "number" && length < Math.max(1, least)) {
      return [{ property: "length", reason: `length is ${length}, expected at least ${Math.max(1, least)}` }];
    }
    const kinds = [inputs.lower, inputs.upper, inputs.numeric, inputs.special];
    if (kinds.every((kind) => kind === false))
      return [{ property: "length", reason: "no kind of character is allowed" }];
    return [];
  },
  async create(inputs) {
    const { hash } = await import("bcryptjs");
    const result = password(inputs);
    return { id: "none", state: { result, bcryptHash: await hash(result, BCRYPT_COST), number: inputs.numeric } };
  },
  async delete() {},
};

const randomId: ResourceType<null> = {
  token: "random:index/randomId:RandomId",
  inputs: fixed({ byteLength: { required: true }, keepers: {}, prefix: {} }),
  outputs: { b64Std: {}, b64Url: {}, dec: {}, hex: {} },
  async create(inputs) {
    const bytes = randomBytes(inputs.byteLength);
    const prefix = inputs.prefix ?? "";
    const id = bytes.toString("base64url");
    const hex = bytes.toString("hex");
    const state = {
      b64Std: prefix + bytes.toString("base64"),
      b64Url: prefix + id,
      dec: prefix + BigInt(`0x${hex}`).toString(),
      hex: prefix + hex,
    };
    return { id, state };
  },
  async delete() {},
};

/** The stand-in for pulumi-random: values made once and kept in the state. */
export const randomProvider: Provider<null> = {
  name: "random",
  config: {},
  configure: () => null,
  resources: [randomPassword, randomId],
};
