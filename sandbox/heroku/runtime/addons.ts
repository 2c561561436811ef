/** Add-ons and their attachments: provisioning, config vars through attachments, releases for each change. */
import { attachmentsOfApp } from "../config-vars";
import { confirmationRequired, invalid } from "../http";
import { colorName, now, randomAddonName, uuid } from "../ids";
import type { Addon, App, Attachment } from "../model";
import { findPlan, type Plan, serviceOf } from "../plans";
import type { Store } from "../store";
import type { Databases } from "./databases";
import type { Releases } from "./releases";

/** Attachment names that the first add-on of a service gets. */
const FIRST_NAME: Record<string, string> = { "heroku-postgresql": "DATABASE", "heroku-redis": "REDIS" };
/** How long Redis add-ons stay in `provisioning`, in milliseconds; databases take as long as they take. */
const REDIS_PROVISIONING_MS = 50;

export interface AddonRequest {
  plan: string;
  /** Name of the add-on. @default a random one */
  name?: string | undefined;
  /** Name of its first attachment. @default DATABASE or REDIS, else a colour */
  attachment?: string | undefined;
  /** Options of the service, for example `{version: "16"}`. What is not carried out is refused. */
  config: Record<string, unknown>;
  /** Whether an attachment of that name may be taken over. */
  replace: boolean;
}

export class Addons {
  private readonly provisioning = new Set<Promise<void>>();

  constructor(
    private readonly store: Store,
    private readonly databases: Databases,
    private readonly releases: Releases,
    private readonly log: (line: string) => void,
  ) {}

  /** Adds an add-on in state `provisioning`. A plan that does not exist, or no longer, is refused. */
  async add(app: App, request: AddonRequest): Promise<Addon> {
    const { name } = request;
    const plan = findPlan(request.plan);
    const service = serviceOf(plan.name);
    await this.checkOptions(plan, request.config);
    if (name !== undefined) this.checkName(name);
    const old = this.attached(app, request.attachment?.toUpperCase());
    if (old && !request.replace)
      throw confirmationRequired(`An attachment ${old.name} of ${app.name} exists: confirm to replace it.`);
    const at = now();
    const addon: Addon = {
      id: uuid(),
      name: name ?? randomAddonName(service),
      appId: app.id,
      service,
      plan: plan.name,
      state: "provisioning",
      login: service === "heroku-postgresql" ? this.databases.newLogin() : null,
      createdAt: at,
      updatedAt: at,
    };
    const attachmentName = this.attachmentName(app, service, request.attachment, old);
    if (old) this.detach(old);
    this.store.state.addons[addon.id] = addon;
    this.newAttachment(app, addon, attachmentName, null);
    this.store.save();
    this.provision(addon);
    return addon;
  }

  /** Goes on with what was being provisioned when the emulator ended. */
  resume(): void {
    for (const addon of Object.values(this.store.state.addons))
      if (addon.state === "provisioning") this.provision(addon);
  }

  /** Attaches an add-on under a name; a taken name is taken over only with `replace`. */
  attach(app: App, addon: Addon, name: string | undefined, namespace: string | null, replace: boolean): Attachment {
    const old = this.attached(app, name?.toUpperCase());
    if (old?.addonId === addon.id && old.namespace === namespace)
      throw invalid(`${old.name} is already attached to ${addon.name}`);
    if (old && !replace)
      throw confirmationRequired(`An attachment ${old.name} of ${app.name} exists: confirm to replace it.`);
    const chosen = this.attachmentName(app, addon.service, name, old);
    if (old) this.detach(old);
    const attachment = this.newAttachment(app, addon, chosen, namespace);
    this.releases.create(app, { description: `Attach ${attachment.name} (@ref:${addon.name})` });
    return attachment;
  }

  /**
   * Takes an attachment away. The official CLI's pg:promote tells that the release command runs for this release too,
   * and that it may fail for want of a database; not so when the add-on itself takes its config vars with it.
   */
  detach(attachment: Attachment, runCommand = true): void {
    const app = this.store.state.apps[attachment.appId];
    const addon = this.store.state.addons[attachment.addonId];
    delete this.store.state.attachments[attachment.id];
    this.store.save();
    if (!app) return;
    const description = `Detach ${attachment.name} (@ref:${addon?.name ?? "unknown"})`;
    this.releases.create(app, { description, runCommand });
  }

  /** Another plan of the same service. The database stays; it has no release, since no config var changes. */
  async changePlan(addon: Addon, planName: string): Promise<void> {
    const plan = findPlan(planName);
    if (serviceOf(plan.name) !== addon.service) throw invalid(`${plan.name} is not a plan of ${addon.service}.`);
    if (addon.login && addon.state === "provisioned")
      await this.databases.limitConnections(addon.login, plan.connections);
    addon.plan = plan.name;
  }

  rename(addon: Addon, name: string): void {
    if (name === addon.name) return;
    this.checkName(name);
    addon.name = name;
  }

  /** A new password: the add-on changes its own config vars, and no release command runs for that. */
  async rotate(addon: Addon): Promise<void> {
    if (!addon.login) throw invalid(`${addon.name} has no credentials.`);
    const { password } = this.databases.newLogin();
    await this.databases.setPassword(addon.login, password);
    addon.login.password = password;
    addon.updatedAt = now();
    this.store.save();
    for (const attachment of Object.values(this.store.state.attachments)) {
      const app = this.store.state.apps[attachment.appId];
      if (attachment.addonId !== addon.id || !app) continue;
      this.releases.create(app, { description: `Update ${attachment.name} by ${addon.service}`, runCommand: false });
    }
  }

  /**
   * Destroys an add-on with its data and takes its config vars from all apps. The database goes first: when that fails,
   * the add-on is still there and can be destroyed again.
   *
   * @param withApp whether its app is being destroyed too, and needs no release any more
   */
  async destroy(addon: Addon, withApp = false): Promise<void> {
    const { state } = this.store;
    await Promise.all(this.provisioning);
    if (addon.login) await this.databases.drop(addon.login);
    for (const attachment of Object.values(state.attachments).filter((one) => one.addonId === addon.id)) {
      if (withApp && attachment.appId === addon.appId) delete state.attachments[attachment.id];
      else this.detach(attachment, false);
    }
    for (const schedule of Object.values(state.schedules))
      if (schedule.addonId === addon.id) delete state.schedules[schedule.uuid];
    delete state.addons[addon.id];
    this.store.save();
    this.log(`add-on ${addon.name} (${addon.plan}) is destroyed`);
  }

  async close(): Promise<void> {
    await Promise.all(this.provisioning);
  }

  private attached(app: App, name: string | undefined): Attachment | undefined {
    return attachmentsOfApp(this.store.state, app.id).find((one) => one.name === name);
  }

  private checkName(name: string): void {
    if (!/^[a-zA-Z][A-Za-z0-9_-]+$/.test(name))
      throw invalid("Name must start with a letter and can only contain letters, digits, dashes and underscores.");
    if (Object.values(this.store.state.addons).some((one) => one.name === name))
      throw invalid(`Name ${name} is already taken`);
  }

  private async checkOptions(plan: Plan, config: Record<string, unknown>): Promise<void> {
    for (const [option, value] of Object.entries(config)) {
      if (option !== "version" || serviceOf(plan.name) !== "heroku-postgresql")
        throw invalid(`The option ${option} of ${plan.name} is not emulated.`);
      const major = await this.databases.majorVersion();
      if (String(value) !== major)
        throw invalid(`The version ${value} of ${plan.name} is not available: the server here is PostgreSQL ${major}.`);
    }
  }

  /** The name as asked, or one that is free; `old` is the attachment that it is taken from. */
  private attachmentName(app: App, service: string, asked: string | undefined, old: Attachment | undefined): string {
    const isTaken = (candidate: string) => old?.name !== candidate && this.attached(app, candidate) !== undefined;
    const first = FIRST_NAME[service];
    const chosen = asked?.toUpperCase() ?? (first && !isTaken(first) ? first : colorName(service, isTaken));
    if (!/^[A-Z][A-Z0-9_]*$/.test(chosen)) throw invalid(`Name ${chosen} is not a valid attachment name`);
    return chosen;
  }

  private newAttachment(app: App, addon: Addon, name: string, namespace: string | null): Attachment {
    const at = now();
    const attachment: Attachment = {
      id: uuid(),
      name,
      appId: app.id,
      addonId: addon.id,
      namespace,
      createdAt: at,
      updatedAt: at,
    };
    this.store.state.attachments[attachment.id] = attachment;
    return attachment;
  }

  private provision(addon: Addon): void {
    const work = this.run(addon).catch((error) => {
      // Stays in `provisioning`, as on a bad day at Heroku; the next start of the emulator tries again.
      this.log(`add-on ${addon.name} could not be provisioned: ${error}`);
    });
    this.provisioning.add(work);
    void work.finally(() => this.provisioning.delete(work));
  }

  private async run(addon: Addon): Promise<void> {
    if (addon.login) await this.databases.create(addon.login, findPlan(addon.plan).connections);
    else await new Promise((resolve) => setTimeout(resolve, REDIS_PROVISIONING_MS));
    if (!this.store.state.addons[addon.id]) return;
    addon.state = "provisioned";
    addon.updatedAt = now();
    const app = this.store.state.apps[addon.appId];
    const attachment = Object.values(this.store.state.attachments).find((one) => one.addonId === addon.id);
    if (app && attachment) this.releases.create(app, { description: `Attach ${attachment.name} (@ref:${addon.name})` });
    this.store.save();
    this.log(`add-on ${addon.name} (${addon.plan}) is provisioned`);
  }
}
