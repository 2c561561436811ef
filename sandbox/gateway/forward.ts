/** One request through the proxy: bodies are streamed both ways, an end on either side is an end on the other. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Agent, request as httpsRequest } from "node:https";
import { pipeline } from "node:stream/promises";
import { endToEnd, pairs, requestHeaders } from "./headers";

export interface Upstream {
  /** `https://127.0.0.1:PORT` of the local AWS. */
  url: string;
  agent: Agent;
}

/** What is sent in place of what came; for faults that store something else. */
export interface Replacement {
  /** Name and value in turn. */
  headers: string[];
  body: NodeJS.ReadableStream;
}

/**
 * Resolves when all is over, with the upstream's status, or undefined when it gave none. Nothing is sent again: a client
 * sees a broken connection as it would see AWS's.
 */
export function forward(
  upstream: Upstream,
  request: IncomingMessage,
  response: ServerResponse,
  replacement?: Replacement,
): Promise<number | undefined> {
  const { hostname, port } = new URL(upstream.url);
  const method = request.method ?? "GET";
  const headers = replacement?.headers ?? requestHeaders(request.rawHeaders, method);
  const outgoing = httpsRequest({ hostname, port, agent: upstream.agent, method, path: request.url, headers });
  return new Promise((resolve) => {
    let answered = false;
    response.once("close", () => {
      if (response.writableFinished) return;
      outgoing.destroy();
      resolve(undefined);
    });
    outgoing.once("response", (answer) => {
      answered = true;
      answerBy(answer, response).then(
        () => resolve(answer.statusCode),
        () => resolve(undefined),
      );
    });
    outgoing.on("continue", () => response.writeContinue());
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      // After its answer an upstream may close while the body is still coming: the answer counts.
      if (answered) return;
      refuse(response, error);
      resolve(undefined);
    });
    // Waiting for a `100 Continue`, the client sends nothing that would take the head along.
    if (request.headers.expect !== undefined) outgoing.flushHeaders();
    send(request, outgoing, replacement);
  });
}

function send(request: IncomingMessage, outgoing: ReturnType<typeof httpsRequest>, replacement?: Replacement): void {
  const body = replacement?.body ?? request;
  body.pipe(outgoing, { end: false });
  body.once("end", () => {
    if (request.rawTrailers.length > 0 && replacement === undefined) outgoing.addTrailers(pairs(request.rawTrailers));
    outgoing.end();
  });
  body.once("error", () => outgoing.destroy());
  // What nobody takes any more is read and dropped, so that the client comes to read its answer.
  outgoing.once("close", () => {
    request.unpipe();
    request.resume();
  });
}

async function answerBy(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  response.sendDate = false;
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders));
  answer.once("end", () => {
    if (answer.rawTrailers.length > 0) response.addTrailers(pairs(answer.rawTrailers));
  });
  // An upstream that breaks off destroys the response, and so the client's connection: half a body is no whole one.
  await pipeline(answer, response);
}

function refuse(response: ServerResponse, error: NodeJS.ErrnoException): void {
  if (response.headersSent || error.code !== "ECONNREFUSED") {
    response.destroy();
    return;
  }
  const text = "the local AWS does not answer; see: npx usc-pis sandbox status\n";
  response.writeHead(502, { "Content-Type": "text/plain", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}
