/** Looking at the services of the sandbox: which run, which answer, and what to type when one does not. */
import { isAwsReady } from "../aws/server";
import { askLocal } from "../gateway/client";
import { adminUrl, ask } from "../postgres/cluster";
import { isAlive } from "./identity";
import { tail } from "./logs";
import type { SandboxPaths } from "./paths";
import { readState, type SandboxState, SERVICES, type ServiceName } from "./state";

export interface ServiceStatus {
  name: ServiceName;
  /** `up`: runs and answers; `silent`: runs and does not answer; `dead`: has ended; `absent`: was not started. */
  status: "up" | "silent" | "dead" | "absent";
  pid?: number;
  url?: string;
  startedAt?: string;
  log?: string;
  /** The end of the log of a service that has trouble. */
  logTail?: string[];
}

export interface SandboxStatus {
  up: boolean;
  services: ServiceStatus[];
  /** What to type next, when something is wrong. */
  next?: string;
}

/** Looks at each service now. */
export async function status(paths: SandboxPaths): Promise<SandboxStatus> {
  const state = readState(paths);
  const services = await Promise.all(SERVICES.map((name) => serviceStatus(paths, state, name)));
  const troubled = services.filter((service) => service.status !== "up");
  if (state !== undefined && troubled.length === 0) return { up: true, services };
  if (services.every((service) => service.status === "absent"))
    return { up: false, services, next: "npx usc-pis sandbox up" };
  // AWS keeps nothing, so `up` starts everything anew then; for the others it takes up what they kept.
  const lost = services.some((service) => service.name === "aws" && service.status === "dead");
  const what = lost
    ? "npx usc-pis sandbox up (starts anew: the local AWS keeps nothing when it ends)"
    : "npx usc-pis sandbox up";
  const silent = troubled.find((service) => service.status === "silent");
  return { up: false, services, next: silent === undefined ? what : `npx usc-pis sandbox logs ${silent.name}` };
}

async function serviceStatus(
  paths: SandboxPaths,
  state: SandboxState | undefined,
  name: ServiceName,
): Promise<ServiceStatus> {
  const service = state?.services[name];
  if (state === undefined || service === undefined) return { name, status: "absent" };
  const { pid, url, startedAt, log } = service;
  const common = { name, pid, startedAt, log, ...(url === undefined ? {} : { url }) };
  if (!isAlive(service)) return { ...common, status: "dead", logTail: tail(log, 10) };
  const answered = await answers(paths, state, name).catch(() => false);
  return answered ? { ...common, status: "up" } : { ...common, status: "silent", logTail: tail(log, 10) };
}

async function answers(paths: SandboxPaths, state: SandboxState, name: ServiceName): Promise<boolean> {
  if (name === "postgres") {
    return state.postgres === undefined ? false : ask(adminUrl(state.postgres), 3000);
  }
  const url = state.services[name]?.url;
  if (url === undefined) return false;
  if (name === "aws") return isAwsReady(url, paths.aws);
  if (name === "gateway") return (await askLocal(`${url}/_sandbox/health`, { folder: paths.aws })).status === 200;
  // Any answer of HTTP will do: the emulators refuse a request without a key, and so show that they are there.
  const answer = await fetch(url, { signal: AbortSignal.timeout(3000) });
  await answer.arrayBuffer();
  return true;
}
