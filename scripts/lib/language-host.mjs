// @ts-check
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { isExecutable, projectRoot } from "./paths.mjs";
import { writeAtomically } from "./stamp.mjs";

/** By this line an installed copy is known as ours, and may be brought up to date. */
const MARK = "// usc-pis: installed by scripts/lib/language-host.mjs";

/** What a CLI archive has beside `pulumi` and a build from source has not: installed name → source file. */
const PROGRAMS = {
  "pulumi-language-nodejs": "language-host.js",
  "pulumi-resource-pulumi-nodejs": "dynamic-provider.js",
};

/**
 * Puts the Node language host and the starter of dynamic providers beside an engine that came without. What the vendor
 * put there is left alone.
 *
 * @param {string} binDir the engine's folder
 */
export function installLanguageHost(binDir) {
  for (const [name, source] of Object.entries(PROGRAMS)) {
    const target = join(binDir, name);
    if (existsSync(target) && !isOurs(target)) continue;
    const text = readFileSync(join(projectRoot, "sandbox", "engine", source), "utf8");
    const [first, ...rest] = text.split("\n");
    const content = [first, MARK, ...rest].join("\n");
    if (existsSync(target) && readFileSync(target, "utf8") === content && isExecutable(target)) continue;
    writeAtomically(target, content, 0o755);
  }
}

/**
 * @param {string} pulumi an engine's executable
 * @returns {boolean} whether the vendor's language host lies beside it
 */
export function hasLanguageHost(pulumi) {
  return Object.keys(PROGRAMS).every((name) => isExecutable(join(dirname(realpathSync(pulumi)), name)));
}

/** @param {string} file */
function isOurs(file) {
  return readFileSync(file).subarray(0, 400).toString("utf8").includes(MARK);
}
