/** Delivery of the stored bytes, in the place of res.cloudinary.com. */
import { createReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parse as parsePath } from "node:path";
import { pipeline } from "node:stream/promises";
import { findAsset } from "./assets";
import { text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { contentType } from "./formats";
import { isUnchanged, wantedRange } from "./ranges";
import { deliverySignature, type Params, sameText } from "./signature";
import type { Asset } from "./store";

/**
 * `/<cloud>/<resource type>/<type>[/s--signature--][/v123]/<public id>.<format>`. Like Cloudinary's, the version only tells
 * caches apart: the current bytes are served whatever it says.
 */
export function resolveDelivery(env: Environment, path: string[]): Asset {
  const [resourceType = "", type = "", ...rest] = path;
  const signature = /^s--([\w-]+)--$/.exec(rest[0] ?? "")?.[1];
  if (signature !== undefined) rest.shift();
  const source = withoutVersion(rest).join("/");
  const asset = find(env, resourceType, type, source);
  if (asset === undefined) {
    refuseTransformation(env, resourceType, type, rest);
    throw new CloudinaryError(404, `Resource not found - ${source}`);
  }
  const isOpen = type === "upload" && asset.access_mode === "public";
  if (!isOpen && !signedRightly(env, signature, source)) {
    throw new CloudinaryError(401, `${type} asset needs a signed URL`);
  }
  const isSwitchedOff = /^(pdf|zip)$/i.test(extensionOf(asset)) && asset.resource_type === "image";
  if (isSwitchedOff && !env.deliverPdf) {
    throw new CloudinaryError(401, "PDF and ZIP delivery is switched off for this product environment");
  }
  return asset;
}

function withoutVersion(segments: readonly string[]): string[] {
  return /^v\d+$/.test(segments[0] ?? "") ? segments.slice(1) : [...segments];
}

/** Tells a transformation of something that is there from something that is not there. */
function refuseTransformation(env: Environment, resourceType: string, type: string, segments: string[]): void {
  for (let skipped = 1; skipped < segments.length; skipped++) {
    const chain = segments.slice(0, skipped);
    if (!chain.every((component) => /^[a-z]{1,3}_|^t_|^\$/.test(component))) return;
    const source = withoutVersion(segments.slice(skipped)).join("/");
    if (find(env, resourceType, type, source) !== undefined) throw notCarriedOut(`transformation ${chain.join("/")}`);
  }
}

function find(env: Environment, resourceType: string, type: string, source: string): Asset | undefined {
  const { dir, name, ext } = parsePath(source);
  if (resourceType === "raw" || ext === "") return findAsset(env, resourceType, type, source);
  const asset =
    findAsset(env, resourceType, type, dir === "" ? name : `${dir}/${name}`) ??
    findAsset(env, resourceType, type, source);
  if (asset === undefined) return undefined;
  const wanted = ext.slice(1) === "jpeg" ? "jpg" : ext.slice(1);
  if (wanted !== asset.current.format && asset.public_id !== source) {
    throw notCarriedOut(`converting ${asset.current.format} to ${wanted}`);
  }
  return asset;
}

function signedRightly(env: Environment, signature: string | undefined, source: string): boolean {
  if (signature === undefined) return false;
  const long = signature.length === 32;
  return sameText(deliverySignature("", encodeURI(source), env.apiSecret, long), signature);
}

function extensionOf(asset: Asset): string {
  return asset.resource_type === "raw" ? parsePath(asset.public_id).ext.slice(1) : asset.current.format;
}

/** How a download is to be saved: under its own name, or under the one that `attachment` gives. */
export interface Attachment {
  attachment?: boolean | string;
}

/** `attachment` of a signed download: `true`, or the name of the file. */
export function attachmentOf(params: Params): Attachment {
  const value = text(params, "attachment");
  if (value === "" || value === "false" || value === "0") return {};
  return { attachment: value === "true" || value === "1" ? true : value };
}

/** Serves an asset's bytes: whole, a range of them, or only the news that they are unchanged. */
export async function sendAsset(
  env: Environment,
  asset: Asset,
  request: IncomingMessage,
  response: ServerResponse,
  { attachment = false }: Attachment = {},
): Promise<void> {
  const { bytes, etag, blob } = asset.current;
  const extension = extensionOf(asset);
  const own = asset.public_id.split("/").at(-1) ?? "file";
  const saved = typeof attachment === "string" ? attachment : own;
  const name = extension === "" || saved.endsWith(`.${extension}`) ? saved : `${saved}.${extension}`;
  const headers = {
    etag: `"${etag}"`,
    "last-modified": new Date(asset.uploaded_at).toUTCString(),
    "cache-control": "public, no-transform, immutable, max-age=2592000",
    "accept-ranges": "bytes",
  };
  if (isUnchanged(request.headers, headers.etag, asset.uploaded_at)) {
    response.writeHead(304, headers).end();
    return;
  }
  const range = wantedRange(request.headers, headers.etag, bytes);
  if (range === "unsatisfiable") {
    response.writeHead(416, { "content-range": `bytes */${bytes}`, "content-length": 0 }).end();
    return;
  }
  response.writeHead(range === undefined ? 200 : 206, {
    ...headers,
    "content-type": contentType(extension),
    "content-length": range === undefined ? bytes : range.end - range.start + 1,
    ...(range === undefined ? {} : { "content-range": `bytes ${range.start}-${range.end}/${bytes}` }),
    ...(attachment === false ? {} : { "content-disposition": `attachment; filename="${encodeURIComponent(name)}"` }),
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  await pipeline(createReadStream(env.store.blobPath(blob), range), response);
}
