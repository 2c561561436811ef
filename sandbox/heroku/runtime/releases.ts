/** Releases: numbered, with their config vars and code; the release command decides whether one becomes current. */
import { rmSync } from "node:fs";
import { attachedAddons } from "../config-vars";
import { now, uuid } from "../ids";
import type { App, Formation, Release, Slug } from "../model";
import type { Store } from "../store";
import type { Dynos } from "./dynos";

export interface ReleaseRequest {
  description: string;
  /** Code of the release; by default that of the app when the release's turn comes. */
  slugId?: string;
  /** Whether the release command runs when there is one. Add-ons that change their own vars do without it. */
  runCommand?: boolean;
}

export class Releases {
  /** Releases of an app take turns: a release command must not run beside another one. */
  private readonly queues = new Map<string, Promise<void>>();

  constructor(
    private readonly store: Store,
    private readonly dynos: Dynos,
    private readonly log: (line: string) => void,
  ) {}

  /** A release command that the emulator's end broke off has failed. */
  failUnfinished(): void {
    for (const release of Object.values(this.store.state.releases))
      if (release.status === "pending") this.end(release, "failed");
  }

  ofApp(appId: string): Release[] {
    return Object.values(this.store.state.releases)
      .filter((one) => one.appId === appId)
      .sort((a, b) => a.version - b.version);
  }

  /** Adds a release. Without a command to run and with nobody before it, it succeeds at once. */
  create(app: App, request: ReleaseRequest): Release {
    app.lastRelease += 1;
    const at = now();
    const release: Release = {
      id: uuid(),
      appId: app.id,
      version: app.lastRelease,
      description: request.description,
      status: "pending",
      slugId: request.slugId ?? app.slugId,
      vars: { ...app.vars },
      addons: attachedAddons(this.store.state, app.id),
      hasOutput: false,
      createdAt: at,
      updatedAt: at,
    };
    this.store.state.releases[release.id] = release;
    const pending = this.queues.get(app.id);
    if (!pending && this.command(release, request) === undefined) {
      this.succeed(app, release);
    } else {
      if (this.command(release, request) !== undefined) release.hasOutput = true;
      const turn = (pending ?? Promise.resolve()).then(() => this.take(app, release, request));
      this.queues.set(app.id, turn);
      void turn.finally(() => {
        if (this.queues.get(app.id) === turn) this.queues.delete(app.id);
      });
    }
    this.store.save();
    return release;
  }

  /** Resolves when no release waits or runs. */
  async close(): Promise<void> {
    await Promise.all(this.queues.values());
  }

  removeApp(appId: string): void {
    for (const release of this.ofApp(appId)) {
      delete this.store.state.releases[release.id];
      rmSync(this.store.path("output", `${release.id}.log`), { force: true });
    }
  }

  private command(release: Release, request: ReleaseRequest): string | undefined {
    if (request.runCommand === false) return undefined;
    return this.store.state.slugs[release.slugId ?? ""]?.processTypes.release;
  }

  private async take(app: App, release: Release, request: ReleaseRequest): Promise<void> {
    if (!this.store.state.apps[app.id] || release.status !== "pending") return;
    release.slugId = request.slugId ?? app.slugId;
    const slug = this.store.state.slugs[release.slugId ?? ""];
    const command = this.command(release, request);
    if (slug && command !== undefined) {
      release.hasOutput = true;
      const code = await this.dynos.runRelease(app, slug, release, command);
      if (!this.store.state.apps[app.id] || release.status !== "pending") return;
      if (code !== 0) {
        this.log(`${app.name}: the release command of v${release.version} exited with ${code}`);
        this.end(release, "failed");
        return;
      }
    }
    this.succeed(app, release);
  }

  private succeed(app: App, release: Release): void {
    app.slugId = release.slugId;
    app.currentReleaseId = release.id;
    app.releasedAt = now();
    const slug = this.store.state.slugs[release.slugId ?? ""];
    if (slug) this.shapeFormation(app, slug);
    this.end(release, "succeeded");
    if (slug) void this.dynos.sync(app.id, true);
  }

  private end(release: Release, status: "succeeded" | "failed"): void {
    release.status = status;
    release.updatedAt = now();
    this.store.save();
  }

  /** Process types follow the Procfile; quantities stay. The first code of an app gets one web dyno. */
  private shapeFormation(app: App, slug: Slug): void {
    const existing = Object.values(this.store.state.formations).filter((one) => one.appId === app.id);
    for (const one of existing) if (!(one.type in slug.processTypes)) delete this.store.state.formations[one.id];
    const at = now();
    for (const [type, command] of Object.entries(slug.processTypes)) {
      const known = existing.find((one) => one.type === type);
      if (known) {
        known.command = command;
        continue;
      }
      const formation: Formation = {
        id: uuid(),
        appId: app.id,
        type,
        command,
        quantity: type === "web" && existing.length === 0 ? 1 : 0,
        size: "Basic",
        createdAt: at,
        updatedAt: at,
      };
      this.store.state.formations[formation.id] = formation;
    }
  }
}
