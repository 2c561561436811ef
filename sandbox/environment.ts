/**
 * The environment in which everything talks to the sandbox and to nothing else: the same variables that the real
 * services' tools read, and none of the person's own credentials.
 */
import { join } from "node:path";
import { profileFiles } from "./aws/bootstrap";
import { trustVariables } from "./aws/certificate";
import { PROFILES } from "./aws/identities";
import { clockVariables } from "./clock/clock";
import { projectRoot, type SandboxPaths } from "./supervisor/paths";
import { SCOPE } from "./supervisor/services";
import type { SandboxState, ServiceName } from "./supervisor/state";

/** Stacks of the sandbox, one a role. */
export const STACKS = { vault: "sandbox-vault", primary: "sandbox-prod", recovery: "sandbox-recovery" } as const;
export type StackRole = keyof typeof STACKS;

/** A profile for each stack: what deploys it may do that and no more. */
const STACK_PROFILES: Readonly<Record<StackRole, string>> = {
  vault: PROFILES.vaultDeployer,
  primary: PROFILES.deployer,
  recovery: PROFILES.deployer,
};

/**
 * Variables of a person's own account or habits. Whatever begins so is removed before the sandbox's own are set, so that
 * nothing real is read even where a tool knows a variable that this list doesn't.
 */
const FOREIGN_PREFIXES = ["AWS_", "HEROKU_", "CLOUDINARY_", "PULUMI_", "PG", "USC_PIS_STACK"];
const FOREIGN = ["DATABASE_URL", "REDIS_URL", "ACCOUNT_ID"];
/** Of the prefixes above, what is neither a credential nor an address. */
const HARMLESS = ["PULUMI_DEBUG_COMMANDS", "PULUMI_SKIP_CONFIRMATIONS"];

export interface SandboxEnvironment {
  /** Variables to set. */
  set: Record<string, string>;
  /** Variables of the given environment to remove. */
  unset: string[];
}

export interface EnvironmentOptions {
  /** Takes this stack's profile and makes it Pulumi's current one. @default the administrators' profile, no stack */
  stack?: StackRole;
  /** Whose variables are judged. @default process.env */
  base?: NodeJS.ProcessEnv;
}

export function serviceUrl(state: SandboxState, service: ServiceName): string {
  const url = state.services[service]?.url;
  if (url === undefined) throw new Error(`the sandbox's state has no address of ${service}`);
  return url;
}

/** Where everyone finds the local AWS: at the gateway before it. */
export function awsEndpoint(state: SandboxState): string {
  return serviceUrl(state, "gateway");
}

/** The Authorization header that a service's controls want: its own token, or Cloudinary's key and secret. */
export function controlAuthorization(
  state: SandboxState,
  service: "gateway" | "aws" | "heroku" | "cloudinary",
): string {
  const { gateway, heroku, cloudinary } = state;
  if (service === "cloudinary")
    return `Basic ${Buffer.from(`${cloudinary.apiKey}:${cloudinary.apiSecret}`).toString("base64")}`;
  return `Bearer ${service === "heroku" ? heroku.controlToken : gateway.controlToken}`;
}

/** Cloudinary's own form, with the official SDK's option for another API address. */
export function cloudinaryUrl(state: SandboxState): string {
  const { cloudName, apiKey, apiSecret } = state.cloudinary;
  return `cloudinary://${apiKey}:${apiSecret}@${cloudName}?upload_prefix=${serviceUrl(state, "cloudinary")}`;
}

/** What to set and what to remove. */
export function sandboxEnvironment(
  paths: SandboxPaths,
  state: SandboxState,
  options: EnvironmentOptions = {},
): SandboxEnvironment {
  const base = options.base ?? process.env;
  const heroku = serviceUrl(state, "heroku");
  const files = profileFiles(paths.aws);
  const cli = join(paths.root, "heroku-cli");
  const set: Record<string, string> = {
    PATH: pathWith(join(projectRoot, "node_modules", ".bin"), base.PATH),
    // The emulators are on this machine: a proxy would not reach them, and must not see them.
    NO_PROXY: "127.0.0.1,localhost",
    no_proxy: "127.0.0.1,localhost",

    ...clockVariables(paths.clock, base),

    PULUMI_HOME: paths.pulumiHome,
    PULUMI_BACKEND_URL: `file://${paths.pulumiState}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: paths.passphrase,
    PULUMI_SKIP_UPDATE_CHECK: "1",
    ...(options.stack === undefined ? {} : { PULUMI_STACK: STACKS[options.stack] }),

    AWS_ENDPOINT_URL: awsEndpoint(state),
    ...trustVariables(paths.aws),
    AWS_CONFIG_FILE: files.config,
    AWS_SHARED_CREDENTIALS_FILE: files.credentials,
    AWS_PROFILE: options.stack === undefined ? PROFILES.administrator : STACK_PROFILES[options.stack],
    AWS_REGION: SCOPE.regions[0],
    AWS_DEFAULT_REGION: SCOPE.regions[0],
    AWS_EC2_METADATA_DISABLED: "true",

    HEROKU_API_URL: heroku,
    HEROKU_DATA_API_URL: heroku,
    HEROKU_API_KEY: state.heroku.apiKey,
    // From here on for the Heroku CLI: its own names, and no calls home.
    HEROKU_HOST: heroku,
    HEROKU_DATA_HOST: "127.0.0.1",
    HEROKU_PARTICLEBOARD_URL: heroku,
    HEROKU_CACHE_DIR: join(cli, "cache"),
    HEROKU_DATA_DIR: join(cli, "data"),
    HEROKU_CONFIG_DIR: join(cli, "config"),
    HEROKU_DISABLE_AUTOUPDATE: "1",
    HEROKU_SKIP_NEW_VERSION_CHECK: "1",
    DISABLE_TELEMETRY: "true",
    // Each of its commands writes a credential helper into the global git configuration.
    GIT_CONFIG_GLOBAL: join(cli, "gitconfig"),

    CLOUDINARY_URL: cloudinaryUrl(state),

    USC_PIS_SYSTEM: SCOPE.system,
    USC_PIS_PRIMARY_REGION: SCOPE.regions[0],
    USC_PIS_REPLICA_REGION: SCOPE.regions[1],
    USC_PIS_ACCOUNT: SCOPE.account,
    USC_PIS_SANDBOX_DIR: paths.root,
  };
  const unset = Object.keys(base).filter((name) => isForeign(name) && !(name in set));
  return { set, unset };
}

function isForeign(name: string): boolean {
  if (HARMLESS.includes(name)) return false;
  return FOREIGN.includes(name) || FOREIGN_PREFIXES.some((prefix) => name.startsWith(prefix));
}

function pathWith(first: string, path: string | undefined): string {
  return [first, ...(path ?? "/usr/local/bin:/usr/bin:/bin").split(":").filter((part) => part !== first)].join(":");
}

/** The whole environment of a child process. */
export function childEnvironment(
  paths: SandboxPaths,
  state: SandboxState,
  options: EnvironmentOptions = {},
): Record<string, string> {
  const { set, unset } = sandboxEnvironment(paths, state, options);
  const kept = Object.entries(options.base ?? process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !unset.includes(entry[0]),
  );
  return { ...Object.fromEntries(kept), ...set };
}

export type Shell = "sh" | "fish";

/** Lines for a shell to evaluate. */
export function renderEnvironment({ set, unset }: SandboxEnvironment, shell: Shell): string {
  const quote = (text: string) =>
    shell === "fish" ? `'${text.replace(/\\/g, "\\\\").replace(/'/g, "\\'")}'` : `'${text.replace(/'/g, `'\\''`)}'`;
  const value = (name: string, text: string) =>
    // fish keeps PATH as a list.
    shell === "fish" && name === "PATH" ? text.split(":").map(quote).join(" ") : quote(text);
  const removals = unset.sort().map((name) => (shell === "fish" ? `set -e ${name}` : `unset ${name}`));
  const settings = Object.entries(set).map(([name, text]) =>
    shell === "fish" ? `set -gx ${name} ${value(name, text)}` : `export ${name}=${value(name, text)}`,
  );
  return [...removals, ...settings].join("\n");
}
