import type { Operation } from "../core/types";
import type { Properties } from "../core/values";
import { bridged } from "./bridge";
import type { HerokuClient } from "./client";
import { importHalves, knownVars, refuseDuplicates, requireUuid, varChanges } from "./shared";

async function readVars(state: Properties, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  const live: Properties = await heroku.call(operation, "GET", `/apps/${state.appId}/config-vars`);
  const still = (map: string) => (state[map] === undefined ? {} : { [map]: knownVars(state[map], live) });
  return { ...still("vars"), ...still("sensitiveVars") };
}

export const appConfigAssociation = bridged(0, {
  token: "heroku:index/appConfigAssociation:AppConfigAssociation",
  // Another app is no replacement: the provider leaves the old one's vars as they are.
  inputs: { appId: { required: true }, vars: {}, sensitiveVars: { secret: true } },
  outputs: { appConfigAssociationId: {} },
  check: requireUuid,
  async create(inputs, heroku, operation) {
    const { appId, vars, sensitiveVars } = inputs;
    refuseDuplicates(vars, sensitiveVars);
    await heroku.setConfigVars(operation, appId, varChanges({ news: vars }, { news: sensitiveVars }));
    const id = `config:${appId}`;
    return { id, state: { ...(await readVars(inputs, heroku, operation)), appConfigAssociationId: id } };
  },
  read: (_id, state, heroku, operation) => readVars(state, heroku, operation),
  async update({ olds, planned, changed, client: heroku, ...operation }) {
    refuseDuplicates(planned.vars, planned.sensitiveVars);
    const touched = ["vars", "sensitiveVars"].filter((map) => changed.has(map));
    const changes = varChanges(...touched.map((map) => ({ old: olds[map], news: planned[map] })));
    await heroku.setConfigVars(operation, planned.appId, changes);
    return readVars(planned, heroku, operation);
  },
  async delete(_id, state, heroku, operation) {
    await heroku.setConfigVars(operation, state.appId, varChanges({ old: state.vars }, { old: state.sensitiveVars }));
  },
  async importId() {
    throw new Error("heroku_app_config_association: not possible to import this resource");
  },
});

async function readFeature(id: string, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  const { app, rest: feature } = importHalves(id);
  const live = await heroku.call(operation, "GET", `/apps/${app}/features/${feature}`);
  return { appId: app, name: live.name, enabled: live.enabled, appFeatureId: id };
}

const setFeature = (appId: string, nameOrId: string, enabled: boolean, heroku: HerokuClient, operation: Operation) =>
  heroku.call(operation, "PATCH", `/apps/${appId}/features/${nameOrId}`, { enabled });

export const appFeature = bridged(1, {
  token: "heroku:index/appFeature:AppFeature",
  inputs: {
    appId: { required: true, replace: true },
    name: { autoname: { max: 255 }, replace: true },
    enabled: { default: true },
  },
  outputs: { appFeatureId: {} },
  check: requireUuid,
  async create({ appId, name, enabled }, heroku, operation) {
    const feature = await setFeature(appId, name, enabled, heroku, operation);
    const id = `${appId}:${feature.id}`;
    return { id, state: await readFeature(id, heroku, operation) };
  },
  read: async (id, _state, heroku, operation) => ({ id, ...(await readFeature(id, heroku, operation)) }),
  async update({ id, planned, client: heroku, ...operation }) {
    await setFeature(planned.appId, planned.name, planned.enabled, heroku, operation);
    return readFeature(id, heroku, operation);
  },
  // What a deletion can do is to turn it off.
  async delete(id, _state, heroku, operation) {
    const { app, rest: feature } = importHalves(id);
    await setFeature(app, feature, false, heroku, operation);
  },
  async importId(id, heroku, operation) {
    return { id, state: await readFeature(id, heroku, operation) };
  },
});
