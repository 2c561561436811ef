import { setTimeout as sleep } from "node:timers/promises";
import type { Operation } from "../core/types";
import type { Properties } from "../core/values";
import { bridged } from "./bridge";
import type { HerokuClient } from "./client";
import { isNotFound, knownVars, name, refuseDuplicates, varChanges } from "./shared";

/** What every look at an app asks, whoever looks. */
async function retrieveApp(id: string, heroku: HerokuClient, operation: Operation) {
  const app: Properties = await heroku.call(operation, "GET", `/apps/${id}`);
  const installations: Properties[] = await heroku.call(operation, "GET", `/apps/${id}/buildpack-installations`);
  const vars: Properties = await heroku.call(operation, "GET", `/apps/${id}/config-vars`);
  return { app, buildpacks: installations.map(({ buildpack }) => buildpack.name), vars };
}

/** The UUID of an app as an importer learns it: by a full look. */
export async function appUuid(nameOrId: string, heroku: HerokuClient, operation: Operation): Promise<string> {
  return (await retrieveApp(nameOrId, heroku, operation)).app.id;
}

async function readApp(id: string, state: Properties, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  const { app, buildpacks, vars } = await retrieveApp(id, heroku, operation);
  const set = Object.fromEntries(Object.entries(vars).filter(([, value]) => value !== null));
  return {
    uuid: app.id,
    appId: id,
    name: app.name,
    region: app.region?.name,
    stack: app.build_stack?.name,
    acm: app.acm ?? false,
    internalRouting: app.internal_routing ?? false,
    generation: app.generation?.name || "cedar",
    gitUrl: app.git_url ?? "",
    webUrl: app.web_url ?? "",
    herokuHostname: (app.web_url ?? "").replace(/^https?:\/\//, "").replace(/\/$/, ""),
    buildpacks,
    configVars: knownVars(state.configVars, vars),
    sensitiveConfigVars: knownVars(state.sensitiveConfigVars, vars),
    allConfigVars: heroku.options.inState.appVars ? set : {},
  };
}

const putBuildpacks = (heroku: HerokuClient, operation: Operation, id: string, buildpacks: string[]) =>
  heroku.call(operation, "PUT", `/apps/${id}/buildpack-installations`, {
    updates: buildpacks.map((buildpack) => ({ buildpack })),
  });

/** Apps of a person. Teams, private spaces and internal routing are not emulated, hence refused. */
export const app = bridged(1, {
  token: "heroku:index/app:App",
  inputs: {
    name,
    region: { required: true, replace: true },
    stack: { computed: true },
    acm: { computed: true },
    buildpacks: { computed: true },
    configVars: { computed: true },
    sensitiveConfigVars: { computed: true, secret: true },
  },
  outputs: {
    allConfigVars: { secret: true },
    appId: {},
    generation: {},
    gitUrl: {},
    herokuHostname: {},
    internalRouting: {},
    uuid: {},
    webUrl: {},
  },
  async create(inputs, heroku, operation) {
    const { name: appName, region, stack, configVars, sensitiveConfigVars } = inputs;
    const { id } = await heroku.call(operation, "POST", "/apps", { name: appName, region, stack });
    refuseDuplicates(configVars, sensitiveConfigVars);
    await heroku.setConfigVars(operation, id, varChanges({ news: configVars }, { news: sensitiveConfigVars }));
    if (inputs.buildpacks?.length > 0) await putBuildpacks(heroku, operation, id, inputs.buildpacks);
    if (inputs.acm) await heroku.call(operation, "POST", `/apps/${id}/acm`);
    const state = await readApp(id, inputs, heroku, operation);
    if (heroku.options.delays.app > 0) {
      await sleep(heroku.options.delays.app * 1000, undefined, { signal: operation.signal });
    }
    return { id, state };
  },
  async read(id, state, heroku, operation) {
    try {
      await heroku.call(operation, "GET", `/apps/${id}`);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    return { id, ...(await readApp(id, state, heroku, operation)) };
  },
  async update({ id, olds, planned, changed, client: heroku, ...operation }) {
    await heroku.call(operation, "PATCH", `/apps/${id}`, {
      name: changed.has("name") ? planned.name : undefined,
      build_stack: changed.has("stack") ? planned.stack : undefined,
    });
    if (changed.has("buildpacks")) await putBuildpacks(heroku, operation, id, planned.buildpacks);
    refuseDuplicates(planned.configVars, planned.sensitiveConfigVars);
    // Config vars are written in any case, be it none: each update of an app makes a release.
    const touched = ["configVars", "sensitiveConfigVars"].filter((map) => changed.has(map));
    const vars = varChanges(...touched.map((map) => ({ old: olds[map], news: planned[map] })));
    await heroku.setConfigVars(operation, id, vars);
    if (changed.has("acm")) await heroku.call(operation, planned.acm ? "POST" : "DELETE", `/apps/${id}/acm`);
    return readApp(id, planned, heroku, operation);
  },
  async delete(id, _state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/apps/${id}`);
  },
  async importId(nameOrId, heroku, operation) {
    const { id } = await heroku.call(operation, "GET", `/apps/${nameOrId}`);
    await retrieveApp(id, heroku, operation);
    return { id, state: {} };
  },
});
