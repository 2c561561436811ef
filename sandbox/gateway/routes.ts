/** The gateway's own paths, `/_sandbox/…`: looking is open to this machine, changing something needs the control token. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

export const CONTROL_PREFIX = "/_sandbox/";
const MAX_BODY_BYTES = 1024 * 1024;

export interface Exchange {
  readonly url: URL;
  /** Of the path's `:name` segments, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The body as JSON; undefined when there is none. */
  json(): Promise<unknown>;
}

/** A text is sent as HTML, anything else as JSON. */
export interface Reply {
  readonly status?: number;
  readonly body: unknown;
}

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below `/_sandbox/`; `:name` stands for one segment. */
  readonly path: string;
  readonly handle: (exchange: Exchange) => Reply | Promise<Reply>;
}

/** An answer that says no. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "Refusal";
  }
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? "";
    if (part.startsWith(":")) params[part.slice(1)] = decodeURIComponent(actual);
    else if (part !== actual) return undefined;
  }
  return params;
}

/** Compared in a time that does not depend on where they differ. */
function hasToken(header: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Refusal(413, `the body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, `the body is not JSON: ${(error as Error).message}`);
  }
}

/** Answers a request below `/_sandbox/`. */
export async function answerControl(
  routes: readonly Route[],
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let reply: Reply;
  try {
    const url = new URL(request.url ?? "/", "https://gateway.invalid");
    reply = await find(routes, token, request, url);
  } catch (error) {
    const status = error instanceof Refusal ? error.status : error instanceof URIError ? 400 : 500;
    reply = { status, body: { error: error instanceof Error ? error.message : String(error) } };
  }
  request.resume();
  const page = typeof reply.body === "string";
  const text = page ? (reply.body as string) : JSON.stringify(reply.body);
  response.writeHead(reply.status ?? 200, {
    "Content-Type": page ? "text/html; charset=utf-8" : "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
    "Cache-Control": "no-store",
  });
  response.end(request.method === "HEAD" ? undefined : text);
}

async function find(routes: readonly Route[], token: string, request: IncomingMessage, url: URL): Promise<Reply> {
  const method = request.method === "HEAD" ? "GET" : (request.method ?? "GET");
  const path = url.pathname.slice(CONTROL_PREFIX.length);
  const there = routes.flatMap((route) => {
    const params = match(route.path, path);
    return params === undefined ? [] : [{ route, params }];
  });
  if (there.length === 0) throw new Refusal(404, `the gateway has no ${url.pathname}`);
  const found = there.find(({ route }) => route.method === method);
  if (found === undefined) throw new Refusal(405, `${url.pathname} takes no ${method}`);
  if (method !== "GET" && !hasToken(request.headers.authorization, token))
    throw new Refusal(401, "the control token is missing or wrong, expected as bearer");
  return found.route.handle({ url, params: found.params, json: () => readJson(request) });
}
