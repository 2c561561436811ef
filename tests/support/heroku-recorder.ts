import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

type Json = any;

/** One request as it arrived. */
export interface Recorded {
  line: string;
  headers: IncomingMessage["headers"];
  body: Json;
}

/** What a path answers: a status other than 200, or a body. */
export type Handler = (match: string[], body: Json) => Json;

/** A text with ids replaced by their names. */
export function readable(text: string, names: { [id: string]: string }): string {
  return Object.entries(names).reduce((changed, [id, name]) => changed.replaceAll(id, name), text);
}

/**
 * A server that writes down every request and answers from a table: `METHOD /path` with `*` for one segment. It is no
 * emulator, it only lets a test see what is sent and in which order.
 */
export class HerokuRecorder {
  readonly requests: Recorded[] = [];
  readonly routes = new Map<string, Handler>();
  #server: Server | undefined;
  url = "";

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const raw = Buffer.concat(chunks);
        const isJson = request.headers["content-type"] === "application/json";
        const body = isJson ? JSON.parse(raw.toString()) : raw.length > 0 ? raw : undefined;
        const line = `${request.method} ${request.url}`;
        this.requests.push({ line, headers: request.headers, body });
        const answer = this.#answer(line, body);
        response.statusCode = answer?.status >= 300 ? answer.status : 200;
        response.setHeader("content-type", "application/json");
        const said = answer?.status >= 300 || answer?.status === 204 ? answer.body : answer;
        response.end(said === undefined ? "" : typeof said === "string" ? said : JSON.stringify(said));
      });
    });
    await new Promise<void>((done) => this.#server?.listen(0, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((done) => this.#server?.close(done));
  }

  /** Answers a route from now on; the last word on a route counts. */
  on(route: string, answer: Handler | object | string): this {
    this.routes.set(route, typeof answer === "function" ? (answer as Handler) : () => answer);
    return this;
  }

  /** The lines since the last call of this, with ids made readable. */
  take(names: { [id: string]: string } = {}): string[] {
    return this.requests.splice(0).map(({ line }) => readable(line, names));
  }

  /** The same with what was sent in each. */
  takeAll(names: { [id: string]: string } = {}): string[] {
    return this.requests.splice(0).map(({ line, body }) => {
      const sent =
        body === undefined ? "" : ` ${Buffer.isBuffer(body) ? body.toString("latin1") : JSON.stringify(body)}`;
      return readable(line + sent, names);
    });
  }

  #answer(line: string, body: Json): Json {
    const exact = this.routes.get(line);
    if (exact) return exact([], body);
    for (const [route, answer] of this.routes) {
      const pattern = new RegExp(`^${route.replaceAll("*", "([^/]+)")}$`);
      const match = pattern.exec(line);
      if (match) return answer(match.slice(1), body);
    }
    return { status: 404, body: { id: "not_found", message: `Couldn't find ${line}.` } };
  }
}

/** Routes of one app with a release, config vars and an add-on, as far as the provider's flows need them. */
export function oneApp(recorder: HerokuRecorder) {
  const id = randomUUID();
  const release = randomUUID();
  const addon = randomUUID();
  const vars: { [name: string]: string } = {};
  const app = {
    id,
    name: "usc-pis",
    region: { name: "us" },
    build_stack: { name: "heroku-24" },
    git_url: "https://git.heroku.com/usc-pis.git",
    web_url: "https://usc-pis-0123456789ab.herokuapp.com/",
    acm: false,
    generation: { name: "cedar" },
  };
  const installations: Json[] = [];
  let provisioning = 1;
  recorder
    .on("POST /apps", app)
    .on("GET /apps/*", app)
    .on("PATCH /apps/*", (_match, body) => Object.assign(app, body.name ? { name: body.name } : {}))
    .on("DELETE /apps/*", app)
    .on("GET /apps/*/buildpack-installations", () => installations)
    .on("PUT /apps/*/buildpack-installations", (_match, body) => {
      installations.splice(0, 9, ...body.updates.map(({ buildpack }: Json) => ({ buildpack: { name: buildpack } })));
      return installations;
    })
    .on("GET /apps/*/config-vars", () => vars)
    .on("PATCH /apps/*/config-vars", (_match, body) => {
      for (const [name, value] of Object.entries(body)) {
        if (value === null) delete vars[name];
        else vars[name] = String(value);
      }
      return vars;
    })
    .on("GET /apps/*/releases", [{ id: release }])
    .on("GET /apps/*/releases/*", { id: release, status: "succeeded" })
    .on("POST /apps/*/addons", (_match, body) => {
      vars.DATABASE_URL = "postgres://secret";
      return { id: addon, name: body.name, config_vars: ["DATABASE_URL"], plan: { name: body.plan }, app: { id } };
    })
    .on("GET /apps/*/addons/*", () => ({ id: addon, state: provisioning-- > 0 ? "provisioning" : "provisioned" }))
    .on("GET /addons/*", {
      id: addon,
      name: "usc-pis-db",
      app: { id },
      plan: { name: "heroku-postgresql:essential-0" },
      provider_id: "p",
      config_vars: ["DATABASE_URL"],
      state: "provisioned",
    })
    .on("DELETE /apps/*/addons/*", { id: addon })
    .on("PATCH /apps/*/addons/*", { id: addon });
  return { id, release, addon, vars, app, names: { [id]: "APP", [release]: "RELEASE", [addon]: "ADDON" } };
}
