/** Told failures: requests that match a rule are delayed, cut or answered by an error instead of being carried out. */
import type { ServerResponse } from "node:http";
import { invalid } from "./http";

export interface FaultRule {
  method?: string;
  /** Regular expression on the path. */
  path: string;
  /** Milliseconds before the request goes on. */
  delayMs?: number;
  /** Answer with this status instead; `body` is sent as it is. */
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Cut the connection without an answer. */
  cut?: boolean;
  /** How many requests it hits; by default all until it is cleared. */
  times?: number;
}

export class Faults {
  private rules: FaultRule[] = [];

  set(rules: unknown): void {
    if (!Array.isArray(rules)) throw invalid("rules must be a list.");
    for (const rule of rules as FaultRule[]) {
      if (typeof rule?.path !== "string") throw invalid("Each rule needs a path.");
      new RegExp(rule.path);
    }
    this.rules = rules as FaultRule[];
  }

  /** Carries out the first rule that fits. True: the request has been dealt with. */
  async apply(method: string, path: string, response: ServerResponse): Promise<boolean> {
    const rule = this.rules.find((one) => (one.method ?? method) === method && new RegExp(one.path).test(path));
    if (!rule) return false;
    if (rule.times !== undefined) {
      rule.times -= 1;
      if (rule.times <= 0) this.rules = this.rules.filter((one) => one !== rule);
    }
    if (rule.delayMs) await new Promise((resolve) => setTimeout(resolve, rule.delayMs));
    if (rule.cut) {
      response.destroy();
      return true;
    }
    if (rule.status === undefined) return false;
    const text =
      typeof rule.body === "string"
        ? rule.body
        : JSON.stringify(rule.body ?? { id: "fault", message: "Told to fail." });
    response.writeHead(rule.status, { "Content-Type": "application/json; charset=utf-8", ...rule.headers });
    response.end(text);
    return true;
  }
}
