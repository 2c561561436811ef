/** Where the sandbox keeps what it makes. Everything lies below one folder, so that one folder can be ignored and wiped. */
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The checkout's root: the folder of Pulumi.yaml. */
export const projectRoot = resolve(__dirname, "..", "..");

export interface SandboxPaths {
  /** The sandbox's own folder, by default `.sandbox` in the checkout. */
  root: string;
  /** State of the supervisor: processes, ports, throw-away secrets. Mode 0600. */
  state: string;
  /** Held while `up` or `down` work. */
  lock: string;
  logs: string;
  /** Reports of rehearsals; they outlive `down`. */
  report: string;
  /** Backend of Pulumi: the stacks' states. */
  pulumiState: string;
  /** PULUMI_HOME of the sandbox, with the stand-in plugins. */
  pulumiHome: string;
  passphrase: string;
  /** What the stack files have in common: throw-away secrets of the app, release. Mode 0600. */
  inventory: string;
  aws: string;
  gateway: string;
  postgres: string;
  heroku: string;
  cloudinary: string;
  /** By how much the sandbox's clock is ahead: see sandbox/clock. */
  clock: string;
  /** TMPDIR of the services. */
  tmp: string;
}

/** @param root folder of the sandbox. @default `.sandbox` in the checkout, or USC_PIS_SANDBOX_DIR */
export function sandboxPaths(root = process.env.USC_PIS_SANDBOX_DIR ?? join(projectRoot, ".sandbox")): SandboxPaths {
  const at = (name: string) => join(resolve(root), name);
  return {
    root: resolve(root),
    state: at("state.json"),
    lock: at("lock"),
    logs: at("logs"),
    report: at("report"),
    pulumiState: at("state"),
    pulumiHome: at("pulumi"),
    passphrase: at("passphrase"),
    inventory: at("inventory.json"),
    aws: at("aws"),
    gateway: at("gateway"),
    postgres: at("postgres"),
    heroku: at("heroku"),
    cloudinary: at("cloudinary"),
    clock: at("clock"),
    tmp: at("tmp"),
  };
}

/** Makes a folder that only its user may look into. */
export function privateFolder(path: string): string {
  return folder(path, 0o700);
}

/** Makes a folder that others may pass through, but not list: the database server may run as another user. */
export function passableFolder(path: string): string {
  return folder(path, 0o711);
}

function folder(path: string, mode: number): string {
  mkdirSync(path, { recursive: true, mode });
  chmodSync(path, mode);
  return path;
}

/** Writes a file that only its user may read: beside the old one and over it, so that nobody sees half of it. */
export function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.next`, text, { mode: 0o600 });
  renameSync(`${path}.next`, path);
}

/** Folder of the Node that runs this, first on the PATH of every service: functions run on what they find there. */
export function nodeFolder(): string {
  return dirname(process.execPath);
}
