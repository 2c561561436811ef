/** What belongs to the account: who it is, its budget of calls, and its eco dyno hours. */
import type { Cloud } from "../cloud";
import { notFound, ok } from "../http";
import type { App } from "../model";
import type { RateLimit } from "../rate-limit";
import { type Route, route } from "../router";
import type { Present } from "./present";

/** Eco dynos of an account share 1,000 hours a month; in seconds. */
const ECO_QUOTA_SECONDS = 1000 * 3600;

/** Seconds of this month that an app's present eco dynos have run. Those that have ended since are not remembered. */
function ecoSeconds(cloud: Cloud, app: App, at: Date): number {
  const month = Date.UTC(at.getUTCFullYear(), at.getUTCMonth());
  return cloud.dynos
    .list(app.id)
    .filter((dyno) => dyno.size === "Eco")
    .map((dyno) => Math.max(0, at.getTime() - Math.max(month, Date.parse(dyno.createdAt))) / 1000)
    .reduce((sum, seconds) => sum + Math.floor(seconds), 0);
}

export function accountRoutes(cloud: Cloud, present: Present, limit: RateLimit): Route[] {
  return [
    route("GET", "/account", () => ok(present.account)),
    route("GET", "/users/~", () => ok(present.account)),
    route("GET", "/account/rate-limits", () => ok({ remaining: limit.remaining })),
    route("GET", "/accounts/:account/actions/get-quota", (x) => {
      const { id } = cloud.state.account;
      if (x.params.account !== id) throw notFound("account");
      const at = new Date();
      const apps = Object.values(cloud.state.apps)
        .map((app) => ({ app_uuid: app.id, quota_used: ecoSeconds(cloud, app, at) }))
        .filter((one) => one.quota_used > 0);
      const used = apps.reduce((sum, one) => sum + one.quota_used, 0);
      return ok({ account_quota: ECO_QUOTA_SECONDS, quota_used: Math.min(used, ECO_QUOTA_SECONDS), apps });
    }),
  ];
}
