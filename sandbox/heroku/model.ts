/** What the emulator remembers. Everything here is plain JSON: it is written to `state.json` after each change. */

export interface App {
  id: string;
  name: string;
  region: string;
  stack: string;
  /** Twelve hex digits behind the name in the host name that Heroku gives to new apps. */
  hostSuffix: string;
  /** Port of the app's own router on the loopback address; kept over restarts when it is still free. */
  routerPort: number;
  maintenance: boolean;
  acm: boolean;
  /** Config vars that people and programs set. Those of add-ons are derived from attachments. */
  vars: Record<string, string>;
  buildpacks: string[];
  enabledFeatures: string[];
  /** Slug of the current release; null while no code is deployed. */
  slugId: string | null;
  currentReleaseId: string | null;
  lastRelease: number;
  /** One sequence for backups, restores and copies of the app. */
  lastTransfer: number;
  createdAt: string;
  updatedAt: string;
  releasedAt: string | null;
}

export interface Slug {
  id: string;
  appId: string;
  /** Process types of the Procfile with their commands. */
  processTypes: Record<string, string>;
  sourceVersion: string | null;
  createdAt: string;
}

export type ReleaseStatus = "pending" | "succeeded" | "failed";

export interface Release {
  id: string;
  appId: string;
  version: number;
  description: string;
  status: ReleaseStatus;
  slugId: string | null;
  /** Config vars (without those of add-ons) as they stood with this release: a rollback restores them. */
  vars: Record<string, string>;
  /**
   * Config vars of add-ons at that time, each with its add-on's id: dynos run with those of the current release, so that
   * a promotion whose release command failed leaves the app on the old database. Absent in states of earlier versions.
   */
  addons?: Record<string, string>;
  /** Whether the release command ran, so that there is an output stream. */
  hasOutput: boolean;
  createdAt: string;
  updatedAt: string;
}

export interface Build {
  id: string;
  appId: string;
  status: ReleaseStatus;
  buildpacks: string[];
  sourceUrl: string;
  sourceVersion: string | null;
  sourceChecksum: string | null;
  slugId: string | null;
  releaseId: string | null;
  createdAt: string;
  updatedAt: string;
}

export interface Formation {
  id: string;
  appId: string;
  type: string;
  quantity: number;
  size: string;
  command: string;
  createdAt: string;
  updatedAt: string;
}

/** A login role and the database of the same add-on in the real server. */
export interface DatabaseLogin {
  database: string;
  user: string;
  password: string;
}

export type AddonState = "provisioning" | "provisioned";

export interface Addon {
  id: string;
  name: string;
  appId: string;
  service: string;
  /** Full name, for example `heroku-postgresql:essential-0`. */
  plan: string;
  state: AddonState;
  login: DatabaseLogin | null;
  createdAt: string;
  updatedAt: string;
}

export interface Attachment {
  id: string;
  name: string;
  appId: string;
  addonId: string;
  namespace: string | null;
  createdAt: string;
  updatedAt: string;
}

export interface Domain {
  id: string;
  appId: string;
  hostname: string;
  cname: string;
  sniEndpointId: string | null;
  createdAt: string;
  updatedAt: string;
}

/** Certificate chain as PEM, an SNI endpoint in Heroku's words. */
export interface Certificate {
  id: string;
  appId: string;
  name: string;
  chain: string;
  createdAt: string;
  updatedAt: string;
}

export interface Webhook {
  id: string;
  appId: string;
  include: string[];
  level: string;
  url: string;
  secret: string | null;
  authorization: string | null;
  createdAt: string;
  updatedAt: string;
}

export interface Drain {
  id: string;
  appId: string;
  url: string;
  token: string;
  createdAt: string;
  updatedAt: string;
}

export interface Pipeline {
  id: string;
  name: string;
  owner: { id: string; type: string };
  createdAt: string;
  updatedAt: string;
}

export interface Coupling {
  id: string;
  appId: string;
  pipelineId: string;
  stage: string;
  createdAt: string;
  updatedAt: string;
}

export interface TransferLog {
  created_at: string;
  level: "info" | "warn" | "error";
  message: string;
}

/**
 * One backup (pg_dump to gof3r), restore (gof3r or htcat to pg_restore) or copy (pg_dump to pg_restore); times are null
 * until they happen.
 */
export interface Transfer {
  uuid: string;
  num: number;
  /** Manual backups only: how many of them the plan keeps. */
  numKeep?: number;
  /** App whose sequence numbered it: the one that the add-on is billed to. */
  appId: string;
  addonId: string;
  fromType: "pg_dump" | "gof3r" | "htcat";
  fromName: string;
  fromUrl: string;
  toType: "gof3r" | "pg_restore";
  toName: string;
  toUrl: string;
  extensions: string[];
  scheduleId: string | null;
  createdAt: string;
  updatedAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  canceledAt: string | null;
  deletedAt: string | null;
  succeeded: boolean;
  warnings: number;
  processedBytes: number;
  sourceBytes: number;
  logs: TransferLog[];
}

export interface Schedule {
  uuid: string;
  addonId: string;
  name: string;
  /** As it was sent, for example "02". */
  hour: string;
  timezone: string;
  lastRunAt: string | null;
  createdAt: string;
  updatedAt: string;
  deletedAt: string | null;
}

export interface State {
  format: 1;
  /** Key that signs public URLs of backups and upload addresses of sources. */
  urlKey: string;
  account: { id: string; email: string };
  /** Valid API keys after a rotation; null means those of the configuration. */
  apiKeys: string[] | null;
  apps: Record<string, App>;
  slugs: Record<string, Slug>;
  releases: Record<string, Release>;
  builds: Record<string, Build>;
  formations: Record<string, Formation>;
  addons: Record<string, Addon>;
  attachments: Record<string, Attachment>;
  domains: Record<string, Domain>;
  certificates: Record<string, Certificate>;
  webhooks: Record<string, Webhook>;
  drains: Record<string, Drain>;
  pipelines: Record<string, Pipeline>;
  couplings: Record<string, Coupling>;
  transfers: Record<string, Transfer>;
  schedules: Record<string, Schedule>;
}
