/** Uploads in pieces (`upload_large` of the SDKs): collected by their `X-Unique-Upload-Id`. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type ReceivedFile, receive } from "./body";
import type { Environment } from "./environment";
import { CloudinaryError } from "./errors";

/** Smallest piece, except for the last one. */
const MIN_CHUNK_BYTES = 5 * 1024 * 1024;

/** One chunk. Answers `undefined` while more is to come, else the complete file. */
export async function collectChunk(
  env: Environment,
  headers: IncomingHttpHeaders,
  chunk: ReceivedFile,
): Promise<ReceivedFile | undefined> {
  try {
    const { from, isLast, path } = expected(env, headers, chunk);
    const have = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (from !== have) {
      throw new CloudinaryError(400, `Chunk at ${from} does not follow the ${have} bytes received`);
    }
    await pipeline(createReadStream(chunk.path), createWriteStream(path, { flags: "a", mode: 0o600 }));
    if (!isLast) return undefined;
    const whole = await receive(createReadStream(path), chunk.filename, env.store.temporary);
    await rm(path, { force: true });
    return whole;
  } finally {
    await rm(chunk.path, { force: true });
  }
}

/** What the headers say of a chunk, checked against its bytes. The total is -1 until the last one names it. */
function expected(env: Environment, headers: IncomingHttpHeaders, chunk: ReceivedFile) {
  const range = /^bytes (\d+)-(\d+)\/(-1|\d+)$/.exec(String(headers["content-range"]));
  const uploadId = String(headers["x-unique-upload-id"] ?? "");
  if (range === null || uploadId === "") throw new CloudinaryError(400, "Invalid Content-Range or X-Unique-Upload-Id");
  const [from, to, total] = range.slice(1).map(Number) as [number, number, number];
  if (to - from + 1 !== chunk.bytes) {
    throw new CloudinaryError(400, `Chunk ${from}-${to} holds ${chunk.bytes} bytes, expected ${to - from + 1}`);
  }
  const isLast = total === to + 1;
  if (!isLast && chunk.bytes < MIN_CHUNK_BYTES) {
    throw new CloudinaryError(400, "All parts except EOF-chunk must be larger than 5mb");
  }
  const name = `chunks-${createHash("sha256").update(uploadId).digest("hex")}`;
  return { from, isLast, path: join(env.store.temporary, name) };
}

export function chunkAnswer(headers: IncomingHttpHeaders): Record<string, unknown> {
  return {
    done: false,
    kind: "upload",
    upload_id: headers["x-unique-upload-id"],
    asset_id: randomBytes(16).toString("hex"),
  };
}
