import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";

/** Where things lie. */
export interface PluginFolders {
  /** The sandbox's own folder (`.sandbox`): bundles go into `plugins` below it. */
  root: string;
  /** The engine's home, whose `plugins` folder it searches. Never a person's own ~/.pulumi. */
  pulumiHome: string;
  /** The project, with node_modules and sandbox/plugins. */
  sourceRoot: string;
}

/** One plugin as installed. */
export interface InstalledPlugin {
  name: string;
  version: string;
  /** The folder that the engine looks for. */
  folder: string;
}

/** A stand-in: the engine's name for the plugin, the package that fixes its version, and the module that serves it. */
const PLUGINS = [
  { name: "aws", package: "@pulumi/aws", module: "aws/provider", provider: "awsProvider" },
  { name: "terraform-provider", package: "@pulumi/heroku", module: "heroku/provider", provider: "herokuProvider" },
  { name: "command", package: "@pulumi/command", module: "command/provider", provider: "commandProvider" },
  { name: "random", package: "@pulumi/random", module: "random/provider", provider: "randomProvider" },
] as const;

/** Version of the plugin that a package asks for: its own, or the one of the bridge that it names. */
function pluginVersion(sourceRoot: string, name: string): string {
  const file = join(sourceRoot, "node_modules", name, "package.json");
  const found = JSON.parse(readFileSync(file, "utf8")) as {
    version: string;
    pulumi?: { name?: string; version?: string };
  };
  const bridged = found.pulumi?.name === "terraform-provider" ? found.pulumi.version : undefined;
  return (bridged ?? found.version).replace(/^v/, "");
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : path.endsWith(".ts") ? [path] : [];
  });
}

/** The project's own Node: the one that npm brought along, else the one that runs this. */
function nodeOf(sourceRoot: string): string {
  const own = join(sourceRoot, "node_modules", ".bin", "node");
  return existsSync(own) ? own : process.execPath;
}

function stampOf(sourceRoot: string, node: string, plugins: InstalledPlugin[]): string {
  const hash = createHash("sha256").update(JSON.stringify([node, plugins]));
  hash.update(readFileSync(join(sourceRoot, "package-lock.json")));
  for (const path of sources(join(sourceRoot, "sandbox", "plugins")).sort())
    hash.update(path).update(readFileSync(path));
  return hash.digest("hex");
}

/** Writes next to the place and renames: an engine that runs never sees half a file. */
function replaceFile(path: string, text: string, mode: number): void {
  writeFileSync(`${path}.new`, text);
  chmodSync(`${path}.new`, mode);
  renameSync(`${path}.new`, path);
}

/**
 * Bundles the stand-in plugins and puts them where the engine looks for installed plugins. Does nothing if sources,
 * dependencies and places are unchanged.
 *
 * @throws Error of esbuild if a source does not build
 */
export async function installPlugins(folders: PluginFolders): Promise<InstalledPlugin[]> {
  const root = resolve(folders.root);
  const sourceRoot = resolve(folders.sourceRoot);
  const bundles = join(root, "plugins");
  const node = nodeOf(sourceRoot);
  const plugins = PLUGINS.map(({ name, package: owner }) => {
    const version = pluginVersion(sourceRoot, owner);
    return { name, version, folder: join(resolve(folders.pulumiHome), "plugins", `resource-${name}-v${version}`) };
  });
  const stamp = stampOf(sourceRoot, node, plugins);
  const stampFile = join(bundles, "stamp");
  const complete = plugins.every(
    ({ name, folder }) =>
      existsSync(join(bundles, `${name}.js`)) && existsSync(join(folder, `pulumi-resource-${name}`)),
  );
  if (complete && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return plugins;
  mkdirSync(bundles, { recursive: true });
  rmSync(stampFile, { force: true });
  const { build } = await import("esbuild");
  await Promise.all(
    PLUGINS.map(async ({ name, module, provider }, index) => {
      const outfile = join(bundles, `${name}.js`);
      const { version, folder } = plugins[index] as InstalledPlugin;
      await build({
        stdin: {
          contents: `import { runPlugin } from "./core/main";
            import { ${provider} } from "./${module}";
            void runPlugin(${provider}, ${JSON.stringify(version)});`,
          resolveDir: join(sourceRoot, "sandbox", "plugins"),
          loader: "ts",
        },
        outfile: `${outfile}.new`,
        bundle: true,
        platform: "node",
        target: "node22",
        format: "cjs",
        legalComments: "none",
        logLevel: "silent",
        // Compiled code is kept: the SDK's clients are large and the engine starts a process for each provider.
        banner: { js: `require("node:module").enableCompileCache?.(${JSON.stringify(join(bundles, "cache"))});` },
      });
      renameSync(`${outfile}.new`, outfile);
      mkdirSync(folder, { recursive: true });
      const quoted = (path: string) => `'${path.replaceAll("'", `'\\''`)}'`;
      replaceFile(
        join(folder, `pulumi-resource-${name}`),
        `#!/bin/sh\nexec ${quoted(node)} ${quoted(outfile)} "$@"\n`,
        0o755,
      );
    }),
  );
  writeFileSync(stampFile, stamp);
  return plugins;
}
