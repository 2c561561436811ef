/** How each service starts. All of them take up what they kept, except AWS, which keeps nothing. */
import { join } from "node:path";
import { UscPisError } from "../../backup/errors";
import { bootstrapAccount } from "../aws/bootstrap";
import { certificateFiles, ensureCertificate, trustVariables } from "../aws/certificate";
import type { IdentityScope } from "../aws/identities";
import { ACCOUNT, pythonPath, startAws } from "../aws/server";
import { clockVariables } from "../clock/clock";
import { askLocal } from "../gateway/client";
import { adminUrl, createCluster, startCluster } from "../postgres/cluster";
import type { PostgresSource } from "../postgres/programs";
import { isAlive, type ProcessIdentity } from "./identity";
import { launch, waitReady } from "./launch";
import { linesSince, logFile } from "./logs";
import { nodeFolder, privateFolder, projectRoot, type SandboxPaths, writeWhole } from "./paths";
import { becomesFree, freePort, isPortFree, requirePort } from "./ports";
import type { SandboxState, ServiceName } from "./state";

/** Names of the sandbox's own system, account and regions, the production's defaults. */
export const SCOPE: IdentityScope = {
  system: "usc-pis",
  account: ACCOUNT,
  regions: ["ap-southeast-1", "ap-northeast-1"],
};

export interface ServiceContext {
  paths: SandboxPaths;
  state: SandboxState;
  signal?: AbortSignal;
  postgresSource?: PostgresSource;
  /** Notes a process in the state before anything else happens. */
  note: (process: ProcessIdentity) => void;
}

/** The port to use: the one asked for, else the one it had, if that is still free. @returns undefined for any */
async function choosePort(context: ServiceContext, service: ServiceName): Promise<number | undefined> {
  const fixed = context.state.ports[service];
  if (fixed !== undefined) return requirePort(service, fixed);
  const before = context.state.services[service]?.url;
  const port = before === undefined ? Number.NaN : Number(new URL(before).port);
  return Number.isInteger(port) && port > 0 && (await isPortFree(port)) ? port : undefined;
}

async function startPostgres(context: ServiceContext): Promise<string> {
  const { paths, state } = context;
  const port = (await choosePort(context, "postgres")) ?? (await freePort());
  state.postgres = {
    ...(state.postgres ??
      (await createCluster({ dataDir: join(paths.postgres, "data"), source: context.postgresSource, port }))),
    port,
  };
  const started = await startCluster(state.postgres, {
    log: logFile(paths, "postgres"),
    sandboxRoot: paths.root,
    signal: context.signal,
    onStart: context.note,
    mayMove: state.ports.postgres === undefined,
  });
  state.postgres.port = started.port;
  return `postgres://127.0.0.1:${started.port}`;
}

async function startMinistack(context: ServiceContext): Promise<string> {
  const { paths, state } = context;
  if (state.ports.aws !== undefined) await requirePort("aws", state.ports.aws);
  const gateway = state.services.gateway?.url;
  const { url } = await startAws({
    folder: paths.aws,
    log: logFile(paths, "aws"),
    sandboxRoot: paths.root,
    port: state.ports.aws,
    signal: context.signal,
    onStart: context.note,
    local: {
      clock: paths.clock,
      token: state.gateway.controlToken,
      ...(gateway === undefined ? {} : { gatewayUrl: gateway }),
    },
  });
  if (gateway !== undefined) await tellGateway(context, gateway, url);
  await bootstrapAccount(SCOPE, gateway ?? url, paths.aws);
  return url;
}

/** The gateway has to be there first, since the local AWS hands out addresses with its port; now it is told where to. */
async function tellGateway({ paths, state }: ServiceContext, gateway: string, aws: string): Promise<void> {
  const { status, body } = await askLocal(`${gateway}/_sandbox/upstream`, {
    folder: paths.aws,
    method: "PUT",
    token: state.gateway.controlToken,
    body: { url: aws },
  });
  if (status !== 200)
    throw new UscPisError(
      "gateway",
      `the gateway did not take the local AWS's address ${aws}: ${JSON.stringify(body)}`,
    );
}

/** A gateway that is started again has the port that it had: the running local AWS has told it to everyone. */
async function startGateway(context: ServiceContext): Promise<string> {
  const { paths, state } = context;
  const { aws, gateway } = state.services;
  const upstream = aws?.url !== undefined && isAlive(aws) ? aws.url : undefined;
  const known = upstream === undefined ? undefined : gateway?.url;
  if (known !== undefined && !(await becomesFree(Number(new URL(known).port))))
    throw new UscPisError("port_taken", `${known}, where the local AWS is known, is taken by another program`, {
      hint: "start anew: npx usc-pis sandbox reset",
    });
  return startEmulator(context, "gateway", {
    port: known === undefined ? await choosePort(context, "gateway") : Number(new URL(known).port),
    tls: certificateFiles(paths.aws),
    controlToken: state.gateway.controlToken,
    sandboxRoot: paths.root,
    dataDir: privateFolder(paths.gateway),
    ...(upstream === undefined ? {} : { upstream }),
  });
}

/** A program of ours: its configuration in a private file, a line of JSON when it is ready. */
async function startEmulator(
  context: ServiceContext,
  service: "gateway" | "heroku" | "cloudinary",
  config: object,
): Promise<string> {
  const { paths } = context;
  // Theirs to trust even before the local AWS starts.
  await ensureCertificate(privateFolder(paths.aws), pythonPath());
  const log = logFile(paths, service);
  const file = join(paths.root, `${service}.json`);
  writeWhole(file, JSON.stringify(config));
  const offset = Buffer.byteLength(linesSince(log, 0).join("\n"));
  const process = await launch({
    file: join(nodeFolder(), "node"),
    args: ["-r", "ts-node/register/transpile-only", join(projectRoot, "sandbox", service, "main.ts"), file],
    cwd: projectRoot,
    env: {
      PATH: `${nodeFolder()}:/usr/local/bin:/usr/bin:/bin`,
      HOME: privateFolder(join(paths.root, "home")),
      TMPDIR: privateFolder(paths.tmp),
      LANG: "C.UTF-8",
      TZ: "UTC",
      // Heroku fetches the dumps that it restores from the local AWS.
      ...trustVariables(paths.aws),
      ...clockVariables(paths.clock),
    },
    log,
    sandboxRoot: paths.root,
  });
  context.note(process);
  return waitReady({
    service: service === "gateway" ? "the gateway" : `the ${service} emulator`,
    process,
    log,
    signal: context.signal,
    timeoutMs: 60_000,
    probe: async () => readyUrl(linesSince(log, offset)),
  });
}

/** The address in the line by which an emulator says that it is ready. */
export function readyUrl(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    if (!line.startsWith("{")) continue;
    try {
      const said = JSON.parse(line) as { ready?: unknown; url?: unknown };
      if (said.ready === true && typeof said.url === "string") return said.url;
    } catch {
      // Half of a line, or somebody else's: the next look sees it whole.
    }
  }
  return undefined;
}

/** Where the emulators reach the databases. */
export function requirePostgres(state: SandboxState): { adminUrl: string; bin: string } {
  if (state.postgres === undefined) throw new Error("PostgreSQL has not been started");
  return { adminUrl: adminUrl(state.postgres), bin: state.postgres.bin };
}

export const starters: Readonly<Record<ServiceName, (context: ServiceContext) => Promise<string>>> = {
  postgres: startPostgres,
  gateway: startGateway,
  aws: startMinistack,
  cloudinary: async (context) =>
    startEmulator(context, "cloudinary", {
      dataDir: privateFolder(context.paths.cloudinary),
      host: "127.0.0.1",
      port: await choosePort(context, "cloudinary"),
      ...context.state.cloudinary,
    }),
  heroku: async (context) =>
    startEmulator(context, "heroku", {
      dataDir: privateFolder(context.paths.heroku),
      host: "127.0.0.1",
      port: await choosePort(context, "heroku"),
      postgres: requirePostgres(context.state),
      apiKeys: [context.state.heroku.apiKey],
      controlToken: context.state.heroku.controlToken,
    }),
};
