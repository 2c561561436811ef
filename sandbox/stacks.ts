/** The sandbox's stacks: their configuration files, with throw-away secrets, and their place in the backend. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { UscPisError } from "../backup/errors";
import { REHEARSAL_TAG } from "../policies/model";
import { PROFILES } from "./aws/identities";
import { childEnvironment, STACKS, type StackRole, serviceUrl } from "./environment";
import { PassphraseEncrypter } from "./passphrase";
import { passableFolder, privateFolder, projectRoot, type SandboxPaths } from "./supervisor/paths";
import { SCOPE } from "./supervisor/services";
import type { SandboxState } from "./supervisor/state";

const run = promisify(execFile);

/** Names of the Heroku apps. The recovery app has another name, as in a real recovery. */
export const APPS: Readonly<Record<Exclude<StackRole, "vault">, string>> = {
  primary: "usc-pis",
  recovery: "usc-pis-recovery",
};
/** The clinic's own domain, which moves from app to app. */
export const DOMAIN = "clinic.usc-pis.example";

/** Carried configuration of the app: made once a sandbox, equal in the primary and the recovery stack. */
export interface CarriedSecrets {
  PGP_ENCRYPTION_KEY: string;
  GMAIL_CLIENT_ID: string;
  GMAIL_CLIENT_SECRET: string;
  GMAIL_REFRESH_TOKEN: string;
  EMAIL_HOST_PASSWORD: string;
}

export interface Release {
  version: string;
  sha256: string;
}

/** A value of a stack file: in the clear, or encrypted. */
type Setting = { value: unknown } | { secret: unknown };

const plain = (value: unknown): Setting => ({ value });
const secret = (value: unknown): Setting => ({ secret: value });

/** Switches of the app, in the clear. */
const SWITCHES = {
  DEBUG: "False",
  USE_CLOUDINARY: "True",
  DATABASE_SSL_REQUIRE: "False",
  PASSWORD_BREACH_CHECK: "False",
  RATE_LIMIT_ENABLED: "True",
  FILE_SCAN_ENABLED: "True",
  SYSTEM_MONITORING: "True",
  DEFAULT_FROM_EMAIL: "clinic@usc-pis.example",
  SUPPORT_EMAIL: "support@usc-pis.example",
};

export interface StackInputs {
  state: SandboxState;
  carried: CarriedSecrets;
  /** SECRET_KEY of the primary app; a recovery makes its own. */
  secretKey: string;
  release: Release;
  /** Recovery only: which backup. */
  restore?: { backup?: string; before?: string; overwrite?: string };
}

/** Everything that a stack's file says, in its order. */
export function stackSettings(role: StackRole, inputs: StackInputs): Record<string, Setting> {
  const { state, carried, release } = inputs;
  const [primaryRegion, replicaRegion] = SCOPE.regions;
  const common = {
    "aws:region": plain(primaryRegion),
    "aws:profile": plain(role === "vault" ? PROFILES.vaultDeployer : PROFILES.deployer),
    "usc-pis:role": plain(role),
    "usc-pis:system": plain(SCOPE.system),
    "usc-pis:protect": plain(false),
  };
  if (role === "vault") {
    const breakGlassPrincipals = [`arn:aws:iam::${SCOPE.account}:root`];
    return { ...common, "usc-pis:aws": plain({ primaryRegion, replicaRegion, breakGlassPrincipals }) };
  }
  const heroku = serviceUrl(state, "heroku");
  const cloudinary = serviceUrl(state, "cloudinary");
  const { cloudName, apiKey, apiSecret } = state.cloudinary;
  const one = { quantity: 1, size: "basic" };
  return {
    ...common,
    "heroku:url": plain(heroku),
    "heroku:apiKey": secret(state.heroku.apiKey),
    "usc-pis:aws": plain({ primaryRegion, replicaRegion }),
    "usc-pis:app": plain({
      name: APPS[role],
      region: "us",
      stack: "heroku-24",
      buildpacks: ["heroku/nodejs", "heroku/python"],
      postgresPlan: "heroku-postgresql:essential-0",
      redisPlan: "heroku-redis:mini",
      formation: { web: one, worker: one, beat: one },
      domain: DOMAIN,
    }),
    "usc-pis:release": plain(release),
    "usc-pis:config": plain(SWITCHES),
    "usc-pis:secretConfig": secret(role === "primary" ? { SECRET_KEY: inputs.secretKey, ...carried } : carried),
    "usc-pis:backup": plain({ minute: 17, captureIntervalMinutes: 60, herokuSchedule: "02:00 UTC" }),
    "usc-pis:alerts": secret(["administrator@usc-pis.example"]),
    "usc-pis:cloudinary": plain({ cloudName, apiKey }),
    "usc-pis:cloudinaryApiSecret": secret(apiSecret),
    "usc-pis:herokuApiKey": secret(state.heroku.apiKey),
    ...(role === "recovery" ? { "usc-pis:restore": plain(inputs.restore ?? {}) } : {}),
    "usc-pis:endpoints": plain({
      herokuApi: heroku,
      herokuDataApi: heroku,
      cloudinaryUploadPrefix: cloudinary,
    }),
  };
}

/** A stack file's text. A string secret is itself, any other one its JSON, as `pulumi config set` stores them. */
export function renderStackFile(settings: Record<string, Setting>, encrypter: PassphraseEncrypter): string {
  const lines = Object.entries(settings).map(([key, setting]) => {
    if ("value" in setting) return `  ${key}: ${JSON.stringify(setting.value)}`;
    const text = typeof setting.secret === "string" ? setting.secret : JSON.stringify(setting.secret);
    return `  ${key}:\n    secure: ${encrypter.encrypt(text)}`;
  });
  return `# Written by the sandbox; overwritten at its next start.\nencryptionsalt: ${encrypter.salt}\nconfig:\n${lines.join("\n")}\n`;
}

export function stackFile(role: StackRole): string {
  return join(projectRoot, `Pulumi.${STACKS[role]}.yaml`);
}

/** What the stack files of one sandbox have in common; kept so that a second `up` writes the same. */
interface Inventory {
  carried: CarriedSecrets;
  secretKey: string;
  release: Release;
  restore?: StackInputs["restore"];
}

export function readInventory(paths: SandboxPaths): Inventory | undefined {
  const file = paths.inventory;
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Inventory) : undefined;
}

function newInventory(release: Release): Inventory {
  const random = (bytes: number) => randomBytes(bytes).toString("base64url");
  return {
    carried: {
      PGP_ENCRYPTION_KEY: random(32),
      GMAIL_CLIENT_ID: `${random(12)}.apps.example`,
      GMAIL_CLIENT_SECRET: random(18),
      GMAIL_REFRESH_TOKEN: random(40),
      EMAIL_HOST_PASSWORD: random(24),
    },
    secretKey: random(48),
    release,
  };
}

/** The sandbox's passphrase; made when there is none. */
export function ensurePassphrase(paths: SandboxPaths): string {
  passableFolder(paths.root);
  if (!existsSync(paths.passphrase)) {
    writeFileSync(paths.passphrase, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  }
  return readFileSync(paths.passphrase, "utf8").trim();
}

/** Writes all three stack files: with the present addresses, the same secrets, and what changed. */
export async function writeStackFiles(
  paths: SandboxPaths,
  state: SandboxState,
  change: Partial<Pick<Inventory, "release" | "restore">> & { defaultRelease?: () => Promise<Release> } = {},
): Promise<Inventory> {
  const { defaultRelease, ...given } = change;
  const known = readInventory(paths);
  const release = given.release ?? known?.release ?? (await defaultRelease?.());
  if (release === undefined)
    throw new UscPisError("release_missing", "the stack files need a release: none is known yet");
  const inventory: Inventory = { ...(known ?? newInventory(release)), ...given, release };
  writeFileSync(paths.inventory, JSON.stringify(inventory), { mode: 0o600 });
  const encrypter = await PassphraseEncrypter.create(ensurePassphrase(paths));
  for (const role of Object.keys(STACKS) as StackRole[]) {
    const text = renderStackFile(stackSettings(role, { state, ...inventory }), encrypter);
    writeFileSync(stackFile(role), text, { mode: 0o600 });
  }
  return inventory;
}

/** Makes the stacks in the backend, once. */
export async function initStacks(paths: SandboxPaths, state: SandboxState, signal?: AbortSignal): Promise<void> {
  privateFolder(paths.pulumiState);
  const env = childEnvironment(paths, state);
  delete env.PULUMI_STACK;
  for (const role of Object.keys(STACKS) as StackRole[]) {
    const kept = join(paths.pulumiState, ".pulumi", "stacks", "usc-pis", `${STACKS[role]}.json`);
    if (existsSync(kept)) continue;
    const args = [
      "stack",
      "init",
      STACKS[role],
      "--no-select",
      "--secrets-provider",
      "passphrase",
      "--non-interactive",
    ];
    try {
      await run("pulumi", args, { cwd: projectRoot, env, signal });
      // Told to the policy pack: these stacks are there to be destroyed, so their data need no protection.
      const tag = ["stack", "tag", "set", REHEARSAL_TAG, "true", "--stack", STACKS[role]];
      await run("pulumi", tag, { cwd: projectRoot, env, signal });
    } catch (error) {
      signal?.throwIfAborted();
      const { stderr, message } = error as { stderr?: string; message: string };
      throw new UscPisError("stack_init", `stack ${STACKS[role]} could not be made: ${stderr?.trim() || message}`, {
        cause: error,
      });
    }
  }
}

/** The scratch files of the Heroku CLI: a git configuration that still knows who the person is. */
export function prepareHerokuCli(paths: SandboxPaths): void {
  const folder = privateFolder(join(paths.root, "heroku-cli"));
  const cache = join(folder, "cache");
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, "terms-of-service"), "");
  const gitconfig = join(folder, "gitconfig");
  const own = process.env.GIT_CONFIG_GLOBAL ?? join(homedir(), ".gitconfig");
  if (!existsSync(gitconfig)) writeFileSync(gitconfig, own === gitconfig ? "" : `[include]\n\tpath = ${own}\n`);
}
