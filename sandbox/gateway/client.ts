/** The sandbox's own requests to services behind its certificate: the gateway's controls, the local AWS's. */
import { readFileSync } from "node:fs";
import { type Agent, request as httpsRequest } from "node:https";
import { certificateFiles } from "../aws/certificate";

export interface LocalRequest {
  /** Folder of the certificate. */
  folder: string;
  method?: string;
  token?: string;
  body?: unknown;
  /** @default 5000 */
  timeoutMs?: number;
  /** Keeps connections for the next request. @default each request has one of its own */
  agent?: Agent;
}

export interface LocalAnswer {
  status: number;
  body: unknown;
}

/**
 * JSON over TLS with the certificate at hand: `fetch` keeps the authorities of its process's first connection.
 * @throws the connection's error, or that no answer came
 */
export function askLocal(url: string, options: LocalRequest): Promise<LocalAnswer> {
  const { method = "GET", token, body, timeoutMs = 5000, agent = false } = options;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
  };
  const ca = readFileSync(certificateFiles(options.folder).cert);
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, { method, headers, ca, agent, timeout: timeoutMs }, (answer) => {
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
