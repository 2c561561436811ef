import { differences, isEmpty } from "./compare";
import type { ResourceType } from "./types";
import { canonical, mergeSecrets, type Properties, type Secrets, UNKNOWN, type Value } from "./values";

const withoutMeta = (inputs: Properties): Properties =>
  Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith("__")));

/**
 * The state after an operation: what was there, overlaid by what the service answers. A value that only looks different
 * (another form of the same policy, another order of a set) keeps its old form, so that nothing seems to change.
 */
export function overlay<C>(type: ResourceType<C>, prior: Properties, live: Properties): Properties {
  const state = withoutMeta(prior);
  for (const [name, value] of Object.entries(live)) {
    const input = type.inputs[name];
    const before = state[name];
    if (value === undefined || value === null) {
      delete state[name];
      continue;
    }
    if (type.verbatim) {
      state[name] = value;
      continue;
    }
    // An empty object or list that nobody asked for is the service's way of saying nothing.
    if (input && before === undefined && typeof value === "object" && isEmpty(value)) continue;
    const same = input && before !== undefined && differences(name, value, before, { ...input, computed: false });
    if (!same || same.length > 0) state[name] = value;
  }
  return state;
}

/** State that a preview of a creation promises: inputs, and unknown for all that the service will fill in. */
export function plannedState<C>(type: ResourceType<C>, inputs: Properties): Properties {
  const state = withoutMeta(inputs);
  for (const name of Object.keys(type.outputs)) state[name] ??= UNKNOWN;
  for (const [name, input] of Object.entries(type.inputs)) if (input.computed) state[name] ??= UNKNOWN;
  return state;
}

/** State that a preview of an update promises. */
export function updatedState<C>(
  type: ResourceType<C>,
  olds: Properties,
  news: Properties,
  changed: Set<string>,
): Properties {
  const state = { ...olds };
  for (const [name, input] of Object.entries(type.inputs)) {
    if (news[name] !== undefined) state[name] = news[name];
    else if (!input.computed) delete state[name];
  }
  for (const name of type.volatile?.(changed) ?? []) state[name] = UNKNOWN;
  return state;
}

/**
 * Inputs after a read: those that the program gave, with the values of the state. For an import, which has none, the
 * values that are no defaults.
 */
export function inputsFromState<C>(
  type: ResourceType<C>,
  oldInputs: Properties | undefined,
  state: Properties,
  client: C,
): Properties {
  const inputs: Properties = {};
  const importing = oldInputs === undefined || Object.keys(oldInputs).length === 0;
  for (const [name, input] of Object.entries(type.inputs)) {
    const value = state[name];
    if (importing) {
      const fallback = typeof input.default === "function" ? input.default(client) : input.default;
      if (!isEmpty(value) && (input.required || canonical(value) !== canonical(fallback))) inputs[name] = value;
    } else if (name in oldInputs) {
      const same = differences(name, value, oldInputs[name], input).length === 0;
      if (same) inputs[name] = oldInputs[name];
      else if (value !== undefined) inputs[name] = value;
    }
  }
  // Types that are kept verbatim come from the bridge that does not tell which inputs are defaults.
  inputs.__defaults = importing && !type.verbatim ? [] : oldInputs?.__defaults;
  if (inputs.__defaults === undefined) delete inputs.__defaults;
  return inputs;
}

/** Marks of a state: the schema's secrets, and whatever came in as a secret. */
export function stateSecrets<C>(type: ResourceType<C>, ...given: Secrets[]): Secrets {
  const marks: { [name: string]: Secrets } = {};
  for (const secrets of given) {
    if (secrets && secrets !== true)
      for (const [name, mark] of Object.entries(secrets)) marks[name] = mergeSecrets(marks[name], mark);
  }
  const schema: [string, { secret?: boolean }][] = [...Object.entries(type.inputs), ...Object.entries(type.outputs)];
  for (const [name, member] of schema) if (member.secret) marks[name] = true;
  const fromInput = given.some((secrets) => secrets && (secrets === true || Object.keys(secrets).length > 0));
  if (type.secretsSpread && fromInput) for (const name of Object.keys(type.outputs)) marks[name] = true;
  return marks as Value;
}
