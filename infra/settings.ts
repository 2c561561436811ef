/** A stack's configuration, read once and validated before anything is created. */
import type { z } from "zod";
import { type RetentionDays, resolveRetention } from "../backup/classes";
import { InputError } from "../backup/errors";
import { configProblems } from "../components/config-vars";
import { KEYS, KEYS_OF_ROLE, type Key, ROLES, type Role, SECRET_KEYS, TEXT_KEYS } from "./schema";

/** Prefix of the project's own keys. Others belong to providers, which check theirs. */
export const NAMESPACE = "usc-pis";
/** Regions that the project was planned for: near Manila, and neither of them Heroku's. */
export const DEFAULT_REGIONS = { primaryRegion: "ap-southeast-1", replicaRegion: "ap-northeast-1" } as const;
/** Region of AWS in which each of Heroku's regions runs. */
const HEROKU_RUNS_IN: Readonly<Record<"us" | "eu", string>> = { us: "us-east-1", eu: "eu-west-1" };

type Value<K extends Key> = z.infer<(typeof KEYS)[K]>;

/** What every role has. */
export interface CommonSettings {
  system: string;
  aws: Value<"aws">;
  /** Whether data are protected from the engine. @default true */
  protect: boolean;
  retentionDays: RetentionDays;
}

export interface VaultSettings extends CommonSettings {
  role: "vault";
}

/** Roles with an app. */
export interface ServiceSettings extends CommonSettings {
  role: "primary" | "recovery";
  app: Value<"app">;
  release: Value<"release">;
  config: Record<string, string>;
  /** Values are secrets. */
  secretConfig: Record<string, string>;
  backup: { minute: number; captureIntervalMinutes: number; herokuSchedule: string; side: "primary" | "replica" };
  /** Secrets: addresses of people. */
  alerts: string[];
  cloudinary: Value<"cloudinary">;
  /** A secret. */
  cloudinaryApiSecret: string;
  /** A secret. */
  herokuApiKey: string;
  /** Which backup a recovery takes; always empty on the primary. */
  restore: Value<"restore">;
  endpoints: Value<"endpoints">;
}

export type Settings = VaultSettings | ServiceSettings;

/**
 * Parses the configuration of a stack.
 * @param raw full keys (`usc-pis:role`) with their text, as the engine hands them over.
 * @param stack name, for messages.
 * @param encrypted full keys that are encrypted in the stack file. @default not checked
 * @throws InputError naming all problems at once: each key, its value (never a secret's) and what was expected.
 */
export function parseSettings(raw: Record<string, string>, stack: string, encrypted?: ReadonlySet<string>): Settings {
  const problems: string[] = [];
  const own = ownKeys(raw);
  const role = readRole(own, problems);
  if (role) checkKeys(own, role, problems, encrypted);
  const values: Partial<Record<Key, unknown>> = {};
  for (const [key, value] of own) if (isKey(key)) values[key] = parseValue(key, value, problems);
  if (problems.length === 0 && role) {
    const settings = complete(role, values);
    problems.push(...crossChecks(settings));
    if (problems.length === 0) return settings;
  }
  throw new InputError(
    [`configuration of stack ${stack} is not valid:`, ...problems.map((problem) => `  - ${problem}`)].join("\n"),
    { hint: `edit Pulumi.${stack}.yaml, or pulumi config set [--secret] ${NAMESPACE}:KEY VALUE` },
  );
}

function ownKeys(raw: Record<string, string>): Map<string, string> {
  const prefix = `${NAMESPACE}:`;
  return new Map(
    Object.entries(raw)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

function readRole(own: Map<string, string>, problems: string[]): Role | undefined {
  const value = own.get("role");
  const role = ROLES.find((each) => each === value);
  if (value === undefined) problems.push(`${NAMESPACE}:role is missing, expected one of ${ROLES.join(", ")}`);
  return role;
}

function checkKeys(own: Map<string, string>, role: Role, problems: string[], encrypted?: ReadonlySet<string>): void {
  const { required, optional } = KEYS_OF_ROLE[role];
  const known = new Set<string>([...required, ...optional]);
  for (const key of own.keys()) {
    if (!isKey(key)) problems.push(`${NAMESPACE}:${key} is unknown, expected one of ${[...known].join(", ")}`);
    else if (!known.has(key))
      problems.push(`${NAMESPACE}:${key} means nothing to role ${role}, expected it to be absent`);
  }
  for (const key of required) {
    if (own.has(key)) continue;
    const how = SECRET_KEYS.has(key) ? ` a secret: pulumi config set --secret ${NAMESPACE}:${key}` : " a value";
    problems.push(`${NAMESPACE}:${key} is missing, expected${how}`);
  }
  if (!encrypted) return;
  for (const key of SECRET_KEYS) {
    if (own.has(key) && !encrypted.has(`${NAMESPACE}:${key}`)) {
      problems.push(`${NAMESPACE}:${key} is in plain text, expected it to be set with --secret`);
    }
  }
}

function parseValue(key: Key, value: string, problems: string[]): unknown {
  let data: unknown = value;
  if (!TEXT_KEYS.has(key)) {
    try {
      data = JSON.parse(value);
    } catch {
      problems.push(
        `${NAMESPACE}:${key}${shown(key, value)}, expected ${key === "protect" ? "true or false" : "JSON"}`,
      );
      return undefined;
    }
  }
  const parsed = KEYS[key].safeParse(data);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) problems.push(describe(key, data, issue));
  return undefined;
}

/** One line: key with the path inside it, the value there, what was expected. */
function describe(key: Key, data: unknown, issue: z.core.$ZodIssue): string {
  const at = (path: readonly PropertyKey[]) => [`${NAMESPACE}:${key}`, ...path.map(String)].join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => `${at([...issue.path, name])} is unknown, expected it to be absent`).join("\n  - ");
  }
  const found = issue.path.reduce<unknown>((value, step) => (value as Record<PropertyKey, unknown>)?.[step], data);
  if (found === undefined) return `${at(issue.path)} is missing, ${expected(issue)}`;
  return `${at(issue.path)}${shown(key, found)}, ${expected(issue)}`;
}

function expected(issue: z.core.$ZodIssue): string {
  return issue.message.startsWith("expected") ? issue.message : `expected something else: ${issue.message}`;
}

/** The value for a message; a secret's is never shown. */
function shown(key: Key, value: unknown): string {
  return SECRET_KEYS.has(key)
    ? " has a value that is not accepted (secret, not shown)"
    : ` is ${JSON.stringify(value)}`;
}

function complete(role: Role, values: Partial<Record<Key, unknown>>): Settings {
  const given = values as { [K in Key]?: Value<K> };
  const common = {
    system: given.system ?? "usc-pis",
    aws: given.aws ?? { ...DEFAULT_REGIONS },
    protect: given.protect ?? true,
    retentionDays: resolveRetention(given.backup?.retentionDays),
  };
  if (role === "vault") return { role, ...common };
  return {
    role,
    ...common,
    // Presence was checked by role.
    app: given.app as Value<"app">,
    release: given.release as Value<"release">,
    config: given.config ?? {},
    secretConfig: given.secretConfig ?? {},
    backup: {
      minute: given.backup?.minute ?? 17,
      captureIntervalMinutes: given.backup?.captureIntervalMinutes ?? 60,
      herokuSchedule: given.backup?.herokuSchedule ?? "02:00 UTC",
      side: given.backup?.side ?? "primary",
    },
    alerts: given.alerts ?? [],
    cloudinary: given.cloudinary as Value<"cloudinary">,
    cloudinaryApiSecret: given.cloudinaryApiSecret ?? "",
    herokuApiKey: given.herokuApiKey ?? "",
    restore: given.restore ?? {},
    endpoints: given.endpoints ?? {},
  };
}

/** What only shows when several keys are seen together. */
function crossChecks(settings: Settings): string[] {
  if (settings.role === "vault") return [];
  return [...regionChecks(settings), ...configChecks(settings)];
}

function regionChecks({ app, aws }: ServiceSettings): string[] {
  const taken = HEROKU_RUNS_IN[app.region];
  return (["primaryRegion", "replicaRegion"] as const)
    .filter((key) => aws[key] === taken)
    .map(
      (key) => `${NAMESPACE}:aws.${key} is "${taken}", expected another region: Heroku's "${app.region}" runs there`,
    );
}

function configChecks(settings: ServiceSettings): string[] {
  const { role, config, secretConfig } = settings;
  const problems: string[] = [];
  for (const [name, where] of [
    ...Object.keys(config).map((name) => [name, "config"] as const),
    ...Object.keys(secretConfig).map((name) => [name, "secretConfig"] as const),
  ]) {
    if (name.startsWith("CLOUDINARY_")) {
      problems.push(`${NAMESPACE}:${where}.${name} is set, expected it to be absent: ${NAMESPACE}:cloudinary says it`);
    }
  }
  if (config.DEBUG !== undefined && config.DEBUG !== "False") {
    problems.push(
      `${NAMESPACE}:config.DEBUG is ${JSON.stringify(config.DEBUG)}, expected "False": it shows patients' data`,
    );
  }
  if (role === "recovery" && "SECRET_KEY" in secretConfig) {
    problems.push(`${NAMESPACE}:secretConfig.SECRET_KEY is set, expected it to be absent: a recovery makes a new one`);
  }
  if (problems.length > 0) return problems;
  const { plain, secret } = appConfig(settings);
  return configProblems({ plain, secret }).map((problem) => `${NAMESPACE}:secretConfig or config: ${problem}`);
}

/** The configured variables together with those that other keys say. SECRET_KEY of a recovery is made by the program. */
export function appConfig(settings: ServiceSettings): {
  plain: Record<string, string>;
  secret: Record<string, string>;
} {
  const { role, config, secretConfig, cloudinary, cloudinaryApiSecret } = settings;
  return {
    plain: { ...config, CLOUDINARY_CLOUD_NAME: cloudinary.cloudName },
    secret: {
      ...secretConfig,
      CLOUDINARY_API_KEY: cloudinary.apiKey,
      CLOUDINARY_API_SECRET: cloudinaryApiSecret,
      ...(role === "recovery" ? { SECRET_KEY: "" } : {}),
    },
  };
}

function isKey(key: string): key is Key {
  return Object.hasOwn(KEYS, key);
}
