import { createHash } from "node:crypto";
import { BackupId } from "./backup-id";
import type { Log } from "./capture-ports";
import { type CatalogueEntry, type ReadVault, readCatalogue, readManifest } from "./catalogue";
import { UscPisError } from "./errors";
import type { Manifest } from "./manifest";
import { toError } from "./sides";

/** Which backup to restore. Neither given: the newest complete one. */
export interface BackupChoice {
  /** Exactly this one. Nothing else is tried when its restore fails. */
  readonly backup?: string;
  /** Newest one whose data are not younger than this moment. */
  readonly before?: Date;
}

/** A backup on one side of the vault, with the version of its dump that is the one its manifest tells of. */
export interface RestoreCandidate {
  readonly entry: CatalogueEntry;
  readonly manifest: Manifest;
  readonly dumpVersion: string;
}

/** Dumps up to this size are read and hashed before they are restored, in bytes: seconds on a slow line. */
export const READ_BEFORE_RESTORE_BYTES = 256 * 1024 ** 2;

/**
 * Backups of this system to restore from, best first: good ones newest first, each on the primary side before the
 * replica, then the suspect ones, which a person has not accepted yet. Another system's, and what cannot be read, are
 * left out with a warning. Lazy: the next one is looked at only when the one before could not be restored.
 * @throws UscPisError `no_backup`
 */
export async function* candidates(
  vaults: readonly ReadVault[],
  system: string,
  choice: BackupChoice,
  preferred: string | undefined,
  log: Log,
  signal?: AbortSignal,
): AsyncGenerator<RestoreCandidate> {
  if (choice.backup !== undefined) BackupId.parse(choice.backup);
  const { entries, failures } = await readCatalogue(vaults, system, signal);
  for (const { side, error } of failures) log.warn(`the ${side} side of the vault does not answer: ${error.message}`);
  const wanted = entries
    .filter((entry) => choice.backup === undefined || entry.id === choice.backup)
    // An id is never younger than its data: a cheap first cut; the manifest decides.
    .filter((entry) => choice.before === undefined || BackupId.parse(entry.id).startedAt <= choice.before);
  // A restore that broke off goes on with the backup it began with, even when a newer one has come meanwhile.
  const ordered = [
    ...wanted.filter((entry) => entry.id === preferred),
    ...wanted.filter((entry) => entry.id !== preferred),
  ];

  let given = 0;
  let refusal: unknown;
  const suspects: RestoreCandidate[] = [];
  for (const entry of ordered) {
    try {
      const candidate = await look(entry, system, signal);
      if (choice.before && new Date(candidate.manifest.takenAt) > choice.before) continue;
      if (candidate.manifest.assessment.status === "suspect" && choice.backup === undefined && entry.id !== preferred) {
        log.warn(
          `backup ${entry.id} is suspect (${candidate.manifest.assessment.reasons.join("; ")}): older ones first`,
        );
        suspects.push(candidate);
        continue;
      }
      given++;
      yield candidate;
    } catch (error) {
      signal?.throwIfAborted();
      refusal ??= error;
      log.warn(`backup ${entry.id} on the ${entry.vault.side} side cannot be used: ${toError(error).message}`);
    }
  }
  for (const candidate of suspects) {
    given++;
    yield candidate;
  }
  if (given > 0) return;
  if (refusal) throw refusal;
  const asked = choice.backup ?? (choice.before ? `before ${choice.before.toISOString()}` : "at all");
  throw new UscPisError("no_backup", `the vault of ${system} holds no complete backup ${asked}`, {
    hint: "usc-pis backup list",
  });
}

async function look(entry: CatalogueEntry, system: string, signal?: AbortSignal): Promise<RestoreCandidate> {
  const manifest = await readManifest(entry, system, signal);
  const found: string[] = [];
  for (const version of entry.dumpVersions) {
    const head = await entry.vault.head(manifest.dump.key, version, signal);
    if (head?.bytes === manifest.dump.bytes && head.checksum === manifest.dump.checksum) {
      return { entry, manifest, dumpVersion: version };
    }
    found.push(head ? `${head.bytes} bytes with checksum ${head.checksum ?? "none"}` : "nothing");
  }
  throw new UscPisError(
    "dump_differs",
    `the dump of ${entry.id} is not the one of its manifest: got ${found.join(", ")}, expected ${manifest.dump.bytes} bytes with checksum ${manifest.dump.checksum}`,
  );
}

/**
 * Proves the dump before a database is touched. What S3 stored was compared with the manifest already, which costs no
 * transfer; a dump of the clinic's size is also read and hashed, as only that shows that its key still decrypts it and
 * that the bytes which Heroku will get are the bytes that were captured (a flipped bit passes `pg_restore --list`).
 * @throws UscPisError `dump_differs`
 */
export async function proveDump(candidate: RestoreCandidate, signal?: AbortSignal): Promise<void> {
  const { manifest, entry, dumpVersion } = candidate;
  if (manifest.dump.bytes > READ_BEFORE_RESTORE_BYTES) return;
  const hash = createHash("sha256");
  let bytes = 0;
  const stream = await entry.vault.getStream(manifest.dump.key, dumpVersion, signal);
  if (stream) {
    for await (const chunk of stream) {
      signal?.throwIfAborted();
      bytes += chunk.byteLength;
      hash.update(chunk);
    }
  }
  const sha256 = hash.digest("hex");
  if (bytes === manifest.dump.bytes && sha256 === manifest.dump.sha256) return;
  throw new UscPisError(
    "dump_differs",
    `the dump of ${entry.id} does not read as its manifest says: got ${bytes} bytes with SHA-256 ${sha256}, expected ${manifest.dump.bytes} with ${manifest.dump.sha256}`,
  );
}
