/** The sandbox's own requests to its services' controls, with and without TLS. */
import { readFileSync } from "node:fs";
import { type Agent, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { certificateFiles } from "../aws/certificate";

export interface LocalRequest {
  /** Folder of the certificate. */
  folder: string;
  method?: string;
  /** Control token, sent as bearer. */
  token?: string;
  /** The whole header, where a service takes another credential than a bearer. */
  authorization?: string;
  body?: unknown;
  /** @default 5000 */
  timeoutMs?: number;
  /** Keeps connections for the next request; of the address's own protocol. @default each request has one of its own */
  agent?: Agent;
}

export interface LocalAnswer {
  status: number;
  body: unknown;
}

function headersOf({ token, authorization }: LocalRequest, text: string | undefined): Record<string, string | number> {
  const credential = authorization ?? (token === undefined ? undefined : `Bearer ${token}`);
  return {
    ...(credential === undefined ? {} : { authorization: credential }),
    ...(text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
  };
}

/**
 * JSON to and from this machine, with the certificate at hand: `fetch` keeps the authorities of its process's first
 * connection.
 * @throws the connection's error, or that no answer came
 */
export function askLocal(url: string, options: LocalRequest): Promise<LocalAnswer> {
  const { method = "GET", body, timeoutMs = 5000, agent = false } = options;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const common = { method, headers: headersOf(options, text), agent, timeout: timeoutMs };
  return new Promise((resolve, reject) => {
    const request = url.startsWith("https:")
      ? httpsRequest(url, { ...common, ca: readFileSync(certificateFiles(options.folder).cert) })
      : httpRequest(url, common);
    request.once("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("error", reject);
      answer.once("end", () => resolve({ status: answer.statusCode ?? 0, body: parse(Buffer.concat(chunks)) }));
    });
    request.once("timeout", () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    request.once("error", reject);
    request.end(text);
  });
}

function parse(bytes: Buffer): unknown {
  const text = bytes.toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
