/** What the emulated product environment remembers: state in one JSON file, bytes in one file a version. */
import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import type { ResourceType } from "./formats";

/** One set of bytes of an asset. */
export interface AssetVersion {
  version: number;
  version_id: string;
  bytes: number;
  /** MD5 of the bytes in hexadecimal. */
  etag: string;
  /** Empty for raw assets, whose extension is part of the public id. */
  format: string;
  width?: number;
  height?: number;
  created_at: string;
  /** Name of the file in the blobs folder. */
  blob: string;
}

export interface Asset {
  asset_id: string;
  public_id: string;
  resource_type: ResourceType;
  type: string;
  created_at: string;
  uploaded_at: string;
  tags: string[];
  context: Record<string, string>;
  metadata: Record<string, unknown>;
  asset_folder: string;
  display_name: string;
  original_filename: string;
  access_mode: string;
  /** Whether replaced and deleted bytes are kept (an upload's or preset's `backup`; off by default, as on Cloudinary). */
  backup: boolean;
  /** A deleted asset that has backups: listed with 0 bytes, restorable. */
  placeholder: boolean;
  current: AssetVersion;
  backups: AssetVersion[];
}

/** A field of structured metadata. */
export interface MetadataField {
  external_id: string;
  type: string;
  label: string;
  mandatory: boolean;
  default_value: null;
  validation: null;
  /** Of an `enum` or a `set`: what may be chosen. A deleted entry stays, inactive, and can be restored. */
  datasource?: { values: { external_id: string; value: string; state: "active" | "inactive" }[] };
}

export interface Preset {
  name: string;
  unsigned: boolean;
  settings: Record<string, unknown>;
}

export interface Trigger {
  id: string;
  uri: string;
  event_type: string;
  /** Whether it fires also for requests that name a notification URL of their own. */
  additive: boolean;
  created_at: string;
  updated_at: string;
}

/** A webhook that was not taken yet: kept until it is, or until its last attempt has failed. */
export interface PendingNotification {
  id: string;
  event: string;
  url: string;
  /** The signed text, the same in each attempt. */
  body: string;
  attempts: number;
  /** When the next attempt is due, in milliseconds since 1970: compared with the clock, which may jump. */
  dueAt: number;
  /** Time that it is signed with, when it is told to come late. @default that of the attempt */
  signedAt?: number;
  /** What came of the last attempt. */
  problem?: string;
}

/** What is remembered of a webhook that nobody took. */
export type LostNotification = Omit<PendingNotification, "body" | "dueAt"> & { lostAt: number };

export interface State {
  /** Assets by `resource_type/type/public_id`. */
  assets: Record<string, Asset>;
  /** Last version given to a key, also after deletion: versions never go back. */
  lastVersions: Record<string, number>;
  presets: Record<string, Preset>;
  triggers: Record<string, Trigger>;
  folders: string[];
  metadataFields: Record<string, MetadataField>;
  notifications: PendingNotification[];
  lostNotifications: LostNotification[];
  /** Admin API calls of the running hour (`window` in hours since 1970). */
  adminCalls: { window: number; count: number };
}

export function assetKey(resourceType: string, type: string, publicId: string): string {
  return `${resourceType}/${type}/${publicId}`;
}

/** A record without inherited names: keys come from clients, and `__proto__` is as good a preset name as any. */
function table<T>(entries: Record<string, T> = {}): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, entries);
}

/** Persistent state. Change `state`, then await `commit()` before answering: an answered request survives `kill -9`. */
export class Store {
  readonly state: State;
  readonly temporary: string;
  readonly blobs: string;
  readonly #file: string;
  #writing: Promise<void> | undefined;
  #queued: Promise<void> | undefined;

  constructor(dataDir: string) {
    this.#file = join(dataDir, "state.json");
    this.blobs = join(dataDir, "blobs");
    this.temporary = join(dataDir, "tmp");
    mkdirSync(this.blobs, { recursive: true, mode: 0o700 });
    // Half an upload of a killed run is of no use to anyone.
    rmSync(this.temporary, { recursive: true, force: true });
    mkdirSync(this.temporary, { mode: 0o700 });
    this.state = this.#load();
  }

  #load(): State {
    let saved: Partial<State> = {};
    try {
      saved = JSON.parse(readFileSync(this.#file, "utf8")) as State;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    return {
      assets: table(saved.assets),
      lastVersions: table(saved.lastVersions),
      presets: table(saved.presets),
      triggers: table(saved.triggers),
      folders: saved.folders ?? [],
      metadataFields: table(saved.metadataFields),
      notifications: saved.notifications ?? [],
      lostNotifications: saved.lostNotifications ?? [],
      adminCalls: saved.adminCalls ?? { window: 0, count: 0 },
    };
  }

  blobPath(blob: string): string {
    return join(this.blobs, blob);
  }

  /** Moves an uploaded temporary file to its final place. Same folder tree, so it is atomic. */
  adopt(temporaryPath: string, blob: string): void {
    renameSync(temporaryPath, this.blobPath(blob));
  }

  dropBlob(blob: string): void {
    rmSync(this.blobPath(blob), { force: true });
  }

  /** Resolves when every change made so far is on disk. Concurrent callers share one write. */
  commit(): Promise<void> {
    if (this.#writing === undefined) {
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
      });
      return this.#writing;
    }
    // The running write may have taken its snapshot before this change: one more is due after it.
    this.#queued ??= this.#writing
      .catch(() => {})
      .then(() => {
        this.#queued = undefined;
        return this.commit();
      });
    return this.#queued;
  }

  async #write(): Promise<void> {
    const partial = `${this.#file}.partial`;
    const handle = await open(partial, "w", 0o600);
    try {
      await handle.writeFile(JSON.stringify(this.state));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, this.#file);
  }
}
