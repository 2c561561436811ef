import { spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  awsEnvironment,
  type LocalSettings,
  pythonPath,
  ROOT_CREDENTIALS,
  serverArguments,
} from "../../sandbox/aws/server";
import { freePort } from "../../sandbox/supervisor/ports";

/** A MiniStack of the test's own. */
export interface MiniStack {
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts MiniStack on a free port, empty, with IAM enforced, and points this process's AWS clients at it as root.
 *
 * @throws UscPisError if the project's Python environment is not there (`USC_PIS_PYTHON` names another one)
 */
export async function startMiniStack(local: LocalSettings = {}): Promise<MiniStack> {
  const folder = mkdtempSync(join(tmpdir(), "usc-pis-ministack-"));
  const log = join(folder, "log");
  const port = await freePort();
  const environment = plainEnvironment(folder, port, local);
  const child = spawn(pythonPath(), serverArguments(port), {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "ignore", openSync(log, "w")],
    // Functions run as its children: they go with the whole group.
    detached: true,
  });
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    for (const name of Object.keys(settings)) restore(name);
    signalGroup(child.pid, "SIGTERM");
    const patience = new AbortController();
    await Promise.race([ended, sleep(5000, undefined, { signal: patience.signal })]).catch(() => {});
    patience.abort();
    signalGroup(child.pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  const settings: { [name: string]: string } = {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: ROOT_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ROOT_CREDENTIALS.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: "true",
  };
  const before = Object.fromEntries(Object.keys(settings).map((name) => [name, process.env[name]]));
  const restore = (name: string) => {
    const value = before[name];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  Object.assign(process.env, settings);
  const deadline = Date.now() + 30_000;
  for (;;) {
    const ready = await fetch(`${url}/_ministack/ready`).catch(() => undefined);
    if (ready?.ok) return { url, stop };
    if (child.exitCode !== null || Date.now() > deadline) {
      const reason = new Error(`MiniStack did not start: ${readFileSync(log, "utf8").trim() || "no answer in 30 s"}`);
      await stop();
      throw reason;
    }
    await sleep(100);
  }
}

/** Environment for plain HTTP: no certificate has to be trusted by the process that asks. */
export function plainEnvironment(folder: string, port: number, local: LocalSettings = {}): Record<string, string> {
  const environment = awsEnvironment(folder, port, local);
  const { USE_SSL, MINISTACK_SSL_CERT, MINISTACK_SSL_KEY, NODE_EXTRA_CA_CERTS, ...plain } = environment;
  return { ...plain, LOG_LEVEL: "WARNING" };
}

function signalGroup(group: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (group !== undefined) process.kill(-group, signal);
  } catch {
    // All of it has ended.
  }
}
