import type { ObjectVersion, Vault } from "../clients/vault";
import { BackupId } from "./backup-id";
import { BACKUP_CLASSES, type BackupClass } from "./classes";
import { UscPisError } from "./errors";
import { backupKeys } from "./layout";
import { type Manifest, parseManifest } from "./manifest";
import { askSides, type SideFailure } from "./sides";

export type ReadVault = Pick<
  Vault,
  "side" | "bucket" | "list" | "listVersions" | "getText" | "getStream" | "head" | "presign"
>;

/** A backup that a side of the vault holds completely: manifest and dump, hidden by a delete marker or not. */
export interface CatalogueEntry<V = ReadVault> {
  readonly id: string;
  readonly backupClass: BackupClass;
  readonly vault: V;
  /** Oldest first: the first is what was written; S3 would not have let it be replaced without leaving it there. */
  readonly manifestVersions: readonly string[];
  readonly dumpVersions: readonly string[];
  /** A delete marker lies over it: a listing without versions does not show it. */
  readonly hidden: boolean;
}

export interface Catalogue<V = ReadVault> {
  /** Newest first; the same backup on both sides is two entries, the first vault's before the second's. */
  readonly entries: readonly CatalogueEntry<V>[];
  readonly failures: readonly SideFailure[];
}

/** Everything complete in the given sides of the vault, by version, so that nothing deleted or expired is overlooked. */
export async function readCatalogue<V extends ReadVault>(
  vaults: readonly V[],
  system: string,
  signal?: AbortSignal,
): Promise<Catalogue<V>> {
  const { answers, failures } = await askSides(
    vaults,
    async (vault) => {
      const lists = await Promise.all(
        BACKUP_CLASSES.map(async (backupClass) => ({
          backupClass,
          versions: await vault.listVersions(`${backupClass}/${system}/`, signal),
        })),
      );
      return lists.flatMap(({ backupClass, versions }) => entriesOf(vault, system, backupClass, versions));
    },
    signal,
  );
  const entries = answers.flatMap(({ answer }) => answer);
  const order = (vault: V) => vaults.indexOf(vault);
  entries.sort((a, b) => (a.id === b.id ? order(a.vault) - order(b.vault) : a.id < b.id ? 1 : -1));
  return { entries, failures };
}

function entriesOf<V>(vault: V, system: string, backupClass: BackupClass, versions: readonly ObjectVersion[]) {
  const ids = new Set(versions.map((version) => version.key.split("/")[2] ?? ""));
  const entries: CatalogueEntry<V>[] = [];
  for (const id of ids) {
    if (!BackupId.isValid(id)) continue;
    const keys = backupKeys(backupClass, system, id);
    const of = (key: string) =>
      versions
        .map((version, index) => ({ version, index }))
        .filter(({ version }) => version.key === key && !version.deleteMarker)
        // S3 lists a key's versions newest first; within a second only that order tells them apart.
        .sort((a, b) => a.version.modified.getTime() - b.version.modified.getTime() || b.index - a.index)
        .map(({ version }) => version.versionId);
    const manifestVersions = of(keys.manifest);
    const dumpVersions = of(keys.dump);
    if (manifestVersions.length === 0 || dumpVersions.length === 0) continue;
    const hidden = versions.some(
      (version) => version.deleteMarker && version.latest && version.key.includes(`/${id}/`),
    );
    entries.push({ id, backupClass, vault, manifestVersions, dumpVersions, hidden });
  }
  return entries;
}

/** The entry's manifest. @throws UscPisError `bad_manifest`, `other_system` */
export async function readManifest(entry: CatalogueEntry, system: string, signal?: AbortSignal): Promise<Manifest> {
  const key = backupKeys(entry.backupClass, system, entry.id).manifest;
  const found = await entry.vault.getText(key, entry.manifestVersions[0], signal);
  if (!found) throw new UscPisError("bad_manifest", `${key} is no longer in ${entry.vault.bucket}`);
  const manifest = parseManifest(found.text, { system, id: entry.id, key });
  if (
    manifest.class !== entry.backupClass ||
    manifest.dump.key !== backupKeys(entry.backupClass, system, entry.id).dump
  ) {
    throw new UscPisError("bad_manifest", `${key} tells of ${manifest.dump.key}, which is another place`);
  }
  return manifest;
}
