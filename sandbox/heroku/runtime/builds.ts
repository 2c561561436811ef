/** Builds: a source tarball becomes a slug (an unpacked folder with a Procfile), and the slug a release. */
import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { now, uuid } from "../ids";
import type { App, Build, Slug } from "../model";
import type { Store } from "../store";
import { type Children, exitOf } from "./children";
import type { Releases } from "./releases";

/** Files by which a buildpack knows that an app is its own. Others are not looked into. */
const DETECTED_BY: Record<string, readonly string[]> = {
  "heroku/nodejs": ["package.json"],
  "heroku/python": ["requirements.txt", "Pipfile.lock", "poetry.lock", "uv.lock"],
};

/** Process types of a Procfile: `type: command`, one a line. */
export function parseProcfile(text: string): Record<string, string> {
  const types: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const [, type, command] = /^([A-Za-z0-9_-]+):\s*(.+?)\s*$/.exec(line) ?? [];
    if (type && command) types[type] = command;
  }
  return types;
}

export class Builds {
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly store: Store,
    private readonly children: Children,
    private readonly releases: Releases,
    private readonly ownSource: (url: string) => string | undefined,
  ) {}

  failUnfinished(): void {
    for (const build of Object.values(this.store.state.builds)) {
      if (build.status !== "pending") continue;
      this.output(build).end("! The build was interrupted\n");
      this.end(build, "failed");
    }
  }

  start(app: App, request: Pick<Build, "buildpacks" | "sourceUrl" | "sourceVersion" | "sourceChecksum">): Build {
    const at = now();
    const build: Build = {
      id: uuid(),
      appId: app.id,
      status: "pending",
      slugId: null,
      releaseId: null,
      createdAt: at,
      updatedAt: at,
      ...request,
    };
    this.store.state.builds[build.id] = build;
    this.store.save();
    const work = this.run(app, build);
    this.running.add(work);
    void work.finally(() => this.running.delete(work));
    return build;
  }

  /** Resolves when no build runs. */
  async close(): Promise<void> {
    await Promise.all(this.running);
  }

  removeApp(appId: string): void {
    for (const build of Object.values(this.store.state.builds)) {
      if (build.appId !== appId) continue;
      delete this.store.state.builds[build.id];
      rmSync(this.store.path("output", `${build.id}.log`), { force: true });
    }
    for (const slug of Object.values(this.store.state.slugs)) {
      if (slug.appId !== appId) continue;
      delete this.store.state.slugs[slug.id];
      rmSync(this.store.path("slugs", slug.id), { recursive: true, force: true });
    }
  }

  private output(build: Build) {
    return createWriteStream(this.store.path("output", `${build.id}.log`), { flags: "a", mode: 0o600 });
  }

  private async run(app: App, build: Build): Promise<void> {
    const output = this.output(build);
    const say = (line: string) => output.write(`${line}\n`);
    const work = this.store.path("work", build.id);
    try {
      say("-----> Building on the Heroku-24 stack");
      const archive = await this.fetchSource(build);
      await this.checkDigest(build, archive);
      mkdirSync(work, { recursive: true });
      const tar = this.children.start("tar", "tar", ["-xzf", archive, "-C", work], {});
      tar.stdin?.end();
      let words = "";
      tar.stderr?.on("data", (chunk) => {
        words += chunk;
      });
      if ((await exitOf(tar)) !== 0) throw new Error(`the source is not a gzipped tar archive: ${words.trim()}`);
      const root = sourceRoot(work);
      for (const buildpack of build.buildpacks) {
        detect(buildpack, root);
        say(`-----> Using buildpack: ${buildpack}`);
      }
      const processTypes = existsSync(join(root, "Procfile"))
        ? parseProcfile(readFileSync(join(root, "Procfile"), "utf8"))
        : {};
      say(`-----> Discovering process types: ${Object.keys(processTypes).join(", ") || "(none)"}`);
      // The app may have been destroyed, and the emulator closed, since the build began.
      if (!this.store.state.apps[app.id]) return;
      const slug: Slug = {
        id: uuid(),
        appId: app.id,
        processTypes,
        sourceVersion: build.sourceVersion,
        createdAt: now(),
      };
      renameSync(root, this.store.path("slugs", slug.id));
      this.store.state.slugs[slug.id] = slug;
      const label = (build.sourceVersion ?? build.id).slice(0, 8);
      const release = this.releases.create(app, { description: `Deploy ${label}`, slugId: slug.id });
      build.slugId = slug.id;
      build.releaseId = release.id;
      say(`-----> Launching: v${release.version}`);
      this.end(build, "succeeded");
    } catch (error) {
      say(` !     ${error instanceof Error ? error.message : error}`);
      say(" !     Push failed");
      this.end(build, "failed");
    } finally {
      output.end();
      rmSync(work, { recursive: true, force: true });
      rmSync(`${work}.tar.gz`, { force: true });
    }
  }

  private async fetchSource(build: Build): Promise<string> {
    const own = this.ownSource(build.sourceUrl);
    if (own !== undefined) {
      if (!existsSync(own)) throw new Error("nothing was uploaded to the source's put_url");
      return own;
    }
    const response = await fetch(build.sourceUrl);
    if (!response.ok || !response.body) throw new Error(`could not fetch the source: HTTP ${response.status}`);
    const file = `${this.store.path("work", build.id)}.tar.gz`;
    await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), createWriteStream(file));
    return file;
  }

  private async checkDigest(build: Build, file: string): Promise<void> {
    const [, expected] = /^SHA256:([0-9a-f]{64})$/i.exec(build.sourceChecksum ?? "") ?? [];
    if (!expected) return;
    const hash = createHash("sha256");
    await pipeline(createReadStream(file), hash);
    const found = hash.digest("hex");
    if (found !== expected.toLowerCase())
      throw new Error(`checksum of the source is SHA256:${found}, expected SHA256:${expected}`);
  }

  private end(build: Build, status: "succeeded" | "failed"): void {
    build.status = status;
    build.updatedAt = now();
    this.store.save();
  }
}

/** The folder of the sources: an archive may hold them below one top-level folder. */
function sourceRoot(folder: string): string {
  const entries = readdirSync(folder, { withFileTypes: true });
  const [only] = entries;
  return entries.length === 1 && only?.isDirectory() ? join(folder, only.name) : folder;
}

function detect(buildpack: string, root: string): void {
  const files = DETECTED_BY[buildpack];
  if (files && !files.some((file) => existsSync(join(root, file))))
    throw new Error(`App not compatible with buildpack: ${buildpack} (expected one of ${files.join(", ")})`);
}
