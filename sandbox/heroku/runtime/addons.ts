/** Add-ons and their attachments: provisioning, config vars through attachments, releases for each change. */
import { attachmentsOfApp } from "../config-vars";
import { invalid } from "../http";
import { colorName, now, randomAddonName, uuid } from "../ids";
import type { Addon, App, Attachment } from "../model";
import { findPlan, serviceOf } from "../plans";
import type { Store } from "../store";
import type { Databases } from "./databases";
import type { Releases } from "./releases";

/** Attachment names that the first add-on of a service gets. */
const FIRST_NAME: Record<string, string> = { "heroku-postgresql": "DATABASE", "heroku-redis": "REDIS" };
/** How long Redis add-ons stay in `provisioning`, in milliseconds; databases take as long as they take. */
const REDIS_PROVISIONING_MS = 50;

export class Addons {
  private readonly provisioning = new Set<Promise<void>>();

  constructor(
    private readonly store: Store,
    private readonly databases: Databases,
    private readonly releases: Releases,
    private readonly log: (line: string) => void,
  ) {}

  /** Adds an add-on in state `provisioning`. A plan that does not exist, or no longer, is refused. */
  add(app: App, planName: string, name: string | undefined, attachmentName: string | undefined): Addon {
    const plan = findPlan(planName);
    const service = serviceOf(plan.name);
    if (name !== undefined && !/^[a-zA-Z][A-Za-z0-9_-]+$/.test(name))
      throw invalid("Name must start with a letter and can only contain letters, digits, dashes and underscores.");
    const taken = Object.values(this.store.state.addons).some((one) => one.name === name);
    if (taken) throw invalid(`Name ${name} is already taken`);
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
    const old = attachmentsOfApp(this.store.state, app.id).find((one) => one.name === name);
    if (old?.addonId === addon.id && old.namespace === namespace)
      throw invalid(`${name} is already attached to ${addon.name}`);
    if (old && !replace) throw invalid(`Name ${name} is already taken by another attachment of ${app.name}`);
    if (old) this.detach(old);
    const attachment = this.newAttachment(app, addon, name, namespace);
    this.releases.create(app, { description: `Attach ${attachment.name} (@ref:${addon.name})` });
    return attachment;
  }

  detach(attachment: Attachment): void {
    const app = this.store.state.apps[attachment.appId];
    const addon = this.store.state.addons[attachment.addonId];
    delete this.store.state.attachments[attachment.id];
    this.store.save();
    if (!app) return;
    const description = `Detach ${attachment.name} (@ref:${addon?.name ?? "unknown"})`;
    this.releases.create(app, { description, runCommand: false });
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
      else this.detach(attachment);
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

  private newAttachment(app: App, addon: Addon, name: string | undefined, namespace: string | null): Attachment {
    const isTaken = (candidate: string) =>
      attachmentsOfApp(this.store.state, app.id).some((one) => one.name === candidate);
    const first = FIRST_NAME[addon.service];
    const chosen = name?.toUpperCase() ?? (first && !isTaken(first) ? first : colorName(addon.service, isTaken));
    if (!/^[A-Z][A-Z0-9_]*$/.test(chosen)) throw invalid(`Name ${chosen} is not a valid attachment name`);
    if (isTaken(chosen)) throw invalid(`Name ${chosen} is already taken`);
    const at = now();
    const attachment: Attachment = {
      id: uuid(),
      name: chosen,
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
