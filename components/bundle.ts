import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { buildSync } from "esbuild";

/** Folder of the bundles, relative to the project root. */
const OUTPUT = "dist/functions";

/**
 * Bundles one function for AWS Lambda and returns its folder, relative to the project root.
 *
 * Same sources, same bytes: the file holds neither a path of this machine nor a time, so that neither another checkout
 * nor another person's run changes a function that did not change. It is written only when it differs, since engine and
 * editor may look at the same time.
 * @param name folder of the function below functions/; its handler is `index.handler` in the bundle.
 */
export function bundleFunction(name: string): string {
  const folder = posix.join(OUTPUT, name);
  const result = buildSync({
    entryPoints: [posix.join("functions", name, "handler.ts")],
    outfile: posix.join(folder, "index.js"),
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "cjs",
    // The SDK goes along: the runtime's own version changes without notice, and the sandbox has none.
    packages: "bundle",
    external: ["pg-native"],
    // Not for size: unminified, it would name each module by its path, which a linked node_modules makes this machine's.
    minify: true,
    keepNames: true,
    legalComments: "none",
    sourcemap: false,
    charset: "utf8",
    logLevel: "error",
  });
  mkdirSync(folder, { recursive: true });
  for (const file of result.outputFiles) {
    const target = posix.join(folder, "index.js");
    if (readIfThere(target)?.equals(file.contents) !== true) writeFileSync(target, file.contents);
  }
  return folder;
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
