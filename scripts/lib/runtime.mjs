// @ts-check
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { SetupError } from "./errors.mjs";
import { findOnPath, projectRoot, toolsDir } from "./paths.mjs";
import { MINIMUM_NODE } from "./pins.mjs";
import { run } from "./processes.mjs";
import { atLeast, parseVersion, printVersion } from "./versions.mjs";

/**
 * A Node that could run the project.
 *
 * @typedef {{ path: string, version: import("./versions.mjs").Version | undefined }} Candidate
 */

/**
 * The first candidate that is new enough.
 *
 * @param {readonly Candidate[]} candidates in order of preference
 * @returns {Candidate}
 * @throws {SetupError} that names what was found
 */
export function chooseNode(candidates) {
  const chosen = candidates.find(({ version }) => version && atLeast(version, MINIMUM_NODE));
  if (chosen) return chosen;
  const found = candidates.flatMap(({ path, version }) => (version ? [`${printVersion(version)} (${path})`] : []));
  throw new SetupError(
    `no Node that can run this project was found: it needs at least ${MINIMUM_NODE[0]}, found ${found.join(", ") || "none"}`,
    {
      hint: "install Node 24 (https://nodejs.org); on Linux x64 and arm64 npm brings it along unless optional packages are left out (npm config omit)",
    },
  );
}

/**
 * Chooses the Node that runs the project and puts it, with npm's commands of this project, first on PATH.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ node: string, env: NodeJS.ProcessEnv }>} Node's path, and the environment for all that follows
 * @throws {SetupError}
 */
export async function ensureRuntime(env) {
  const bin = join(projectRoot, "node_modules", ".bin");
  const packaged = join(projectRoot, "node_modules", `node-linux-${process.arch}`, "bin", "node");
  const { path } = chooseNode(await candidates(packaged, env));
  // node_modules/.bin/node is the packaged one. Where that does not run (another C library), the chosen one goes before.
  const before = path === packaged ? [] : [linkNode(path)];
  return { node: path, env: { ...env, PATH: [...before, bin, env.PATH ?? ""].join(delimiter) } };
}

/**
 * @param {string} packaged
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Candidate[]>}
 */
async function candidates(packaged, env) {
  const paths = [existsSync(packaged) ? packaged : undefined, findOnPath("node", env), process.execPath];
  /** @type {Candidate[]} */
  const found = [];
  for (const path of new Set(paths)) {
    if (!path) continue;
    const { code, stdout } = await run(path, ["--version"], { env, timeoutMs: 20_000 });
    found.push({ path, version: code === 0 ? parseVersion(stdout) : undefined });
  }
  return found;
}

/** @param {string} node */
function linkNode(node) {
  const dir = join(toolsDir, "node");
  const link = join(dir, "node");
  const target = realpathSync(node);
  if (existsSync(link) && realpathSync(link) === target) return dir;
  mkdirSync(dir, { recursive: true });
  const temporary = `${link}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, link);
  return dir;
}
