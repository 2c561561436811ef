// @ts-check
import { lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { buildEngine, downloadEngine } from "./engine-install.mjs";
import { hasLanguageHost, installLanguageHost } from "./language-host.mjs";
import { withLock } from "./lock.mjs";
import { findOnPath, isExecutable, pulumiHome } from "./paths.mjs";
import { ENGINE_VERSION } from "./pins.mjs";
import { run } from "./processes.mjs";
import { atLeast, parseVersion } from "./versions.mjs";

/**
 * A usable engine.
 *
 * @typedef {object} Engine
 * @property {string} pulumi the executable's path
 * @property {string} binDir its folder; holds the language host too unless `source` is "path"
 * @property {"path" | "installed" | "downloaded" | "built"} source how it was found
 */

/**
 * What is to be done for an engine, from what was found. The order is the design's: a new enough `pulumi` on PATH, the
 * folder of the npm package, its download, the build.
 *
 * @param {{ onPath?: string | undefined, installed?: string | undefined, canDownload: boolean }} found
 *   what `pulumi version` printed on PATH and in the folder
 * @returns {"path" | "installed" | "download" | "build"}
 */
export function decideEngine(found) {
  const wanted = /** @type {import("./versions.mjs").Version} */ (parseVersion(ENGINE_VERSION));
  const isNewEnough = (/** @type {string | undefined} */ printed) => {
    const version = printed === undefined ? undefined : parseVersion(printed);
    return version !== undefined && atLeast(version, wanted);
  };
  if (isNewEnough(found.onPath)) return "path";
  if (isNewEnough(found.installed)) return "installed";
  return found.canDownload ? "download" : "build";
}

/**
 * Finds the Pulumi engine, or gets one: by the npm package's download, else built from the pinned Go module.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Engine>}
 * @throws {import("./errors.mjs").SetupError} that says what to install
 */
export async function ensureEngine(env) {
  const onPath = findOnPath("pulumi", env);
  const root = join(pulumiHome(env), "versions", ENGINE_VERSION);
  const installed = join(root, "bin", "pulumi");
  /** @param {boolean} canDownload */
  const decide = async (canDownload) =>
    decideEngine({
      onPath: await printedVersion(onPath === installed ? undefined : onPath, env),
      installed: await printedVersion(installed, env),
      canDownload,
    });

  const decision = await decide(false);
  if (decision === "path" && onPath) return { pulumi: onPath, binDir: dirname(onPath), source: "path" };
  /** @type {Engine} */
  const engine = { pulumi: installed, binDir: dirname(installed), source: "installed" };
  if (decision !== "installed") {
    await withLock(`${root}.lock`, async (lock) => {
      if ((await decide(false)) === "installed") return;
      engine.source = (await downloadEngine(root, env, lock)) ? "downloaded" : "built";
      if (engine.source === "built") await buildEngine(root, env, lock);
    });
  }
  installLanguageHost(engine.binDir);
  return engine;
}

/**
 * What `pulumi` needs to be started by: the engine and its language host on PATH behind the project's Node, and no
 * questions to the vendor.
 *
 * @param {Engine} engine
 * @param {NodeJS.ProcessEnv} env as `ensureRuntime` returned it
 * @returns {NodeJS.ProcessEnv}
 */
export function engineEnvironment(engine, env) {
  const dirs = (env.PATH ?? "").split(delimiter);
  if (!dirs.includes(engine.binDir)) {
    // After node_modules/.bin, before the machine's own folders.
    const last = dirs.findLastIndex((dir) => dir.endsWith(join("node_modules", ".bin")));
    dirs.splice(last + 1, 0, engine.binDir);
  }
  return { ...env, PATH: dirs.join(delimiter), PULUMI_SKIP_UPDATE_CHECK: "1" };
}

/**
 * Lets another Pulumi folder (a sandbox's own PULUMI_HOME) use this engine, so that `npx pulumi` finds it there. An
 * engine from PATH is linked there alone, with our language host where the vendor's is missing; otherwise the folder's
 * `versions` becomes a link to where the engine lies.
 *
 * @param {Engine} engine
 * @param {string} home the other Pulumi folder; it is made
 * @returns {Engine} the same engine, seen from there
 */
export function linkEngine(engine, home) {
  const versions = join(home, "versions");
  const binDir = join(versions, ENGINE_VERSION, "bin");
  const pulumi = join(binDir, "pulumi");
  if (engine.pulumi === pulumi) return engine;
  mkdirSync(home, { recursive: true });
  if (engine.source === "path") {
    if (isLink(versions)) unlinkSync(versions);
    mkdirSync(binDir, { recursive: true });
    link(engine.pulumi, pulumi);
    if (!hasLanguageHost(engine.pulumi)) installLanguageHost(binDir);
  } else {
    // Left from the case above; a folder with an engine of its own is never touched.
    if (isLink(pulumi) && !isLink(versions)) rmSync(versions, { recursive: true });
    link(dirname(dirname(engine.binDir)), versions);
  }
  return { ...engine, pulumi, binDir };
}

/**
 * @param {string} target
 * @param {string} path
 */
function link(target, path) {
  if (isLink(path) && readlinkSync(path) === target) return;
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, path);
}

/** @param {string} path */
function isLink(path) {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/**
 * @param {string | undefined} pulumi
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>} undefined when it is missing or does not run
 */
async function printedVersion(pulumi, env) {
  if (!pulumi || !isExecutable(pulumi)) return undefined;
  const { code, stdout } = await run(pulumi, ["version"], {
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "1" },
    timeoutMs: 30_000,
  });
  return code === 0 ? stdout : undefined;
}
