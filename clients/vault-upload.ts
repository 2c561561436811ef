import { createHash } from "node:crypto";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { UscPisError } from "../backup/errors";

const MIB = 1024 ** 2;
/** Up to here one PutObject carries a dump; it can be neither resumed nor left half done. S3's own limit is 5 GiB. */
export const SINGLE_PUT_MAX_BYTES = 512 * MIB;
const SMALLEST_PART_BYTES = 16 * MIB;
/** S3 takes 10,000 parts; the headroom is for a stream that turns out longer than was said. */
const PARTS_AIMED_AT = 9_000;
const PARTS_IN_FLIGHT = 2;

export interface UploadRequest {
  readonly key: string;
  readonly body: AsyncIterable<Uint8Array>;
  /** Exact length. A body of another length is refused and nothing is kept. */
  readonly bytes: number;
  /** Headers of the object: encryption, lock, type. They are set when it is created. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** ETag of the version that it replaces. @default it replaces nothing */
  readonly replaces?: string;
  readonly signal?: AbortSignal;
  /** @default SINGLE_PUT_MAX_BYTES */
  readonly singlePutMaxBytes?: number;
  /** @default partSizeFor(bytes) */
  readonly partBytes?: number;
}

export interface Uploaded {
  readonly versionId: string | undefined;
  readonly bytes: number;
  /** SHA-256 of the whole, in hex, of what we sent. */
  readonly sha256: string;
  /** What S3 must hold as checksum: base64, for a multipart upload of the parts' digests with `-<parts>`. */
  readonly checksum: string;
}

/** Part size in bytes, in whole MiB: 16 MiB up to 140 GiB, growing beyond so that 10,000 parts suffice. */
export function partSizeFor(bytes: number): number {
  return Math.max(SMALLEST_PART_BYTES, Math.ceil(bytes / PARTS_AIMED_AT / MIB) * MIB);
}

/** Counts and hashes what passes through, and ends with an error when it is not exactly as long as expected. */
async function* metered(body: AsyncIterable<Uint8Array>, expected: number, hash: ReturnType<typeof createHash>) {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > expected) throw lengthError("more than", bytes, expected);
    hash.update(chunk);
    yield chunk;
  }
  if (bytes !== expected) throw lengthError("only", bytes, expected);
}

function lengthError(word: string, bytes: number, expected: number): UscPisError {
  return new UscPisError("truncated", `the stream gave ${word} ${bytes} bytes, expected ${expected}`);
}

/**
 * Streams a body into an object with bounded memory. What stands under that key is never replaced (412), but for the one
 * version that the request names.
 */
export async function upload(client: S3Client, bucket: string, request: UploadRequest): Promise<Uploaded> {
  const single = request.bytes <= (request.singlePutMaxBytes ?? SINGLE_PUT_MAX_BYTES);
  return single ? putSingle(client, bucket, request) : putParts(client, bucket, request);
}

function condition({ replaces }: UploadRequest) {
  return replaces === undefined ? { IfNoneMatch: "*" } : { IfMatch: replaces };
}

/**
 * Asks S3 whether a request that seemed to fail was carried out all the same: its answer may have been lost after the
 * last byte, and a second attempt would then find the key taken by our own object.
 */
async function confirm(client: S3Client, bucket: string, key: string, sent: Omit<Uploaded, "versionId">) {
  try {
    const head = new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" });
    const found = await client.send(head, { abortSignal: AbortSignal.timeout(10_000) });
    if (found.ContentLength !== sent.bytes || found.ChecksumSHA256 !== sent.checksum) return undefined;
    return { ...sent, versionId: found.VersionId };
  } catch {
    return undefined; // The first error says more.
  }
}

async function putSingle(client: S3Client, bucket: string, request: UploadRequest): Promise<Uploaded> {
  const hash = createHash("sha256");
  const stop = new AbortController();
  const signal = request.signal ? AbortSignal.any([request.signal, stop.signal]) : stop.signal;
  const body = new PassThrough();
  let sent: Omit<Uploaded, "versionId"> | undefined;
  // The SDK pipes without listening for errors: a failing source must abort the request, not break the stream.
  const pump = (async () => {
    for await (const chunk of metered(request.body, request.bytes, hash)) {
      if (!body.write(chunk)) await once(body, "drain", { signal });
    }
    const digest = hash.digest();
    sent = { bytes: request.bytes, sha256: digest.toString("hex"), checksum: digest.toString("base64") };
    body.end();
  })().catch((error) => stop.abort(error));
  try {
    const answer = await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: request.key,
        Body: body,
        ContentLength: request.bytes,
        ChecksumAlgorithm: "SHA256",
        ...condition(request),
        ...request.headers,
      }),
      { abortSignal: signal },
    );
    await pump;
    stop.signal.throwIfAborted();
    if (!sent) throw new UscPisError("truncated", "S3 answered before the whole stream was sent");
    return { ...sent, versionId: answer.VersionId };
  } catch (error) {
    request.signal?.throwIfAborted();
    if (stop.signal.aborted) throw stop.signal.reason;
    const stored = sent && (await confirm(client, bucket, request.key, sent));
    if (stored) return stored;
    stop.abort(error);
    await pump;
    throw error;
  } finally {
    body.destroy();
  }
}

async function putParts(client: S3Client, bucket: string, request: UploadRequest): Promise<Uploaded> {
  const target = { Bucket: bucket, Key: request.key };
  const hash = createHash("sha256");
  const sending = request.signal ? { abortSignal: request.signal } : {};
  const created = await client.send(
    new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: "SHA256", ...request.headers }),
    sending,
  );
  const upload = { ...target, UploadId: created.UploadId };
  const parts: CompletedPart[] = [];
  const digests: Buffer[] = [];
  const inFlight = new Set<Promise<void>>();
  let failure: unknown;
  let sent: Omit<Uploaded, "versionId"> | undefined;
  try {
    let number = 0;
    for await (const part of inParts(metered(request.body, request.bytes, hash), request)) {
      const index = number++;
      const digest = createHash("sha256").update(part).digest();
      digests[index] = digest;
      const sent = client
        .send(
          new UploadPartCommand({
            ...upload,
            PartNumber: index + 1,
            Body: part,
            ChecksumSHA256: digest.toString("base64"),
          }),
          sending,
        )
        .then((answer) => {
          parts[index] = { PartNumber: index + 1, ETag: answer.ETag, ChecksumSHA256: digest.toString("base64") };
        })
        .catch((error) => {
          failure ??= error;
        })
        .finally(() => inFlight.delete(sent));
      inFlight.add(sent);
      while (inFlight.size >= PARTS_IN_FLIGHT) await Promise.race(inFlight);
      if (failure) throw failure;
    }
    await Promise.all(inFlight);
    if (failure) throw failure;
    const composite = createHash("sha256").update(Buffer.concat(digests)).digest("base64");
    sent = { bytes: request.bytes, sha256: hash.digest("hex"), checksum: `${composite}-${digests.length}` };
    const answer = await client.send(
      new CompleteMultipartUploadCommand({
        ...upload,
        ...condition(request),
        MpuObjectSize: request.bytes,
        MultipartUpload: { Parts: parts },
      }),
      sending,
    );
    return { ...sent, versionId: answer.VersionId };
  } catch (error) {
    await Promise.allSettled(inFlight);
    const stored = sent && (await confirm(client, bucket, request.key, sent));
    if (stored) return stored;
    await client
      .send(new AbortMultipartUploadCommand(upload), { abortSignal: AbortSignal.timeout(10_000) })
      .catch(() => undefined); // The next run and a lifecycle rule remove what is left.
    request.signal?.throwIfAborted();
    throw error;
  }
}

/** Copies small chunks into buffers of exactly one part, so that nothing else pins memory. */
async function* inParts(body: AsyncIterable<Uint8Array>, request: UploadRequest): AsyncGenerator<Buffer> {
  const size = request.partBytes ?? partSizeFor(request.bytes);
  let left = request.bytes;
  let part = Buffer.allocUnsafe(Math.min(size, left));
  let filled = 0;
  for await (const chunk of body) {
    let offset = 0;
    while (offset < chunk.byteLength) {
      const taken = Math.min(part.length - filled, chunk.byteLength - offset);
      part.set(chunk.subarray(offset, offset + taken), filled);
      filled += taken;
      offset += taken;
      if (filled < part.length) continue;
      yield part;
      left -= filled;
      part = Buffer.allocUnsafe(Math.min(size, left));
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}
