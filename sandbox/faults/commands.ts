/** What the commands of faults do. cli.ts says how they are called. */
import { InputError } from "../../backup/errors";
import { type Outcome, table } from "../../cli/output";
import { sandboxPaths } from "../supervisor/paths";
import { requireState } from "../supervisor/state";
import { CATALOGUE, findFault, NOT_STAGED } from "./catalogue";
import type { FaultStatus } from "./engine";
import { type NamedFault, type Parameter, parseParameters } from "./named/define";
import { Remote, RULED, type RuledService } from "./remote";
import type { FaultRule } from "./rule";

export interface SetArguments {
  readonly param?: readonly string[];
  readonly times?: string;
  readonly skip?: string;
}

function remote(): Remote {
  const paths = sandboxPaths();
  return new Remote(paths, requireState(paths));
}

function shown([name, parameter]: [string, Parameter]): string {
  const values = parameter.kind === "choice" ? parameter.choices.join("|") : parameter.about;
  return `${name}=${parameter.standard} (${values})`;
}

/** Looks at nothing that runs. */
export async function list(): Promise<Outcome> {
  const rows = CATALOGUE.map(({ name, at, rows: failures, about }) => [name, at, failures.join(", "), about]);
  const parameters = CATALOGUE.filter((fault) => Object.keys(fault.parameters).length > 0).map((fault) => [
    fault.name,
    Object.entries(fault.parameters).map(shown).join(", "),
  ]);
  const missing = Object.entries(NOT_STAGED).map(([what, why]) => `${what}: ${why}`);
  const text = [
    table(["fault", "set at", "failures", "what happens"], rows),
    table(["fault", "parameters with their defaults"], parameters),
    ["not staged:", ...missing.map((line) => `  ${line}`)].join("\n"),
  ].join("\n\n");
  return { data: { faults: CATALOGUE.map(({ plan, reset, ...fault }) => fault), notStaged: NOT_STAGED }, text };
}

function parseCount(option: string, text: string | undefined): number | undefined {
  if (text === undefined || /^\d+$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new InputError(`--${option} is ${JSON.stringify(text)}, expected a whole number`);
}

/** The rules under the fault's name, as often as was told. */
function toldRules(fault: NamedFault, rules: readonly FaultRule[], options: SetArguments): FaultRule[] {
  const [times, skip] = [parseCount("times", options.times), parseCount("skip", options.skip)];
  return rules.map((rule) => ({
    ...rule,
    name: fault.name,
    ...(times === undefined ? {} : { times }),
    ...(skip === undefined ? {} : { skip }),
  }));
}

function isRuled(fault: NamedFault): fault is NamedFault & { at: RuledService } {
  return (RULED as readonly string[]).includes(fault.at);
}

export async function set(name: string, options: SetArguments): Promise<Outcome> {
  const fault = findFault(name);
  const plan = fault.plan(parseParameters(fault, options.param ?? []), new Date());
  if ("call" in plan) {
    if (options.times !== undefined || options.skip !== undefined)
      throw new InputError(`${name} is a state, not an event: it takes neither --times nor --skip`);
    await remote().call(fault.at, plan.call);
    const text = fault.isAct ? `${name} has been done` : `${name} is set at ${fault.at}`;
    return { data: { name, at: fault.at, call: plan.call }, text };
  }
  const rules = toldRules(fault, plan.rules, options);
  if (!isRuled(fault)) throw new Error(`${name} has rules for ${fault.at}, which takes none`);
  const services = remote();
  await services.remove(fault.at, name);
  await services.add(fault.at, rules);
  const lines = rules.map((rule) => `  ${JSON.stringify(rule)}`);
  return { data: { name, at: fault.at, rules }, text: [`${name} is set at ${fault.at}`, ...lines].join("\n") };
}

/** All of them are asked; the first that failed is told after the others are done. */
async function ofEach<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const outcomes = await Promise.allSettled(items.map(work));
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}

/** Faults that a call sets and another one ends. */
const STATES = CATALOGUE.flatMap(({ name, at, reset }) => (reset === undefined ? [] : [{ name, at, reset }]));

export async function show(): Promise<Outcome> {
  const services = remote();
  const ruled = await ofEach(RULED, async (at) => (await services.rules(at)).map((status) => ({ at, ...status })));
  const states = await ofEach(STATES, async ({ name, at, reset: call }) => ({
    name,
    at,
    isSet: await services.differs(at, call),
  }));
  const set = states.filter(({ isSet }) => isSet).map(({ name, at }) => ({ name, at }));
  const rules = ruled.flat();
  const rows = [...rules.map(row), ...set.map(({ name, at }) => [name, at, "", "", "until it is reset"])];
  const text = rows.length === 0 ? "nothing is set" : table(["fault", "set at", "seen", "hits", "what"], rows);
  return { data: { rules, states: set }, text };
}

function row({ at, rule, seen, hits, over }: FaultStatus & { at: string }): string[] {
  const { name = "", ...what } = rule;
  return [name, at, String(seen), String(hits), `${over ? "over: " : ""}${JSON.stringify(what)}`];
}

export async function reset(name: string | undefined): Promise<Outcome> {
  const fault = name === undefined ? undefined : findFault(name);
  const services = remote();
  if (fault?.isAct) throw new InputError(`${name} is an act: it can't be reset`);
  const ruled = fault === undefined ? RULED : isRuled(fault) ? [fault.at] : [];
  const states = STATES.filter((state) => fault === undefined || state.name === fault.name);
  const [removed] = await ofEach(
    [
      () => ofEach(ruled, (at) => services.remove(at, name)),
      () => ofEach(states, ({ at, reset: call }) => services.call(at, call).then(() => 0)),
    ],
    (work) => work(),
  );
  const rules = (removed ?? []).reduce((sum, count) => sum + count, 0);
  const what = name ?? "everything";
  return { data: { removed: rules }, text: `${what} is reset (${rules} rules taken back)` };
}
