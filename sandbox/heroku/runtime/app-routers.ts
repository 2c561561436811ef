/** Heroku's router: one listener an app on the loopback address, since names below localhost don't resolve everywhere. */
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { uuid } from "../ids";
import type { App } from "../model";
import type { Store } from "../store";
import type { AppLogs } from "./app-logs";
import type { Dynos } from "./dynos";

/** How long a request waits for a web dyno that is booting, and for its answer (Heroku's H12), in milliseconds. */
const BOOT_WAIT_MS = 30_000;
const ANSWER_WAIT_MS = 30_000;

export function herokuHostname(app: App): string {
  return `${app.name}-${app.hostSuffix}.herokuapp.com`;
}

function page(title: string, text: string): string {
  return `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1><p>${text}</p></body></html>\n`;
}

const MAINTENANCE = page(
  "Offline for Maintenance",
  "This application is undergoing maintenance right now. Please check back later.",
);
const APPLICATION_ERROR = page(
  "Application error",
  "An error occurred in the application and your page could not be served.",
);
const NO_SUCH_APP = page("No such app", "There's nothing here, yet.");

export class AppRouters {
  private readonly servers = new Map<string, Server>();

  constructor(
    private readonly store: Store,
    private readonly dynos: Dynos,
    private readonly logs: AppLogs,
  ) {}

  /** Opens the app's router on its old port, or on a free one when that is taken. */
  async open(app: App): Promise<void> {
    const server = createServer((request, response) => void this.serve(app.id, request, response));
    app.routerPort = await listen(server, app.routerPort).catch(() => listen(server, 0));
    this.servers.set(app.id, server);
    this.store.save();
  }

  async shut(appId: string): Promise<void> {
    const server = this.servers.get(appId);
    this.servers.delete(appId);
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async close(): Promise<void> {
    await Promise.all([...this.servers.keys()].map((appId) => this.shut(appId)));
  }

  /** The Host header decides, as on Heroku: own addresses mean this port's app, a custom domain the app that has it. */
  private appOf(portApp: App, host: string): App | undefined {
    const name = host.replace(/:\d+$/, "").toLowerCase();
    if (["127.0.0.1", "localhost", "[::1]", ""].includes(name)) return portApp;
    const { apps, domains } = this.store.state;
    const domain = Object.values(domains).find((one) => one.hostname === name);
    if (domain) return apps[domain.appId];
    return Object.values(apps).find((app) => herokuHostname(app) === name);
  }

  private async serve(portAppId: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const portApp = this.store.state.apps[portAppId];
    const app = portApp && this.appOf(portApp, request.headers.host ?? "");
    if (!app) return answer(response, 404, NO_SUCH_APP);
    const refuse = (status: number, body: string, code: string, why: string) => {
      this.logs.write(
        app.id,
        "heroku",
        "router",
        `at=error code=${code} desc="${why}" path="${request.url}" status=${status}`,
      );
      answer(response, status, body);
    };
    if (app.maintenance) return refuse(503, MAINTENANCE, "H80", "Maintenance mode");
    if (!this.dynos.wantsWeb(app.id)) return refuse(503, APPLICATION_ERROR, "H14", "No web processes running");
    const port = await this.dynos.webPort(app.id, BOOT_WAIT_MS);
    if (port === undefined) return refuse(503, APPLICATION_ERROR, "H10", "App crashed");
    const forwarded = httpRequest(
      {
        host: "127.0.0.1",
        port,
        method: request.method,
        path: request.url,
        headers: {
          ...request.headers,
          "x-request-id": request.headers["x-request-id"] ?? uuid(),
          "x-forwarded-for": request.socket.remoteAddress ?? "127.0.0.1",
          "x-forwarded-proto": "http",
          "x-forwarded-port": String(app.routerPort),
          via: "1.1 heroku-router",
        },
      },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.on("error", () => response.destroy());
        reply.pipe(response);
      },
    );
    let late = false;
    forwarded.setTimeout(ANSWER_WAIT_MS, () => {
      late = true;
      forwarded.destroy(new Error("timeout"));
    });
    forwarded.on("error", () => {
      if (response.headersSent) return response.destroy();
      if (late) refuse(503, APPLICATION_ERROR, "H12", "Request timeout");
      else refuse(503, APPLICATION_ERROR, "H13", "Connection closed without response");
    });
    response.on("close", () => forwarded.destroy());
    request.pipe(forwarded);
  }
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "Content-Type": "text/html; charset=utf-8", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
