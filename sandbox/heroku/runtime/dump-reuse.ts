/**
 * Dumps of databases that have not changed. While virtual time passes, most hours bring nothing new, and pg_dump would
 * write the same bytes again, but for the time in their header. Off unless it is switched on.
 *
 * Whatever is written anywhere in the server moves its WAL position on. A position that is still the one read before the
 * last dump began therefore means that no database has changed since; a move for other reasons only costs a dump.
 */
import { copyFile, rm } from "node:fs/promises";
import type { Store } from "../store";

export class DumpReuse {
  private isOn = false;
  private readonly positions = new Map<string, string>();

  constructor(private readonly store: Store) {}

  async switch(on: boolean): Promise<void> {
    this.isOn = on;
    if (on) return;
    await Promise.all([...this.positions.keys()].map((addonId) => rm(this.file(addonId), { force: true })));
    this.positions.clear();
  }

  /** Puts the last dump of the database there. @returns false when it has to be dumped */
  async reuse(addonId: string, position: string, target: string): Promise<boolean> {
    if (!this.isOn || this.positions.get(addonId) !== position) return false;
    await copyFile(this.file(addonId), target);
    return true;
  }

  /** Keeps a copy of a dump. @param position of the server before the dump began */
  async keep(addonId: string, position: string, dump: string): Promise<void> {
    if (!this.isOn) return;
    await copyFile(dump, this.file(addonId));
    this.positions.set(addonId, position);
  }

  private file(addonId: string): string {
    return this.store.path("work", `${addonId}.dump`);
  }
}
