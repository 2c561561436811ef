/** The emulator's memory: one JSON file, replaced atomically, so that a killed emulator finds a whole state again. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hex, uuid } from "./ids";
import type { State } from "./model";

function emptyState(): State {
  return {
    format: 1,
    urlKey: hex(64),
    account: { id: uuid(), email: "machine@usc-pis.example" },
    apiKeys: null,
    apps: {},
    slugs: {},
    releases: {},
    builds: {},
    formations: {},
    addons: {},
    attachments: {},
    domains: {},
    certificates: {},
    webhooks: {},
    drains: {},
    pipelines: {},
    couplings: {},
    transfers: {},
    schedules: {},
  };
}

export class Store {
  readonly state: State;
  private readonly file: string;

  /** @param dataDir folder of everything that the emulator keeps; made when it is missing. */
  constructor(readonly dataDir: string) {
    for (const folder of ["dumps", "sources", "slugs", "output", "logs", "work"])
      mkdirSync(join(dataDir, folder), { recursive: true, mode: 0o700 });
    this.file = join(dataDir, "state.json");
    this.state = existsSync(this.file) ? this.read() : emptyState();
    this.save();
  }

  private read(): State {
    const state = JSON.parse(readFileSync(this.file, "utf8")) as State;
    if (state.format !== 1) throw new Error(`${this.file}: unknown state format ${state.format}, expected 1`);
    // A table that came later is empty in an older state.
    return { ...emptyState(), ...state };
  }

  /** Writes the state beside the old one and renames it over: a reader sees the old or the new one, never half of it. */
  save(): void {
    const next = `${this.file}.next`;
    writeFileSync(next, JSON.stringify(this.state), { mode: 0o600 });
    renameSync(next, this.file);
  }

  /** Removes uploaded sources whose addresses ended an hour ago or longer. */
  forgetSources(): void {
    const folder = join(this.dataDir, "sources");
    for (const name of readdirSync(folder)) {
      const file = join(folder, name);
      if (Date.now() - statSync(file).mtimeMs > 2 * 3600_000) rmSync(file, { force: true });
    }
  }

  /** Path of a file of the emulator, below its data folder. */
  path(folder: "dumps" | "sources" | "slugs" | "output" | "logs" | "work", name: string): string {
    return join(this.dataDir, folder, name);
  }
}
