import { execFile } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Newest of the first generation of the CLI: the second isn't on PyPI. */
const AWS_CLI_VERSION = "1.46.3";
const root = resolve(__dirname, "..", "..");

/**
 * The unmodified AWS CLI, installed once into `.tools/aws-cli` by the project's Python. Its own environment, because it
 * pins another botocore than MiniStack does.
 */
export async function ensureAwsCli(): Promise<string> {
  const folder = join(root, ".tools", "aws-cli");
  const binary = join(folder, "bin", "aws");
  const stamp = join(folder, `installed-${AWS_CLI_VERSION}`);
  if (existsSync(stamp)) return binary;
  rmSync(folder, { recursive: true, force: true });
  const python = process.env.USC_PIS_PYTHON ?? join(root, ".tools", "python", "bin", "python");
  await run(python, ["-m", "venv", folder]);
  await run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", `awscli==${AWS_CLI_VERSION}`], {
    maxBuffer: 16 * 1024 * 1024,
  });
  writeFileSync(stamp, "");
  return binary;
}

/** Run the AWS CLI and parse what it prints; an empty answer is `{}`. Rejects with the CLI's own words on failure. */
export async function aws(env: NodeJS.ProcessEnv, ...args: string[]): Promise<any> {
  const { stdout } = await run(await ensureAwsCli(), [...args, "--output", "json"], {
    env: { ...env, AWS_PAGER: "" },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trim() === "" ? {} : JSON.parse(stdout);
}
