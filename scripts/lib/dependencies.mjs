// @ts-check
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { SetupError } from "./errors.mjs";
import { withLock } from "./lock.mjs";
import { findOnPath, machinePath, projectRoot, toolsDir } from "./paths.mjs";
import { runOrFail } from "./processes.mjs";
import { withProgress } from "./progress.mjs";
import { digest, isStamped, stamp } from "./stamp.mjs";

const ARGUMENTS = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];

/**
 * What a package-lock.json, or npm's own record of what it installed, says about one package.
 *
 * @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean }} LockedPackage
 */

/**
 * Whether what npm installed is what the lock asks for. Optional packages may be absent (those of other systems are),
 * nothing may differ or be too much.
 *
 * @param {Record<string, LockedPackage>} wanted `packages` of package-lock.json
 * @param {Record<string, LockedPackage>} installed `packages` of node_modules/.package-lock.json
 * @returns {boolean}
 */
export function isInstalled(wanted, installed) {
  const inModules = (/** @type {string} */ path) => path.startsWith("node_modules/");
  for (const [path, want] of Object.entries(wanted)) {
    if (!inModules(path)) continue;
    const have = installed[path];
    if (!have) {
      if (want.optional || want.devOptional) continue;
      return false;
    }
    if (have.version !== want.version || have.integrity !== want.integrity) return false;
  }
  return Object.keys(installed).every((path) => !inModules(path) || wanted[path] !== undefined);
}

/**
 * Installs the npm packages of package-lock.json unless they are there: installed by an earlier run, or by hand.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<void>}
 * @throws {SetupError} when npm is missing or fails
 */
export async function ensureDependencies(env) {
  if (isCurrent()) return;
  await withLock(join(toolsDir, "locks", "npm"), async (lock) => {
    if (isCurrent()) return;
    const npm = npmCommand(env);
    await withProgress("installing npm packages", async (progress) => {
      await runOrFail(npm.command, [...npm.args, ...ARGUMENTS], {
        cwd: projectRoot,
        // The Node that npm is about to replace must not run npm.
        env: { ...env, PATH: machinePath(env.PATH).join(delimiter) },
        failure: "the npm packages could not be installed",
        hint: "check that the npm registry can be reached, then run the command again",
        onStart: lock.note,
        // npm warns about the engines that packages ask for: of the Node that runs npm, not of the project's.
        onLine: (line) => line.startsWith("npm warn") || progress.update(line),
      });
    });
    stamp(stampFile(), lockKey());
  });
}

function stampFile() {
  return join(projectRoot, "node_modules", ".usc-pis-stamp");
}

function lockKey() {
  const platform = `${process.platform}-${process.arch}`;
  return digest(readFileSync(join(projectRoot, "package-lock.json")), platform);
}

function isCurrent() {
  if (isStamped(stampFile(), lockKey())) return true;
  const record = join(projectRoot, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  try {
    const wanted = JSON.parse(readFileSync(join(projectRoot, "package-lock.json"), "utf8"));
    const installed = JSON.parse(readFileSync(record, "utf8"));
    // npm writes its record last, so a complete one is an installation that was finished. It says nothing about the
    // system it was made on: a tree that came along from another machine lacks this one's binaries.
    if (!isInstalled(wanted.packages, installed.packages) || !hasOwnBinaries(installed.packages)) return false;
    stamp(stampFile(), lockKey());
    return true;
  } catch {
    return false;
  }
}

/** @param {Record<string, LockedPackage>} installed */
function hasOwnBinaries(installed) {
  return installed[`node_modules/@esbuild/${process.platform}-${process.arch}`] !== undefined;
}

/**
 * The npm that started this run, else the one on PATH, on a Node that is not part of node_modules.
 *
 * @param {NodeJS.ProcessEnv} env
 */
function npmCommand(env) {
  const script = env.npm_execpath;
  if (script && /npm-cli\.[cm]?js$/.test(script) && existsSync(script)) {
    return { command: findOnPath("node", env) ?? process.execPath, args: [script] };
  }
  const npm = findOnPath("npm", env);
  if (npm) return { command: npm, args: [] };
  throw new SetupError("npm was not found on PATH", {
    hint: "install Node with npm, at least 20.19: https://nodejs.org",
  });
}
