/**
 * Names and keys of the vault. They are derived from system, account and region alone, so that a recovery finds
 * everything without any state.
 */

import type { AssetName } from "../clients/cloudinary-schemas";
import { BackupId } from "./backup-id";
import { BACKUP_CLASSES, type BackupClass } from "./classes";
import { escapePublicId } from "./media/public-id";

/** The side of the vault: the bucket that jobs write, or its replica in the other region. */
export type VaultSide = "primary" | "replica";

/** Bucket of database backups, releases and pointers in one region. */
export function vaultBucketName(system: string, account: string, region: string): string {
  return `${system}-vault-${account}-${region}`;
}

/** Bucket of mirrored media in one region. */
export function mediaBucketName(system: string, account: string, region: string): string {
  return `${system}-media-${account}-${region}`;
}

/** Alias of the customer-managed key that encrypts both buckets of one region. */
export function vaultKeyAlias(system: string): string {
  return `alias/${system}-vault`;
}

/** Table of runs; one of this name stands in each region. */
export function runTableName(system: string): string {
  return `${system}-runs`;
}

/** The role that a recovery assumes: reads backups, writes restore markers and the pointer to the current app. */
export function recoveryRoleName(system: string): string {
  return `${system}-recovery`;
}

/** The role that alone may lift locks, change lifecycle and policies, or schedule keys for deletion. */
export function breakGlassRoleName(system: string): string {
  return `${system}-break-glass`;
}

/** The existing role that deploys the vault stack. It is made by the account's administrator, not by this project. */
export function vaultDeployerRoleName(system: string): string {
  return `${system}-vault-deployer`;
}

/** Everything of one backup lies below this prefix: class first, so that lifecycle rules go by prefix. */
export function backupPrefix(backupClass: BackupClass, system: string, id: string): string {
  return `${backupClass}/${system}/${id}/`;
}

/** Keys of the parts of one backup. The manifest is written last: without it there is no backup. */
export function backupKeys(backupClass: BackupClass, system: string, id: string) {
  const prefix = backupPrefix(backupClass, system, id);
  return {
    dump: `${prefix}database.dump`,
    manifest: `${prefix}manifest.json`,
    verdict: `${prefix}verdict.json`,
  };
}

/** Which backup lies at a place in the vault. */
export interface BackupKey {
  readonly backupClass: BackupClass;
  readonly id: string;
}

/** The backup of this system that a key is the manifest of; undefined for every other key. */
export function parseManifestKey(key: string, system: string): BackupKey | undefined {
  const [first, owner, id = "", name, ...rest] = key.split("/");
  const backupClass = BACKUP_CLASSES.find((each) => each === first);
  const known = backupClass !== undefined && owner === system && name === "manifest.json" && rest.length === 0;
  return known && BackupId.isValid(id) ? { backupClass, id } : undefined;
}

/** Source tarball of a release, by its digest. */
export function releaseKey(system: string, sha256: string): string {
  return `release/${system}/${sha256}.tar.gz`;
}

/** The object that says which app is the current one: only its jobs write backups. */
export function currentAppKey(system: string): string {
  return `current/${system}.json`;
}

/** What a recovery notes of its restore into one database add-on, so that it is done once and ends when interrupted. */
export function restoreMarkerKey(system: string, databaseId: string): string {
  return `restore/${system}/${databaseId}.json`;
}

/** Parts of the mirror in a media bucket. */
export type MediaPart = "asset" | "facts" | "manifest";

/** Everything of one part of a system's mirror lies below this prefix. */
export function mediaPrefix(system: string, part: MediaPart): string {
  return `media/${system}/${part}/`;
}

/** What names an asset within the mirror: the same end of its key in each part. */
export function assetPath({ resourceType, type, publicId }: AssetName): string {
  return `${resourceType}/${type}/${escapePublicId(publicId)}`;
}

/** Keys of one asset: its bytes, and beside them what else is known of it. Facts are written last. */
export function mediaKeys(system: string, path: string) {
  return { asset: `${mediaPrefix(system, "asset")}${path}`, facts: `${mediaPrefix(system, "facts")}${path}` };
}

/** What a sync says of itself and of every asset. */
export function mediaManifestKey(system: string, id: string): string {
  return `${mediaPrefix(system, "manifest")}${id}.json`;
}

/** How far a listing came that had to stop, so that the next run goes on there. */
export function mediaProgressKey(system: string): string {
  return `media/${system}/progress.json`;
}
