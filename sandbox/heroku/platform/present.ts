/** Resources in the JSON form of the Platform API. Fields that nobody reads are there when the official CLI crashes without them. */

import type { Cloud } from "../cloud";
import { configVarName } from "../config-vars";
import { asksFor, type Exchange } from "../http";
import type { Addon, App, Attachment, Build, Coupling, Domain, Formation, Pipeline, Release, Webhook } from "../model";
import { findPlan } from "../plans";
import type { Dyno } from "../runtime/dyno";

const appRef = (app: App) => ({ id: app.id, name: app.name });
const times = (item: { createdAt: string; updatedAt: string }) => ({
  created_at: item.createdAt,
  updated_at: item.updatedAt,
});

/** How long a new domain is `pending`, in milliseconds. Creation times are whole seconds: it is one second at least. */
const DOMAIN_PENDING_MS = 2000;
const isPending = (domain: Domain) => Date.now() < Date.parse(domain.createdAt) + DOMAIN_PENDING_MS;

const serviceDetails = (name: string) => ({
  human_name: name,
  state: "ga",
  supports_multiple_installations: true,
  supports_sharing: true,
});

export class Present {
  constructor(private readonly cloud: Cloud) {}

  get account() {
    const { id, email } = this.cloud.state.account;
    return {
      id,
      email,
      name: "Sandbox",
      verified: true,
      two_factor_authentication: false,
      beta: false,
      federated: false,
    };
  }

  get user() {
    const { id, email } = this.cloud.state.account;
    return { id, email };
  }

  app(app: App) {
    return {
      ...appRef(app),
      ...times(app),
      acm: app.acm,
      archived_at: null,
      buildpack_provided_description: null,
      build_stack: { id: app.stack, name: app.stack },
      create_status: "complete",
      generation: { id: "cedar", name: "cedar" },
      git_url: `https://git.heroku.com/${app.name}.git`,
      internal_routing: null,
      maintenance: app.maintenance,
      organization: null,
      owner: this.user,
      process_tier: this.processTier(app),
      region: { id: app.region, name: app.region },
      released_at: app.releasedAt,
      repo_size: null,
      slug_size: null,
      space: null,
      stack: { id: app.stack, name: app.stack },
      team: null,
      web_url: `http://127.0.0.1:${app.routerPort}/`,
    };
  }

  /** The official CLI asks for the account's eco hours only when an app says that it is of that tier. */
  private processTier(app: App): string {
    const sizes = Object.values(this.cloud.state.formations)
      .filter((one) => one.appId === app.id && one.quantity > 0)
      .map((one) => one.size);
    if (sizes.includes("Eco")) return "eco";
    return sizes.every((size) => size === "Basic") ? "basic" : "production";
  }

  release(release: Release) {
    const app = this.cloud.state.apps[release.appId];
    const slug = release.slugId === null ? null : { id: release.slugId };
    return {
      id: release.id,
      ...times(release),
      addon_plan_names: [],
      app: app ? appRef(app) : { id: release.appId, name: "" },
      artifacts: slug === null ? [] : [{ type: "slug", id: slug.id }],
      current: app?.currentReleaseId === release.id,
      description: release.description,
      eligible_for_rollback: release.status === "succeeded" && slug !== null,
      output_stream_url: release.hasOutput ? `${this.cloud.baseUrl}/_streams/${release.id}` : null,
      slug,
      status: release.status,
      user: this.user,
      version: release.version,
    };
  }

  build(build: Build) {
    const app = this.cloud.state.apps[build.appId];
    return {
      id: build.id,
      ...times(build),
      app: { id: build.appId, name: app?.name ?? "" },
      buildpacks: build.buildpacks.map((name) => ({ name, url: name })),
      output_stream_url: `${this.cloud.baseUrl}/_streams/${build.id}`,
      release: build.releaseId === null ? null : { id: build.releaseId },
      slug: build.slugId === null ? null : { id: build.slugId },
      source_blob: { checksum: build.sourceChecksum, url: build.sourceUrl, version: build.sourceVersion },
      stack: app?.stack ?? "heroku-24",
      status: build.status,
      user: this.user,
    };
  }

  /** Plan and service are ids and names, unless `x` asks for more of them by `Accept-Expansion`. */
  addon(addon: Addon, x: Exchange) {
    const plan = findPlan(addon.plan);
    const attachments = Object.values(this.cloud.state.attachments).filter(
      (one) => one.addonId === addon.id && one.appId === addon.appId,
    );
    const price = { cents: plan.cents, unit: "month", contract: false, metered: false };
    return {
      id: addon.id,
      name: addon.name,
      ...times(addon),
      actions: [],
      addon_service: {
        id: addon.service,
        name: addon.service,
        ...(asksFor(x, "accept-expansion", "addon_service") ? serviceDetails(addon.service) : {}),
      },
      app: appRef(this.cloud.billingApp(addon)),
      billed_price: price,
      billing_entity: { ...appRef(this.cloud.billingApp(addon)), type: "app" },
      config_vars: attachments.map(configVarName),
      plan: {
        id: plan.name,
        name: plan.name,
        ...(asksFor(x, "accept-expansion", "plan") ? { human_name: plan.humanName, price, state: "ga" } : {}),
      },
      provider_id: addon.id,
      provision_message: null,
      state: addon.state,
      web_url: null,
    };
  }

  /** The add-on's plan and the config vars are there only when `x` asks for them by `Accept-Inclusion`. */
  attachment(attachment: Attachment, x: Exchange) {
    const addon = this.cloud.addon(attachment.addonId);
    const plan = findPlan(addon.plan);
    return {
      id: attachment.id,
      name: attachment.name,
      ...times(attachment),
      addon: {
        id: addon.id,
        name: addon.name,
        app: appRef(this.cloud.billingApp(addon)),
        ...(asksFor(x, "accept-inclusion", "addon:plan") ? { plan: { id: plan.name, name: plan.name } } : {}),
      },
      app: appRef(this.cloud.app(attachment.appId)),
      ...(asksFor(x, "accept-inclusion", "config_vars") ? { config_vars: [configVarName(attachment)] } : {}),
      log_input_url: null,
      namespace: attachment.namespace,
      web_url: null,
    };
  }

  formation(formation: Formation) {
    return {
      id: formation.id,
      ...times(formation),
      app: appRef(this.cloud.app(formation.appId)),
      command: formation.command,
      dyno_size: { id: formation.size, name: formation.size },
      quantity: formation.quantity,
      size: formation.size,
      type: formation.type,
    };
  }

  dyno(dyno: Dyno) {
    return {
      id: dyno.id,
      ...times(dyno),
      app: appRef(this.cloud.app(dyno.appId)),
      attach_url: null,
      command: dyno.command,
      name: dyno.name,
      release: { version: dyno.releaseVersion },
      size: dyno.size,
      state: dyno.state,
      type: dyno.type,
    };
  }

  domain(domain: Domain) {
    const certificate = this.cloud.state.certificates[domain.sniEndpointId ?? ""];
    return {
      id: domain.id,
      ...times(domain),
      acm_status: null,
      acm_status_reason: null,
      app: appRef(this.cloud.app(domain.appId)),
      cname: domain.cname,
      hostname: domain.hostname,
      kind: "custom",
      sni_endpoint: certificate === undefined ? null : { id: certificate.id, name: certificate.name },
      status: isPending(domain) ? "pending" : "succeeded",
    };
  }

  /** Secret and authorization are never handed back. */
  webhook(webhook: Webhook) {
    return {
      id: webhook.id,
      ...times(webhook),
      app: appRef(this.cloud.app(webhook.appId)),
      include: webhook.include,
      level: webhook.level,
      url: webhook.url,
    };
  }

  pipeline(pipeline: Pipeline) {
    return { id: pipeline.id, name: pipeline.name, owner: pipeline.owner, ...times(pipeline) };
  }

  coupling(coupling: Coupling) {
    return {
      id: coupling.id,
      ...times(coupling),
      app: { id: coupling.appId },
      pipeline: { id: coupling.pipelineId },
      stage: coupling.stage,
    };
  }
}
