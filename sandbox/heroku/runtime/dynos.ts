/** Dynos: one real process for each process type with a quantity above 0, restarted with each new release. */
import type { ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { configVars, releaseVars } from "../config-vars";
import { now } from "../ids";
import type { App, Formation, Release, Slug } from "../model";
import type { Store } from "../store";
import type { AppLogs } from "./app-logs";
import { type Children, exitOf, stopChild } from "./children";
import type { Databases } from "./databases";
import { type Dyno, newDyno } from "./dyno";
import { startDynoProcess } from "./dyno-process";
import { accepts, freePort } from "./ports";

/** A web process that does not listen within this time (milliseconds) has crashed: Heroku's boot timeout. */
const BOOT_TIMEOUT_MS = 60_000;
/** Pause before the first restart of a crashed dyno, doubling up to the longest one. */
const FIRST_RESTART_MS = 500;
const LONGEST_RESTART_MS = 30_000;

/** Dynos that end by themselves and that no formation asks for. */
const PASSING = ["run", "release"];

interface Running {
  dyno: Dyno;
  child: ChildProcess | undefined;
  stopped: boolean;
  crashes: number;
  timer: NodeJS.Timeout | undefined;
}

export class Dynos {
  private readonly running = new Map<string, Running>();
  private readonly queues = new Map<string, Promise<void>>();
  private closing = false;

  constructor(
    private readonly store: Store,
    private readonly databases: Databases,
    private readonly children: Children,
    private readonly logs: AppLogs,
  ) {}

  list(appId: string): Dyno[] {
    return [...this.running.values()].map((one) => one.dyno).filter((dyno) => dyno.appId === appId);
  }

  count(): number {
    return this.running.size;
  }

  /** Brings the app's processes in line with its formation; `restart` also replaces those that run. */
  sync(appId: string, restart = false): Promise<void> {
    const before = this.queues.get(appId) ?? Promise.resolve();
    const next = before
      .then(() => this.reconcile(appId, restart))
      .catch((error) => {
        this.logs.write(appId, "heroku", "platform", `could not start dynos: ${error}`);
      });
    this.queues.set(appId, next);
    return next;
  }

  /** Port of the app's web dyno; waits while it boots. Undefined when there is none or it crashed. */
  async webPort(appId: string, waitMs: number): Promise<number | undefined> {
    // Not by Date: a clock that is set ahead would end the wait.
    const until = performance.now() + waitMs;
    for (;;) {
      // One that is being replaced gets no more requests.
      const live = [...this.running.values()].filter((one) => one.dyno.appId === appId && !one.stopped);
      const web = live.map((one) => one.dyno).find((dyno) => dyno.type === "web");
      if (web?.state === "up" && web.port !== null) return web.port;
      if (performance.now() > until || !this.wantsWeb(appId)) return undefined;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Whether the formation asks for a web dyno at all. */
  wantsWeb(appId: string): boolean {
    return this.wanted(appId).some((formation) => formation.type === "web");
  }

  /** Starts a one-off dyno (`run.1234`) of the current release; it is gone when its command ends. */
  runOneOff(app: App, slug: Slug, command: string, size: string, extra: Record<string, string>): Dyno {
    const dyno = this.describe(app, "run", `run.${1000 + Math.floor(Math.random() * 9000)}`, command, size);
    const child = startDynoProcess(this.children, {
      what: `${app.name} ${dyno.name}`,
      command,
      folder: this.store.path("slugs", slug.id),
      environment: { ...this.environment(app), ...extra, DYNO: dyno.name },
    });
    dyno.state = "up";
    const entry: Running = { dyno, child, stopped: false, crashes: 0, timer: undefined };
    this.running.set(dyno.id, entry);
    this.logs.follow(app.id, dyno.name, child.stdout);
    this.logs.follow(app.id, dyno.name, child.stderr);
    void exitOf(child)
      .catch(() => 127)
      .then((code) => {
        this.running.delete(dyno.id);
        this.logs.write(app.id, "heroku", dyno.name, `Process exited with status ${code}`);
      });
    return dyno;
  }

  /** Runs a release command to its end, its output going into a file as well as into the log. Returns the exit code. */
  async runRelease(app: App, slug: Slug, release: Release, command: string): Promise<number> {
    const dyno = this.describe(app, "release", `release.${release.version}`, command, "Basic");
    const output = createWriteStream(this.store.path("output", `${release.id}.log`), { mode: 0o600 });
    const child = startDynoProcess(this.children, {
      what: `${app.name} ${dyno.name}`,
      command,
      folder: this.store.path("slugs", slug.id),
      environment: { ...releaseVars(this.store.state, this.databases, release), DYNO: dyno.name },
    });
    dyno.state = "up";
    this.running.set(dyno.id, { dyno, child, stopped: false, crashes: 0, timer: undefined });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.pipe(output, { end: false });
      this.logs.follow(app.id, dyno.name, stream);
    }
    const code = await exitOf(child).catch(() => 127);
    this.running.delete(dyno.id);
    await new Promise<void>((resolve) => output.end(resolve));
    return code;
  }

  /** Stops everything that runs for an app. */
  async stopApp(appId: string): Promise<void> {
    await this.queues.get(appId);
    await Promise.all(
      [...this.running.values()].filter((one) => one.dyno.appId === appId).map((one) => this.stop(one)),
    );
  }

  async stopDyno(dyno: Dyno): Promise<void> {
    const entry = this.running.get(dyno.id);
    if (entry) await this.stop(entry);
  }

  async close(): Promise<void> {
    this.closing = true;
    await Promise.all([...this.running.values()].map((one) => this.stop(one)));
    await Promise.all(this.queues.values());
  }

  private wanted(appId: string): Formation[] {
    if (!this.store.state.apps[appId]?.slugId) return [];
    return Object.values(this.store.state.formations).filter(
      (one) => one.appId === appId && one.type !== "release" && one.quantity > 0,
    );
  }

  private async reconcile(appId: string, restart: boolean): Promise<void> {
    const app = this.store.state.apps[appId];
    const wanted = this.closing || !app ? [] : this.wanted(appId);
    const present = [...this.running.values()].filter(
      (one) => one.dyno.appId === appId && !PASSING.includes(one.dyno.type),
    );
    const surplus = present.filter((one) => restart || !wanted.some((formation) => formation.type === one.dyno.type));
    await Promise.all(surplus.map((one) => this.stop(one)));
    for (const formation of wanted) {
      const existing = this.list(appId).find((dyno) => dyno.type === formation.type);
      if (existing) existing.size = formation.size;
      else if (app) await this.start(app, formation, 0);
    }
  }

  private async start(app: App, formation: Formation, crashes: number): Promise<void> {
    const slug = this.store.state.slugs[app.slugId ?? ""];
    const release = this.store.state.releases[app.currentReleaseId ?? ""];
    if (!slug || !release || this.closing) return;
    const dyno = this.describe(app, formation.type, `${formation.type}.1`, formation.command, formation.size);
    const entry: Running = { dyno, child: undefined, stopped: false, crashes, timer: undefined };
    this.running.set(dyno.id, entry);
    if (formation.type === "web") dyno.port = await freePort();
    const child = startDynoProcess(this.children, {
      what: `${app.name} ${dyno.name}`,
      command: formation.command,
      folder: this.store.path("slugs", slug.id),
      environment: {
        ...releaseVars(this.store.state, this.databases, release),
        DYNO: dyno.name,
        ...(dyno.port === null ? {} : { PORT: String(dyno.port) }),
      },
    });
    entry.child = child;
    this.logs.write(app.id, "heroku", dyno.name, `Starting process with command \`${formation.command}\``);
    this.logs.follow(app.id, dyno.name, child.stdout);
    this.logs.follow(app.id, dyno.name, child.stderr);
    void exitOf(child)
      .catch(() => 127)
      .then((code) => this.ended(app, formation, entry, code));
    if (dyno.port === null) this.setState(dyno, "up");
    else void this.waitForBoot(entry, dyno.port);
  }

  private async waitForBoot(entry: Running, port: number): Promise<void> {
    const until = performance.now() + BOOT_TIMEOUT_MS;
    while (!entry.stopped && entry.dyno.state === "starting") {
      if (await accepts(port)) {
        if (entry.dyno.state === "starting") this.setState(entry.dyno, "up");
        return;
      }
      if (performance.now() > until) {
        this.logs.write(entry.dyno.appId, "heroku", entry.dyno.name, "Error R10 (Boot timeout)");
        if (entry.child) await stopChild(entry.child);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  private ended(app: App, formation: Formation, entry: Running, code: number): void {
    this.logs.write(app.id, "heroku", entry.dyno.name, `Process exited with status ${code}`);
    if (entry.stopped || this.closing) return;
    this.setState(entry.dyno, "crashed");
    const pause = Math.min(LONGEST_RESTART_MS, FIRST_RESTART_MS * 2 ** entry.crashes);
    entry.timer = setTimeout(() => {
      this.running.delete(entry.dyno.id);
      if (!entry.stopped && this.store.state.apps[app.id]) void this.start(app, formation, entry.crashes + 1);
    }, pause);
  }

  private environment(app: App): Record<string, string> {
    const { state } = this.store;
    const current = state.releases[app.currentReleaseId ?? ""];
    return current ? releaseVars(state, this.databases, current) : configVars(state, this.databases, app);
  }

  private async stop(entry: Running): Promise<void> {
    entry.stopped = true;
    clearTimeout(entry.timer);
    if (entry.child) await stopChild(entry.child);
    this.running.delete(entry.dyno.id);
  }

  private setState(dyno: Dyno, state: Dyno["state"]): void {
    dyno.state = state;
    dyno.updatedAt = now();
    this.logs.write(dyno.appId, "heroku", dyno.name, `State changed to ${state}`);
  }

  private describe(app: App, type: string, name: string, command: string, size: string): Dyno {
    const releaseVersion = this.store.state.releases[app.currentReleaseId ?? ""]?.version ?? 0;
    return newDyno({ appId: app.id, type, name, command, size, releaseVersion });
  }
}
