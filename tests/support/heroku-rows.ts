import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Properties } from "../../sandbox/plugins/core/values";

/** The life of one resource type: what each step sends, exactly, and what the state holds then. */
export interface Row {
  type: string;
  inputs: Properties;
  created: string[];
  id: string;
  /** Every property of the state, but for `__meta`. */
  state: Properties;
  /** Properties that are secret although the program does not say so. */
  secret?: string[];
  schemaVersion: number;
  refreshed: string[];
  update?: { inputs: Properties; sent: string[] };
  /** Inputs whose change replaces it, and no others. */
  replace: Properties;
  imported?: { id: string; sent: string[] };
  deleted: string[];
}

const RELEASE = ["GET /apps/APP/releases", "GET /apps/APP/releases/RELEASE"];
const LOOK = ["GET /apps/APP", "GET /apps/APP/buildpack-installations", "GET /apps/APP/config-vars"];
const OTHER = "11111111-2222-4333-8444-555555555555";

/**
 * One row a resource type, with names in place of ids (heroku-everything.ts).
 *
 * @param path of a tarball that is to be built
 */
export function herokuRows(path: string): Row[] {
  const checksum = `SHA256:${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
  return [
    {
      type: "app:App",
      inputs: {
        name: "usc-pis",
        region: "us",
        stack: "heroku-24",
        buildpacks: ["heroku/nodejs"],
        sensitiveConfigVars: { KEY: "hush" },
        acm: true,
      },
      created: [
        'POST /apps {"name":"usc-pis","region":"us","stack":"heroku-24"}',
        'PATCH /apps/APP/config-vars {"KEY":"hush"}',
        ...RELEASE,
        'PUT /apps/APP/buildpack-installations {"updates":[{"buildpack":"heroku/nodejs"}]}',
        "POST /apps/APP/acm",
        ...LOOK,
      ],
      id: "APP",
      state: {
        name: "usc-pis",
        region: "us",
        stack: "heroku-24",
        buildpacks: ["heroku/nodejs"],
        acm: true,
        configVars: {},
        sensitiveConfigVars: { KEY: "hush" },
        allConfigVars: { KEY: "hush" },
        appId: "APP",
        uuid: "APP",
        generation: "cedar",
        gitUrl: "https://git.heroku.com/usc-pis.git",
        webUrl: "https://usc-pis-0123456789ab.herokuapp.com/",
        herokuHostname: "usc-pis-0123456789ab.herokuapp.com",
        internalRouting: false,
      },
      secret: ["allConfigVars", "sensitiveConfigVars"],
      schemaVersion: 1,
      refreshed: ["GET /apps/APP", ...LOOK],
      update: {
        inputs: { name: "other", buildpacks: [], sensitiveConfigVars: { NEW: "1" }, acm: false },
        sent: [
          'PATCH /apps/APP {"name":"other"}',
          'PUT /apps/APP/buildpack-installations {"updates":[]}',
          'PATCH /apps/APP/config-vars {"KEY":null,"NEW":"1"}',
          ...RELEASE,
          "DELETE /apps/APP/acm",
          ...LOOK,
        ],
      },
      replace: { region: "eu" },
      imported: { id: "usc-pis", sent: ["GET /apps/usc-pis", ...LOOK, "GET /apps/APP", ...LOOK] },
      deleted: ["DELETE /apps/APP"],
    },
    {
      type: "addon:Addon",
      inputs: { appId: "APP", plan: "heroku-postgresql:essential-0", name: "usc-pis-db", config: { version: "16" } },
      created: [
        "GET /apps/APP",
        'POST /apps/APP/addons {"plan":"heroku-postgresql:essential-0","confirm":"usc-pis","config":{"version":"16"},"name":"usc-pis-db"}',
        "GET /apps/APP/addons/ADDON",
        "GET /apps/APP/addons/ADDON",
        "GET /apps/APP/config-vars",
        "GET /addons/ADDON",
        "GET /apps/APP/config-vars",
      ],
      id: "ADDON",
      state: {
        appId: "APP",
        plan: "heroku-postgresql:essential-0",
        name: "usc-pis-db",
        config: { version: "16" },
        addonId: "ADDON",
        providerId: "p",
        configVars: ["DATABASE_URL"],
        configVarValues: { DATABASE_URL: "postgres://secret" },
      },
      secret: ["configVarValues"],
      schemaVersion: 3,
      refreshed: ["GET /addons/ADDON", "GET /addons/ADDON", "GET /apps/APP/config-vars"],
      update: {
        inputs: { name: "usc-pis-other" },
        sent: [
          'PATCH /apps/APP/addons/ADDON {"plan":"","name":"usc-pis-other"}',
          "GET /addons/ADDON",
          "GET /apps/APP/config-vars",
        ],
      },
      replace: { appId: OTHER, config: { version: "17" } },
      imported: {
        id: "usc-pis-db",
        sent: ["GET /addons/usc-pis-db", "GET /addons/usc-pis-db", "GET /apps/APP/config-vars"],
      },
      deleted: ["DELETE /apps/APP/addons/ADDON"],
    },
    {
      type: "addonAttachment:AddonAttachment",
      inputs: { appId: "APP", addonId: "ADDON", name: "DB" },
      created: [
        'POST /addon-attachments {"addon":"ADDON","app":"APP","name":"DB"}',
        "GET /addon-attachments/ATTACHMENT",
      ],
      id: "ATTACHMENT",
      state: { appId: "APP", addonId: "ADDON", name: "DB", namespace: "", addonAttachmentId: "ATTACHMENT" },
      schemaVersion: 1,
      refreshed: ["GET /addon-attachments/ATTACHMENT"],
      replace: { appId: OTHER, addonId: OTHER, name: "OTHER", namespace: "other" },
      imported: { id: "ATTACHMENT", sent: ["GET /addon-attachments/ATTACHMENT"] },
      deleted: ["DELETE /addon-attachments/ATTACHMENT"],
    },
    {
      type: "appConfigAssociation:AppConfigAssociation",
      inputs: { appId: "APP", vars: { A: "1", B: "2" }, sensitiveVars: { C: "3" } },
      created: ['PATCH /apps/APP/config-vars {"A":"1","B":"2","C":"3"}', ...RELEASE, "GET /apps/APP/config-vars"],
      id: "config:APP",
      state: {
        appId: "APP",
        vars: { A: "1", B: "2" },
        sensitiveVars: { C: "3" },
        appConfigAssociationId: "config:APP",
      },
      secret: ["sensitiveVars"],
      schemaVersion: 0,
      refreshed: ["GET /apps/APP/config-vars"],
      update: {
        inputs: { vars: { A: "1" } },
        sent: ['PATCH /apps/APP/config-vars {"A":"1","B":null}', ...RELEASE, "GET /apps/APP/config-vars"],
      },
      replace: {},
      deleted: ['PATCH /apps/APP/config-vars {"A":null,"B":null,"C":null}', ...RELEASE],
    },
    {
      type: "appFeature:AppFeature",
      inputs: { appId: "APP", name: "runtime-dyno-metadata" },
      created: ['PATCH /apps/APP/features/runtime-dyno-metadata {"enabled":true}', "GET /apps/APP/features/FEATURE"],
      id: "APP:FEATURE",
      state: { appId: "APP", name: "runtime-dyno-metadata", enabled: true, appFeatureId: "APP:FEATURE" },
      schemaVersion: 1,
      refreshed: ["GET /apps/APP/features/FEATURE"],
      update: {
        inputs: { enabled: false },
        sent: ['PATCH /apps/APP/features/runtime-dyno-metadata {"enabled":false}', "GET /apps/APP/features/FEATURE"],
      },
      replace: { appId: OTHER, name: "other" },
      imported: { id: "APP:FEATURE", sent: ["GET /apps/APP/features/FEATURE", "GET /apps/APP/features/FEATURE"] },
      deleted: ['PATCH /apps/APP/features/FEATURE {"enabled":false}'],
    },
    {
      type: "build:Build",
      inputs: { appId: "APP", source: { path, version: "v1" }, buildpacks: ["https://buildpack"] },
      created: [
        "GET /apps/APP",
        "POST /sources",
        "PUT /put tar",
        `POST /apps/APP/builds {"source_blob":{"url":"https://get","version":"v1","checksum":"${checksum}"},"buildpacks":[{"url":"https://buildpack"}]}`,
        "GET /apps/APP/builds/BUILD",
        "GET /apps/APP/builds/BUILD",
      ],
      id: "BUILD",
      state: {
        appId: "APP",
        source: { path, version: "v1", url: "", checksum: "" },
        buildpacks: ["https://buildpack"],
        buildId: "BUILD",
        uuid: "BUILD",
        localChecksum: checksum,
        outputStreamUrl: "https://out",
        releaseId: "RELEASE",
        slugId: "SLUG",
        stack: "heroku-24",
        status: "succeeded",
        users: [{ id: "ME", email: "a@b.c" }],
      },
      schemaVersion: 1,
      refreshed: ["GET /apps/APP/builds/BUILD"],
      replace: { appId: OTHER, source: { path, version: "v2" }, buildpacks: ["https://other"] },
      imported: { id: "usc-pis:BUILD", sent: ["GET /apps/usc-pis/builds/BUILD", "GET /apps/APP/builds/BUILD"] },
      deleted: [],
    },
    {
      type: "formation:Formation",
      inputs: { appId: "APP", type: "web", quantity: 1, size: "basic" },
      created: [
        "GET /apps/APP",
        'PATCH /apps/APP/formation/web {"dyno_size":{"name":"basic"},"quantity":1}',
        "GET /apps/APP/formation/FORMATION",
      ],
      id: "FORMATION",
      state: { appId: "APP", type: "web", quantity: 1, size: "Basic", formationId: "FORMATION" },
      schemaVersion: 1,
      refreshed: ["GET /apps/APP/formation/FORMATION"],
      update: {
        inputs: { quantity: 0 },
        sent: ["GET /apps/APP", 'PATCH /apps/APP/formation/web {"quantity":0}', "GET /apps/APP/formation/FORMATION"],
      },
      replace: { appId: OTHER },
      imported: {
        id: "usc-pis:web",
        sent: ["GET /apps/usc-pis/formation/web", "GET /apps/APP/formation/FORMATION"],
      },
      deleted: [],
    },
    {
      type: "domain:Domain",
      inputs: { appId: "APP", hostname: "clinic.example.org" },
      created: ['POST /apps/APP/domains {"hostname":"clinic.example.org","sni_endpoint":null}', "GET /apps/APP"],
      id: "DOMAIN",
      state: { appId: "APP", hostname: "clinic.example.org", cname: "x.herokudns.com", domainId: "DOMAIN" },
      schemaVersion: 1,
      refreshed: ["GET /apps/APP/domains/DOMAIN", "GET /apps/APP"],
      update: {
        inputs: { sniEndpointId: "sni" },
        sent: ['PATCH /apps/APP/domains/DOMAIN {"sni_endpoint":"sni"}', "GET /apps/APP"],
      },
      replace: { appId: OTHER, hostname: "other.example.org" },
      imported: {
        id: "usc-pis:DOMAIN",
        sent: ["GET /apps/usc-pis/domains/DOMAIN", "GET /apps/APP", "GET /apps/APP/domains/DOMAIN", "GET /apps/APP"],
      },
      deleted: ["DELETE /apps/APP/domains/DOMAIN"],
    },
    {
      type: "appWebhook:AppWebhook",
      inputs: { appId: "APP", level: "notify", includes: ["api:release"], url: "https://x", secret: "s" },
      created: ['POST /apps/APP/webhooks {"include":["api:release"],"level":"notify","url":"https://x","secret":"s"}'],
      id: "WEBHOOK",
      state: {
        appId: "APP",
        level: "notify",
        includes: ["api:release"],
        url: "https://x",
        secret: "s",
        appWebhookId: "WEBHOOK",
      },
      secret: ["secret"],
      schemaVersion: 0,
      refreshed: ["GET /apps/APP/webhooks/WEBHOOK"],
      update: {
        inputs: { level: "sync", secret: undefined, authorization: "a" },
        sent: ['PATCH /apps/APP/webhooks/WEBHOOK {"level":"sync","authorization":"a"}'],
      },
      replace: { appId: OTHER },
      imported: {
        id: "usc-pis:WEBHOOK",
        sent: ["GET /apps/usc-pis/webhooks/WEBHOOK", "GET /apps/APP/webhooks/WEBHOOK"],
      },
      deleted: ["DELETE /apps/APP/webhooks/WEBHOOK"],
    },
    {
      type: "drain:Drain",
      inputs: { appId: "APP", sensitiveUrl: "https://user:pass@x" },
      created: [
        "GET /apps/APP",
        'POST /apps/APP/log-drains {"url":"https://user:pass@x"}',
        "GET /apps/APP/log-drains/DRAIN",
      ],
      id: "DRAIN",
      state: { appId: "APP", sensitiveUrl: "https://user:pass@x", token: "d.token", drainId: "DRAIN" },
      secret: ["sensitiveUrl"],
      schemaVersion: 1,
      refreshed: ["GET /apps/APP/log-drains/DRAIN"],
      replace: { appId: OTHER, sensitiveUrl: "https://other" },
      imported: {
        id: "APP:DRAIN:sensitive",
        sent: ["GET /apps/APP/log-drains/DRAIN", ...LOOK, "GET /apps/APP/log-drains/DRAIN"],
      },
      deleted: ["DELETE /apps/APP/log-drains/DRAIN"],
    },
    {
      type: "pipeline:Pipeline",
      inputs: { name: "usc-pis" },
      created: [
        "GET /account",
        'POST /pipelines {"name":"usc-pis","owner":{"id":"ME","type":"user"}}',
        "GET /pipelines/PIPELINE",
      ],
      id: "PIPELINE",
      state: { name: "usc-pis", owner: { id: "ME", type: "user" }, pipelineId: "PIPELINE" },
      schemaVersion: 0,
      refreshed: ["GET /pipelines/PIPELINE"],
      update: {
        inputs: { name: "other" },
        sent: ['PATCH /pipelines/PIPELINE {"name":"other"}', "GET /pipelines/PIPELINE"],
      },
      replace: { owner: { id: OTHER, type: "team" } },
      imported: { id: "usc-pis", sent: ["GET /pipelines/usc-pis", "GET /pipelines/PIPELINE"] },
      deleted: ["DELETE /pipelines/PIPELINE"],
    },
    {
      type: "pipelineCoupling:PipelineCoupling",
      inputs: { appId: "APP", pipeline: "PIPELINE", stage: "production" },
      created: [
        'POST /pipeline-couplings {"app":"APP","pipeline":"PIPELINE","stage":"production"}',
        "GET /pipeline-couplings/COUPLING",
      ],
      id: "COUPLING",
      state: { appId: "APP", pipeline: "PIPELINE", stage: "production", pipelineCouplingId: "COUPLING" },
      schemaVersion: 1,
      refreshed: ["GET /pipeline-couplings/COUPLING"],
      replace: { appId: OTHER, pipeline: OTHER, stage: "staging" },
      imported: { id: "COUPLING", sent: ["GET /pipeline-couplings/COUPLING"] },
      deleted: ["DELETE /pipeline-couplings/COUPLING"],
    },
  ];
}
