/** Carries out what a rule says about a request. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { disturb } from "./answer";
import type { FaultTarget } from "./engine";
import { changesBody, type FaultRule } from "./rule";

/** How a service words an error. */
export type Voice = (
  error: { status: number; code: string; message: string },
  target: FaultTarget,
) => { headers: Record<string, string>; body: string | Buffer };

/** What a rule that names neither gets. */
const CODE = "fault";
const MESSAGE = "Told to fail.";

/** What rules look at in a plain request. */
export function targetOf(service: string, request: IncomingMessage): FaultTarget {
  const [path = "/", ...rest] = (request.url ?? "/").split("?");
  return { service, method: request.method ?? "GET", path, query: new URLSearchParams(rest.join("?")) };
}

/** @returns whether the request has been dealt with; otherwise it goes on, perhaps to an answer that is disturbed. */
export async function carryOut(
  rule: FaultRule,
  target: FaultTarget,
  request: IncomingMessage,
  response: ServerResponse,
  voice: Voice,
): Promise<boolean> {
  if (rule.delayMs) await sleep(rule.delayMs);
  // Gone while it waited: there is nobody to answer.
  if (response.destroyed || response.socket?.destroyed) return true;
  if (rule.cut === true) {
    response.destroy();
    return true;
  }
  if (rule.hang) {
    request.resume();
    return true;
  }
  if (rule.status === undefined) {
    if (changesBody(rule)) disturb(response, rule);
    return false;
  }
  answer(rule, rule.status, target, request, response, voice);
  return true;
}

function answer(
  rule: FaultRule,
  status: number,
  target: FaultTarget,
  request: IncomingMessage,
  response: ServerResponse,
  voice: Voice,
): void {
  const spoken = voice({ status, code: rule.code ?? CODE, message: rule.message ?? MESSAGE }, target);
  const said = rule.body === undefined ? spoken.body : rule.body;
  const body = typeof said === "string" || Buffer.isBuffer(said) ? said : JSON.stringify(said);
  const headers = { ...spoken.headers, ...lowered(rule.headers), "content-length": String(Buffer.byteLength(body)) };
  // The rest of an upload is read and dropped, so that the client comes to read the answer.
  request.resume();
  response.writeHead(status, headers);
  response.end(request.method === "HEAD" ? undefined : body);
}

function lowered(headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
