// @ts-check
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./paths.mjs";

/** From fast to slow, so that a broken unit shows before the long ones run. Others follow in any order. */
const TEST_ORDER = ["unit", "component", "policy", "contract", "e2e"];

/**
 * What a task is.
 *
 * @typedef {object} Task
 * @property {boolean} needsCloud whether the engine and the Python environment have to be there
 * @property {(args: readonly string[], env: NodeJS.ProcessEnv) => string[][]} commands arguments of Node, a list for
 *   each command; all are run, the first failure is the task's
 */

/** @type {Readonly<Record<string, Task>>} */
export const tasks = {
  start: {
    needsCloud: true,
    commands: (args) => [["cli/bin.js", "sandbox", "rehearse", ...args]],
  },
  test: {
    needsCloud: true,
    commands: (args, env) => [["node_modules/mocha/bin/mocha.js", ...reporter(env), ...testFiles(args), ...args]],
  },
  check: {
    needsCloud: false,
    commands: (args) => [
      ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", ...args],
      ["node_modules/typescript/bin/tsc", "--noEmit", "--project", "."],
      ["node_modules/typescript/bin/tsc", "--noEmit", "--project", "scripts"],
    ],
  },
  bench: {
    needsCloud: true,
    commands: (args) => [["--require", "ts-node/register/transpile-only", "tests/bench/index.ts", ...args]],
  },
};

/**
 * The test files to run: all, unless the arguments name some.
 *
 * @param {readonly string[]} args
 * @param {readonly string[]} [present] folders in tests/. Default: those that there are
 * @returns {string[]} globs
 */
export function testFiles(args, present = testFolders()) {
  if (args.some((arg) => !arg.startsWith("-") && arg.endsWith(".test.ts"))) return [];
  const rank = (/** @type {string} */ name) =>
    (TEST_ORDER.indexOf(name) + TEST_ORDER.length + 1) % (TEST_ORDER.length + 1);
  return [...present].sort((a, b) => rank(a) - rank(b)).map((name) => `tests/${name}/**/*.test.ts`);
}

function testFolders() {
  const root = join(projectRoot, "tests");
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "bench")
    .map((entry) => entry.name)
    .filter((name) =>
      readdirSync(join(root, name), { recursive: true }).some((file) => String(file).endsWith(".test.ts")),
    );
}

/** @param {NodeJS.ProcessEnv} env */
function reporter(env) {
  return env.USC_PIS_TEST_RESULTS ? ["--reporter", "scripts/lib/counting-reporter.cjs"] : [];
}
