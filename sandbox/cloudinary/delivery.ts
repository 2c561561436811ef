/** Delivery of the stored bytes, in the place of res.cloudinary.com. */
import { createReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parse as parsePath } from "node:path";
import { pipeline } from "node:stream/promises";
import { findAsset } from "./assets";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { contentType } from "./formats";
import { deliverySignature, sameText } from "./signature";
import type { Asset } from "./store";

/**
 * `/<cloud>/<resource type>/<type>[/s--signature--][/v123]/<public id>.<format>`. Transformations are not carried out: a
 * path that has one names no asset. Like Cloudinary's, the version only tells caches apart.
 */
export function resolveDelivery(env: Environment, path: string[]): Asset {
  const [resourceType = "", type = "", ...rest] = path;
  const signature = /^s--([\w-]+)--$/.exec(rest[0] ?? "")?.[1];
  if (signature !== undefined) rest.shift();
  if (/^v\d+$/.test(rest[0] ?? "")) rest.shift();
  const source = rest.join("/");
  const asset = find(env, resourceType, type, source);
  if (asset === undefined) throw new CloudinaryError(404, `Resource not found - ${source}`);
  if (type !== "upload" && !signedRightly(env, signature, source)) {
    throw new CloudinaryError(401, `${type} asset needs a signed URL`);
  }
  if (asset.current.format === "pdf" && !env.deliverPdf) {
    throw new CloudinaryError(401, "PDF and ZIP delivery is switched off for this product environment");
  }
  return asset;
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

export async function sendAsset(
  env: Environment,
  asset: Asset,
  request: IncomingMessage,
  response: ServerResponse,
  attachment = false,
): Promise<void> {
  const { bytes, etag, format } = asset.current;
  const extension = asset.resource_type === "raw" ? parsePath(asset.public_id).ext.slice(1) : format;
  const name = asset.public_id.split("/").at(-1) ?? "file";
  response.writeHead(200, {
    "content-type": contentType(extension),
    "content-length": bytes,
    etag: `"${etag}"`,
    "last-modified": new Date(asset.uploaded_at).toUTCString(),
    "cache-control": "public, no-transform, immutable, max-age=2592000",
    ...(attachment ? { "content-disposition": `attachment; filename="${encodeURIComponent(name)}"` } : {}),
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  await pipeline(createReadStream(env.store.blobPath(asset.current.blob)), response);
}
