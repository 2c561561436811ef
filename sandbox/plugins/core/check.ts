import { createHash } from "node:crypto";
import type { Input, Inputs, ResourceType } from "./types";
import { hasUnknown, isAsset, type Properties, UNKNOWN, type Value } from "./values";

/** A refused input. */
export interface Failure {
  property: string;
  reason: string;
}

/** What the engine says about names when it checks a resource. */
export interface Naming {
  logicalName: string;
  /** Same seed, same name: the engine repeats it between preview and update. */
  seed: Uint8Array;
  /** The engine's own proposal, if the project configures names. */
  proposed?: string;
}

function refuse(token: string, path: string, value: Value, input: Input, failures: Failure[]): void {
  if (value === undefined || value === UNKNOWN || isAsset(value)) return;
  if (input.values && !input.values.includes(value)) {
    failures.push({
      property: path,
      reason: `${token}: ${path} is ${JSON.stringify(value)}, expected one of ${input.values.join(", ")}`,
    });
  }
  if (!input.fields) return;
  const members = Array.isArray(value) ? value : [value];
  members.forEach((member, index) => {
    if (typeof member !== "object" || member === null) return;
    const here = Array.isArray(value) ? `${path}[${index}]` : path;
    refuseAll(token, here, member, input.fields ?? {}, failures);
  });
}

function refuseAll(token: string, path: string, given: Properties, inputs: Inputs, failures: Failure[]): void {
  const at = (name: string) => (path === "" ? name : `${path}.${name}`);
  for (const name of Object.keys(given)) {
    const input = inputs[name];
    if (name.startsWith("__")) continue;
    if (!input) {
      failures.push({
        property: at(name),
        reason: `${token}: ${at(name)} is not carried out by this stand-in (it knows ${Object.keys(inputs).join(", ")})`,
      });
    } else refuse(token, at(name), given[name], input, failures);
  }
  for (const [name, input] of Object.entries(inputs)) {
    if (input.required && (given[name] === undefined || given[name] === null)) {
      failures.push({ property: at(name), reason: `${token}: missing required property ${at(name)}` });
    }
  }
}

function physicalName(input: Input, naming: Naming): string {
  if (naming.proposed) return naming.proposed;
  const digits = createHash("sha256").update(naming.logicalName).update(naming.seed).digest("hex").slice(0, 7);
  const autoname = input.autoname ?? { max: 255 };
  const prefix = autoname.prefix ?? "";
  return `${prefix}${naming.logicalName.slice(0, autoname.max - prefix.length - 8)}-${digits}`;
}

const defaultOf = <C>(input: Input, client: C): Value =>
  typeof input.default === "function" ? input.default(client) : input.default;

/** The inputs and, where they are silent, what the provider's schema says that this means. */
export function withDefaults<C>(type: ResourceType<C>, inputs: Properties, client: C): Properties {
  const full = { ...inputs };
  for (const [name, input] of Object.entries(type.inputs)) {
    const value = full[name] ?? defaultOf(input, client);
    if (value !== undefined) full[name] = value;
  }
  return full;
}

/**
 * Fills in defaults and names, brings policy objects into text, and refuses what is not carried out.
 *
 * @param framework see `frameworkBridge` of Provider: only names are filled in, and nothing tells which
 */
export function checkInputs<C>(
  type: ResourceType<C>,
  olds: Properties,
  news: Properties,
  client: C,
  naming: Naming,
  framework = false,
): { inputs: Properties; failures: Failure[] } {
  const inputs: Properties = {};
  const defaulted: string[] = [];
  for (const [name, value] of Object.entries(news)) {
    if (name === "__defaults") continue;
    const compare = type.inputs[name]?.compare;
    const text = (compare === "json" || compare === "policy") && typeof value === "object" && !hasUnknown(value);
    inputs[name] = text ? JSON.stringify(value) : value;
  }
  const oldDefaults: string[] = Array.isArray(olds.__defaults) ? olds.__defaults : [];
  for (const [name, input] of Object.entries(type.inputs)) {
    if (inputs[name] !== undefined) continue;
    if (input.autoname) {
      const kept = framework ? typeof olds[name] === "string" : oldDefaults.includes(name) && olds[name];
      inputs[name] = kept ? olds[name] : physicalName(input, naming);
      defaulted.push(name);
    } else if (input.default !== undefined && !framework) {
      const value = defaultOf(input, client);
      if (value === undefined) continue;
      inputs[name] = value;
      defaulted.push(name);
    }
  }
  const failures: Failure[] = [];
  refuseAll(type.token, "", inputs, type.inputs, failures);
  const full = framework ? withDefaults(type, inputs, client) : inputs;
  if (failures.length === 0) failures.push(...(type.check?.(full) ?? []));
  if (!framework) inputs.__defaults = defaulted;
  return { inputs, failures };
}
