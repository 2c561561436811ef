/** Request bodies: forms, JSON and multipart uploads, in bounded memory. Files go straight to disk. */
import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import busboy from "busboy";
import { CloudinaryError } from "./errors";
import { HEAD_BYTES } from "./formats";
import type { Params } from "./signature";

/** Largest body without a file. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** Largest value of one field; a data URI in `file` is one. */
const MAX_FIELD_BYTES = 16 * 1024 * 1024;

/** A received file in the temporary folder. */
export interface ReceivedFile {
  path: string;
  filename: string;
  bytes: number;
  md5: string;
  /** First bytes, to recognise the format. */
  head: Buffer;
}

export interface Body {
  params: Params;
  file?: ReceivedFile;
}

/** Adds a parameter; `name[]` and repeated `name[0]` forms become lists under `name`. */
export function addParam(params: Params, rawName: string, value: string): void {
  const list = /^(.+?)\[\d*\]$/.exec(rawName);
  const name = list?.[1] ?? rawName;
  if (name === "__proto__") throw new CloudinaryError(400, "Invalid parameter name");
  const before = params[name];
  if (list === null) params[name] = value;
  else params[name] = Array.isArray(before) ? [...before, value] : [value];
}

export function queryParams(query: URLSearchParams): Params {
  const params: Params = {};
  for (const [name, value] of query) addParam(params, name, value);
  return params;
}

/** Reads a whole request. The caller removes the file, if there is one, unless it adopts it. */
export async function readBody(request: IncomingMessage, temporary: string): Promise<Body> {
  const type = request.headers["content-type"] ?? "";
  if (type.startsWith("multipart/form-data")) return readMultipart(request, temporary);
  const text = await readText(request);
  if (type.startsWith("application/json")) return { params: jsonParams(text) };
  return { params: queryParams(new URLSearchParams(text)) };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new CloudinaryError(400, `Request is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function jsonParams(text: string): Params {
  let value: unknown;
  try {
    value = text === "" ? {} : JSON.parse(text);
  } catch (cause) {
    throw new CloudinaryError(400, `Invalid JSON: ${(cause as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CloudinaryError(400, "Invalid JSON: expected an object");
  }
  const params: Params = {};
  for (const [name, entry] of Object.entries(value)) {
    if (Array.isArray(entry)) {
      params[name] = entry.map((item) => (typeof item === "object" ? JSON.stringify(item) : String(item)));
    } else if (typeof entry === "object" && entry !== null) params[name] = JSON.stringify(entry);
    else if (entry !== null && entry !== undefined) params[name] = String(entry);
  }
  return params;
}

async function readMultipart(request: IncomingMessage, temporary: string): Promise<Body> {
  const params: Params = {};
  let file: Promise<ReceivedFile> | undefined;
  const problems: Error[] = [];
  const parser = busboy({
    headers: request.headers,
    defParamCharset: "utf8",
    limits: { fieldSize: MAX_FIELD_BYTES, files: 1, fields: 500 },
  });
  parser.on("field", (name, value, info) => {
    if (info.valueTruncated) problems.push(new CloudinaryError(400, `Field ${name} is too long`));
    try {
      addParam(params, name, value);
    } catch (error) {
      problems.push(error as Error);
    }
  });
  parser.on("file", (name, stream, info) => {
    if (name === "file") file = receive(stream, info.filename ?? "file", temporary);
    else {
      problems.push(new CloudinaryError(400, `Unexpected file in field ${name}`));
      stream.resume();
    }
    // The failure is reported below, when the body has been read to its end.
    file?.catch(() => {});
  });
  try {
    await pipeline(request, parser);
  } catch (cause) {
    const received = await file?.catch(() => undefined);
    if (received !== undefined) await rm(received.path, { force: true });
    throw new CloudinaryError(400, `Unreadable multipart body: ${(cause as Error).message}`);
  }
  const received = await file;
  if (problems[0] !== undefined) {
    if (received !== undefined) await rm(received.path, { force: true });
    throw problems[0];
  }
  return received === undefined ? { params } : { params, file: received };
}

/** Streams a file to disk and measures it on the way. */
export async function receive(
  stream: AsyncIterable<Buffer>,
  filename: string,
  temporary: string,
): Promise<ReceivedFile> {
  const path = join(temporary, randomUUID());
  const hash = createHash("md5");
  let bytes = 0;
  let head = Buffer.alloc(0);
  try {
    await pipeline(
      stream,
      async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          hash.update(chunk);
          bytes += chunk.length;
          if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
          yield chunk;
        }
      },
      createWriteStream(path, { mode: 0o600 }),
    );
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return { path, filename, bytes, md5: hash.digest("hex"), head };
}

/** The same for bytes that came as a data URI. */
export async function receiveBytes(data: Buffer, filename: string, temporary: string): Promise<ReceivedFile> {
  const path = join(temporary, randomUUID());
  await writeFile(path, data, { mode: 0o600 });
  const md5 = createHash("md5").update(data).digest("hex");
  return { path, filename, bytes: data.length, md5, head: data.subarray(0, HEAD_BYTES) };
}
