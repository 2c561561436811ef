/** Assets: their life (stored, replaced, deleted, restored) and how they are shown. */
import { createHash, randomBytes } from "node:crypto";
import type { ReceivedFile } from "./body";
import type { Environment } from "./environment";
import { CloudinaryError } from "./errors";
import type { FileFacts, ResourceType } from "./formats";
import { sign, stringToSign } from "./signature";
import { type Asset, type AssetVersion, assetKey } from "./store";

export type Attributes = Pick<
  Asset,
  "tags" | "context" | "metadata" | "asset_folder" | "display_name" | "original_filename" | "access_mode" | "backup"
>;

export function findAsset(env: Environment, resourceType: string, type: string, publicId: string): Asset | undefined {
  const asset = env.store.state.assets[assetKey(resourceType, type, publicId)];
  return asset?.placeholder === true ? undefined : asset;
}

export function requireAsset(env: Environment, resourceType: string, type: string, publicId: string): Asset {
  const asset = findAsset(env, resourceType, type, publicId);
  if (asset === undefined) throw new CloudinaryError(404, `Resource not found - ${publicId}`);
  return asset;
}

/** Unix seconds, but never the same or less than the version before, also across a deletion. */
export function nextVersion(env: Environment, key: string): number {
  const version = Math.max(Math.floor(env.now() / 1000), (env.store.state.lastVersions[key] ?? 0) + 1);
  env.store.state.lastVersions[key] = version;
  return version;
}

export function randomPublicId(): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from(randomBytes(20), (byte) => alphabet[byte % alphabet.length]).join("");
}

/** Stores bytes as a new asset, or as a new version of an existing one. */
export function storeAsset(
  env: Environment,
  where: { resourceType: ResourceType; type: string; publicId: string },
  file: ReceivedFile,
  facts: FileFacts | undefined,
  attributes: Attributes,
): Asset {
  const key = assetKey(where.resourceType, where.type, where.publicId);
  const previous = env.store.state.assets[key];
  const created = new Date(env.now()).toISOString();
  const versionId = randomBytes(16).toString("hex");
  const current: AssetVersion = {
    version: nextVersion(env, key),
    version_id: versionId,
    bytes: file.bytes,
    etag: file.md5,
    format: where.resourceType === "raw" ? "" : (facts?.format ?? ""),
    ...(facts?.width === undefined || where.resourceType === "raw" ? {} : { width: facts.width, height: facts.height }),
    created_at: created,
    blob: versionId,
  };
  env.store.adopt(file.path, current.blob);
  const backups = previous === undefined ? [] : retire(env, previous);
  const asset: Asset = {
    asset_id: previous?.asset_id ?? randomBytes(16).toString("hex"),
    public_id: where.publicId,
    resource_type: where.resourceType,
    type: where.type,
    created_at: previous?.created_at ?? created,
    uploaded_at: created,
    ...attributes,
    placeholder: false,
    current,
    backups,
  };
  env.store.state.assets[key] = asset;
  return asset;
}

/** Takes the current bytes away: into the backups when the asset has them, else for good. */
function retire(env: Environment, asset: Asset): AssetVersion[] {
  if (asset.placeholder) return asset.backups;
  if (asset.backup) return [...asset.backups, asset.current];
  env.store.dropBlob(asset.current.blob);
  return asset.backups;
}

/** Deletes an asset; with backups a placeholder stays, from which it can be restored. */
export function deleteAsset(env: Environment, asset: Asset): void {
  const backups = retire(env, asset);
  const key = assetKey(asset.resource_type, asset.type, asset.public_id);
  if (backups.length === 0) delete env.store.state.assets[key];
  else env.store.state.assets[key] = { ...asset, placeholder: true, backups };
}

/** Brings back a backed-up version (the newest unless named) as the current one. */
export function restoreAsset(env: Environment, key: string, versionId: string | undefined): Asset | undefined {
  const asset = env.store.state.assets[key];
  const wanted = asset?.backups.findLast((backup) => versionId === undefined || backup.version_id === versionId);
  if (asset === undefined || wanted === undefined) return undefined;
  const others = asset.backups.filter((backup) => backup !== wanted);
  const backups = asset.placeholder || !asset.backup ? others : [...others, asset.current];
  if (!asset.placeholder && !asset.backup) env.store.dropBlob(asset.current.blob);
  const current = { ...wanted, version: nextVersion(env, key) };
  const restored = { ...asset, placeholder: false, current, backups };
  env.store.state.assets[key] = restored;
  return restored;
}

/** URL under which the bytes are delivered. */
export function deliveryUrl(env: Environment, asset: Asset): string {
  const { version, format } = asset.current;
  const id = asset.public_id.split("/").map(encodeURIComponent).join("/");
  const extension = asset.resource_type === "raw" || format === "" ? "" : `.${format}`;
  return `${env.url()}/${env.cloudName}/${asset.resource_type}/${asset.type}/v${version}/${id}${extension}`;
}

/** What every answer about an asset holds. */
export function summary(env: Environment, asset: Asset): Record<string, unknown> {
  const { current } = asset;
  return {
    asset_id: asset.asset_id,
    public_id: asset.public_id,
    ...(current.format === "" ? {} : { format: current.format }),
    version: current.version,
    resource_type: asset.resource_type,
    type: asset.type,
    created_at: asset.created_at,
    bytes: asset.placeholder ? 0 : current.bytes,
    ...(current.width === undefined ? {} : { width: current.width, height: current.height }),
    ...(asset.backup ? { backup: true } : {}),
    ...(asset.placeholder ? { placeholder: true } : {}),
    asset_folder: asset.asset_folder,
    display_name: asset.display_name,
    access_mode: asset.access_mode,
    url: deliveryUrl(env, asset),
    secure_url: deliveryUrl(env, asset),
  };
}

/** An answer of the Upload API: the summary, checksum, tags, and a signature that proves where it came from. */
export function uploadAnswer(env: Environment, asset: Asset): Record<string, unknown> {
  const signed = stringToSign({ public_id: asset.public_id, version: String(asset.current.version) }, 1);
  return {
    ...summary(env, asset),
    version_id: asset.current.version_id,
    signature: sign(signed, env.apiSecret, env.signatureAlgorithm),
    etag: asset.current.etag,
    placeholder: false,
    tags: asset.tags,
    ...(Object.keys(asset.context).length === 0 ? {} : { context: { custom: asset.context } }),
    ...(Object.keys(asset.metadata).length === 0 ? {} : { metadata: asset.metadata }),
    original_filename: asset.original_filename,
    api_key: env.apiKey,
  };
}

/** Stable short text for cursors. */
export function fingerprint(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}
