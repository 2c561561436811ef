/** The emulator's parts, put together, and the look-ups that all resources share. */
import { Faults } from "./faults";
import { notFound } from "./http";
import { now } from "./ids";
import type { Addon, App, Schedule, Transfer } from "./model";
import { Addons } from "./runtime/addons";
import { AppLogs } from "./runtime/app-logs";
import { AppRouters } from "./runtime/app-routers";
import { Builds } from "./runtime/builds";
import { Children } from "./runtime/children";
import { Databases, type PostgresAccess } from "./runtime/databases";
import { Dynos } from "./runtime/dynos";
import { Releases } from "./runtime/releases";
import { isDue } from "./runtime/scheduler";
import { TransferFaults } from "./runtime/transfer-faults";
import { Transfers } from "./runtime/transfers";
import { Store } from "./store";

/** How often schedules are looked at, in milliseconds. */
const SCHEDULE_TICK_MS = 30_000;

export class Cloud {
  readonly store: Store;
  readonly children: Children;
  readonly databases: Databases;
  readonly logs: AppLogs;
  readonly dynos: Dynos;
  readonly releases: Releases;
  readonly builds: Builds;
  readonly transfers: Transfers;
  readonly addons: Addons;
  readonly routers: AppRouters;
  readonly faults = new Faults();
  /** Address of the API's listener; known once it listens. */
  baseUrl = "";
  /** Address that public URLs of backups begin with: the API's own, or that of a listener with TLS. */
  storageUrl = "";
  private timer: NodeJS.Timeout | undefined;

  constructor(
    dataDir: string,
    postgres: PostgresAccess,
    readonly log: (line: string) => void,
  ) {
    this.store = new Store(dataDir);
    this.children = new Children(dataDir);
    this.databases = new Databases(postgres);
    this.logs = new AppLogs(this.store);
    this.dynos = new Dynos(this.store, this.databases, this.children, this.logs);
    this.releases = new Releases(this.store, this.dynos, log);
    this.builds = new Builds(this.store, this.children, this.releases, (url) => this.sourceFile(url));
    this.transfers = new Transfers(
      this.store,
      this.databases,
      this.children,
      log,
      new TransferFaults(this.faults, this.databases),
    );
    this.addons = new Addons(this.store, this.databases, this.releases, log);
    this.routers = new AppRouters(this.store, this.dynos, this.logs);
  }

  get state() {
    return this.store.state;
  }

  /** Takes up again what an earlier emulator left: unfinished work has failed, dynos run again. */
  async resume(): Promise<void> {
    for (const what of this.children.endLeftovers()) this.log(`ended a leftover process: ${what}`);
    this.transfers.failUnfinished();
    this.builds.failUnfinished();
    this.releases.failUnfinished();
    for (const app of Object.values(this.state.apps)) {
      await this.routers.open(app);
      void this.dynos.sync(app.id);
    }
    this.addons.resume();
    this.store.forgetSources();
    this.timer = setInterval(() => this.runSchedules(new Date()), SCHEDULE_TICK_MS);
    this.timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.routers.close();
    await Promise.all([this.transfers.close(), this.builds.close(), this.dynos.close(), this.addons.close()]);
    await this.releases.close();
    this.store.save();
  }

  /** Starts the scheduled backups that are due; returns their transfers. `force` takes all, whatever the hour. */
  runSchedules(at: Date, force = false): Transfer[] {
    const due = this.schedules().filter((one) => force || isDue(one, at));
    return due.flatMap((schedule) => {
      const addon = this.state.addons[schedule.addonId];
      const app = addon && this.state.apps[addon.appId];
      if (!addon || !app || addon.state !== "provisioned") return [];
      schedule.lastRunAt = at.toISOString();
      return [this.transfers.capture(app, addon, schedule.name.replace(/_URL$/, ""), schedule.uuid)];
    });
  }

  schedules(): Schedule[] {
    return Object.values(this.state.schedules).filter((one) => one.deletedAt === null);
  }

  /** An app by id or name; 404 when there is none. */
  app(reference: string | undefined): App {
    const app =
      this.state.apps[reference ?? ""] ?? Object.values(this.state.apps).find((one) => one.name === reference);
    if (!app) throw notFound("app");
    return app;
  }

  /** An add-on by id or name; 404 when there is none. */
  addon(reference: string | undefined): Addon {
    const addon =
      this.state.addons[reference ?? ""] ?? Object.values(this.state.addons).find((one) => one.name === reference);
    if (!addon) throw notFound("add-on");
    return addon;
  }

  /** The app that an add-on is billed to. */
  billingApp(addon: Addon): App {
    return this.app(addon.appId);
  }

  touch(item: { updatedAt: string }): void {
    item.updatedAt = now();
    this.store.save();
  }

  /** File behind the address of an uploaded source, when the address is one of this emulator's own. */
  private sourceFile(url: string): string | undefined {
    const [, id] = /\/_sources\/([0-9a-f-]{36})(?:\?|$)/.exec(url) ?? [];
    return id !== undefined && url.startsWith(this.baseUrl) ? this.store.path("sources", id) : undefined;
  }
}
