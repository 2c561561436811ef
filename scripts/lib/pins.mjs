// @ts-check

/**
 * The engine's version: that of the npm package `pulumi`, into whose folder the engine goes, and of the Go module in
 * sandbox/engine/go.mod. A test holds the three together.
 */
export const ENGINE_VERSION = "3.259.0";

/** What launches npm and this set-up: older ones lack what npm 10 and the set-up's own code use. */
export const MINIMUM_LAUNCHER = /** @type {const} */ ([20, 19, 0]);

/** What the project's own code, commander and @pulumi/pulumi from 3.250 on ask for. */
export const MINIMUM_NODE = /** @type {const} */ ([22, 0, 0]);

/** What the engine's modules ask for (their go.mod says 1.25.11, which a 1.25 fetches by itself). */
export const MINIMUM_GO = /** @type {const} */ ([1, 25, 0]);

/** What time-machine asks for; Python 3.10 is out of support since October 2026. */
export const MINIMUM_PYTHON = /** @type {const} */ ([3, 11, 0]);
