/** Starting and stopping the services of the sandbox. */
import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { notedTemporary, removeCluster } from "../postgres/cluster";
import type { PostgresSource } from "../postgres/programs";
import { isAlive } from "./identity";
import { withLock } from "./lock";
import { logFile } from "./logs";
import { passableFolder, privateFolder, type SandboxPaths } from "./paths";
import { type ServiceContext, starters } from "./services";
import { readState, type SandboxState, SERVICES, type ServiceName, writeState } from "./state";
import { killStrays, stopGroup } from "./stop";

export interface UpOptions {
  /** Ends the start and everything that it started. */
  signal?: AbortSignal;
  /** Fixed ports. @default free ones */
  ports?: Partial<Record<ServiceName, number>>;
  postgresSource?: PostgresSource;
  /** Services to start; tests leave some out. @default all */
  services?: readonly ServiceName[];
  /** Told what is being done, a line each. */
  progress?: (line: string) => void;
  /** Called with the lock held when all services run, for what belongs to a complete sandbox; its failure undoes `up`. */
  afterStart?: (state: SandboxState, changed: readonly ServiceName[]) => Promise<void>;
}

export interface UpResult {
  state: SandboxState;
  /** What was started now; empty when everything was running. */
  started: ServiceName[];
  /** Whether nothing of an earlier sandbox is left. */
  fresh: boolean;
}

/** How a service is asked to end. PostgreSQL's fast shutdown is SIGINT: SIGTERM waits for the clients. */
const STOP_SIGNAL: Readonly<Record<ServiceName, NodeJS.Signals>> = {
  postgres: "SIGINT",
  gateway: "SIGTERM",
  aws: "SIGTERM",
  cloudinary: "SIGTERM",
  heroku: "SIGTERM",
};

function newState(ports: UpOptions["ports"]): SandboxState {
  return {
    format: 1,
    id: randomBytes(6).toString("hex"),
    createdAt: new Date().toISOString(),
    ready: false,
    services: {},
    gateway: { controlToken: randomBytes(24).toString("hex") },
    heroku: { apiKey: `HRKU-${randomBytes(18).toString("hex")}`, controlToken: randomBytes(24).toString("hex") },
    cloudinary: {
      cloudName: "usc-pis-sandbox",
      apiKey: String(100_000_000_000_000 + Number.parseInt(randomBytes(5).toString("hex"), 16)),
      apiSecret: randomBytes(20).toString("base64url"),
    },
    ports: { ...ports },
  };
}

/** Ends every process that a state names, and those that none names. */
async function stopAll(paths: SandboxPaths, state: SandboxState | undefined): Promise<ServiceName[]> {
  const stopped: ServiceName[] = [];
  for (const name of [...SERVICES].reverse()) {
    const service = state?.services[name];
    if (service !== undefined && (await stopGroup(service, { signal: STOP_SIGNAL[name] }))) stopped.push(name);
  }
  const dataFolders = [join(paths.postgres, "data")];
  if (state?.postgres !== undefined) dataFolders.push(state.postgres.dataDir);
  const temporary = notedTemporary(join(paths.postgres, "data"));
  if (temporary !== undefined) dataFolders.push(join(temporary, "data"));
  await killStrays(paths.root, dataFolders);
  return stopped;
}

/** Removes what the services kept, the stacks' states and the secrets; logs and reports stay. */
function wipe(paths: SandboxPaths, state: SandboxState | undefined): void {
  if (state?.postgres !== undefined) removeCluster(state.postgres);
  const temporary = notedTemporary(join(paths.postgres, "data"));
  if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
  const folders = [
    paths.aws,
    paths.gateway,
    paths.postgres,
    paths.heroku,
    paths.cloudinary,
    paths.pulumiState,
    paths.tmp,
  ];
  const files = [
    paths.passphrase,
    paths.inventory,
    paths.clock,
    paths.state,
    ...["gateway", "heroku", "cloudinary"].map((name) => join(paths.root, `${name}.json`)),
  ];
  for (const path of [...folders, ...files, join(paths.root, "home")]) rmSync(path, { recursive: true, force: true });
}

/** A state that can't be read is treated as none: strays are found by their marker. */
function lenientState(paths: SandboxPaths): SandboxState | undefined {
  try {
    return readState(paths);
  } catch {
    return undefined;
  }
}

/**
 * Brings the sandbox up. What runs is left running; what ended is started again with what it kept. When the local AWS
 * has ended, or the last start did not come to its end, everything starts anew: the parts would not fit together.
 *
 * @throws UscPisError when a service does not start; then nothing that this call started is left
 */
export async function up(paths: SandboxPaths, options: UpOptions = {}): Promise<UpResult> {
  passableFolder(paths.root);
  return withLock(paths.lock, "sandbox up", async () => {
    const say = options.progress ?? (() => undefined);
    const before = lenientState(paths);
    const wanted = options.services ?? SERVICES;
    const running = (name: ServiceName) => before?.services[name] !== undefined && isAlive(before.services[name]);
    const moved = Object.entries(options.ports ?? {}).some(
      ([name, port]) => before?.ports[name as ServiceName] !== port,
    );
    const usable = before?.ready === true && (!wanted.includes("aws") || running("aws")) && !moved;
    if (before !== undefined && !usable) say("cleaning up after an earlier sandbox");
    if (!usable) {
      await stopAll(paths, before);
      wipe(paths, before);
      rmSync(paths.logs, { recursive: true, force: true });
    }
    const state = usable ? before : newState(options.ports);
    const missing = wanted.filter((name) => !usable || !running(name));
    // A restarted PostgreSQL may have another port, and the emulator was told the old one.
    if (missing.includes("postgres") && !missing.includes("heroku") && wanted.includes("heroku"))
      missing.push("heroku");
    const started: ServiceName[] = [];
    try {
      privateFolder(paths.logs);
      for (const name of SERVICES.filter((service) => missing.includes(service))) {
        options.signal?.throwIfAborted();
        say(`starting ${name}`);
        await startService(paths, state, name, options);
        started.push(name);
      }
      await options.afterStart?.(state, started);
      options.signal?.throwIfAborted();
      state.ready = true;
      writeState(paths, state);
    } catch (error) {
      // An existing sandbox keeps its data: only what was started now is ended.
      if (usable) await stopStarted(state, missing);
      else {
        await stopAll(paths, state);
        wipe(paths, state);
      }
      throw error;
    }
    return { state, started, fresh: !usable };
  });
}

async function startService(
  paths: SandboxPaths,
  state: SandboxState,
  name: ServiceName,
  options: UpOptions,
): Promise<void> {
  const before = state.services[name];
  if (before !== undefined) await stopGroup(before, { signal: STOP_SIGNAL[name] });
  const note: ServiceContext["note"] = ({ pid, startTime }) => {
    const url = before?.url;
    state.services[name] = {
      pid,
      startTime,
      startedAt: new Date().toISOString(),
      log: logFile(paths, name),
      ...(url === undefined ? {} : { url }),
    };
    writeState(paths, state);
  };
  const context = { paths, state, signal: options.signal, postgresSource: options.postgresSource, note };
  const url = await starters[name](context);
  const service = state.services[name];
  if (service !== undefined) service.url = url;
  writeState(paths, state);
}

async function stopStarted(state: SandboxState, names: readonly ServiceName[]): Promise<void> {
  for (const name of names) {
    const service = state.services[name];
    if (service !== undefined) await stopGroup(service, { signal: STOP_SIGNAL[name] });
  }
}

/** Ends the sandbox and removes what it kept; logs and reports stay. Doing it again does nothing. */
export async function down(paths: SandboxPaths): Promise<{ stopped: ServiceName[] }> {
  if (!existsSync(paths.root)) return { stopped: [] };
  return withLock(paths.lock, "sandbox down", async () => {
    const state = lenientState(paths);
    const stopped = await stopAll(paths, state);
    wipe(paths, state);
    return { stopped };
  });
}
