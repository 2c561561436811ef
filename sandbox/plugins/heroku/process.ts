import { setTimeout as sleep } from "node:timers/promises";
import type { Operation, ResourceType } from "../core/types";
import type { Properties } from "../core/values";
import { type HerokuClient, HerokuError } from "./client";
import { appId, requireUuid, splitImportId } from "./shared";

async function readFormation(id: string, state: Properties, heroku: HerokuClient, operation: Operation) {
  const live = await heroku.call(operation, "GET", `/apps/${state.appId}/formation/${id}`);
  return {
    id: live.id,
    formationId: live.id,
    appId: live.app?.id ?? state.appId,
    type: live.type,
    quantity: live.quantity,
    size: live.size,
  };
}

export const formation: ResourceType<HerokuClient> = {
  token: "heroku:index/formation:Formation",
  inputs: {
    appId,
    type: { required: true },
    quantity: { required: true },
    size: { required: true, compare: "caseless" },
  },
  outputs: { formationId: {} },
  stateFromCreate: true,
  check: requireUuid,
  async create(inputs, heroku, operation) {
    await heroku.call(operation, "GET", `/apps/${inputs.appId}`);
    const { id } = await heroku.call(operation, "PATCH", `/apps/${inputs.appId}/formation/${inputs.type}`, {
      dyno_size: { name: inputs.size },
      quantity: inputs.quantity,
    });
    operation.created(id);
    const { id: _, ...state } = await readFormation(id, inputs, heroku, operation);
    return { id, state };
  },
  read: readFormation,
  async update({ id, news, changed, client: heroku, ...operation }) {
    await heroku.call(operation, "GET", `/apps/${news.appId}`);
    await heroku.call(operation, "PATCH", `/apps/${news.appId}/formation/${news.type}`, {
      dyno_size: changed.has("size") ? { name: news.size } : undefined,
      quantity: changed.has("quantity") ? news.quantity : undefined,
    });
    const { id: _, ...state } = await readFormation(id, news, heroku, operation);
    return state;
  },
  async delete() {
    // A process type can't be deleted, and the provider leaves its dynos running.
  },
  importId: splitImportId,
};

async function domainState(domain: Properties, state: Properties, heroku: HerokuClient, operation: Operation) {
  const app = await heroku.call(operation, "GET", `/apps/${state.appId}`);
  return {
    domainId: domain.id,
    appId: domain.app?.id ?? state.appId,
    hostname: domain.hostname,
    cname: domain.cname ?? "",
    ...(app.acm ? {} : { sniEndpointId: domain.sni_endpoint?.id ?? undefined }),
  };
}

export const domain: ResourceType<HerokuClient> = {
  token: "heroku:index/domain:Domain",
  inputs: { appId, hostname: { required: true, replace: true }, sniEndpointId: { computed: true } },
  outputs: { cname: {}, domainId: {} },
  stateFromCreate: true,
  check: requireUuid,
  async create(inputs, heroku, operation) {
    const made = await heroku.call(operation, "POST", `/apps/${inputs.appId}/domains`, {
      hostname: inputs.hostname,
      sni_endpoint: inputs.sniEndpointId ?? null,
    });
    operation.created(made.id);
    if (heroku.options.delays.domain > 0) {
      await sleep(heroku.options.delays.domain * 1000, undefined, { signal: operation.signal });
    }
    return { id: made.id, state: await domainState(made, inputs, heroku, operation) };
  },
  async read(id, state, heroku, operation) {
    const live = await heroku.call(operation, "GET", `/apps/${state.appId}/domains/${id}`);
    return { id: live.id, ...(await domainState(live, state, heroku, operation)) };
  },
  async update({ id, news, client: heroku, ...operation }) {
    const live = await heroku.call(operation, "PATCH", `/apps/${news.appId}/domains/${id}`, {
      sni_endpoint: news.sniEndpointId ?? null,
    });
    return domainState(live, news, heroku, operation);
  },
  async delete(id, state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/apps/${state.appId}/domains/${id}`);
  },
  importId: splitImportId,
};

const LEVELS = ["notify", "sync"];
const ENTITIES = ["api:addon-attachment", "api:addon", "api:app", "api:build", "api:collaborator", "api:domain"].concat(
  ["api:dyno", "api:formation", "api:release", "api:sni-endpoint", "dyno"],
);

export const appWebhook: ResourceType<HerokuClient> = {
  token: "heroku:index/appWebhook:AppWebhook",
  inputs: {
    appId,
    level: { required: true, values: LEVELS },
    url: { required: true },
    includes: { required: true },
    secret: { secret: true },
    authorization: { secret: true },
  },
  outputs: { appWebhookId: {} },
  stateFromCreate: true,
  check(inputs) {
    const wrong = Array.isArray(inputs.includes)
      ? inputs.includes.find((entry) => !ENTITIES.includes(entry))
      : undefined;
    if (wrong === undefined) return [];
    return [{ property: "includes", reason: `expected includes to be among ${ENTITIES.join(", ")}, got ${wrong}` }];
  },
  async create(inputs, heroku, operation) {
    const made = await heroku.call(operation, "POST", `/apps/${inputs.appId}/webhooks`, {
      include: inputs.includes,
      level: inputs.level,
      url: inputs.url,
      secret: inputs.secret,
      authorization: inputs.authorization,
    });
    return { id: made.id, state: { appWebhookId: made.id } };
  },
  async read(id, state, heroku, operation) {
    const live = await heroku.call(operation, "GET", `/apps/${state.appId}/webhooks/${id}`);
    return { url: live.url, level: live.level, includes: live.include, appWebhookId: live.id };
  },
  async update({ id, news, changed, client: heroku, ...operation }) {
    const names: [string, string][] = [
      ["includes", "include"],
      ["level", "level"],
      ["url", "url"],
    ];
    names.push(["secret", "secret"], ["authorization", "authorization"]);
    const body: Properties = {};
    for (const [input, key] of names) if (changed.has(input)) body[key] = news[input];
    await heroku.call(operation, "PATCH", `/apps/${news.appId}/webhooks/${id}`, body);
    return {};
  },
  async delete(id, state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/apps/${state.appId}/webhooks/${id}`);
  },
  importId: splitImportId,
};

/** A new app has no log channel for a moment; the provider tries for two minutes on exactly these words. */
const NO_CHANNEL = "App hasn't yet been assigned a log channel. Please try again momentarily.";

async function makeDrain(inputs: Properties, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    try {
      const url = inputs.sensitiveUrl ?? inputs.url;
      return await heroku.call(operation, "POST", `/apps/${inputs.appId}/log-drains`, { url });
    } catch (error) {
      if (!(error instanceof HerokuError) || error.message !== NO_CHANNEL || Date.now() > deadline) throw error;
      await sleep(500, undefined, { signal: operation.signal });
    }
  }
}

async function readDrain(id: string, state: Properties, heroku: HerokuClient, operation: Operation) {
  const live = await heroku.call(operation, "GET", `/apps/${state.appId}/log-drains/${id}`);
  return { drainId: live.id, token: live.token, [state.sensitiveUrl === undefined ? "url" : "sensitiveUrl"]: live.url };
}

export const drain: ResourceType<HerokuClient> = {
  token: "heroku:index/drain:Drain",
  inputs: { appId, url: { replace: true }, sensitiveUrl: { replace: true, secret: true } },
  outputs: { drainId: {}, token: {} },
  stateFromCreate: true,
  check(inputs) {
    const one = (inputs.url === undefined) !== (inputs.sensitiveUrl === undefined);
    const wrong = { property: "url", reason: "expected exactly one of url and sensitiveUrl" };
    return [...requireUuid(inputs), ...(one ? [] : [wrong])];
  },
  async create(inputs, heroku, operation) {
    await heroku.call(operation, "GET", `/apps/${inputs.appId}`);
    const { id } = await makeDrain(inputs, heroku, operation);
    operation.created(id);
    return { id, state: await readDrain(id, inputs, heroku, operation) };
  },
  read: readDrain,
  async delete(id, state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/apps/${state.appId}/log-drains/${id}`);
  },
  async importId(id) {
    const { id: rest, state } = await splitImportId(id);
    const [drainId = rest, sensitive] = rest.split(":");
    return { id: drainId, state: sensitive === "sensitive" ? { ...state, sensitiveUrl: "" } : state };
  },
};
