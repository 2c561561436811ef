/** Config vars of an app: those that were set, and those that its attached add-ons bring. */
import type { Addon, App, Attachment, Release, State } from "./model";
import type { Databases } from "./runtime/databases";

export function attachmentsOfApp(state: State, appId: string): Attachment[] {
  return Object.values(state.attachments).filter((one) => one.appId === appId);
}

/** Name of the config var that an attachment brings. */
export function configVarName(attachment: Attachment): string {
  return `${attachment.name}_URL`;
}

/** Value of an add-on's config var; undefined while it is being provisioned. */
export function addonUrl(databases: Databases, addon: Addon): string | undefined {
  if (addon.state !== "provisioned") return undefined;
  if (addon.login) return databases.url(addon.login);
  // No server stands behind Redis add-ons: port 9 is the discard port, where nothing listens.
  return `redis://:p${addon.id.replace(/-/g, "")}@127.0.0.1:9`;
}

/** Config vars that add-ons bring to an app now, each with its add-on's id. */
export function attachedAddons(state: State, appId: string): Record<string, string> {
  return Object.fromEntries(attachmentsOfApp(state, appId).map((one) => [configVarName(one), one.addonId]));
}

/** Config vars of add-ons with their present values: a database's address is what it is now, also in an old release. */
export function addonVars(state: State, databases: Databases, addons: Record<string, string>): Record<string, string> {
  const vars: Record<string, string> = {};
  for (const [name, id] of Object.entries(addons)) {
    const addon = state.addons[id];
    const url = addon && addonUrl(databases, addon);
    if (url !== undefined) vars[name] = url;
  }
  return vars;
}

/** All config vars of an app as they are set now. */
export function configVars(state: State, databases: Databases, app: App): Record<string, string> {
  return { ...app.vars, ...addonVars(state, databases, attachedAddons(state, app.id)) };
}

/** All config vars of a release: what its dynos run with. */
export function releaseVars(state: State, databases: Databases, release: Release): Record<string, string> {
  const addons = release.addons ?? attachedAddons(state, release.appId);
  return { ...release.vars, ...addonVars(state, databases, addons) };
}
