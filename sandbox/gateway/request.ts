/** Recognising a request that is just coming in. Nothing of its body is lost by it. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { namesActionInForm, type Recognised, recognise } from "./recognise";

/** The begin of the body, which stays there to be read; undefined when there is none. */
async function peek(request: IncomingMessage): Promise<string | undefined> {
  let chunk: Buffer | null = request.read();
  if (chunk === null && !request.readableEnded && !request.destroyed) {
    const stop = new AbortController();
    const { signal } = stop;
    const gone = once(request, "close", { signal });
    await Promise.race([once(request, "readable", { signal }), gone]).catch(() => undefined);
    stop.abort();
    await gone.catch(() => undefined);
    chunk = request.read();
  }
  if (chunk === null) return undefined;
  request.unshift(chunk);
  return chunk.toString("latin1");
}

export interface Target extends Recognised {
  method: string;
  path: string;
  query: URLSearchParams;
}

export async function recogniseRequest(request: IncomingMessage): Promise<Target> {
  const [path = "/", ...rest] = (request.url ?? "/").split("?");
  const { method = "GET", headers } = request;
  const facts = { method, path, query: new URLSearchParams(rest.join("?")), headers };
  // With `Expect: 100-continue` the body comes after an answer that only the local AWS gives.
  const form = namesActionInForm(facts) && headers.expect === undefined ? await peek(request) : undefined;
  return { method, path, query: facts.query, ...recognise({ ...facts, ...(form === undefined ? {} : { form }) }) };
}
