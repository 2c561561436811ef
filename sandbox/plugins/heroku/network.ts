import { setTimeout as sleep } from "node:timers/promises";
import type { Operation } from "../core/types";
import { type Properties, UNKNOWN } from "../core/values";
import { appUuid } from "./app";
import { bridged } from "./bridge";
import { type HerokuClient, HerokuError } from "./client";
import { appId, importHalves, requireUuid } from "./shared";

/** Under automated certificate management the endpoint is Heroku's own affair, so the state keeps what it had. */
async function domainState(domain: Properties, heroku: HerokuClient, operation: Operation) {
  const app = await heroku.call(operation, "GET", `/apps/${domain.app.id}`);
  return {
    domainId: domain.id,
    appId: domain.app.id,
    hostname: domain.hostname,
    cname: domain.cname ?? "",
    ...(app.acm || !domain.sni_endpoint ? {} : { sniEndpointId: domain.sni_endpoint.id }),
  };
}

export const domain = bridged(1, {
  token: "heroku:index/domain:Domain",
  inputs: { appId, hostname: { required: true, replace: true }, sniEndpointId: { computed: true } },
  outputs: { cname: {}, domainId: {} },
  check: requireUuid,
  async create(inputs, heroku, operation) {
    const made = await heroku.call(operation, "POST", `/apps/${inputs.appId}/domains`, {
      hostname: inputs.hostname,
      sni_endpoint: inputs.sniEndpointId || null,
    });
    const state = await domainState(made, heroku, operation);
    if (heroku.options.delays.domain > 0) {
      await sleep(heroku.options.delays.domain * 1000, undefined, { signal: operation.signal });
    }
    return { id: made.id, state };
  },
  async read(id, state, heroku, operation) {
    const live = await heroku.call(operation, "GET", `/apps/${state.appId}/domains/${id}`);
    return domainState(live, heroku, operation);
  },
  async update({ id, planned, client: heroku, ...operation }) {
    const live = await heroku.call(operation, "PATCH", `/apps/${planned.appId}/domains/${id}`, {
      sni_endpoint: planned.sniEndpointId,
    });
    return domainState(live, heroku, operation);
  },
  async delete(id, state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/apps/${state.appId}/domains/${id}`);
  },
  async importId(given, heroku, operation) {
    const { app, rest } = importHalves(given);
    const live = await heroku.call(operation, "GET", `/apps/${app}/domains/${rest}`);
    return { id: live.id, state: await domainState(live, heroku, operation) };
  },
});

const LEVELS = ["notify", "sync"];
const ENTITIES = ["addon-attachment", "addon", "app", "build", "collaborator", "domain", "dyno", "formation"]
  .concat(["release", "sni-endpoint"])
  .map((entity) => `api:${entity}`);

/** Secrets are never answered: the state keeps what the program said. */
const webhookState = (live: Properties) => ({ url: live.url, level: live.level, includes: live.include });

export const appWebhook = bridged(0, {
  token: "heroku:index/appWebhook:AppWebhook",
  inputs: {
    appId,
    level: { required: true },
    url: { required: true },
    includes: { required: true },
    secret: { secret: true },
    authorization: { secret: true },
  },
  outputs: { appWebhookId: {} },
  check({ level, includes }) {
    const wrong = (list: string[], value: unknown) =>
      typeof value === "string" && value !== UNKNOWN && !list.includes(value.toLowerCase());
    const refused: { property: string; reason: string }[] = [];
    const refuse = (property: string, wanted: string, got: unknown) =>
      refused.push({ property, reason: `expected ${property} to be ${wanted}, got ${got}` });
    if (wrong(LEVELS, level)) refuse("level", `one of ${LEVELS.join(", ")}`, level);
    if (!Array.isArray(includes)) return refused;
    if (includes.length === 0) refuse("includes", "at least one entity", "none");
    for (const entry of includes.filter((one) => wrong(ENTITIES, one))) {
      refuse("includes", `among ${ENTITIES.join(", ")}`, entry);
    }
    return refused;
  },
  async create(inputs, heroku, operation) {
    const { id } = await heroku.call(operation, "POST", `/apps/${inputs.appId}/webhooks`, {
      include: inputs.includes,
      level: inputs.level,
      url: inputs.url,
      secret: inputs.secret,
      authorization: inputs.authorization,
    });
    return { id, state: { appWebhookId: id } };
  },
  async read(id, state, heroku, operation) {
    const live = await heroku.call(operation, "GET", `/apps/${state.appId}/webhooks/${id}`);
    return { ...webhookState(live), appWebhookId: id };
  },
  async update({ id, planned, changed, client: heroku, ...operation }) {
    const ifChanged = (name: string) => (changed.has(name) ? planned[name] : undefined);
    await heroku.call(operation, "PATCH", `/apps/${planned.appId}/webhooks/${id}`, {
      include: ifChanged("includes"),
      level: ifChanged("level"),
      url: ifChanged("url"),
      secret: ifChanged("secret"),
      authorization: ifChanged("authorization"),
    });
    return {};
  },
  async delete(id, state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/apps/${state.appId}/webhooks/${id}`);
  },
  async importId(given, heroku, operation) {
    const { app, rest } = importHalves(given);
    const live = await heroku.call(operation, "GET", `/apps/${app}/webhooks/${rest}`);
    return { id: live.id, state: { appId: live.app.id, ...webhookState(live) } };
  },
});

/** A new app has no log channel for a moment; the provider tries for two minutes on exactly these words. */
const NO_CHANNEL = "App hasn't yet been assigned a log channel. Please try again momentarily.";

async function makeDrain(inputs: Properties, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  return heroku.until(
    operation,
    `log drain of app ${inputs.appId}`,
    2,
    async () => {
      const url = inputs.sensitiveUrl ?? inputs.url;
      try {
        const made = await heroku.call(operation, "POST", `/apps/${inputs.appId}/log-drains`, { url });
        return { state: "made", value: made };
      } catch (error) {
        if (!(error instanceof HerokuError) || !error.message.includes(NO_CHANNEL)) throw error;
        return { state: "no log channel", value: {} };
      }
    },
    ["no log channel"],
    "made",
  );
}

async function readDrain(id: string, state: Properties, heroku: HerokuClient, operation: Operation) {
  const live = await heroku.call(operation, "GET", `/apps/${state.appId}/log-drains/${id}`);
  return { drainId: id, token: live.token, [state.sensitiveUrl === undefined ? "url" : "sensitiveUrl"]: live.url };
}

export const drain = bridged(1, {
  token: "heroku:index/drain:Drain",
  inputs: { appId, url: { replace: true }, sensitiveUrl: { replace: true, secret: true } },
  outputs: { drainId: {}, token: {} },
  check(inputs) {
    const one = (inputs.url === undefined) !== (inputs.sensitiveUrl === undefined);
    const wrong = { property: "url", reason: "expected exactly one of url and sensitiveUrl" };
    return [...requireUuid(inputs), ...(one ? [] : [wrong])];
  },
  async create(inputs, heroku, operation) {
    await heroku.call(operation, "GET", `/apps/${inputs.appId}`);
    const { id } = await makeDrain(inputs, heroku, operation);
    return { id, state: await readDrain(id, inputs, heroku, operation) };
  },
  read: readDrain,
  async delete(id, state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/apps/${state.appId}/log-drains/${id}`);
  },
  async importId(given, heroku, operation) {
    const { app, rest } = importHalves(given);
    const [id = rest, sensitive] = rest.split(":");
    if (sensitive !== undefined && sensitive !== "sensitive") {
      throw new Error(`import id ${given}: expected app:id or app:id:sensitive`);
    }
    const live = await heroku.call(operation, "GET", `/apps/${app}/log-drains/${id}`);
    const url = { [sensitive === undefined ? "url" : "sensitiveUrl"]: live.url };
    return { id: live.id, state: { ...url, appId: await appUuid(app, heroku, operation) } };
  },
});
