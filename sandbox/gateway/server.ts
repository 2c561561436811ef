/** The gateway: a TLS reverse proxy on loopback before the local AWS. What it does with a request is told by faults. */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { controlFaults, FAULT_METHODS } from "../faults/control";
import { Faults } from "../faults/engine";
import { carryOut, type Voice } from "../faults/http";
import { changesUpload, RuleError } from "../faults/rule";
import { ApiRegions } from "./api-regions";
import { awsError } from "./aws-errors";
import { forward } from "./forward";
import { GatewayEvents } from "./observe";
import { recogniseRequest, type Target } from "./request";
import { answerControl, CONTROL_PREFIX, Refusal, type Route } from "./routes";
import { changedUpload } from "./uploads";

/** MiniStack closes an idle connection after 75 s: ours ends before, so that no request meets one that is closing. */
const IDLE_UPSTREAM_MS = 30_000;
/** Longer than any client of ours keeps a connection idle, for the same reason. */
const IDLE_CLIENT_MS = 120_000;

export interface GatewayOptions {
  /** Address to bind: loopback only. */
  host: "127.0.0.1";
  /** @default a free one */
  port?: number;
  /** Files of the certificate that both sides of the proxy use. */
  tls: { cert: string; key: string };
  /** Bearer token of what changes something below `/_sandbox/`. */
  controlToken: string;
  /** Address of the local AWS; told later by `PUT /_sandbox/upstream` when it is not there yet. */
  upstream?: string;
  log?: (line: string) => void;
}

export interface Gateway {
  url: string;
  events: GatewayEvents;
  /** Address of the local AWS itself, past the proxy and its faults; undefined before it started. */
  upstream(): string | undefined;
  /** Mounts routes below `/_sandbox/`. */
  mount(routes: readonly Route[]): void;
  close(): Promise<void>;
}

/** @throws when an address is not of this machine */
function localAddress(text: unknown): string {
  const url = typeof text === "string" ? URL.parse(text) : null;
  if (url?.protocol !== "https:" || url.hostname !== "127.0.0.1")
    throw new Refusal(422, `the upstream is ${JSON.stringify(text)}, expected https://127.0.0.1:PORT`);
  return url.origin;
}

/** `/_sandbox/faults`, as the emulators have it at `/_control/faults`. */
function faultRoutes(faults: Faults): Route[] {
  return FAULT_METHODS.map((method) => ({
    method,
    path: "faults",
    handle: async ({ url, json }) => {
      try {
        return { body: controlFaults(faults, method, await json(), url.searchParams.get("name") ?? undefined) };
      } catch (error) {
        if (error instanceof RuleError) throw new Refusal(422, error.message);
        throw error;
      }
    },
  }));
}

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  if ((options.host as string) !== "127.0.0.1") throw new Error(`host must be 127.0.0.1, got ${options.host}`);
  const log = options.log ?? (() => undefined);
  const [cert, key] = [readFileSync(options.tls.cert), readFileSync(options.tls.key)];
  const agent = new Agent({ keepAlive: true, timeout: IDLE_UPSTREAM_MS, ca: cert });
  const events = new GatewayEvents();
  let upstream = options.upstream === undefined ? undefined : localAddress(options.upstream);
  const faults = new Faults({ uploads: true });
  const apis = new ApiRegions();
  const routes: Route[] = [
    ...faultRoutes(faults),
    { method: "GET", path: "health", handle: () => ({ body: { ok: true, upstream: upstream ?? null } }) },
    {
      method: "PUT",
      path: "upstream",
      handle: async ({ json }) => {
        upstream = localAddress(((await json()) as { url?: unknown } | undefined)?.url);
        log(`the local AWS is at ${upstream}`);
        return { body: { upstream } };
      },
    },
  ];

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const begin = performance.now();
    const target = apis.complete(await recogniseRequest(request), request.headers.host ?? "");
    const status = await treat(target, request, response);
    const { query, ...about } = target;
    const milliseconds = performance.now() - begin;
    events.emit("ended", { ...about, ...(status === undefined ? {} : { status }), milliseconds });
  }

  async function treat(target: Target, request: IncomingMessage, response: ServerResponse) {
    const rule = faults.meet(target);
    const voice: Voice = (error) => awsError(error, target.service, request.headers);
    if (rule !== undefined && (await carryOut(rule, target, request, response, voice))) return rule.status;
    if (upstream === undefined) {
      response.writeHead(503, { "Content-Type": "text/plain" }).end("the local AWS has not started yet\n");
      return 503;
    }
    const changed = rule !== undefined && changesUpload(rule) && (await changedUpload(rule, request, target));
    return forward({ url: upstream, agent }, request, response, changed || undefined);
  }

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const isControl = request.url?.startsWith(CONTROL_PREFIX);
    const work = isControl ? answerControl(routes, options.controlToken, request, response) : pass(request, response);
    work.catch((error: Error) => {
      log(`${request.method} ${request.url} failed: ${error.stack}`);
      response.destroy();
    });
  };
  const server = createServer({ cert, key, maxHeaderSize: 64 * 1024, keepAliveTimeout: IDLE_CLIENT_MS }, handle);
  // A large upload, or a function that is waited for, takes as long as it takes.
  server.requestTimeout = 0;
  server.on("checkContinue", handle);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, options.host, resolve);
  });
  return {
    url: `https://${options.host}:${(server.address() as AddressInfo).port}`,
    events,
    upstream: () => upstream,
    mount: (more) => void routes.push(...more),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}
