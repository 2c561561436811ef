// @ts-check
// What the TypeScript side uses of the set-up. Its types are in setup.d.mts.
export { ensureDependencies, isInstalled } from "./lib/dependencies.mjs";
export { decideEngine, engineEnvironment, ensureEngine, linkEngine } from "./lib/engine.mjs";
export { buildArguments, checkGo } from "./lib/engine-install.mjs";
export { describeError, Interrupted, SetupError } from "./lib/errors.mjs";
export { withLock } from "./lib/lock.mjs";
export { findOnPath, machinePath, projectRoot, pulumiHome, toolsDir, withHome } from "./lib/paths.mjs";
export { ENGINE_VERSION, MINIMUM_GO, MINIMUM_NODE, MINIMUM_PYTHON } from "./lib/pins.mjs";
export { formatElapsed, withProgress } from "./lib/progress.mjs";
export { choosePython, ensurePostgresWheel, ensurePython } from "./lib/python.mjs";
export { chooseNode, ensureRuntime } from "./lib/runtime.mjs";
export { testFiles } from "./lib/tasks.mjs";
export { atLeast, parseVersion, printVersion } from "./lib/versions.mjs";
