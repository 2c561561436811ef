/** Builds a release of the sample application: the source tarball that a build on Heroku gets. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { tarGz } from "./archive";

export interface ReleaseOptions {
  /** For example "1.0.0"; the application tells it in its health endpoint. */
  version: string;
  /** Folder of the tarball; made when it is missing. */
  outDir: string;
  /** Replaces the release command of the Procfile: tests let it fail. */
  releaseCommand?: string;
}

export interface SampleRelease {
  path: string;
  /** Hex digits, without a prefix. */
  sha256: string;
  bytes: number;
}

const PROJECT = resolve(__dirname, "../..");

/** Makes the tarball; the same version from the same sources gives the same bytes. */
export async function buildRelease({ version, outDir, releaseCommand }: ReleaseOptions): Promise<SampleRelease> {
  const { outputFiles } = await build({
    entryPoints: [join(__dirname, "source/main.ts")],
    absWorkingDir: PROJECT,
    bundle: true,
    write: false,
    platform: "node",
    target: "node22",
    format: "cjs",
    external: ["pg-native"],
    legalComments: "none",
    define: { RELEASE_VERSION: JSON.stringify(version) },
    logLevel: "silent",
  });
  const [bundle] = outputFiles;
  if (!bundle) throw new Error("esbuild made no bundle of the sample application");
  const procfile = [
    "web: node app.js web",
    "worker: node app.js worker",
    "beat: node app.js beat",
    `release: ${releaseCommand ?? "node app.js release"}`,
  ];
  const manifest = { name: "usc-pis-sample", version, private: true, engines: { node: "24.x" } };
  const text = (content: string) => Buffer.from(`${content}\n`);
  const archive = tarGz([
    { path: "Procfile", content: text(procfile.join("\n")) },
    { path: "app.js", content: Buffer.from(bundle.contents) },
    { path: "package.json", content: text(JSON.stringify(manifest, null, 2)) },
    // Empty on purpose: the Python buildpack knows an app by this file.
    { path: "requirements.txt", content: text("# The sample application has no Python dependencies.") },
  ]);
  mkdirSync(outDir, { recursive: true });
  const path = join(outDir, `usc-pis-${version}.tar.gz`);
  writeFileSync(path, archive);
  return { path, sha256: createHash("sha256").update(archive).digest("hex"), bytes: archive.length };
}
