import type { Operation } from "../core/types";
import { type Properties, UNKNOWN } from "../core/values";
import { bridged } from "./bridge";
import type { HerokuClient } from "./client";
import { appId, isNotFound, name, requireUuid } from "./shared";

/** The values of an add-on's variables that are there. */
async function valuesOf(names: string[], app: string, heroku: HerokuClient, operation: Operation) {
  const vars: Properties = await heroku.call(operation, "GET", `/apps/${app}/config-vars`);
  return Object.fromEntries(names.flatMap((key) => (vars[key] == null ? [] : [[key, vars[key]]])));
}

/** @param id of Terraform's own: an import by name keeps the name */
async function readAddon(id: string, state: Properties, heroku: HerokuClient, operation: Operation) {
  const addon = await heroku.call(operation, "GET", `/addons/${id}`);
  const bare = typeof state.plan === "string" && state.plan !== "" && !state.plan.includes(":");
  const names: string[] = addon.config_vars ?? [];
  const tracked = heroku.options.inState.addonVars;
  return {
    addonId: id,
    appId: addon.app.id,
    name: addon.name,
    plan: bare ? addon.plan.name.split(":")[0] : addon.plan.name,
    providerId: addon.provider_id ?? "",
    configVars: names,
    configVarValues: tracked ? await valuesOf(names, addon.app.id, heroku, operation) : {},
  };
}

async function makeAddon(inputs: Properties, heroku: HerokuClient, operation: Operation): Promise<string> {
  const app = await heroku.call(operation, "GET", `/apps/${inputs.appId}`);
  const made = await heroku.call(operation, "POST", `/apps/${inputs.appId}/addons`, {
    plan: inputs.plan,
    confirm: app.name,
    config: Object.keys(inputs.config ?? {}).length > 0 ? inputs.config : undefined,
    name: inputs.name,
  });
  const minutes = heroku.options.addonTimeout;
  await heroku.until(
    operation,
    `add-on ${made.name}`,
    minutes,
    async () => {
      const addon = await heroku.call(operation, "GET", `/apps/${inputs.appId}/addons/${made.id}`);
      return { state: addon.state, value: addon };
    },
    ["provisioning"],
    "provisioned",
  );
  if (!heroku.options.inState.addonVars) return made.id;
  const names: string[] = made.config_vars ?? [];
  await heroku.until(
    operation,
    `config vars of add-on ${made.name}`,
    minutes,
    async () => {
      const values = await valuesOf(names, made.app.id, heroku, operation);
      return { state: Object.keys(values).length === names.length ? "set" : "waiting", value: values };
    },
    ["waiting"],
    "set",
  );
  return made.id;
}

export const addon = bridged(3, {
  token: "heroku:index/addon:Addon",
  inputs: { appId, plan: { required: true }, name, config: { replace: true } },
  outputs: { addonId: {}, configVars: {}, configVarValues: { secret: true }, providerId: {} },
  check(inputs) {
    const given = inputs.name;
    const known = typeof given === "string" && given !== UNKNOWN;
    const wrong = known && !/^(?=.{1,256}$)[a-zA-Z][A-Za-z0-9_-]+$/.test(given);
    return [...requireUuid(inputs), ...(wrong ? [{ property: "name", reason: `invalid add-on name ${given}` }] : [])];
  },
  async create(inputs, heroku, operation) {
    const id = await heroku.oneAddon(() => makeAddon(inputs, heroku, operation));
    return { id, state: await readAddon(id, inputs, heroku, operation) };
  },
  async read(id, state, heroku, operation) {
    const known: string = state.addonId ?? id;
    try {
      await heroku.call(operation, "GET", `/addons/${known}`);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    return readAddon(known, state, heroku, operation);
  },
  async update({ olds, planned, changed, client: heroku, ...operation }) {
    const { id } = await heroku.call(operation, "PATCH", `/apps/${planned.appId}/addons/${olds.addonId}`, {
      plan: changed.has("plan") ? planned.plan : "",
      name: changed.has("name") ? planned.name : undefined,
    });
    return readAddon(id, planned, heroku, operation);
  },
  async delete(_id, state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/apps/${state.appId}/addons/${state.addonId}`);
  },
});

async function readAttachment(id: string, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  if (!/^[0-9a-f]+(-[0-9a-f]+){4}$/.test(id)) {
    throw new Error("You can only import addon attachments by their unique ID");
  }
  const live = await heroku.call(operation, "GET", `/addon-attachments/${id}`);
  return {
    addonAttachmentId: id,
    appId: live.app.id,
    addonId: live.addon.id,
    name: live.name,
    namespace: live.namespace ?? "",
  };
}

export const addonAttachment = bridged(1, {
  token: "heroku:index/addonAttachment:AddonAttachment",
  inputs: {
    appId,
    addonId: { required: true, replace: true },
    name: { ...name, replace: true },
    namespace: { replace: true, computed: true },
  },
  outputs: { addonAttachmentId: {} },
  check: requireUuid,
  async create(inputs, heroku, operation) {
    const { id } = await heroku.call(operation, "POST", "/addon-attachments", {
      addon: inputs.addonId,
      app: inputs.appId,
      name: inputs.name,
      namespace: inputs.namespace || undefined,
    });
    return { id, state: await readAttachment(id, heroku, operation) };
  },
  read: (id, _state, heroku, operation) => readAttachment(id, heroku, operation),
  async delete(id, _state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/addon-attachments/${id}`);
  },
});
