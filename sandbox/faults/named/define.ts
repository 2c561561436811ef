/** How a named fault is declared: what it stages, with which parameters, and the rules that it sets. Pure. */
import { InputError } from "../../../backup/errors";
import type { FaultRule } from "../rule";

/** Services of the sandbox that take faults: `aws` is the local AWS itself, which has controls of its own. */
export const FAULT_SERVICES = ["gateway", "heroku", "cloudinary", "aws"] as const;
export type FaultService = (typeof FAULT_SERVICES)[number];

interface Shown {
  readonly about: string;
}
export interface NumberParameter extends Shown {
  readonly kind: "number";
  readonly standard: number;
}
export interface TextParameter extends Shown {
  readonly kind: "text";
  readonly standard: string;
}
export interface ChoiceParameter<C extends string = string> extends Shown {
  readonly kind: "choice";
  readonly standard: C;
  readonly choices: readonly C[];
}
export type Parameter = NumberParameter | TextParameter | ChoiceParameter;
type ValueOf<P> = P extends NumberParameter ? number : P extends ChoiceParameter<infer C> ? C : string;
type Values<P extends Record<string, Parameter>> = { [K in keyof P]: ValueOf<P[K]> };

export const number = (standard: number, about: string): NumberParameter => ({ kind: "number", standard, about });
export const text = (standard: string, about: string): TextParameter => ({ kind: "text", standard, about });
export const choice = <const C extends string>(choices: readonly C[], standard: C, about: string) =>
  ({ kind: "choice", standard, choices, about }) as ChoiceParameter<C>;

/** A request to a service's own control, where no rule can do it. */
export interface Call {
  readonly method: "POST";
  readonly path: string;
  readonly body: unknown;
}

/** What a fault sets at its service. */
export type Plan = { readonly rules: readonly FaultRule[] } | { readonly call: Call };

export interface NamedFault {
  readonly name: string;
  /** Where it is set. */
  readonly at: FaultService;
  /** Rows of the list of failures (facts/failures.md) that it stages; none for what is of general use. */
  readonly rows: readonly number[];
  /** One line. */
  readonly about: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** Ends what a call has set. Rules are taken back by their name. */
  readonly reset?: Call;
  /** An act that is done at once and can't be taken back. @default false */
  readonly isAct?: boolean;
  /** @throws InputError for values that don't go together */
  plan(values: Readonly<Record<string, string | number>>, now: Date): Plan;
}

export function named<P extends Record<string, Parameter>>(declared: {
  name: string;
  at: FaultService;
  rows?: readonly number[];
  about: string;
  parameters?: P;
  reset?: Call;
  isAct?: boolean;
  plan: (values: Values<P>, now: Date) => Plan;
}): NamedFault {
  const { rows = [], parameters = {}, plan, ...rest } = declared;
  return { ...rest, rows, parameters, plan: (values, now) => plan(values as Values<P>, now) };
}

function parseValue(fault: string, name: string, parameter: Parameter, given: string): string | number {
  if (parameter.kind === "number") {
    if (/^\d+$/.test(given)) return Number(given);
    throw new InputError(`--param ${name} of ${fault} is ${JSON.stringify(given)}, expected a whole number`);
  }
  if (parameter.kind === "choice" && !parameter.choices.includes(given))
    throw new InputError(
      `--param ${name} of ${fault} is ${JSON.stringify(given)}, expected ${parameter.choices.join(", ")}`,
    );
  return given;
}

/** Values from `key=value` texts, with defaults for the rest. @throws InputError that names what is known */
export function parseParameters(fault: NamedFault, texts: readonly string[]): Record<string, string | number> {
  const entries = Object.entries(fault.parameters);
  const values = Object.fromEntries(entries.map(([name, { standard }]) => [name, standard]));
  for (const given of texts) {
    const [, name = "", value = ""] = /^([^=]+)=(.*)$/s.exec(given) ?? [];
    const parameter = fault.parameters[name];
    if (parameter === undefined) {
      const known = entries.map(([key, { standard }]) => `${key}=${standard}`).join(", ");
      throw new InputError(`${fault.name} has no parameter ${JSON.stringify(name || given)}`, {
        hint: known === "" ? `${fault.name} takes none` : `it takes ${known}`,
      });
    }
    values[name] = parseValue(fault.name, name, parameter, value);
  }
  return values;
}
