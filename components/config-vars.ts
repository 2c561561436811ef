/** Configuration variables of the app, by class (facts of the application, May 2026), and how a whole set is composed. */
import { InputError } from "../backup/errors";

/**
 * - `carried`: the same value on every app of the system; lost means lost data or lost access.
 * - `regenerated`: carried on the primary, made new on a recovery.
 * - `derived`: follows from the app, its domain or its add-ons; nobody configures it.
 * - `addon`: set by Heroku's add-ons themselves, and rotated by them; setting it would break the app at the next rotation.
 */
export type ConfigVarKind = "carried" | "regenerated" | "derived" | "addon";

export interface ConfigVarClass {
  kind: ConfigVarKind;
  /** Secret in state and output, and refused in plain configuration. */
  secret?: true;
  /** Emptied in drills: it reaches somebody or writes something outside. */
  blankInDrills?: true;
  /** The app must not start without it. */
  required?: true;
}

const outside = { kind: "carried", secret: true, blankInDrills: true } as const;
const setting = { kind: "carried" } as const;
const derived = { kind: "derived" } as const;

/** Every variable that the application reads. Others are refused, since a typing error would otherwise go unseen. */
export const CONFIG_VARS = {
  SECRET_KEY: { kind: "regenerated", secret: true, required: true },
  // Columns are encrypted with it: lost key, lost data.
  PGP_ENCRYPTION_KEY: { kind: "carried", secret: true, required: true },
  CLOUDINARY_CLOUD_NAME: { kind: "carried", required: true },
  CLOUDINARY_API_KEY: { kind: "carried", secret: true, blankInDrills: true, required: true },
  CLOUDINARY_API_SECRET: { kind: "carried", secret: true, blankInDrills: true, required: true },
  GMAIL_CLIENT_ID: outside,
  GMAIL_CLIENT_SECRET: outside,
  GMAIL_REFRESH_TOKEN: outside,
  EMAIL_HOST_PASSWORD: outside,
  DEBUG: setting,
  DATABASE_SSL_REQUIRE: setting,
  USE_CLOUDINARY: setting,
  DEFAULT_FROM_EMAIL: setting,
  SUPPORT_EMAIL: setting,
  PASSWORD_RESET_TIMEOUT: setting,
  PASSWORD_BREACH_CHECK: setting,
  RATE_LIMIT_ENABLED: setting,
  FILE_SCAN_ENABLED: setting,
  FILE_UPLOAD_MAX_MEMORY_SIZE: setting,
  DATA_UPLOAD_MAX_MEMORY_SIZE: setting,
  SYSTEM_MONITORING: setting,
  ALLOWED_HOSTS: derived,
  SITE_URL: derived,
  FRONTEND_URL: derived,
  CELERY_BROKER_URL: { kind: "derived", secret: true },
  CELERY_RESULT_BACKEND: { kind: "derived", secret: true },
  DATABASE_URL: { kind: "addon", secret: true },
  REDIS_URL: { kind: "addon", secret: true },
} as const satisfies Record<string, ConfigVarClass>;

/** The class of a variable, or undefined if the application knows no such variable. */
export function configVarClass(name: string): ConfigVarClass | undefined {
  return Object.hasOwn(CONFIG_VARS, name) ? CONFIG_VARS[name as keyof typeof CONFIG_VARS] : undefined;
}

/** Values without which the app would be unsafe or lose files, used where configuration says nothing else. */
export const CONFIG_VAR_DEFAULTS: Readonly<Record<string, string>> = {
  DEBUG: "False",
  // Otherwise media go to the dyno's own disk, and vanish with it.
  USE_CLOUDINARY: "True",
  // Heroku Postgres refuses connections without TLS.
  DATABASE_SSL_REQUIRE: "True",
};

/** Where the app is reached, from which the derived variables follow. */
export interface AppAddress {
  /** Host name that Heroku gave: `NAME-<12 hex>.herokuapp.com`. */
  herokuHostname: string;
  /** The clinic's own host name, if one stands before the app. */
  domain?: string;
}

/** Variables that follow from the address. Both hosts are allowed, so that a recovery works before its domain moves. */
export function derivedFromAddress({ herokuHostname, domain }: AppAddress): Record<string, string> {
  const url = `https://${domain ?? herokuHostname}`;
  return {
    ALLOWED_HOSTS: [domain, herokuHostname].filter(Boolean).join(","),
    SITE_URL: url,
    FRONTEND_URL: url,
  };
}

/**
 * Variables that follow from the Redis add-on: the Celery processes need them before they can start.
 * @param values config vars of the add-on; empty while a preview does not know them.
 */
export function derivedFromRedis(values: Readonly<Record<string, string>>): Record<string, string> {
  const url = values.REDIS_URL ?? Object.entries(values).find(([name]) => name.endsWith("_URL"))?.[1];
  return url ? { CELERY_BROKER_URL: celeryUrl(url), CELERY_RESULT_BACKEND: celeryUrl(url) } : {};
}

/** Celery refuses a TLS URL that does not say how to check the certificate; Heroku's Redis has a self-signed one. */
function celeryUrl(redisUrl: string): string {
  if (!redisUrl.startsWith("rediss://") || redisUrl.includes("ssl_cert_reqs=")) return redisUrl;
  return `${redisUrl}${redisUrl.includes("?") ? "&" : "?"}ssl_cert_reqs=CERT_NONE`;
}

/** What people configure. */
export interface ConfiguredVars<Value> {
  plain: Readonly<Record<string, string>>;
  secret: Readonly<Record<string, Value>>;
}

/** A set of variables, split as Heroku's provider takes it. */
export interface ComposedVars<Value> {
  vars: Record<string, string>;
  sensitiveVars: Record<string, Value | string>;
}

/**
 * Completes what is configured by defaults, and empties what a drill must not use.
 * @throws InputError for a variable that is unknown, set twice, in plain text though secret, missing, or not people's to
 * set. The message never holds a value.
 */
export function composeConfig<Value>(
  configured: ConfiguredVars<Value>,
  options: { drill?: boolean } = {},
): ComposedVars<Value> {
  const problems = configProblems(configured);
  if (problems.length > 0) throw new InputError(problems.join("\n"));
  const vars: Record<string, string> = { ...configured.plain };
  const sensitiveVars: Record<string, Value | string> = { ...configured.secret };
  for (const [name, value] of Object.entries(CONFIG_VAR_DEFAULTS)) {
    if (!(name in vars) && !(name in sensitiveVars)) vars[name] = value;
  }
  if (options.drill) {
    for (const name of Object.keys(sensitiveVars)) if (configVarClass(name)?.blankInDrills) sensitiveVars[name] = "";
  }
  return { vars, sensitiveVars };
}

/** Everything wrong with a set of configured variables, one line each; empty when it is good. */
export function configProblems({ plain, secret }: ConfiguredVars<unknown>): string[] {
  const problems: string[] = [];
  for (const name of [...Object.keys(plain), ...Object.keys(secret)]) {
    const known = configVarClass(name);
    if (!known) problems.push(`config var ${name} is not known, expected one of ${configurable().join(", ")}`);
    else if (known.kind === "addon") problems.push(`config var ${name} is set by its add-on, expected it to be absent`);
    else if (known.kind === "derived") problems.push(`config var ${name} is derived, expected it to be absent`);
    else if (name in plain && known.secret) problems.push(`config var ${name} is secret, expected it in secretConfig`);
  }
  for (const name of Object.keys(plain)) {
    if (name in secret)
      problems.push(`config var ${name} is in config and in secretConfig, expected it in one of them`);
  }
  for (const [name, known] of Object.entries(CONFIG_VARS) as [string, ConfigVarClass][]) {
    if (known.required && !(name in plain) && !(name in secret)) {
      problems.push(`config var ${name} is missing, expected it ${known.secret ? "in secretConfig" : "in config"}`);
    }
  }
  return problems;
}

function configurable(): string[] {
  return Object.keys(CONFIG_VARS).filter((name) => !["addon", "derived"].includes(configVarClass(name)?.kind ?? ""));
}
