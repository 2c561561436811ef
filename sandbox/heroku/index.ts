/** The Heroku emulator: Platform API, Postgres data API and control endpoints on one listener. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Keys } from "./auth";
import { Cloud } from "./cloud";
import { controlRoutes } from "./control";
import { backupRoutes } from "./data/backups";
import { databaseRoutes } from "./data/databases";
import { ApiError, type Exchange, notFound, readJson, sendJson } from "./http";
import { uuid } from "./ids";
import { accountRoutes } from "./platform/account";
import { addonRoutes } from "./platform/addons";
import { appRoutes } from "./platform/apps";
import { buildRoutes } from "./platform/builds";
import { certificateRoutes } from "./platform/certificates";
import { configVarRoutes } from "./platform/config-vars";
import { dynoRoutes } from "./platform/dynos";
import { networkRoutes } from "./platform/network";
import { pipelineRoutes } from "./platform/pipelines";
import { Present } from "./platform/present";
import { RateLimit } from "./rate-limit";
import { joinedRequestId } from "./request-ids";
import { Router } from "./router";
import type { PostgresAccess } from "./runtime/databases";

const CALLS_PER_HOUR = 100_000;

export interface HerokuOptions {
  /** Folder of state, dumps, sources, slugs and logs. Starting again with the same folder resumes. */
  dataDir: string;
  /** @default "127.0.0.1"; only addresses of the loopback interface are accepted. */
  host?: string;
  /** @default a free port */
  port?: number;
  /** The real PostgreSQL server under the Postgres add-ons. */
  postgres: PostgresAccess;
  /** API keys that are valid until they are rotated. */
  apiKeys: readonly string[];
  /** Bearer token of `/_control`. @default a random one, handed back */
  controlToken?: string;
  /**
   * Calls of the Platform API that the account has in an hour; further ones get 429. Heroku's number is 4,500, which a
   * rehearsal that goes through days in minutes would use up: a test of the limit sets its own.
   * @default 100000
   */
  callsPerHour?: number;
  /**
   * Certificate and key (PEM files): the public URLs of backups are then https, as Heroku's are, on a port of their own.
   * Who fetches them has to trust the certificate. @default the URLs are http, on the API's port
   */
  tls?: { cert: string; key: string };
  /** Takes one line at a time; never a key or a password. @default nothing is logged */
  log?: (line: string) => void;
}

export interface HerokuEmulator {
  /** `http://host:port`, for HEROKU_API_URL, HEROKU_DATA_API_URL and the CLI's HEROKU_HOST. */
  url: string;
  controlToken: string;
  /** Stops dynos, transfers and listeners. The state stays in the data folder. */
  close(): Promise<void>;
}

/**
 * Starts the emulator.
 * @throws when the host is not a loopback address, the port is taken or the data folder can't be written.
 */
export async function startHeroku(options: HerokuOptions): Promise<HerokuEmulator> {
  const host = options.host ?? "127.0.0.1";
  if (!/^127\.\d+\.\d+\.\d+$/.test(host))
    throw new Error(`the emulator listens on loopback addresses only, not on ${host}`);
  const log = options.log ?? (() => undefined);
  const controlToken = options.controlToken ?? randomBytes(24).toString("hex");
  const cloud = new Cloud(options.dataDir, options.postgres, log);
  const keys = new Keys(cloud.store, options.apiKeys, controlToken);
  const present = new Present(cloud);
  const limit = new RateLimit(options.callsPerHour ?? CALLS_PER_HOUR);
  const router = new Router([
    ...controlRoutes(cloud, keys),
    ...accountRoutes(cloud, present, limit),
    ...appRoutes(cloud, present),
    ...configVarRoutes(cloud, present),
    ...addonRoutes(cloud, present),
    ...buildRoutes(cloud, present),
    ...dynoRoutes(cloud, present),
    ...networkRoutes(cloud, present),
    ...certificateRoutes(cloud),
    ...pipelineRoutes(cloud, present),
    ...databaseRoutes(cloud),
    ...backupRoutes(cloud),
  ]);
  const serve = (request: IncomingMessage, response: ServerResponse) =>
    void answer({ cloud, keys, router, limit }, request, response);
  const server = createServer(serve);
  const url = `http://${host}:${await listen(server, host, options.port ?? 0)}`;
  const servers = [server];
  cloud.baseUrl = url;
  cloud.storageUrl = url;
  if (options.tls) {
    const { cert, key } = options.tls;
    const storage = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, serve);
    cloud.storageUrl = `https://${host}:${await listen(storage, host, 0)}`;
    servers.push(storage);
  }
  await cloud.resume();
  log(`listening on ${url}`);
  return {
    url,
    controlToken,
    async close() {
      await Promise.all(servers.map(shut));
      await cloud.close();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  // Uploads and waiting captures may take longer than Node's defaults for a whole request.
  server.requestTimeout = 0;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function shut(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

interface Parts {
  cloud: Cloud;
  keys: Keys;
  router: Router;
  limit: RateLimit;
}

/** The Postgres data API, which has a host of its own at Heroku and does not count against the Platform API's budget. */
const DATA_API = /^\/(client|postgres|data)\//;

async function answer(
  { cloud, keys, router, limit }: Parts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? "GET";
  const url = new URL(request.url ?? "/", "http://emulator.invalid");
  response.setHeader("Request-Id", joinedRequestId(request.headers["request-id"], uuid()));
  try {
    const { match, pathKnown } = router.find(method, url.pathname);
    const access = match?.route.access ?? "key";
    if (access === "control") keys.requireControl(request.headers.authorization);
    if (access === "key") {
      keys.require(request.headers.authorization);
      if (!DATA_API.test(url.pathname)) charge(limit, url.pathname, response);
    }
    if (!url.pathname.startsWith("/_control") && (await cloud.faults.apply(request, response))) return;
    if (!match) {
      cloud.log(`not emulated: ${method} ${url.pathname}`);
      throw pathKnown
        ? new ApiError(405, "method_not_allowed", "The method is not allowed here.")
        : notFound("resource");
    }
    const exchange: Exchange = {
      request,
      response,
      method,
      url,
      params: match.params,
      json: () => readJson(request),
    };
    const reply = await match.route.handler(exchange);
    if (reply) sendJson(response, reply);
  } catch (error) {
    if (error instanceof ApiError) return sendJson(response, { status: error.status, body: error.body });
    cloud.log(`${method} ${url.pathname} failed: ${error instanceof Error ? error.stack : error}`);
    sendJson(response, { status: 500, body: { id: "internal_server_error", message: "Internal server error." } });
  }
}

/** Takes a call from the budget and tells what is left; the question for the budget itself is free. */
function charge(limit: RateLimit, path: string, response: ServerResponse): void {
  response.setHeader("RateLimit-Remaining", String(limit.remaining));
  if (path !== "/account/rate-limits") response.setHeader("RateLimit-Remaining", String(limit.take()));
}
