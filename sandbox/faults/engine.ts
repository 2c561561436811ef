/** The rules of one service: which one a request meets, and how often each was met. Pure but for its counters. */
import { type Abilities, type FaultRule, parseRules } from "./rule";

/** What rules look at. */
export interface FaultTarget {
  service?: string;
  region?: string;
  operation?: string;
  method: string;
  path: string;
  query: URLSearchParams;
}

export interface FaultStatus {
  rule: FaultRule;
  /** Requests that it fits. */
  seen: number;
  /** Requests that it hit. */
  hits: number;
  /** Whether it has hit as often as it was told. */
  over: boolean;
}

interface Live extends FaultStatus {
  random: () => number;
}

/** Numbers from 0 to 1 that only depend on the seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function among(wanted: string | string[] | undefined, value: string | undefined): boolean {
  if (wanted === undefined) return true;
  return value !== undefined && (Array.isArray(wanted) ? wanted.includes(value) : wanted === value);
}

/** Whether a rule is about such a request, whatever its counters say. */
export function fits(rule: FaultRule, target: FaultTarget): boolean {
  if (rule.switch !== undefined) return false;
  const query = Object.entries(rule.query ?? {});
  return (
    among(rule.service, target.service) &&
    among(rule.region, target.region) &&
    among(rule.operation, target.operation) &&
    among(rule.method, target.method) &&
    (rule.path === undefined || new RegExp(rule.path).test(target.path)) &&
    query.every(([name, text]) => target.query.getAll(name).some((value) => new RegExp(text).test(value)))
  );
}

export class Faults {
  private rules: Live[] = [];

  constructor(private readonly abilities: Abilities = {}) {}

  /** Replaces all rules. @throws RuleError; then nothing has changed */
  set(rules: unknown): void {
    this.rules = this.parse(rules);
  }

  /** Puts rules before those that are there, which they may override. @throws RuleError; then nothing has changed */
  add(rules: unknown): void {
    this.rules = [...this.parse(rules), ...this.rules];
  }

  /** Takes back the rules of a name, or all. @returns how many there were */
  remove(name?: string): number {
    const before = this.rules.length;
    this.rules = name === undefined ? [] : this.rules.filter(({ rule }) => rule.name !== name);
    return before - this.rules.length;
  }

  list(): FaultStatus[] {
    return this.rules.map(({ random, ...status }) => structuredClone(status));
  }

  /** The first rule that hits this request, which is counted; one that lets it pass leaves it to the next. */
  meet(target: FaultTarget): FaultRule | undefined {
    return this.first((rule) => fits(rule, target));
  }

  /** The same for a switch of the emulator. */
  switched(name: string): FaultRule | undefined {
    return this.first((rule) => rule.switch === name);
  }

  private first(isMeant: (rule: FaultRule) => boolean): FaultRule | undefined {
    return this.rules.find((live) => isMeant(live.rule) && this.hits(live))?.rule;
  }

  private hits(live: Live): boolean {
    const { skip = 0, times = Number.POSITIVE_INFINITY, probability = 1 } = live.rule;
    live.seen += 1;
    if (live.seen <= skip || live.over || live.random() >= probability) return false;
    live.hits += 1;
    live.over = live.hits >= times;
    return true;
  }

  private parse(rules: unknown): Live[] {
    return parseRules(rules, this.abilities).map((rule) => ({
      rule,
      seen: 0,
      hits: 0,
      over: rule.times === 0,
      random: seeded(rule.seed ?? 1),
    }));
  }
}
