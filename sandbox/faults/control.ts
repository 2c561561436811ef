/** What a service's faults route answers: the same for all of them. */
import type { FaultStatus, Faults } from "./engine";
import { RuleError } from "./rule";

export const FAULT_METHODS = ["GET", "POST", "PATCH", "DELETE"] as const;
export type FaultMethod = (typeof FAULT_METHODS)[number];

/**
 * GET lists; POST `{rules}` replaces all, so that an empty list ends them; PATCH `{rules}` adds; DELETE takes back those
 * of a name, or all. Each answers with what stands then.
 *
 * @throws RuleError
 */
export function controlFaults(
  faults: Faults,
  method: FaultMethod,
  body: unknown,
  name?: string,
): { faults: FaultStatus[]; removed?: number } {
  const rules = () => {
    if (typeof body !== "object" || body === null || !("rules" in body)) throw new RuleError("rules must be a list");
    return body.rules;
  };
  if (method === "POST") faults.set(rules());
  if (method === "PATCH") faults.add(rules());
  const removed = method === "DELETE" ? faults.remove(name) : undefined;
  return { faults: faults.list(), ...(removed === undefined ? {} : { removed }) };
}
