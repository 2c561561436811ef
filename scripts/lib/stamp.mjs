// @ts-check
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * A key of everything that a step's result depends on.
 *
 * @param {...(string | Uint8Array)} parts
 */
export function digest(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex");
}

/**
 * @param {string} file
 * @param {string} key
 * @returns {boolean} whether the step was finished for this very key
 */
export function isStamped(file, key) {
  try {
    return readFileSync(file, "utf8").trim() === key;
  } catch {
    return false;
  }
}

/**
 * Written last, in one step: a run that is killed before leaves no stamp, and the next run starts over.
 *
 * @param {string} file
 * @param {string} key
 */
export function stamp(file, key) {
  writeAtomically(file, `${key}\n`);
}

/**
 * @param {string} file
 * @param {string | Uint8Array} content
 * @param {number} [mode]
 */
export function writeAtomically(file, content, mode = 0o644) {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, content, { mode });
  renameSync(temporary, file);
}
