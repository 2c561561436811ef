/** MiniStack, the emulator of AWS, as a process of the sandbox. Facts about it are in the README of this folder. */
import { existsSync, readFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { UscPisError } from "../../backup/errors";
import { clockVariables } from "../clock/clock";
import type { ProcessIdentity } from "../supervisor/identity";
import { launch, waitReady } from "../supervisor/launch";
import { nodeFolder, privateFolder, projectRoot } from "../supervisor/paths";
import { freePort, isPortFree } from "../supervisor/ports";
import { type Certificate, certificateFiles, ensureCertificate, trustCertificate } from "./certificate";

/** The account that MiniStack gives to its root keys. */
export const ACCOUNT = "000000000000";
/** MiniStack's root: any request of this key is allowed, whatever its secret. */
export const ROOT_CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" } as const;

/** The Python that has MiniStack: USC_PIS_PYTHON, else the environment that the set-up makes. */
export function pythonPath(env: NodeJS.ProcessEnv = process.env): string {
  const python = env.USC_PIS_PYTHON || join(projectRoot, ".tools", "python", "bin", "python");
  if (existsSync(python)) return python;
  throw new UscPisError(
    "python_missing",
    `the local AWS needs the project's Python environment, ${python} is not there`,
    {
      hint: "make it: npm start (it needs Python 3.11 or newer with venv)",
    },
  );
}

export interface AwsOptions {
  /** Folder for its temporary files. */
  folder: string;
  log: string;
  sandboxRoot: string;
  /** @default a free one; with a fixed one nothing else is tried */
  port?: number;
  /** What the sandbox's own parts of it are told. @default real time, no token */
  local?: LocalSettings;
  signal?: AbortSignal;
  /** Told as soon as the process exists, before it answers. */
  onStart?: (process: ProcessIdentity) => void;
}

/** Settings of the wrapper around MiniStack: sandbox/aws/local. */
export interface LocalSettings {
  /** File that holds the clock's offset: 16 characters, milliseconds, right-aligned. */
  clock?: string;
  /** Address of the gateway before it, which functions get, and which stands in every address that is handed out. */
  gatewayUrl?: string;
  /** Bearer token of the control routes that change something. */
  token?: string;
  /** E-mail subscriptions are confirmed as they are made. @default false: as on AWS, by the link in a mail */
  confirmMail?: boolean;
}

function localEnvironment({ clock, gatewayUrl, token, confirmMail }: LocalSettings): Record<string, string> {
  return {
    // The package `local` lies beside this file.
    PYTHONPATH: __dirname,
    ...(clock === undefined ? {} : clockVariables(clock)),
    ...(gatewayUrl === undefined ? {} : { AWS_ENDPOINT_URL: gatewayUrl }),
    ...(token === undefined ? {} : { USC_PIS_SANDBOX_TOKEN: token }),
    ...(confirmMail === true ? { USC_PIS_SANDBOX_CONFIRM_MAIL: "1" } : {}),
  };
}

/**
 * The whole environment of MiniStack. Functions inherit it, so it holds nothing of the person's: Node first on PATH is
 * the one that functions run on; a Docker that happens to be there is out of reach, because MiniStack tidies containers.
 */
export function awsEnvironment(folder: string, port: number, local: LocalSettings = {}): Record<string, string> {
  const { cert, key } = certificateFiles(folder);
  return {
    ...localEnvironment(local),
    PATH: `${nodeFolder()}:/usr/local/bin:/usr/bin:/bin`,
    HOME: privateFolder(join(folder, "home")),
    TMPDIR: privateFolder(join(folder, "tmp")),
    LANG: "C.UTF-8",
    TZ: "UTC",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONUNBUFFERED: "1",
    BIND_HOST: "127.0.0.1",
    GATEWAY_PORT: local.gatewayUrl === undefined ? String(port) : new URL(local.gatewayUrl).port,
    MINISTACK_HOST: "127.0.0.1",
    IOT_MTLS_ENABLED: "0",
    SFTP_ENABLED: "0",
    AUTH: "true",
    // As on AWS: the vault refuses plain HTTP. Functions trust the certificate by the variable that Node reads.
    USE_SSL: "1",
    MINISTACK_SSL_CERT: cert,
    MINISTACK_SSL_KEY: key,
    NODE_EXTRA_CA_CERTS: cert,
    LOG_LEVEL: "INFO",
    DOCKER_HOST: `unix://${join(folder, "no-docker.sock")}`,
  };
}

/**
 * Whether it answers. Asked with the certificate at hand: `fetch` keeps the authorities of its first connection, and
 * would refuse the next sandbox of the same process.
 */
export function isAwsReady(url: string, folder: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const options = { ca: readFileSync(certificateFiles(folder).cert), timeout: 3000, agent: false as const };
    const request = get(`${url}/_ministack/ready`, options, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.once("timeout", () => request.destroy(new Error("no answer within 3 s")));
    request.once("error", reject);
  });
}

/**
 * Serves it by uvicorn, in one process, inside the wrapper that adds what it lacks. MiniStack's own choice of a server
 * takes twice the time a request, and with TLS and as root `python -m ministack` takes port 443 as well. Its answers
 * carry their own Date.
 *
 * @param certificate plain HTTP without one
 */
export function serverArguments(port: number, certificate?: Certificate): string[] {
  const tls = certificate === undefined ? [] : ["--ssl-certfile", certificate.cert, "--ssl-keyfile", certificate.key];
  const quiet = ["--no-access-log", "--no-server-header", "--no-date-header", "--log-level", "warning"];
  const listen = ["--host", "127.0.0.1", "--port", String(port), ...tls, "--timeout-keep-alive", "75"];
  return ["-m", "uvicorn", "local.app:app", "--lifespan", "on", ...listen, ...quiet];
}

/** Starts it on a loopback port and waits until it answers. It forgets everything when it ends. */
export async function startAws(options: AwsOptions): Promise<ProcessIdentity & { url: string }> {
  const python = pythonPath();
  const files = await ensureCertificate(privateFolder(options.folder), python);
  trustCertificate(files.cert);
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const process = await launch({
      file: python,
      args: serverArguments(port, files),
      cwd: privateFolder(options.folder),
      env: awsEnvironment(options.folder, port, options.local),
      log: options.log,
      sandboxRoot: options.sandboxRoot,
    });
    options.onStart?.(process);
    const url = `https://127.0.0.1:${port}`;
    try {
      await waitReady({
        service: "MiniStack (the local AWS)",
        process,
        log: options.log,
        signal: options.signal,
        timeoutMs: 60_000,
        probe: async () => ((await isAwsReady(url, options.folder)) ? true : undefined),
      });
      return { ...process, url };
    } catch (error) {
      const lostPort = error instanceof UscPisError && error.code === "service_died" && !(await isPortFree(port));
      if (!lostPort || options.port !== undefined || attempt >= 3) throw error;
    }
  }
}
