// @ts-check
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { SetupError } from "./errors.mjs";
import { findOnPath, isExecutable, projectRoot, toolsDir } from "./paths.mjs";
import { ENGINE_VERSION, MINIMUM_GO } from "./pins.mjs";
import { run, runOrFail } from "./processes.mjs";
import { withProgress } from "./progress.mjs";
import { atLeast, parseVersion, printVersion } from "./versions.mjs";

/** Where the npm package `pulumi` gets the vendor's installer; asked first whether it can be reached at all. */
const INSTALLER_URL = "https://get.pulumi.com/install.sh";
const REACHABLE_MS = 5_000;
/** The archive is about 150 MB. */
const DOWNLOAD_MS = 10 * 60_000;

const ALTERNATIVE = `or install Pulumi ${ENGINE_VERSION} or newer (https://www.pulumi.com/docs/install) so that "pulumi" is on PATH`;

/**
 * Lets the npm package download the vendor's build, unless USC_PIS_ENGINE is `build`: then the vendor is never asked,
 * for people who want the pinned source and nothing else.
 *
 * @param {string} root the engine's folder, `…/versions/<version>`
 * @param {NodeJS.ProcessEnv} env
 * @param {import("./lock.mjs").HeldLock} lock
 * @returns {Promise<boolean>} false where the vendor cannot be reached or the package is not installed
 */
export async function downloadEngine(root, env, lock) {
  const script = join(projectRoot, "node_modules", "pulumi", "run.js");
  if (env.USC_PIS_ENGINE === "build" || !existsSync(script) || !(await isReachable(INSTALLER_URL))) return false;
  const home = workFolder(root);
  try {
    return await withProgress(`downloading the Pulumi engine ${ENGINE_VERSION}`, async (progress) => {
      const { code } = await run(process.execPath, [script, "version"], {
        env: { ...env, PULUMI_HOME: home, PULUMI_VERSION: ENGINE_VERSION },
        timeoutMs: DOWNLOAD_MS,
        onStart: lock.note,
        onLine: (line) => progress.update(line),
      });
      const downloaded = join(home, "versions", ENGINE_VERSION);
      if (code !== 0 || !isExecutable(join(downloaded, "bin", "pulumi"))) {
        progress.update("that failed");
        return false;
      }
      rmSync(root, { recursive: true, force: true });
      renameSync(downloaded, root);
      return true;
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/**
 * Builds the engine from the Go module that sandbox/engine pins, every byte by its checksum.
 *
 * @param {string} root the engine's folder, `…/versions/<version>`
 * @param {NodeJS.ProcessEnv} env
 * @param {import("./lock.mjs").HeldLock} lock
 * @throws {SetupError} when Go is missing or too old, or the build fails
 */
export async function buildEngine(root, env, lock) {
  const go = await requireGo(env);
  const work = workFolder(root);
  try {
    const title = "building the Pulumi engine from source (about 5 minutes, once)";
    await withProgress(title, async (progress) => {
      const built = join(work, "pulumi");
      let packages = 0;
      await runOrFail(go, buildArguments(built), {
        cwd: join(projectRoot, "sandbox", "engine"),
        // No C compiler is needed, and a workspace or vendor setting of the machine must not change what is built.
        env: { ...goEnvironment(env), CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off" },
        failure: "the Pulumi engine could not be built",
        hint: `check that the Go module proxy can be reached and 4 GB of disk are free, then run the command again; ${ALTERNATIVE}`,
        onStart: lock.note,
        onLine: (line) => {
          if (line.startsWith("go: ")) progress.update(line.slice(4));
          else progress.update(`${++packages} packages compiled, now ${line}`);
        },
      });
      mkdirSync(join(root, "bin"), { recursive: true });
      renameSync(built, join(root, "bin", "pulumi"));
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * @param {string} output
 * @returns {string[]}
 */
export function buildArguments(output) {
  const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
  return [
    "build",
    "-v",
    "-trimpath",
    "-buildvcs=false",
    "-ldflags",
    `-s -w -X ${versionVariable}=v${ENGINE_VERSION}`,
    "-o",
    output,
    "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  ];
}

/**
 * @param {string | undefined} printed what `go version` printed; undefined when there is no Go
 * @returns {void}
 * @throws {SetupError} when it is missing or too old
 */
export function checkGo(printed) {
  const needed = `building the Pulumi engine needs Go ${MINIMUM_GO[0]}.${MINIMUM_GO[1]} or newer`;
  const hint = `install Go (https://go.dev/dl) so that "go" is on PATH; ${ALTERNATIVE}`;
  if (printed === undefined) throw new SetupError(`${needed}, and no "go" was found on PATH`, { hint });
  const version = parseVersion(printed.replace("go version go", ""));
  if (!version || !atLeast(version, MINIMUM_GO)) {
    throw new SetupError(`${needed}, found ${version ? printVersion(version) : JSON.stringify(printed)}`, { hint });
  }
}

/**
 * Go keeps counters of its use in the person's configuration folder; it gets one of the checkout's own, while the
 * person's own settings of Go (`go env -w`, a module proxy for example) still count.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function goEnvironment(env) {
  // Elsewhere this folder has no variable of its own.
  if (process.platform !== "linux") return env;
  const own = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), ".config");
  return { ...env, GOENV: env.GOENV || join(own, "go", "env"), XDG_CONFIG_HOME: join(toolsDir, "go-config") };
}

/** @param {NodeJS.ProcessEnv} env */
async function requireGo(env) {
  const go = findOnPath("go", env);
  const result = go ? await run(go, ["version"], { env: goEnvironment(env), timeoutMs: 30_000 }) : undefined;
  checkGo(result === undefined ? undefined : result.stdout || result.output);
  return /** @type {string} */ (go);
}

/**
 * A new folder beside the engine's, on the same file system so that the result can be moved into place in one step.
 * What killed runs left behind is removed: the caller holds the lock.
 *
 * @param {string} root
 */
function workFolder(root) {
  const parent = dirname(root);
  const prefix = `.usc-pis-${ENGINE_VERSION}-`;
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent)) {
    if (name.startsWith(prefix)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  const folder = join(parent, `${prefix}${process.pid}`);
  mkdirSync(folder);
  return folder;
}

/** @param {string} url */
async function isReachable(url) {
  try {
    return (await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(REACHABLE_MS) })).ok;
  } catch {
    return false;
  }
}
