/** Apps, their features, certificates' switch and buildpacks. */
import { rmSync } from "node:fs";
import type { Cloud } from "../cloud";
import { ApiError, invalid, notFound, ok, reference, text } from "../http";
import { hex, now, randomAppName, uuid } from "../ids";
import type { App } from "../model";
import { type Route, route } from "../router";
import { list } from "./lists";
import type { Present } from "./present";

const REGIONS = ["us", "eu"];
const STACKS = ["heroku-22", "heroku-24", "container", "cnb"];
/** Features that apps know; others are refused, as Heroku does. */
const FEATURES = [
  "http-session-affinity",
  "log-runtime-metrics",
  "preboot",
  "runtime-dyno-metadata",
  "runtime-heroku-metrics",
];

/** Heroku's rules for app names: 3 to 30 characters, lower case, beginning with a letter, not ending with a dash. */
export function appNameProblem(name: string): string | undefined {
  if (name.length < 3) return "Name is too short (minimum is 3 characters)";
  if (name.length > 30) return "Name is too long (maximum is 30 characters)";
  if (!/^[a-z][a-z0-9-]*[a-z0-9]$/.test(name))
    return "Name must start with a letter, end with a letter or digit and can only contain lowercase letters, digits, and dashes.";
  return undefined;
}

function checkName(cloud: Cloud, name: string): string {
  const problem = appNameProblem(name);
  if (problem !== undefined) throw invalid(problem);
  if (Object.values(cloud.state.apps).some((app) => app.name === name)) throw invalid(`Name ${name} is already taken`);
  return name;
}

function oneOf(value: string | undefined, allowed: readonly string[], fallback: string, what: string): string {
  if (value === undefined) return fallback;
  if (!allowed.includes(value)) throw invalid(`${what} ${value} is not valid, expected one of: ${allowed.join(", ")}`);
  return value;
}

function nameOf(body: Record<string, unknown>, field: string): string | undefined {
  const value = body[field];
  return typeof value === "object" && value !== null
    ? text(value as Record<string, unknown>, "name")
    : text(body, field);
}

async function createApp(cloud: Cloud, body: Record<string, unknown>): Promise<App> {
  if (reference(body, "space") !== undefined || body.internal_routing === true) throw notFound("space");
  const at = now();
  const app: App = {
    id: uuid(),
    name: checkName(cloud, text(body, "name") ?? randomAppName()),
    region: oneOf(nameOf(body, "region"), REGIONS, "us", "Region"),
    stack: oneOf(nameOf(body, "stack"), STACKS, "heroku-24", "Stack"),
    hostSuffix: hex(12),
    routerPort: 0,
    maintenance: false,
    acm: false,
    vars: {},
    buildpacks: [],
    enabledFeatures: [],
    slugId: null,
    currentReleaseId: null,
    lastRelease: 0,
    lastTransfer: 0,
    createdAt: at,
    updatedAt: at,
    releasedAt: null,
  };
  cloud.state.apps[app.id] = app;
  cloud.releases.create(app, { description: "Initial release" });
  await cloud.routers.open(app);
  cloud.log(`app ${app.name} is created`);
  return app;
}

/** Everything of the app goes: processes, add-ons with their databases, backups, domains, code. */
async function destroyApp(cloud: Cloud, app: App): Promise<void> {
  const { state } = cloud;
  await cloud.routers.shut(app.id);
  for (const formation of Object.values(state.formations)) if (formation.appId === app.id) formation.quantity = 0;
  await cloud.dynos.stopApp(app.id);
  for (const transfer of Object.values(state.transfers)) {
    if (transfer.appId !== app.id) continue;
    await cloud.transfers.cancel(transfer);
    cloud.transfers.remove(transfer);
    delete state.transfers[transfer.uuid];
  }
  for (const addon of Object.values(state.addons)) if (addon.appId === app.id) await cloud.addons.destroy(addon, true);
  delete state.apps[app.id];
  cloud.releases.removeApp(app.id);
  cloud.builds.removeApp(app.id);
  for (const table of [
    state.attachments,
    state.formations,
    state.domains,
    state.certificates,
    state.webhooks,
    state.drains,
    state.couplings,
  ]) {
    for (const [id, item] of Object.entries(table)) if (item.appId === app.id) delete table[id];
  }
  cloud.logs.remove(app.id);
  rmSync(cloud.store.path("work", app.id), { recursive: true, force: true });
  cloud.store.save();
  cloud.log(`app ${app.name} is destroyed`);
}

function feature(cloud: Cloud, app: App, reference: string) {
  const name = FEATURES.find((one) => one === reference || `${app.id}-${one}` === reference);
  if (name === undefined) throw notFound("feature");
  return {
    id: `${app.id}-${name}`,
    name,
    enabled: app.enabledFeatures.includes(name),
    state: "general",
    description: name,
    display_name: name,
    doc_url: "",
    feedback_email: "",
    created_at: app.createdAt,
    updated_at: cloud.state.apps[app.id]?.updatedAt ?? app.updatedAt,
  };
}

export function appRoutes(cloud: Cloud, present: Present): Route[] {
  return [
    ...["/apps", "/users/~/apps"].map((path) =>
      route("GET", path, (x) =>
        list(
          x,
          Object.values(cloud.state.apps).map((app) => present.app(app)),
          "name",
          "id",
          "updated_at",
        ),
      ),
    ),
    route("POST", "/apps", async (x) => ok(present.app(await createApp(cloud, await x.json())), 201)),
    route("GET", "/apps/:app", (x) => ok(present.app(cloud.app(x.params.app)))),
    route("PATCH", "/apps/:app", async (x) => {
      const app = cloud.app(x.params.app);
      const body = await x.json();
      const name = text(body, "name");
      if (name !== undefined && name !== app.name) app.name = checkName(cloud, name);
      app.stack = oneOf(nameOf(body, "build_stack"), STACKS, app.stack, "Stack");
      if (typeof body.maintenance === "boolean") app.maintenance = body.maintenance;
      cloud.touch(app);
      return ok(present.app(app));
    }),
    route("DELETE", "/apps/:app", async (x) => {
      const app = cloud.app(x.params.app);
      const answer = present.app(app);
      await destroyApp(cloud, app);
      return ok(answer);
    }),
    route("POST", "/teams/apps", () => {
      throw new ApiError(404, "not_found", "Couldn't find that team: the emulator has personal apps only.");
    }),
    route("GET", "/apps/:app/collaborators", (x) => {
      const app = cloud.app(x.params.app);
      const owner = { id: cloud.state.account.id, app: { id: app.id, name: app.name }, user: present.user };
      return list(x, [{ ...owner, permissions: [] }], "id");
    }),
    ...(["POST", "DELETE"] as const).map((method) =>
      route(method, "/apps/:app/acm", (x) => {
        const app = cloud.app(x.params.app);
        app.acm = method === "POST";
        cloud.touch(app);
        return ok(present.app(app));
      }),
    ),
    route("GET", "/apps/:app/features", (x) => {
      const app = cloud.app(x.params.app);
      return list(
        x,
        FEATURES.map((name) => feature(cloud, app, name)),
        "name",
        "id",
      );
    }),
    route("GET", "/apps/:app/features/:feature", (x) =>
      ok(feature(cloud, cloud.app(x.params.app), x.params.feature ?? "")),
    ),
    route("PATCH", "/apps/:app/features/:feature", async (x) => {
      const app = cloud.app(x.params.app);
      const { name } = feature(cloud, app, x.params.feature ?? "");
      const { enabled } = await x.json();
      if (typeof enabled !== "boolean") throw invalid("enabled must be true or false.");
      app.enabledFeatures = app.enabledFeatures.filter((one) => one !== name);
      if (enabled) app.enabledFeatures.push(name);
      cloud.touch(app);
      return ok(feature(cloud, app, name));
    }),
    route("GET", "/apps/:app/buildpack-installations", (x) => ok(installations(cloud.app(x.params.app)))),
    route("PUT", "/apps/:app/buildpack-installations", async (x) => {
      const app = cloud.app(x.params.app);
      const { updates } = await x.json();
      if (!Array.isArray(updates)) throw invalid("updates must be a list.");
      app.buildpacks = updates.map((update) => {
        if (typeof update?.buildpack !== "string") throw invalid("Each update needs a buildpack.");
        return update.buildpack;
      });
      cloud.touch(app);
      return ok(installations(app));
    }),
  ];
}

function installations(app: App) {
  return app.buildpacks.map((name, ordinal) => ({ ordinal, buildpack: { name, url: name } }));
}
