/** Puts a fault between a handler and its answer: the handler writes as ever, the client gets something else. */
import type { ServerResponse } from "node:http";
import { Writable } from "node:stream";
import { DisturbedBody, disturbedLength, endsEarly } from "./body";
import type { FaultRule } from "./rule";

type Headers = Record<string, unknown> | readonly unknown[] | undefined;

/** Names and values, whichever of Node's two forms they came in. */
function entries(headers: Headers): [string, unknown][] {
  if (headers === undefined) return [];
  if (!Array.isArray(headers)) return Object.entries(headers);
  return Array.from({ length: headers.length / 2 }, (_, i) => [String(headers[2 * i]), headers[2 * i + 1]]);
}

/** The headers that a client gets. Pure. */
export function disturbedHeaders(rule: FaultRule, headers: [string, unknown][]): [string, unknown][] {
  const replaced = rule.replaceBody === undefined ? {} : (rule.headers ?? {});
  const given = new Set(Object.keys(replaced).map((name) => name.toLowerCase()));
  const kept = headers.flatMap(([name, value]): [string, unknown][] => {
    if (given.has(name.toLowerCase())) return [];
    if (name.toLowerCase() !== "content-length" || rule.keepLength || rule.cutAfter !== undefined)
      return [[name, value]];
    const length = disturbedLength(rule, Number(value));
    return length === undefined ? [] : [[name, length]];
  });
  return [...kept, ...Object.entries(replaced)];
}

/** Changes a response that nothing has been written to yet. */
export function disturb(response: ServerResponse, rule: FaultRule): void {
  const raw = {
    writeHead: response.writeHead.bind(response) as (...all: unknown[]) => ServerResponse,
    write: response.write.bind(response) as (chunk: Buffer, done: (error?: Error | null) => void) => boolean,
    end: response.end.bind(response) as (done: () => void) => ServerResponse,
  };
  const body = new DisturbedBody(rule);
  const client = new Writable({
    write: (chunk: Buffer, _encoding, done) => void raw.write(chunk, done),
    final: (done) => {
      if (!endsEarly(rule)) return void raw.end(done);
      // What was written goes out first.
      response.socket?.destroySoon();
      done();
    },
  });
  body.pipe(client);
  body.once("error", () => response.destroy());
  client.once("error", () => response.destroy());
  response.once("close", () => body.destroy());
  body.on("drain", () => response.emit("drain"));

  const head = (status: number, ...rest: unknown[]) => {
    if (rule.cut === "answer") return response.destroy();
    const message = typeof rest[0] === "string" ? [rest.shift()] : [];
    const set = entries(response.getHeaders());
    for (const [name] of set) response.removeHeader(name);
    const own = entries(rest[0] as Headers);
    const names = new Set(own.map(([name]) => name.toLowerCase()));
    const all = disturbedHeaders(rule, [...set.filter(([name]) => !names.has(name)), ...own]);
    raw.writeHead(status, ...message, all.flat());
    // A connection that ends before its first byte of the body has told its head all the same.
    if (endsEarly(rule)) response.flushHeaders();
    return response;
  };
  const begin = () => {
    if (!response.headersSent && !response.destroyed) response.writeHead(response.statusCode);
  };
  Object.assign(response, {
    writeHead: head,
    write: (chunk: Buffer | string, ...rest: unknown[]) => {
      begin();
      return (body.write as (...all: unknown[]) => boolean)(chunk, ...rest);
    },
    end: (...rest: unknown[]) => {
      begin();
      (body.end as (...all: unknown[]) => unknown)(...rest);
      return response;
    },
  });
}
