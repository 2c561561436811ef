/** The action `upload`: presets, allowed formats, naming, chunks. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { join, parse as parsePath } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Attributes, findAsset, randomPublicId, storeAsset, uploadAnswer } from "./assets";
import { type Body, type ReceivedFile, receive, receiveBytes } from "./body";
import { flag, list, metadata, pairs, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { inspect, type ResourceType } from "./formats";
import { DELIVERY_TYPES, UNSIGNED_ALLOWED, UPLOAD_PARAMS } from "./parameters";
import { presetParams } from "./presets";
import type { Params } from "./signature";

export async function upload(
  env: Environment,
  urlResourceType: string,
  body: Body,
  signed: boolean,
): Promise<Record<string, unknown>> {
  const params = effectiveParams(env, body.params, signed);
  const file = body.file ?? (await remoteFile(env, text(params, "file")));
  try {
    return await place(env, urlResourceType, params, file);
  } finally {
    // Adopted files are gone from here; refused ones must not stay.
    await rm(file.path, { force: true });
  }
}

function effectiveParams(env: Environment, given: Params, signed: boolean): Params {
  const presetName = text(given, "upload_preset");
  if (!signed) {
    if (presetName === "") {
      throw new CloudinaryError(400, "Upload preset must be specified when using unsigned upload");
    }
    const forbidden = Object.keys(given).find((name) => !UNSIGNED_ALLOWED.has(name));
    if (forbidden !== undefined) {
      throw new CloudinaryError(400, `${forbidden} parameter is not allowed when using unsigned upload`);
    }
  }
  const unknown = Object.keys(given).find((name) => !UPLOAD_PARAMS.has(name) && text(given, name) !== "");
  if (unknown !== undefined) throw notCarriedOut(`upload parameter ${unknown}`);
  if (presetName === "") return given;
  const preset = env.store.state.presets[presetName];
  if (preset === undefined) throw new CloudinaryError(400, "Upload preset not found");
  if (!signed && !preset.unsigned) {
    throw new CloudinaryError(400, "Upload preset must be whitelisted for unsigned uploads");
  }
  // A signed request's own values win; in an unsigned one the preset's do.
  return signed ? { ...presetParams(preset), ...given } : { ...given, ...presetParams(preset) };
}

/** A data URI, or a file on this machine's own loopback: the sandbox reaches nothing else. */
async function remoteFile(env: Environment, source: string): Promise<ReceivedFile> {
  if (source === "") throw new CloudinaryError(400, "Missing required parameter - file");
  const data = /^data:[^,]*;base64,(.*)$/s.exec(source);
  if (data) return receiveBytes(Buffer.from(data[1] ?? "", "base64"), "file", env.store.temporary);
  const url = URL.parse(source);
  if (url === null || !["127.0.0.1", "localhost"].includes(url.hostname) || !url.protocol.startsWith("http")) {
    throw notCarriedOut(`fetching ${url?.origin ?? "a file from that address"}`);
  }
  const response = await fetch(url, { redirect: "error" }).catch((cause: Error) => {
    throw new CloudinaryError(400, `Error in loading ${source} - ${cause.message}`);
  });
  if (!response.ok || response.body === null) {
    throw new CloudinaryError(400, `Error in loading ${source} - ${response.status} ${response.statusText}`);
  }
  const name = parsePath(decodeURIComponent(url.pathname)).base;
  return receive(response.body as unknown as AsyncIterable<Buffer>, name, env.store.temporary);
}

async function place(
  env: Environment,
  urlResourceType: string,
  params: Params,
  file: ReceivedFile,
): Promise<Record<string, unknown>> {
  const facts = inspect(file.head);
  const resourceType = resolveType(urlResourceType, facts?.resourceType);
  if (file.bytes === 0) throw new CloudinaryError(400, "Empty file");
  if (resourceType === "image" && facts?.resourceType !== "image") throw new CloudinaryError(400, "Invalid image file");
  if (resourceType === "video" && facts?.resourceType !== "video") throw new CloudinaryError(400, "Invalid video file");
  const filename = text(params, "filename_override") || file.filename;
  const format = resourceType === "raw" ? parsePath(filename).ext.slice(1) : (facts?.format ?? "");
  const allowed = list(params, "allowed_formats").map((name) => (name === "jpeg" ? "jpg" : name));
  if (allowed.length > 0 && !allowed.includes(format)) {
    throw new CloudinaryError(400, `${capitalise(resourceType)} file format ${format || "unknown"} not allowed`);
  }
  const type = text(params, "type") || "upload";
  if (!(DELIVERY_TYPES as readonly string[]).includes(type)) throw notCarriedOut(`delivery type ${type}`);
  const publicId = choosePublicId(params, filename, resourceType);
  const existing = findAsset(env, resourceType, type, publicId);
  if (existing !== undefined && flag(params, "overwrite") === false) {
    return { ...uploadAnswer(env, existing), existing: true };
  }
  const asset = storeAsset(env, { resourceType, type, publicId }, file, facts, attributes(params, publicId, filename));
  await env.store.commit();
  const answer = { ...uploadAnswer(env, asset), ...(existing === undefined ? {} : { overwritten: true }) };
  env.notifications.fire("upload", answer, text(params, "notification_url"));
  return answer;
}

function resolveType(fromUrl: string, recognised: ResourceType | undefined): ResourceType {
  if (fromUrl === "image" || fromUrl === "raw" || fromUrl === "video") return fromUrl;
  if (fromUrl === "auto") return recognised ?? "raw";
  throw new CloudinaryError(400, `Invalid resource_type ${fromUrl}`);
}

function choosePublicId(params: Params, filename: string, resourceType: ResourceType): string {
  const { name, ext } = parsePath(filename);
  const extension = resourceType === "raw" ? ext : "";
  let base = text(params, "public_id");
  if (base === "") {
    const suffix = flag(params, "unique_filename") === false ? "" : `_${randomPublicId().slice(0, 6)}`;
    const named = flag(params, "use_filename") === true && name !== "";
    base = (named ? `${name.replace(/[?&#%<>\\+\s]+/g, "_")}${suffix}` : randomPublicId()) + extension;
  }
  const prefix = text(params, "public_id_prefix");
  if (prefix !== "") base = `${prefix}/${base}`;
  const folder = text(params, "folder").replace(/^\/+|\/+$/g, "");
  const publicId = folder === "" ? base : `${folder}/${base}`;
  if (/[?&#\\%<>]|^\s|\s$|^\/|\/$/.test(publicId) || publicId.length > 255) {
    throw new CloudinaryError(400, `public_id (${publicId}) is invalid`);
  }
  return publicId;
}

function attributes(params: Params, publicId: string, filename: string): Attributes {
  const folder = text(params, "asset_folder") || parsePath(publicId).dir;
  const original = parsePath(filename).name;
  const display = flag(params, "use_filename_as_display_name") ? original : parsePath(publicId).base;
  return {
    tags: [...new Set(list(params, "tags"))],
    context: pairs(text(params, "context")),
    metadata: metadata(text(params, "metadata")),
    asset_folder: folder,
    display_name: text(params, "display_name") || display,
    original_filename: flag(params, "discard_original_filename") ? "" : original,
    access_mode: text(params, "access_mode") || "public",
    backup: flag(params, "backup") ?? false,
  };
}

/**
 * One chunk of `upload_large`: collected in a file named after its upload id. Answers `undefined` while more is to come,
 * else the complete file.
 */
export async function collectChunk(
  env: Environment,
  headers: IncomingHttpHeaders,
  chunk: ReceivedFile,
): Promise<ReceivedFile | undefined> {
  const range = /^bytes (\d+)-(\d+)\/(-1|\d+)$/.exec(String(headers["content-range"]));
  const uploadId = String(headers["x-unique-upload-id"] ?? "");
  if (range === null || uploadId === "") throw new CloudinaryError(400, "Invalid Content-Range or X-Unique-Upload-Id");
  const [from, to, total] = range.slice(1).map(Number) as [number, number, number];
  const path = join(env.store.temporary, `chunks-${createHash("sha256").update(uploadId).digest("hex")}`);
  const have = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (from !== have || to - from + 1 !== chunk.bytes) {
    await rm(chunk.path, { force: true });
    throw new CloudinaryError(400, `Chunk ${from}-${to} does not follow the ${have} bytes received`);
  }
  await pipeline(createReadStream(chunk.path), createWriteStream(path, { flags: "a", mode: 0o600 }));
  await rm(chunk.path, { force: true });
  if (total !== to + 1) return undefined;
  const whole = await receive(createReadStream(path), chunk.filename, env.store.temporary);
  await rm(path, { force: true });
  return whole;
}

export function chunkAnswer(headers: IncomingHttpHeaders): Record<string, unknown> {
  return {
    done: false,
    kind: "upload",
    upload_id: headers["x-unique-upload-id"],
    asset_id: randomBytes(16).toString("hex"),
  };
}

function capitalise(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
