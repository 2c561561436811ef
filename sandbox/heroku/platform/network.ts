/** Domains, webhooks and log drains. */
import type { Cloud } from "../cloud";
import { ApiError, invalid, notFound, ok, reference, text } from "../http";
import { hex, now, randomDnsTarget, uuid } from "../ids";
import type { App, Domain, Drain, Webhook } from "../model";
import { type Route, route } from "../router";
import { herokuHostname } from "../runtime/app-routers";
import { findCertificate } from "./certificates";
import { list } from "./lists";
import type { Present } from "./present";

/** Limits of one app (Heroku Dev Center, "Limits"). */
const MOST = { domains: 1000, webhooks: 10, drains: 5 };

function checkLimit(table: Record<string, { appId: string }>, app: App, what: keyof typeof MOST): void {
  if (Object.values(table).filter((one) => one.appId === app.id).length >= MOST[what])
    throw invalid(`An app can't have more than ${MOST[what]} ${what}.`);
}

const HOSTNAME = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

/** An item of a table that belongs to an app. */
function owned<T extends { id: string; appId: string }>(
  table: Record<string, T>,
  app: App,
  id: string | undefined,
  what: string,
): T {
  const item = table[id ?? ""];
  if (!item || item.appId !== app.id) throw notFound(what);
  return item;
}

/** The certificate that a domain's request names; it has to be one of the app's. */
function certificateId(cloud: Cloud, app: App, body: Record<string, unknown>): string | null {
  const asked = reference(body, "sni_endpoint");
  return asked === undefined ? null : findCertificate(cloud, app, asked).id;
}

function addDomain(cloud: Cloud, app: App, body: Record<string, unknown>): Domain {
  const hostname = (text(body, "hostname") ?? "").toLowerCase();
  if (!HOSTNAME.test(hostname)) throw invalid(`Hostname ${hostname} is not a valid domain name.`);
  // A host name lives on one app at a time, anywhere on Heroku.
  const holder = Object.values(cloud.state.domains).find((one) => one.hostname === hostname);
  if (holder?.appId === app.id) throw invalid(`Domain already added to this app: ${hostname}`);
  if (holder) throw invalid(`${hostname} is currently in use by another app.`);
  checkLimit(cloud.state.domains, app, "domains");
  const at = now();
  const domain: Domain = {
    id: uuid(),
    appId: app.id,
    hostname,
    cname: randomDnsTarget(),
    sniEndpointId: certificateId(cloud, app, body),
    createdAt: at,
    updatedAt: at,
  };
  cloud.state.domains[domain.id] = domain;
  cloud.store.save();
  return domain;
}

function ownDomain(app: App) {
  return {
    id: `${app.id}-heroku`,
    acm_status: null,
    app: { id: app.id, name: app.name },
    cname: null,
    created_at: app.createdAt,
    hostname: herokuHostname(app),
    kind: "heroku",
    sni_endpoint: null,
    status: "none",
    updated_at: app.createdAt,
  };
}

function domainRoutes(cloud: Cloud, present: Present): Route[] {
  const { state } = cloud;
  const find = (app: App, key: string | undefined) => {
    const byName = Object.values(state.domains).find((one) => one.appId === app.id && one.hostname === key);
    return byName ?? owned(state.domains, app, key, "domain name");
  };
  return [
    route("GET", "/apps/:app/domains", (x) => {
      const app = cloud.app(x.params.app);
      const custom = Object.values(state.domains).filter((one) => one.appId === app.id);
      return list(x, [ownDomain(app), ...custom.map((one) => present.domain(one))], "id", "hostname");
    }),
    route("POST", "/apps/:app/domains", async (x) => {
      const app = cloud.app(x.params.app);
      return ok(present.domain(addDomain(cloud, app, await x.json())), 201);
    }),
    route("GET", "/apps/:app/domains/:domain", (x) =>
      ok(present.domain(find(cloud.app(x.params.app), x.params.domain))),
    ),
    route("PATCH", "/apps/:app/domains/:domain", async (x) => {
      const app = cloud.app(x.params.app);
      const domain = find(app, x.params.domain);
      domain.sniEndpointId = certificateId(cloud, app, await x.json());
      cloud.touch(domain);
      return ok(present.domain(domain));
    }),
    route("DELETE", "/apps/:app/domains/:domain", (x) => {
      const domain = find(cloud.app(x.params.app), x.params.domain);
      const answer = present.domain(domain);
      delete state.domains[domain.id];
      cloud.store.save();
      return ok(answer);
    }),
  ];
}

function webhookFields(webhook: Webhook, body: Record<string, unknown>): void {
  if (body.include !== undefined) {
    if (!Array.isArray(body.include) || body.include.length === 0) throw invalid("include must be a list of events.");
    webhook.include = body.include.map(String);
  }
  const level = text(body, "level") ?? webhook.level;
  if (level !== "notify" && level !== "sync") throw invalid(`level ${level} is not valid, expected notify or sync.`);
  webhook.level = level;
  webhook.url = text(body, "url") ?? webhook.url;
  if (!/^https?:\/\//.test(webhook.url)) throw invalid("url must be an http or https address.");
  webhook.secret = text(body, "secret") ?? webhook.secret;
  webhook.authorization = text(body, "authorization") ?? webhook.authorization;
}

function webhookRoutes(cloud: Cloud, present: Present): Route[] {
  const { state } = cloud;
  const find = (app: App, id: string | undefined) => owned(state.webhooks, app, id, "webhook");
  return [
    route("GET", "/apps/:app/webhooks", (x) => {
      const app = cloud.app(x.params.app);
      const hooks = Object.values(state.webhooks).filter((one) => one.appId === app.id);
      return list(
        x,
        hooks.map((one) => present.webhook(one)),
        "id",
      );
    }),
    route("POST", "/apps/:app/webhooks", async (x) => {
      const app = cloud.app(x.params.app);
      const at = now();
      const webhook: Webhook = {
        id: uuid(),
        appId: app.id,
        include: [],
        level: "",
        url: "",
        secret: null,
        authorization: null,
        createdAt: at,
        updatedAt: at,
      };
      webhookFields(webhook, { include: [], ...(await x.json()) });
      checkLimit(state.webhooks, app, "webhooks");
      state.webhooks[webhook.id] = webhook;
      cloud.store.save();
      return ok(present.webhook(webhook), 201);
    }),
    route("GET", "/apps/:app/webhooks/:id", (x) => ok(present.webhook(find(cloud.app(x.params.app), x.params.id)))),
    route("PATCH", "/apps/:app/webhooks/:id", async (x) => {
      const webhook = find(cloud.app(x.params.app), x.params.id);
      webhookFields(webhook, await x.json());
      cloud.touch(webhook);
      return ok(present.webhook(webhook));
    }),
    route("DELETE", "/apps/:app/webhooks/:id", (x) => {
      const webhook = find(cloud.app(x.params.app), x.params.id);
      const answer = present.webhook(webhook);
      delete state.webhooks[webhook.id];
      cloud.store.save();
      return ok(answer);
    }),
  ];
}

function drainRoutes(cloud: Cloud): Route[] {
  const { state } = cloud;
  const show = (drain: Drain) => ({
    id: drain.id,
    addon: null,
    created_at: drain.createdAt,
    extended: null,
    token: drain.token,
    updated_at: drain.updatedAt,
    url: drain.url,
  });
  const find = (app: App, id: string | undefined) => owned(state.drains, app, id, "drain");
  return [
    route("GET", "/apps/:app/log-drains", (x) => {
      const app = cloud.app(x.params.app);
      const drains = Object.values(state.drains).filter((one) => one.appId === app.id);
      return list(x, drains.map(show), "id");
    }),
    route("POST", "/apps/:app/log-drains", async (x) => {
      const app = cloud.app(x.params.app);
      const url = text(await x.json(), "url") ?? "";
      if (!/^(https?|syslog|syslog\+tls):\/\//.test(url)) throw invalid("Url is invalid");
      if (Object.values(state.drains).some((one) => one.appId === app.id && one.url === url))
        throw new ApiError(422, "invalid_params", "Url has already been taken");
      checkLimit(state.drains, app, "drains");
      const at = now();
      const drain: Drain = { id: uuid(), appId: app.id, url, token: `d.${hex(32)}`, createdAt: at, updatedAt: at };
      state.drains[drain.id] = drain;
      cloud.store.save();
      return ok(show(drain), 201);
    }),
    route("GET", "/apps/:app/log-drains/:id", (x) => ok(show(find(cloud.app(x.params.app), x.params.id)))),
    route("DELETE", "/apps/:app/log-drains/:id", (x) => {
      const drain = find(cloud.app(x.params.app), x.params.id);
      delete state.drains[drain.id];
      cloud.store.save();
      return ok(show(drain));
    }),
  ];
}

export function networkRoutes(cloud: Cloud, present: Present): Route[] {
  return [...domainRoutes(cloud, present), ...webhookRoutes(cloud, present), ...drainRoutes(cloud)];
}
