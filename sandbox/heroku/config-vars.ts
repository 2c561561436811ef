/** Config vars of an app: those that were set, and those that its attached add-ons bring. */
import type { Addon, App, Attachment, State } from "./model";
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

/** Config vars that add-ons bring to an app. */
export function addonVars(state: State, databases: Databases, appId: string): Record<string, string> {
  const vars: Record<string, string> = {};
  for (const attachment of attachmentsOfApp(state, appId)) {
    const addon = state.addons[attachment.addonId];
    const url = addon && addonUrl(databases, addon);
    if (url !== undefined) vars[configVarName(attachment)] = url;
  }
  return vars;
}

/** All config vars; `own` is the snapshot of a release, by default those that are set now. */
export function configVars(state: State, databases: Databases, app: App, own = app.vars): Record<string, string> {
  return { ...own, ...addonVars(state, databases, app.id) };
}
