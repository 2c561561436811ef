import type { Vault } from "../clients/vault";
import { BackupId } from "./backup-id";
import { BACKUP_CLASSES, type PastBackup, periodStart } from "./classes";
import { UscPisError } from "./errors";
import { type BackupKey, backupKeys, parseManifestKey } from "./layout";
import { type Manifest, parseManifest } from "./manifest";
import type { Slot } from "./slot";

type ReadVault = Pick<Vault, "list" | "getText">;

/**
 * Backups of the last weeks as the capture needs them. Class and time of a backup stand in its key, so that a listing
 * answers most questions; manifests are read one by one where a question turns on them, and each at most once.
 */
export class RecentBackups {
  private readonly manifests = new Map<string, Promise<Manifest | undefined>>();

  private constructor(
    private readonly vault: ReadVault,
    private readonly system: string,
    /** Newest first. */
    private readonly listed: readonly BackupKey[],
    private readonly signal?: AbortSignal,
  ) {}

  /** Lists current objects only: what is hidden by a delete marker has ended or was removed. */
  static async list(vault: ReadVault, system: string, since: Date, signal?: AbortSignal): Promise<RecentBackups> {
    // One listing of the whole bucket, which holds some hundreds of objects, is less than one for each class.
    const keys = await vault.list("", undefined, signal);
    const from = BackupId.lowerBound(since);
    const listed = keys.flatMap((key) => {
      const entry = parseManifestKey(key, system);
      return entry !== undefined && entry.id >= from ? [entry] : [];
    });
    listed.sort((a, b) => (a.id < b.id ? 1 : -1));
    return new RecentBackups(vault, system, listed, signal);
  }

  /** The backup of a slot, good or suspect. A backup's slot is that of the moment at which it began. */
  inSlot(slot: Slot): Promise<Manifest | undefined> {
    return this.first(
      ({ id }) => begun(id) >= slot.start && begun(id) < slot.end,
      (manifest) => manifest.slot === slot.name,
    );
  }

  /** What a manual request of this name has made. */
  ofRequest(request: string): Promise<Manifest | undefined> {
    return this.first(
      () => true,
      (manifest) => manifest.trigger.request === request,
    );
  }

  newestGood(): Promise<Manifest | undefined> {
    return this.first(() => true, isGood);
  }

  /** The good backups that can fill a period which holds `at`: one of each class and period is enough to know. */
  async filling(at: Date): Promise<PastBackup[]> {
    const past = await Promise.all(
      BACKUP_CLASSES.map(async (backupClass) => {
        // A longer-lived one fills the shorter periods too; a week may begin in the month before.
        const starts = (["daily", "weekly", "monthly"] as const)
          .filter((period) => BACKUP_CLASSES.indexOf(backupClass) <= BACKUP_CLASSES.indexOf(period))
          .map((period) => periodStart(period, at) as Date);
        const read = async (start: Date) => {
          const found = await this.first(
            (entry) => entry.backupClass === backupClass && begun(entry.id) >= start,
            (manifest) => isGood(manifest) && new Date(manifest.takenAt) >= start,
          );
          return found ? [{ backupClass, takenAt: new Date(found.takenAt) }] : [];
        };
        return (await Promise.all(starts.map(read))).flat();
      }),
    );
    return past.flat();
  }

  private async first(
    listed: (entry: BackupKey) => boolean,
    wanted: (manifest: Manifest) => boolean,
  ): Promise<Manifest | undefined> {
    for (const entry of this.listed) {
      if (!listed(entry)) continue;
      const manifest = await this.read(entry);
      if (manifest && wanted(manifest)) return manifest;
    }
    return undefined;
  }

  private read(entry: BackupKey): Promise<Manifest | undefined> {
    const key = backupKeys(entry.backupClass, this.system, entry.id).manifest;
    const reading = this.manifests.get(key) ?? this.fetch(key, entry.id);
    this.manifests.set(key, reading);
    return reading;
  }

  private async fetch(key: string, id: string): Promise<Manifest | undefined> {
    const object = await this.vault.getText(key, undefined, this.signal);
    if (!object) return undefined;
    try {
      return parseManifest(object.text, { system: this.system, id, key });
    } catch (error) {
      // A manifest that cannot be read is no backup; it must not stop new ones from being taken.
      if (!(error instanceof UscPisError)) throw error;
      return undefined;
    }
  }
}

function begun(id: string): Date {
  return BackupId.parse(id).startedAt;
}

function isGood(manifest: Manifest): boolean {
  return manifest.assessment.status === "success";
}
