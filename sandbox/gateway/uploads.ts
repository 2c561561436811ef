/**
 * Faults that store something else than was sent. Nobody but the sender could sign the changed request, so it goes on in
 * the name of the account's root, whose signature the local AWS does not verify, and without the sender's checksums: the
 * store computes its own. What is stored then is a whole object, only another one.
 */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { ROOT_CREDENTIALS } from "../aws/server";
import { DisturbedBody } from "../faults/body";
import type { FaultRule } from "../faults/rule";
import { AwsChunkedDecoder } from "./aws-chunked";
import type { Replacement } from "./forward";
import { endToEnd, headerOf, pairs } from "./headers";
import type { Recognised } from "./recognise";

/** What the sender said of its body, and who it was. */
const OF_THE_BODY =
  /^(authorization|content-length|content-md5|expect|x-amz-(content-sha256|decoded-content-length|trailer|security-token|mp-object-size|checksum-.*))$/;

/** A list of parts is a few hundred bytes a part. */
const MAX_PARTS_BYTES = 4 * 1024 * 1024;

/** Headers of the changed request. Pure. */
export function rootHeaders(
  raw: readonly string[],
  { region = "", service = "" }: Recognised,
  bytes: number,
): string[] {
  const kept = pairs(endToEnd(raw)).flatMap(([name, value]): [string, string][] => {
    const lower = name.toLowerCase();
    if (OF_THE_BODY.test(lower)) return [];
    if (lower !== "content-encoding") return [[name, value]];
    const others = value.split(",").filter((encoding) => encoding.trim() !== "aws-chunked");
    return others.length === 0 ? [] : [[name, others.join(",")]];
  });
  const date = (headerOf(raw, "x-amz-date") ?? "").slice(0, 8);
  const scope = `${ROOT_CREDENTIALS.accessKeyId}/${date}/${region}/${service}/aws4_request`;
  const signature = "0".repeat(64);
  return [
    ...kept.flat(),
    "Authorization",
    `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${signature}`,
    "x-amz-content-sha256",
    "UNSIGNED-PAYLOAD",
    "Content-Length",
    String(bytes),
  ];
}

/** Length of the object or part that is sent; undefined when the request does not tell. */
function payloadLength(request: IncomingMessage): number | undefined {
  const text = request.headers["x-amz-decoded-content-length"] ?? request.headers["content-length"];
  return typeof text === "string" && /^\d+$/.test(text) ? Number(text) : undefined;
}

function shortened(request: IncomingMessage, about: Recognised, by: number): Replacement | undefined {
  const sent = payloadLength(request);
  if (sent === undefined) return undefined;
  const length = Math.max(0, sent - by);
  const framed = request.headers["x-amz-decoded-content-length"] !== undefined;
  const cut = new DisturbedBody({ truncateTo: length });
  const body = framed ? request.pipe(failing(new AwsChunkedDecoder(), cut)).pipe(cut) : request.pipe(cut);
  return { headers: rootHeaders(request.rawHeaders, about, length), body };
}

/** An error of the first is one of the second, which is listened to. */
function failing(first: AwsChunkedDecoder, second: DisturbedBody): AwsChunkedDecoder {
  first.once("error", (error) => second.destroy(error));
  return first;
}

/** The list of parts without one. Pure. */
export function withoutPart(xml: string, number: number): string {
  const parts = /<Part>.*?<\/Part>/gs;
  return xml.replace(parts, (part) => (new RegExp(`<PartNumber>\\s*${number}\\s*<`).test(part) ? "" : part));
}

async function partDropped(
  request: IncomingMessage,
  about: Recognised,
  number: number,
): Promise<Replacement | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_PARTS_BYTES) throw new Error(`the list of parts is larger than ${MAX_PARTS_BYTES} bytes`);
    chunks.push(chunk);
  }
  const body = Buffer.from(withoutPart(Buffer.concat(chunks).toString("utf8"), number));
  return { headers: rootHeaders(request.rawHeaders, about, body.length), body: Readable.from([body]) };
}

/** What goes on in the request's place; undefined when the rule does not concern such a request. */
export async function changedUpload(
  rule: FaultRule,
  request: IncomingMessage,
  about: Recognised,
): Promise<Replacement | undefined> {
  const { operation } = about;
  if (rule.dropPart !== undefined && operation === "CompleteMultipartUpload")
    return partDropped(request, about, rule.dropPart);
  if (rule.shortenUpload !== undefined && (operation === "PutObject" || operation === "UploadPart"))
    return shortened(request, about, rule.shortenUpload);
  return undefined;
}
