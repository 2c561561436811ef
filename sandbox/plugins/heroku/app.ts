import { setTimeout as sleep } from "node:timers/promises";
import type { Operation, ResourceType } from "../core/types";
import type { Properties } from "../core/values";
import type { HerokuClient } from "./client";
import { isNotFound, knownVars, name, requireUuid, varChanges } from "./shared";

async function readApp(id: string, state: Properties, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  const app = await heroku.call(operation, "GET", `/apps/${id}`);
  const buildpacks: Properties[] = await heroku.call(operation, "GET", `/apps/${app.id}/buildpack-installations`);
  const vars: Properties = await heroku.call(operation, "GET", `/apps/${app.id}/config-vars`);
  return {
    id: app.id,
    uuid: app.id,
    appId: app.id,
    name: app.name,
    region: app.region?.name,
    stack: app.build_stack?.name,
    acm: app.acm ?? false,
    generation: app.generation?.name || "cedar",
    gitUrl: app.git_url ?? "",
    webUrl: app.web_url,
    herokuHostname: (app.web_url ?? "").replace(/^https?:\/\//, "").replace(/\/$/, ""),
    buildpacks: buildpacks.map((installation) => installation.buildpack.name),
    configVars: knownVars(state.configVars, vars),
    sensitiveConfigVars: knownVars(state.sensitiveConfigVars, vars),
    allConfigVars: Object.fromEntries(Object.entries(vars).filter(([, value]) => value !== null)),
  };
}

const putBuildpacks = (heroku: HerokuClient, operation: Operation, id: string, buildpacks: string[]) =>
  heroku.call(operation, "PUT", `/apps/${id}/buildpack-installations`, {
    updates: buildpacks.map((buildpack) => ({ buildpack })),
  });

export const app: ResourceType<HerokuClient> = {
  token: "heroku:index/app:App",
  inputs: {
    name,
    region: { required: true, replace: true },
    stack: { computed: true },
    acm: { computed: true },
    buildpacks: { computed: true },
    configVars: {},
    sensitiveConfigVars: { secret: true },
  },
  outputs: {
    allConfigVars: { secret: true },
    appId: {},
    generation: {},
    gitUrl: {},
    herokuHostname: {},
    uuid: {},
    webUrl: {},
  },
  stateFromCreate: true,
  async create(inputs, heroku, operation) {
    const vars = varChanges({ news: inputs.configVars }, { news: inputs.sensitiveConfigVars });
    const { name: appName, region, stack } = inputs;
    const { id } = await heroku.call(operation, "POST", "/apps", { name: appName, region, stack });
    operation.created(id);
    if (heroku.options.delays.app > 0) {
      await sleep(heroku.options.delays.app * 1000, undefined, { signal: operation.signal });
    }
    await heroku.setConfigVars(operation, id, vars);
    if (inputs.buildpacks?.length > 0) await putBuildpacks(heroku, operation, id, inputs.buildpacks);
    if (inputs.acm) await heroku.call(operation, "POST", `/apps/${id}/acm`);
    const { id: _, ...state } = await readApp(id, inputs, heroku, operation);
    return { id, state };
  },
  async read(id, state, heroku, operation) {
    try {
      await heroku.call(operation, "GET", `/apps/${id}`);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    return readApp(id, state, heroku, operation);
  },
  async update({ id, news, olds, changed, client: heroku, ...operation }) {
    const vars = varChanges(
      { old: olds.configVars, news: news.configVars },
      { old: olds.sensitiveConfigVars, news: news.sensitiveConfigVars },
    );
    await heroku.call(operation, "PATCH", `/apps/${id}`, {
      name: changed.has("name") ? news.name : undefined,
      build_stack: changed.has("stack") ? news.stack : undefined,
    });
    if (changed.has("buildpacks")) await putBuildpacks(heroku, operation, id, news.buildpacks ?? []);
    if (changed.has("configVars") || changed.has("sensitiveConfigVars")) {
      await heroku.setConfigVars(operation, id, vars);
    }
    if (changed.has("acm")) await heroku.call(operation, news.acm ? "POST" : "DELETE", `/apps/${id}/acm`);
    const { id: _, ...state } = await readApp(id, news, heroku, operation);
    return state;
  },
  async delete(id, _state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/apps/${id}`);
  },
  volatile: (changed) => [
    ...(changed.has("configVars") || changed.has("sensitiveConfigVars") ? ["allConfigVars"] : []),
    ...(changed.has("name") ? ["gitUrl", "webUrl", "herokuHostname"] : []),
  ],
};

export const appConfigAssociation: ResourceType<HerokuClient> = {
  token: "heroku:index/appConfigAssociation:AppConfigAssociation",
  // Another app is no replacement: the provider leaves the old one's vars as they are.
  inputs: { appId: { required: true }, vars: {}, sensitiveVars: { secret: true } },
  outputs: { appConfigAssociationId: {} },
  stateFromCreate: true,
  check: requireUuid,
  async create(inputs, heroku, operation) {
    const id = `config:${inputs.appId}`;
    await heroku.setConfigVars(
      operation,
      inputs.appId,
      varChanges({ news: inputs.vars }, { news: inputs.sensitiveVars }),
    );
    operation.created(id);
    return { id, state: { ...(await readVars(inputs, heroku, operation)), appConfigAssociationId: id } };
  },
  read: (_id, state, heroku, operation) => readVars(state, heroku, operation),
  async update({ news, olds, client: heroku, ...operation }) {
    const changes = varChanges(
      { old: olds.vars, news: news.vars },
      { old: olds.sensitiveVars, news: news.sensitiveVars },
    );
    await heroku.setConfigVars(operation, news.appId, changes);
    return readVars(news, heroku, operation);
  },
  async delete(_id, state, heroku, operation) {
    const gone = varChanges({ old: state.vars }, { old: state.sensitiveVars });
    await heroku.setConfigVars(operation, state.appId, gone);
  },
  async importId() {
    throw new Error("resource heroku_app_config_association doesn't support import");
  },
};

async function readVars(state: Properties, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  const live: Properties = await heroku.call(operation, "GET", `/apps/${state.appId}/config-vars`);
  return { vars: knownVars(state.vars, live), sensitiveVars: knownVars(state.sensitiveVars, live) };
}

async function readFeature(appIdOrName: string, feature: string, heroku: HerokuClient, operation: Operation) {
  const live = await heroku.call(operation, "GET", `/apps/${appIdOrName}/features/${feature}`);
  return { name: live.name, enabled: live.enabled, appFeatureId: `${appIdOrName}:${live.id}` };
}

export const appFeature: ResourceType<HerokuClient> = {
  token: "heroku:index/appFeature:AppFeature",
  inputs: {
    appId: { required: true, replace: true },
    name: { autoname: { max: 255 }, replace: true },
    enabled: { default: true },
  },
  outputs: { appFeatureId: {} },
  stateFromCreate: true,
  check: requireUuid,
  async create(inputs, heroku, operation) {
    const path = `/apps/${inputs.appId}/features/${inputs.name}`;
    const feature = await heroku.call(operation, "PATCH", path, { enabled: inputs.enabled });
    const id = `${inputs.appId}:${feature.id}`;
    operation.created(id);
    return { id, state: await readFeature(inputs.appId, feature.id, heroku, operation) };
  },
  async read(id, state, heroku, operation) {
    const [owner = state.appId, feature = id] = id.split(":");
    return { appId: owner, ...(await readFeature(owner, feature, heroku, operation)) };
  },
  async update({ id, news, client: heroku, ...operation }) {
    const feature = id.split(":")[1] ?? news.name;
    await heroku.call(operation, "PATCH", `/apps/${news.appId}/features/${feature}`, { enabled: news.enabled });
    return readFeature(news.appId, feature, heroku, operation);
  },
  async delete(id, state, heroku, operation) {
    const feature = id.split(":")[1] ?? state.name;
    await heroku.call(operation, "PATCH", `/apps/${state.appId}/features/${feature}`, { enabled: false });
  },
};
