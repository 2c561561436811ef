/** What tests and the supervisor may ask and do beside the API, under `/_control`, with the control token as bearer. */
import { controlFaults, FAULT_METHODS } from "../faults/control";
import { RuleError } from "../faults/rule";
import type { Keys } from "./auth";
import type { Cloud } from "./cloud";
import { invalid, ok } from "./http";
import { type Route, route } from "./router";
import { nextDue } from "./runtime/scheduler";

/** What the shared rules answer, see sandbox/faults. */
function faultRoutes(cloud: Cloud): Route[] {
  return FAULT_METHODS.map((method) =>
    route(
      method,
      "/_control/faults",
      async (x) => {
        try {
          return ok(controlFaults(cloud.faults, method, await x.json(), x.url.searchParams.get("name") ?? undefined));
        } catch (error) {
          throw error instanceof RuleError ? invalid(error.message) : error;
        }
      },
      "control",
    ),
  );
}

export function controlRoutes(cloud: Cloud, keys: Keys): Route[] {
  const { state } = cloud;
  return [
    route("GET", "/_control/health", () => ok({ ok: true }), "public"),
    route(
      "GET",
      "/_control/inventory",
      async () => {
        // Counted in the server itself, so that a database which no add-on knows any more is seen too.
        const databases = await cloud.databases.present();
        const names = Object.values(state.apps).map((app) => app.name);
        return ok({
          apps: names.length,
          addons: Object.keys(state.addons).length,
          databases: databases.length,
          attachments: Object.keys(state.attachments).length,
          domains: Object.keys(state.domains).length,
          pipelines: Object.keys(state.pipelines).length,
          couplings: Object.keys(state.couplings).length,
          webhooks: Object.keys(state.webhooks).length,
          drains: Object.keys(state.drains).length,
          schedules: Object.keys(state.schedules).length,
          transfers: Object.values(state.transfers).filter((one) => one.deletedAt === null).length,
          unfinished: Object.values(state.transfers).filter((one) => one.finishedAt === null).length,
          dynos: cloud.dynos.count(),
          names: {
            apps: names,
            addons: Object.values(state.addons).map((addon) => addon.name),
            databases,
            domains: Object.values(state.domains).map((domain) => domain.hostname),
          },
        });
      },
      "control",
    ),
    route(
      "POST",
      "/_control/keys",
      async (x) => {
        const { keys: next } = await x.json();
        if (!Array.isArray(next) || next.length === 0 || !next.every((key) => typeof key === "string" && key !== ""))
          throw invalid("keys must be a list of at least one key.");
        keys.rotate(next);
        return ok({ keys: next.length });
      },
      "control",
    ),
    ...faultRoutes(cloud),
    route(
      "POST",
      "/_control/dumps",
      async (x) => {
        const { reuse } = await x.json();
        if (typeof reuse !== "boolean") throw invalid("reuse must be true or false.");
        await cloud.transfers.unchanged.switch(reuse);
        return ok({ reuse });
      },
      "control",
    ),
    route(
      "GET",
      "/_control/schedules/next",
      () => ok({ next: nextDue(cloud.schedules(), new Date())?.toISOString() ?? null }),
      "control",
    ),
    route(
      "POST",
      "/_control/schedules/run",
      async (x) => {
        const { at, force, wait } = await x.json();
        if (at !== undefined && (typeof at !== "string" || Number.isNaN(Date.parse(at))))
          throw invalid(`at must be a time, not ${at}.`);
        const started = cloud.runSchedules(at === undefined ? new Date() : new Date(at), force === true);
        // The emulator's own look at its schedules may have come first: its transfers are waited for just the same.
        const running = Object.values(state.transfers).filter((one) => one.scheduleId !== null && !one.finishedAt);
        if (wait === true) await cloud.transfers.ended(running);
        return ok({
          started: started.length,
          transfers: running.map(({ uuid, num, finishedAt, succeeded }) => ({
            uuid,
            num,
            succeeded: finishedAt === null ? null : succeeded,
          })),
        });
      },
      "control",
    ),
  ];
}
