// @ts-check

/**
 * A version's three numbers. Pre-releases and builds are not told apart: `3.260.0-alpha.1` counts as 3.260.0.
 *
 * @typedef {readonly [number, number, number]} Version
 */

/**
 * The first version in what a tool prints about itself: `v20.19.0`, `go version go1.25.3 linux/amd64`, `Python 3.11.7`.
 *
 * @param {string} text
 * @returns {Version | undefined} undefined when there is none
 */
export function parseVersion(text) {
  const match = /(?:^|[^\d.])(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

/**
 * @param {Version} version
 * @param {Version} minimum
 */
export function atLeast(version, minimum) {
  for (let i = 0; i < 3; i++) {
    const difference = /** @type {number} */ (version[i]) - /** @type {number} */ (minimum[i]);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** @param {Version} version */
export function printVersion(version) {
  return version.join(".");
}
