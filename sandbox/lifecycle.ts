/** The whole sandbox: services, engine, plugins, stacks. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildRelease } from "./app";
import { STACKS, type StackRole } from "./environment";
import { installPlugins } from "./plugins/install";
import type { PostgresSource } from "./postgres/programs";
import { initStacks, prepareHerokuCli, type Release, stackFile, writeStackFiles } from "./stacks";
import { projectRoot, type SandboxPaths } from "./supervisor/paths";
import type { SandboxState, ServiceName } from "./supervisor/state";
import * as supervisor from "./supervisor/supervisor";

/** Version that the sandbox's first release of the sample application bears. */
export const FIRST_RELEASE = "1.0.0";

export interface SandboxUpOptions {
  signal?: AbortSignal;
  ports?: Partial<Record<ServiceName, number>>;
  postgresSource?: PostgresSource;
  progress?: (line: string) => void;
}

/** Tarball of the sample application; the same bytes each time. */
export function releaseTarball(paths: SandboxPaths): Promise<Release & { path: string; bytes: number }> {
  return buildRelease({ version: FIRST_RELEASE, outDir: join(paths.root, "releases") }).then((built) => ({
    version: FIRST_RELEASE,
    ...built,
  }));
}

/**
 * Sets up what is missing, starts the services, and makes stacks and plugins ready for `npx pulumi up`.
 *
 * @throws an error with code and hint; nothing that this call started is left then
 */
export async function upSandbox(paths: SandboxPaths, options: SandboxUpOptions = {}): Promise<supervisor.UpResult> {
  const setup = await import("../scripts/setup.mjs");
  const env = setup.withHome(process.env);
  const engine = await setup.ensureEngine(env);
  if (!process.env.USC_PIS_PYTHON) await setup.ensurePython(env);
  return supervisor.up(paths, {
    ...options,
    afterStart: async (state, started) => {
      setup.linkEngine(engine, paths.pulumiHome);
      options.progress?.("installing the stand-in plugins");
      await installPlugins({ root: paths.root, pulumiHome: paths.pulumiHome, sourceRoot: projectRoot });
      await prepareStacks(paths, state, started, options);
    },
  });
}

async function prepareStacks(
  paths: SandboxPaths,
  state: SandboxState,
  started: readonly ServiceName[],
  options: SandboxUpOptions,
): Promise<void> {
  prepareHerokuCli(paths);
  const written = (Object.keys(STACKS) as StackRole[]).every((role) => existsSync(stackFile(role)));
  // Addresses may have moved when something was started; otherwise the files stay as a person left them.
  if (started.length > 0 || !written) {
    options.progress?.("writing the stacks' configuration");
    await writeStackFiles(paths, state, {
      defaultRelease: async () => {
        const { version, sha256 } = await releaseTarball(paths);
        return { version, sha256 };
      },
    });
  }
  options.progress?.("making the stacks");
  await initStacks(paths, state, options.signal);
}

/** Ends everything and removes what it kept; logs and reports stay. */
export async function downSandbox(paths: SandboxPaths): Promise<{ stopped: ServiceName[] }> {
  const result = await supervisor.down(paths);
  for (const role of Object.keys(STACKS) as StackRole[]) rmSync(stackFile(role), { force: true });
  return result;
}
