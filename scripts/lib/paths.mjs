// @ts-check
import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's root. */
export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** What the set-up makes for this checkout (git-ignored): the Python environment, locks, fallbacks. */
export const toolsDir = join(projectRoot, ".tools");

/** @param {string} file */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    const stats = statSync(file);
    return stats.isFile() && stats.size > 0;
  } catch {
    return false;
  }
}

/**
 * Folders of a PATH, without npm's `node_modules/.bin`: what npm put there are shims of this or another project, never
 * the machine's own tools.
 *
 * @param {string | undefined} path
 * @returns {string[]}
 */
export function machinePath(path) {
  return (path ?? "")
    .split(delimiter)
    .filter((dir) => dir !== "" && !/[\\/]node_modules[\\/]/.test(`${dir}/`) && !dir.includes("node-gyp-bin"));
}

/**
 * The first executable of that name on the machine's own PATH.
 *
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined}
 */
export function findOnPath(name, env) {
  for (const dir of machinePath(env.PATH)) {
    const file = join(dir, name);
    if (isExecutable(file)) return file;
  }
  return undefined;
}

/**
 * An environment whose HOME exists and can be written, because npm, Go and Pulumi keep their caches there. Where there
 * is no such home (an empty variable, a user without one) the checkout's own `.tools/home` takes its place.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function withHome(env) {
  const candidates = [env.HOME || undefined, env.HOME ? undefined : accountHome()];
  for (const home of candidates) {
    if (home && isWritableFolder(home)) return { ...env, HOME: home };
  }
  const home = join(toolsDir, "home");
  mkdirSync(home, { recursive: true });
  return { ...env, HOME: home };
}

function accountHome() {
  try {
    return userInfo().homedir || undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} dir */
function isWritableFolder(dir) {
  try {
    accessSync(dir, constants.W_OK | constants.X_OK);
    return statSync(dir).isDirectory();
  } catch {
    return false;
  }
}

/**
 * Pulumi's folder: `PULUMI_HOME`, else `~/.pulumi`, as the engine and its npm package look for it.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function pulumiHome(env) {
  return resolve(env.PULUMI_HOME || join(env.HOME || homedir(), ".pulumi"));
}
