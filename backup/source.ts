import type { Heroku } from "../clients/heroku";
import { UscPisError } from "./errors";

/** The database that an app works with. */
export interface Source {
  readonly addonId: string;
  readonly addonName: string;
  readonly plan: string;
  /** App that owns the add-on: its transfers are listed there. */
  readonly ownerApp: string;
  readonly databaseUrl: string;
}

type Api = Pick<Heroku, "resolveAttachment" | "configVars" | "addon">;

/** Which add-on and URL an app's DATABASE_URL means. @throws UscPisError `no_database` */
export async function findSource(heroku: Api, app: string, signal?: AbortSignal): Promise<Source> {
  const attachments = await heroku.resolveAttachment(app, "DATABASE_URL", signal);
  const attachment = attachments.find((each) => !each.namespace);
  const databaseUrl = (await heroku.configVars(app, signal)).DATABASE_URL;
  if (!attachment || !databaseUrl) {
    throw new UscPisError("no_database", `app ${app} has no DATABASE_URL`, { hint: `heroku addons -a ${app}` });
  }
  const addon = await heroku.addon(attachment.addon.id, signal);
  return { addonId: addon.id, addonName: addon.name, plan: addon.plan.name, ownerApp: addon.app.name, databaseUrl };
}
