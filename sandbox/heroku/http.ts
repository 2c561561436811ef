/** The small part of HTTP that the emulator needs: one exchange, JSON in and out, errors in Heroku's form. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** Largest JSON body that is read, in bytes. Sources and dumps are streamed and never come here. */
const MAX_JSON_BYTES = 4 * 1024 * 1024;

/** An answer in the form of the Platform API: `{id, message}`, at times with a `url` that explains it, and a status. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly id: string,
    message: string,
    /** `bare` leaves the body empty (`{}`). */
    private readonly form: { url?: string; bare?: boolean } = {},
  ) {
    super(message);
    this.name = "ApiError";
  }

  get body(): Record<string, unknown> {
    const { url, bare } = this.form;
    return bare ? {} : { id: this.id, message: this.message, ...(url === undefined ? {} : { url }) };
  }
}

export function notFound(what: string): ApiError {
  return new ApiError(404, "not_found", `Couldn't find that ${what}.`);
}

export function invalid(message: string): ApiError {
  return new ApiError(422, "invalid_params", message);
}

/** What would replace something is done only when the request's `confirm` names the app. The official CLI asks then. */
export function confirmationRequired(message: string): ApiError {
  return new ApiError(422, "confirmation_required", message);
}

/** The data API's answer while a database is not there yet. The official CLI recognises it only without a message. */
export function notYetProvisioned(): ApiError {
  return new ApiError(404, "not_found", "not yet provisioned", { bare: true });
}

/** One request with its parsed path. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  /** The body as a JSON object; an absent body is an empty object. */
  json(): Promise<Record<string, unknown>>;
}

/** Whether a request asks for more than ids and names of what is referred to (`Accept-Expansion`, `Accept-Inclusion`). */
export function asksFor(exchange: Exchange, header: "accept-expansion" | "accept-inclusion", what: string): boolean {
  return String(exchange.request.headers[header] ?? "")
    .split(",")
    .some((one) => one.trim() === what);
}

/** What a handler hands back; a handler that answered by itself hands back nothing. */
export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}

export type Handler = (exchange: Exchange) => Reply | undefined | Promise<Reply | undefined>;

export function ok(body: unknown, status = 200): Reply {
  return { status, body };
}

export async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_JSON_BYTES)
      throw new ApiError(413, "request_too_large", `Body is larger than ${MAX_JSON_BYTES} bytes.`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8").trim();
  if (text === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiError(400, "bad_request", "Unable to parse the JSON in the request body.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ApiError(400, "bad_request", "The request body must be a JSON object.");
  return value as Record<string, unknown>;
}

export function sendJson(response: ServerResponse, reply: Reply): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(reply.body ?? {});
  response.writeHead(reply.status ?? 200, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
    ...reply.headers,
  });
  response.end(text);
}

/** A string of the body, or undefined when it is absent or null. */
export function text(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw invalid(`${name} must be a string.`);
  return value;
}

/** An object of the body; an absent one is empty. */
export function object(body: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = body[name] ?? {};
  if (typeof value !== "object" || Array.isArray(value)) throw invalid(`${name} must be an object.`);
  return value as Record<string, unknown>;
}

/** A reference that may be given as `"x"`, `{"name": "x"}` or `{"id": "x"}`. */
export function reference(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name];
  if (typeof value !== "object" || value === null) return text(body, name);
  const inner = value as Record<string, unknown>;
  return text(inner, "id") ?? text(inner, "name");
}
