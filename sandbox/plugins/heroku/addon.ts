import type { Operation, ResourceType } from "../core/types";
import type { Properties } from "../core/values";
import type { HerokuClient } from "./client";
import { appId, isNotFound, requireUuid } from "./shared";

async function readAddon(id: string, state: Properties, heroku: HerokuClient, operation: Operation) {
  const addon = await heroku.call(operation, "GET", `/addons/${id}`);
  const vars: Properties = await heroku.call(operation, "GET", `/apps/${addon.app.id}/config-vars`);
  const names: string[] = addon.config_vars ?? [];
  const bare = typeof state.plan === "string" && !state.plan.includes(":");
  return {
    id: addon.id,
    addonId: addon.id,
    appId: addon.app.id,
    name: addon.name,
    plan: bare ? addon.plan.name.split(":")[0] : addon.plan.name,
    providerId: addon.provider_id ?? "",
    configVars: names,
    configVarValues: Object.fromEntries(names.flatMap((key) => (vars[key] == null ? [] : [[key, vars[key]]]))),
  };
}

async function makeAddon(inputs: Properties, heroku: HerokuClient, operation: Operation): Promise<string> {
  const app = await heroku.call(operation, "GET", `/apps/${inputs.appId}`);
  const made = await heroku.call(operation, "POST", `/apps/${inputs.appId}/addons`, {
    plan: inputs.plan,
    confirm: app.name,
    config: inputs.config,
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
  const names: string[] = made.config_vars ?? [];
  await heroku.until(
    operation,
    `config vars of add-on ${made.name}`,
    minutes,
    async () => {
      const vars: Properties = await heroku.call(operation, "GET", `/apps/${inputs.appId}/config-vars`);
      return { state: names.every((key) => vars[key] != null) ? "set" : "waiting", value: vars };
    },
    ["waiting"],
    "set",
  );
  return made.id;
}

export const addon: ResourceType<HerokuClient> = {
  token: "heroku:index/addon:Addon",
  inputs: {
    appId,
    plan: { required: true },
    name: { autoname: { max: 255 } },
    config: { replace: true, computed: true },
  },
  outputs: { addonId: {}, configVars: {}, configVarValues: { secret: true }, providerId: {} },
  stateFromCreate: true,
  check(inputs) {
    const wrong = typeof inputs.name === "string" && !/^[a-zA-Z][A-Za-z0-9_-]+$/.test(inputs.name);
    return [
      ...requireUuid(inputs),
      ...(wrong ? [{ property: "name", reason: `invalid add-on name ${inputs.name}` }] : []),
    ];
  },
  // The id is known to the state only after success: a creation that fails leaves an orphan, as the provider's does.
  async create(inputs, heroku, operation) {
    const made = await heroku.oneAddon(() => makeAddon(inputs, heroku, operation));
    const { id, ...state } = await readAddon(made, inputs, heroku, operation);
    return { id, state };
  },
  async read(id, state, heroku, operation) {
    try {
      await heroku.call(operation, "GET", `/addons/${id}`);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    return readAddon(id, state, heroku, operation);
  },
  async update({ id, news, changed, client: heroku, ...operation }) {
    await heroku.call(operation, "PATCH", `/apps/${news.appId}/addons/${id}`, {
      plan: changed.has("plan") ? news.plan : "",
      name: changed.has("name") ? news.name : undefined,
    });
    const { id: _, ...state } = await readAddon(id, news, heroku, operation);
    return state;
  },
  async delete(id, state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/apps/${state.appId}/addons/${id}`);
  },
  volatile: (changed) => (changed.has("plan") ? ["configVars", "configVarValues", "providerId"] : []),
};

async function readAttachment(id: string, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  const live = await heroku.call(operation, "GET", `/addon-attachments/${id}`);
  return {
    addonAttachmentId: live.id,
    appId: live.app.id,
    addonId: live.addon.id,
    name: live.name,
    namespace: live.namespace ?? undefined,
  };
}

export const addonAttachment: ResourceType<HerokuClient> = {
  token: "heroku:index/addonAttachment:AddonAttachment",
  inputs: {
    appId,
    addonId: { required: true, replace: true },
    name: { autoname: { max: 255 }, replace: true },
    namespace: { replace: true },
  },
  outputs: { addonAttachmentId: {} },
  stateFromCreate: true,
  check: requireUuid,
  async create(inputs, heroku, operation) {
    const { id } = await heroku.call(operation, "POST", "/addon-attachments", {
      addon: inputs.addonId,
      app: inputs.appId,
      name: inputs.name,
      namespace: inputs.namespace,
    });
    operation.created(id);
    return { id, state: await readAttachment(id, heroku, operation) };
  },
  read: (id, _state, heroku, operation) => readAttachment(id, heroku, operation),
  async delete(id, _state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/addon-attachments/${id}`);
  },
};
