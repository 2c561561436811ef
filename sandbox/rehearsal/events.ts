/** What the engine's event log tells: which resource took how long. */
export interface Operation {
  name: string;
  type: string;
  op: string;
  seconds: number;
}

interface EngineEvent {
  timestamp?: number;
  resourcePreEvent?: { metadata?: { urn?: string; op?: string; type?: string } };
  resOutputsEvent?: { metadata?: { urn?: string; op?: string; type?: string } };
}

/** Operations with their times, in whole seconds as the engine notes them; `same` and reads are left out. */
export function parseEvents(text: string): Operation[] {
  const started = new Map<string, number>();
  const operations: Operation[] = [];
  for (const line of text.split("\n")) {
    let event: EngineEvent;
    try {
      event = JSON.parse(line) as EngineEvent;
    } catch {
      continue;
    }
    const before = event.resourcePreEvent?.metadata;
    if (before?.urn !== undefined) started.set(`${before.urn} ${before.op}`, event.timestamp ?? 0);
    const after = event.resOutputsEvent?.metadata;
    if (after?.urn === undefined || after.op === undefined || after.op === "same") continue;
    const start = started.get(`${after.urn} ${after.op}`);
    if (start === undefined) continue;
    const name = after.urn.split("::").at(-1) ?? after.urn;
    operations.push({ name, type: after.type ?? "", op: after.op, seconds: (event.timestamp ?? start) - start });
  }
  return operations;
}

/** The longest operations on real resources; components end when their children do. */
export function slowest(operations: readonly Operation[], count = 5): Operation[] {
  return operations
    .filter(({ type, seconds }) => seconds >= 1 && !type.startsWith("usc-pis:") && !type.startsWith("pulumi:"))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, count);
}
