import type { Input, Inputs } from "./types";
import { canonical, hasUnknown, isAsset, type Properties, UNKNOWN, type Value } from "./values";

/** One difference: where, what happens there, and whether it replaces the resource. */
export interface Difference {
  path: string;
  kind: "add" | "delete" | "update";
  replace: boolean;
}

const isObject = (value: Value): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Absent, or what the services answer for absent. */
export function isEmpty(value: Value): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && !isAsset(value) && Object.values(value).every(isEmpty);
}

function parsed(text: Value): Value {
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * A policy document in one form: lists sorted, single values as lists, `*` and its AWS principal alike. IAM treats all
 * of these as equal and some services answer another form than they were given.
 */
export function policyForm(text: Value): Value {
  const document = parsed(text);
  if (!isObject(document)) return document;
  const list = (value: Value): Value => (Array.isArray(value) ? value : [value]).map(String).sort();
  const block = (value: Value): Value => {
    if (!isObject(value)) return value === "*" ? { AWS: ["*"] } : list(value);
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, list(member)]));
  };
  const statements = document.Statement === undefined ? [] : [document.Statement].flat();
  return {
    ...document,
    Statement: statements.map((statement: Properties) => {
      const form: Properties = { ...statement };
      for (const key of ["Action", "NotAction", "Resource", "NotResource"]) {
        if (form[key] !== undefined) form[key] = list(form[key]);
      }
      for (const key of ["Principal", "NotPrincipal"]) if (form[key] !== undefined) form[key] = block(form[key]);
      if (isObject(form.Condition)) {
        form.Condition = Object.fromEntries(Object.entries(form.Condition).map(([key, value]) => [key, block(value)]));
      }
      return form;
    }),
  };
}

function equalBy(how: NonNullable<Input["compare"]>, one: Value, other: Value): boolean {
  if (typeof how === "function") return typeof one === "string" && typeof other === "string" && how(one, other);
  if (how === "json") return canonical(parsed(one)) === canonical(parsed(other));
  if (how === "policy") return canonical(policyForm(one)) === canonical(policyForm(other));
  if (how === "caseless") return String(one).toLowerCase() === String(other).toLowerCase();
  const sorted = (value: Value) => (Array.isArray(value) ? value.map(canonical).sort() : value);
  return canonical(sorted(one)) === canonical(sorted(other));
}

function step(path: string, key: string): string {
  if (/^[A-Za-z_$][\w$]*$/.test(key)) return path === "" ? key : `${path}.${key}`;
  return `${path}["${key.replaceAll('"', '\\"')}"]`;
}

/** A list whose order says nothing, in the order of another that holds the same things. */
function aligned(old: Value[], news: Value[], input: Input): Value[] {
  const rest = [...old];
  const taken = news.map((wanted) => {
    const index = rest.findIndex(
      (candidate) => differences("", candidate, wanted, { fields: input.fields }).length === 0,
    );
    return index < 0 ? undefined : rest.splice(index, 1)[0];
  });
  return taken
    .map((value) => value ?? rest.shift())
    .concat(rest)
    .filter((value) => value !== undefined);
}

/** What must happen to get from the old value (of the state) to the new one (of the program). */
export function differences(path: string, old: Value, news: Value, input: Input, replacing = false): Difference[] {
  const replace = replacing || input.replace === true;
  if (news === undefined || news === null) {
    if (input.computed || isEmpty(old)) return [];
    return [{ path, kind: "delete", replace }];
  }
  if (old === undefined || old === null) return isEmpty(news) ? [] : [{ path, kind: "add", replace }];
  if (news === UNKNOWN) return [{ path, kind: "update", replace }];
  if (isAsset(news) || isAsset(old)) {
    return news.hash === old.hash ? [] : [{ path, kind: "update", replace }];
  }
  if (input.compare && !hasUnknown(news) && equalBy(input.compare, old, news)) return [];
  if (Array.isArray(news) && Array.isArray(old)) {
    const before = input.compare === "set" ? aligned(old, news, input) : old;
    const found: Difference[] = [];
    for (let index = 0; index < Math.max(before.length, news.length); index++) {
      const member = { fields: input.fields };
      const here = `${path}[${index}]`;
      if (index >= news.length) found.push({ path: here, kind: "delete", replace });
      else if (index >= before.length) found.push({ path: here, kind: "add", replace });
      else found.push(...differences(here, before[index], news[index], member, replace));
    }
    return found;
  }
  if (isObject(news) && isObject(old)) {
    const found: Difference[] = [];
    for (const key of new Set([...Object.keys(old), ...Object.keys(news)])) {
      const member = input.fields ? input.fields[key] : {};
      if (!member) continue;
      // In a map without fields an empty string is a value like any other.
      if (!input.fields && key in old !== key in news) {
        found.push({ path: step(path, key), kind: key in news ? "add" : "delete", replace });
      } else found.push(...differences(step(path, key), old[key], news[key], member, replace));
    }
    return found;
  }
  return old === news ? [] : [{ path, kind: "update", replace }];
}

/** Differences of all inputs. */
export function inputDifferences(old: Properties, news: Properties, inputs: Inputs): Difference[] {
  return Object.entries(inputs).flatMap(([name, input]) => differences(name, old[name], news[name], input));
}
