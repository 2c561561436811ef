/** The action `upload`: presets, allowed formats, sizes, naming. */
import { rm } from "node:fs/promises";
import { parse as parsePath } from "node:path";
import { type Attributes, findAsset, randomPublicId, storeAsset, uploadAnswer } from "./assets";
import { type Body, type ReceivedFile, receive, receiveBytes } from "./body";
import { flag, list, metadata, pairs, text } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { uploaded } from "./events";
import { type FileFacts, inspect, type ResourceType } from "./formats";
import { withMetadata } from "./metadata-fields";
import { deliveryType, noEffect, UNSIGNED_ALLOWED, UPLOAD_PARAMS } from "./parameters";
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
  const unknown = Object.keys(given).find((name) => !UPLOAD_PARAMS.has(name) && !noEffect(name, text(given, name)));
  if (unknown !== undefined) throw notCarriedOut(`upload parameter ${unknown}`);
  if (presetName === "") return given;
  const preset = env.store.state.presets[presetName];
  if (preset === undefined) throw new CloudinaryError(400, "Upload preset not found");
  if (!signed && !preset.unsigned) {
    throw new CloudinaryError(400, "Upload preset must be whitelisted for unsigned uploads");
  }
  const fromPreset = presetParams(preset);
  if (flag(fromPreset, "disallow_public_id") === true && text(given, "public_id") !== "") {
    throw new CloudinaryError(400, "public_id is not allowed by the upload preset");
  }
  // A signed request's own values win; in an unsigned one the preset's do, and nothing is ever replaced.
  return signed ? { ...fromPreset, ...given } : { ...given, ...fromPreset, overwrite: "false" };
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
  const filename = text(params, "filename_override") || file.filename;
  requireAcceptable(env, resourceType, params, { ...file, filename }, facts);
  const type = deliveryType(text(params, "type"));
  const publicId = choosePublicId(params, filename, resourceType);
  const existing = findAsset(env, resourceType, type, publicId);
  if (existing !== undefined && flag(params, "overwrite") === false) {
    return { ...uploadAnswer(env, existing), existing: true };
  }
  const described = attributes(env, params, publicId, filename);
  const asset = storeAsset(env, { resourceType, type, publicId }, file, facts, described);
  const answer = { ...uploadAnswer(env, asset), ...(existing === undefined ? {} : { overwritten: true }) };
  await env.notifications.fire(uploaded(answer, text(params, "notification_url")));
  return answer;
}

/** Refuses what Cloudinary would: an empty or too large file, one that is not what it is uploaded as, other formats. */
function requireAcceptable(
  env: Environment,
  resourceType: ResourceType,
  params: Params,
  file: ReceivedFile,
  facts: FileFacts | undefined,
): void {
  if (file.bytes === 0) throw new CloudinaryError(400, "Empty file");
  if (resourceType === "image" && facts?.resourceType !== "image") throw new CloudinaryError(400, "Invalid image file");
  if (resourceType === "video" && facts?.resourceType !== "video") throw new CloudinaryError(400, "Invalid video file");
  const maximum = env.maxBytes[resourceType];
  if (file.bytes > maximum) {
    throw new CloudinaryError(400, `File size too large. Got ${file.bytes}. Maximum is ${maximum}.`);
  }
  const format = resourceType === "raw" ? parsePath(file.filename).ext.slice(1) : (facts?.format ?? "");
  const normal = (name: string) => (name === "jpeg" ? "jpg" : name);
  const allowed = list(params, "allowed_formats").map(normal);
  if (allowed.length > 0 && !allowed.includes(format)) {
    throw new CloudinaryError(400, `${capitalise(resourceType)} file format ${format || "unknown"} not allowed`);
  }
  const wanted = normal(text(params, "format"));
  if (wanted !== "" && wanted !== format)
    throw notCarriedOut(`converting ${format || "an unknown format"} to ${wanted}`);
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
  const byAssetFolder = flag(params, "use_asset_folder_as_public_id_prefix") === true;
  const folder = (text(params, "folder") || (byAssetFolder ? text(params, "asset_folder") : "")).replace(
    /^\/+|\/+$/g,
    "",
  );
  const publicId = folder === "" ? base : `${folder}/${base}`;
  if (/[?&#\\%<>]|^\s|\s$|^\/|\/$/.test(publicId) || publicId.length > 255) {
    throw new CloudinaryError(400, `public_id (${publicId}) is invalid`);
  }
  return publicId;
}

/** In Cloudinary's dynamic folder mode the folder is an attribute: slashes of a public id make none. */
function attributes(env: Environment, params: Params, publicId: string, filename: string): Attributes {
  const original = parsePath(filename).name;
  const display = flag(params, "use_filename_as_display_name") ? original : parsePath(publicId).base;
  return {
    tags: [...new Set(list(params, "tags"))],
    context: pairs(text(params, "context")),
    metadata: withMetadata(env, {}, metadata(text(params, "metadata"))),
    asset_folder: (text(params, "asset_folder") || text(params, "folder")).replace(/^\/+|\/+$/g, ""),
    display_name: text(params, "display_name") || display,
    original_filename: flag(params, "discard_original_filename") ? "" : original,
    access_mode: text(params, "access_mode") || "public",
    backup: flag(params, "backup") ?? false,
  };
}

function capitalise(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
