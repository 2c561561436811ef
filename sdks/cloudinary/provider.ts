/**
 * The dynamic providers behind `UploadPreset` and `Trigger`.
 *
 * Pulumi writes this code into the state as text, with everything that it refers to. So: helpers lie in this file and refer
 * to nothing outside it, the SDK is required inside the methods, and the API's secret is read in `configure` only, into
 * `account`, which is set in the provider's process and never in the program's.
 */
import type { dynamic } from "@pulumi/pulumi";

/** Where and as whom to call Cloudinary. */
interface Account {
  cloudName: string;
  apiKey: string;
  apiSecret: string;
  /** Base of the API without a trailing slash. */
  uploadPrefix: string;
}

type Properties = Record<string, unknown>;

/** Names of preset settings: ours and Cloudinary's. */
function settingNames(): Record<string, string> {
  return {
    folder: "folder",
    allowedFormats: "allowed_formats",
    tags: "tags",
    backup: "backup",
    overwrite: "overwrite",
    uniqueFilename: "unique_filename",
    useFilename: "use_filename",
    disallowPublicId: "disallow_public_id",
  };
}

/**
 * Credentials: the provider's own configuration (`cloudinary:cloudName`, `apiKey`, `apiSecret`, `uploadPrefix`), else the
 * project's (`cloudinary` with cloudName and apiKey, the secret `cloudinaryApiSecret`, `endpoints.cloudinaryUploadPrefix`),
 * else CLOUDINARY_URL. Configuration comes first: a stack must not reach another account because of a variable left set.
 */
function accountOf(config: dynamic.Config): Account {
  const object = (key: string): Record<string, string | undefined> => {
    const value: unknown = config.get(key);
    return (typeof value === "string" ? JSON.parse(value) : (value ?? {})) as Record<string, string | undefined>;
  };
  const project = object("cloudinary");
  const variable = process.env.CLOUDINARY_URL ? new URL(process.env.CLOUDINARY_URL) : undefined;
  const prefix =
    config.get("cloudinary:uploadPrefix") ??
    object("endpoints").cloudinaryUploadPrefix ??
    variable?.searchParams.get("upload_prefix") ??
    "https://api.cloudinary.com";
  const account = {
    cloudName: config.get("cloudinary:cloudName") ?? project.cloudName ?? variable?.hostname ?? "",
    apiKey: String(config.get("cloudinary:apiKey") ?? project.apiKey ?? variable?.username ?? ""),
    apiSecret:
      config.get("cloudinary:apiSecret") ??
      config.get("cloudinaryApiSecret") ??
      decodeURIComponent(variable?.password ?? ""),
    uploadPrefix: prefix.replace(/\/+$/, ""),
  };
  for (const key of ["cloudName", "apiKey", "apiSecret"] as const) {
    if (account[key] === "") {
      throw new Error(
        `cloudinary: ${key} is missing; set cloudinary:${key} in the stack's configuration (apiSecret with --secret) or CLOUDINARY_URL`,
      );
    }
  }
  return account;
}

/** Guards against credentials of another product environment than the one that the resource belongs to. */
function requireCloud(account: Account | undefined, wanted: unknown): Account {
  if (account === undefined) throw new Error("cloudinary: the provider was not configured");
  if (wanted !== undefined && wanted !== account.cloudName) {
    throw new Error(
      `cloudinary: the resource belongs to cloud ${wanted}, but the credentials are of ${account.cloudName}`,
    );
  }
  return account;
}

/** What the state keeps: the inputs, where they apply, and whether the resource was there before (which nothing changes). */
function outputs(account: Account, inputs: Properties, olds: Properties = {}): Properties {
  return { ...inputs, cloudName: account.cloudName, adopted: olds.adopted === true };
}

/**
 * Who may delete; nobody what was taken over, since it may be another stack's too. After a move to another product environment nobody: what was left in the old one holds no data, and must
 * not block the move when that one is lost.
 */
function accountToDelete(account: Account | undefined, what: string, props: Properties = {}): Account | undefined {
  const { cloudName, adopted } = props;
  if (account !== undefined && cloudName !== undefined && cloudName !== account.cloudName) {
    console.error(`cloudinary: ${what} stays in cloud ${cloudName}: the credentials are of ${account.cloudName}`);
    return undefined;
  }
  if (adopted === true) {
    console.error(`cloudinary: ${what} stays: it was there before this stack took it over`);
    return undefined;
  }
  return requireCloud(account, cloudName);
}

/** Calls one method of the official SDK's Admin API. Answers undefined on 404. Its errors carry the secret: not ours. */
async function admin(
  account: Account,
  method: string,
  args: unknown[],
  options: Properties,
): Promise<Properties | undefined> {
  // The SDK chooses http or https while it is loaded, from its configuration: that comes first.
  require("cloudinary/lib/config")({ upload_prefix: account.uploadPrefix, hide_sensitive: true });
  const api = require("cloudinary").v2.api;
  try {
    return await api[method](...args, {
      ...options,
      cloud_name: account.cloudName,
      api_key: account.apiKey,
      api_secret: account.apiSecret,
      upload_prefix: account.uploadPrefix,
    });
  } catch (thrown) {
    const failure = thrown as { error?: { message?: string; http_code?: number }; message?: string };
    if (failure.error?.http_code === 404) return undefined;
    const status = failure.error?.http_code === undefined ? "" : ` (HTTP ${failure.error.http_code})`;
    throw new Error(`cloudinary: ${method} failed${status}: ${failure.error?.message ?? failure.message}`);
  }
}

/** Calls the REST API of triggers, which the SDK lacks. Answers undefined on 404. */
async function rest(
  account: Account,
  method: string,
  path: string,
  form?: Record<string, string>,
): Promise<Properties | undefined> {
  const response = await fetch(`${account.uploadPrefix}/v1_1/${account.cloudName}/${path}`, {
    method,
    headers: { authorization: `Basic ${Buffer.from(`${account.apiKey}:${account.apiSecret}`).toString("base64")}` },
    body: form === undefined ? undefined : new URLSearchParams(form),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  if (response.status === 404) return undefined;
  if (!response.ok)
    throw new Error(`cloudinary: ${method} ${path} failed (HTTP ${response.status}): ${text.slice(0, 300)}`);
  return JSON.parse(text) as Properties;
}

interface ListedTrigger {
  id: string;
  uri: string;
  event_type: string;
}

/** All triggers: there is no call for a single one. */
async function listTriggers(account: Account): Promise<ListedTrigger[]> {
  const answer = await rest(account, "GET", "triggers");
  return (answer?.triggers ?? []) as ListedTrigger[];
}

/** Our properties of a preset as Cloudinary shows it. */
function presetProperties(account: Account, preset: Properties): Properties {
  const settings = (preset.settings ?? {}) as Properties;
  const properties: Properties = {
    name: preset.name,
    unsigned: preset.unsigned === true,
    cloudName: account.cloudName,
  };
  for (const [ours, theirs] of Object.entries(settingNames())) {
    const value = settings[theirs];
    if (value === undefined || value === null) continue;
    const isList = ours === "allowedFormats" || ours === "tags";
    properties[ours] = isList && typeof value === "string" ? value.split(",") : value;
  }
  return properties;
}

/** Cloudinary's settings for our properties: all of them, so that it does not matter whether it merges or replaces. */
function presetOptions(inputs: Properties): Properties {
  const options: Properties = { unsigned: inputs.unsigned === true };
  for (const [ours, theirs] of Object.entries(settingNames())) {
    if (inputs[ours] !== undefined) options[theirs] = inputs[ours];
  }
  return options;
}

/** Names of the properties that differ; a property absent on both sides, or only by its order of keys, does not. */
function changed(olds: Properties, news: Properties, keys: string[]): string[] {
  return keys.filter((key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]));
}

export interface ConfiguredProvider extends dynamic.ResourceProvider {
  account: Account | undefined;
}

/** The provider of upload presets. Their id is their name. */
export function uploadPresetProvider(): ConfiguredProvider {
  return {
    account: undefined,
    async configure(request) {
      this.account = accountOf(request.config);
    },
    async check(_olds, news) {
      return {
        inputs: { ...news, unsigned: news.unsigned ?? false, cloudName: news.cloudName ?? this.account?.cloudName },
      };
    },
    async diff(_id, olds, news) {
      const replaces = changed(olds, news, ["name", "cloudName"]);
      const keys = changed(olds, news, ["unsigned", ...Object.keys(settingNames())]);
      return { changes: replaces.length + keys.length > 0, replaces, deleteBeforeReplace: false };
    },
    async create(inputs) {
      const account = requireCloud(this.account, inputs.cloudName);
      // Dynamic resources can't be imported (the engine's read carries no code), and after a loss of the state they exist.
      const existing =
        inputs.adopt && (await admin(account, "update_upload_preset", [inputs.name], presetOptions(inputs)));
      if (!existing) await admin(account, "create_upload_preset", [], { ...presetOptions(inputs), name: inputs.name });
      return { id: inputs.name, outs: outputs(account, inputs, { adopted: Boolean(existing) }) };
    },
    async read(id, props) {
      const account = requireCloud(this.account, props?.cloudName);
      const preset = await admin(account, "upload_preset", [id], {});
      if (preset === undefined) return { id: "" };
      const properties = presetProperties(account, { ...preset, name: id });
      return { id, props: outputs(account, properties, props), inputs: properties };
    },
    async update(id, olds, news) {
      const account = requireCloud(this.account, news.cloudName);
      const updated = await admin(account, "update_upload_preset", [id], presetOptions(news));
      if (updated === undefined) throw new Error(`cloudinary: upload preset ${id} is gone; run pulumi refresh`);
      return { outs: outputs(account, news, olds) };
    },
    async delete(id, props) {
      const account = accountToDelete(this.account, `upload preset ${id}`, props);
      if (account !== undefined) await admin(account, "delete_upload_preset", [id], {});
    },
  };
}

/** The provider of webhook triggers. Their id is Cloudinary's. */
export function triggerProvider(): ConfiguredProvider {
  return {
    account: undefined,
    async configure(request) {
      this.account = accountOf(request.config);
    },
    async check(_olds, news) {
      return { inputs: { ...news, cloudName: news.cloudName ?? this.account?.cloudName } };
    },
    async diff(_id, olds, news) {
      const replaces = changed(olds, news, ["eventType", "cloudName"]);
      return { changes: replaces.length + changed(olds, news, ["uri"]).length > 0, replaces };
    },
    async create(inputs) {
      const account = requireCloud(this.account, inputs.cloudName);
      const same = (one: ListedTrigger) => one.uri === inputs.uri && one.event_type === inputs.eventType;
      const existing = inputs.adopt ? (await listTriggers(account)).find(same) : undefined;
      const form = { uri: inputs.uri, event_type: inputs.eventType };
      const trigger = existing ?? (await rest(account, "POST", "triggers", form));
      if (typeof trigger?.id !== "string") throw new Error("cloudinary: the new trigger has no id in the answer");
      return { id: trigger.id, outs: outputs(account, inputs, { adopted: existing !== undefined }) };
    },
    async read(id, props) {
      const account = requireCloud(this.account, props?.cloudName);
      const trigger = (await listTriggers(account)).find((one) => one.id === id);
      if (trigger === undefined) return { id: "" };
      const properties = { uri: trigger.uri, eventType: trigger.event_type, cloudName: account.cloudName };
      return { id, props: outputs(account, properties, props), inputs: properties };
    },
    async update(id, olds, news) {
      const account = requireCloud(this.account, news.cloudName);
      const updated = await rest(account, "PUT", `triggers/${id}`, { new_uri: news.uri });
      if (updated === undefined) throw new Error(`cloudinary: trigger ${id} is gone; run pulumi refresh`);
      return { outs: outputs(account, news, olds) };
    },
    async delete(id, props) {
      const account = accountToDelete(this.account, `trigger ${id}`, props);
      if (account !== undefined) await rest(account, "DELETE", `triggers/${id}`);
    },
  };
}
