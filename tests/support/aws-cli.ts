import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ensureVenv } from "./python-venv";

const run = promisify(execFile);

/** Newest of the first generation of the CLI: the second isn't on PyPI. */
const AWS_CLI_VERSION = "1.46.3";

/** The unmodified AWS CLI, installed on demand (it pins another botocore than MiniStack does). */
export async function ensureAwsCli(): Promise<string> {
  return join(await ensureVenv("aws-cli", [`awscli==${AWS_CLI_VERSION}`]), "aws");
}

/** Run the AWS CLI and answer what it prints. Rejects with the CLI's own words on failure. */
export async function awsText(env: NodeJS.ProcessEnv, ...args: string[]): Promise<string> {
  const { stdout } = await run(await ensureAwsCli(), args, {
    env: { ...env, AWS_PAGER: "" },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** The same, parsed; an empty answer is `{}`. */
export async function aws(env: NodeJS.ProcessEnv, ...args: string[]): Promise<any> {
  const text = await awsText(env, ...args, "--output", "json");
  return text.trim() === "" ? {} : JSON.parse(text);
}
