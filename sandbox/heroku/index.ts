/** The Heroku emulator: Platform API, Postgres data API and control endpoints on one listener. */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Keys } from "./auth";
import { Cloud } from "./cloud";
import { controlRoutes } from "./control";
import { backupRoutes } from "./data/backups";
import { databaseRoutes } from "./data/databases";
import { ApiError, type Exchange, notFound, readJson, sendJson } from "./http";
import { addonRoutes } from "./platform/addons";
import { appRoutes } from "./platform/apps";
import { buildRoutes } from "./platform/builds";
import { configVarRoutes } from "./platform/config-vars";
import { dynoRoutes } from "./platform/dynos";
import { networkRoutes } from "./platform/network";
import { pipelineRoutes } from "./platform/pipelines";
import { Present } from "./platform/present";
import { Router } from "./router";
import type { PostgresAccess } from "./runtime/databases";

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
  const router = new Router([
    ...controlRoutes(cloud, keys),
    ...appRoutes(cloud, present),
    ...configVarRoutes(cloud, present),
    ...addonRoutes(cloud, present),
    ...buildRoutes(cloud, present),
    ...dynoRoutes(cloud, present),
    ...networkRoutes(cloud, present),
    ...pipelineRoutes(cloud, present),
    ...databaseRoutes(cloud),
    ...backupRoutes(cloud),
  ]);
  const server = createServer((request, response) => void answer({ cloud, keys, router }, request, response));
  // Uploads and waiting captures may take longer than Node's defaults for a whole request.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  cloud.baseUrl = url;
  await cloud.resume();
  log(`listening on ${url}`);
  return {
    url,
    controlToken,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await cloud.close();
    },
  };
}

interface Parts {
  cloud: Cloud;
  keys: Keys;
  router: Router;
}

async function answer(
  { cloud, keys, router }: Parts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? "GET";
  const url = new URL(request.url ?? "/", "http://emulator.invalid");
  try {
    const { match, pathKnown } = router.find(method, url.pathname);
    const access = match?.route.access ?? "key";
    if (access === "control") keys.requireControl(request.headers.authorization);
    if (access === "key") keys.require(request.headers.authorization);
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
