/** Formation, dynos and logs. */
import type { Cloud } from "../cloud";
import { ApiError, invalid, notFound, ok, text } from "../http";
import { uuid } from "../ids";
import type { App, Formation } from "../model";
import { type Route, route } from "../router";
import { list } from "./lists";
import type { Present } from "./present";

const SIZES = ["Eco", "Basic", "Standard-1X", "Standard-2X", "Performance-M", "Performance-L"];

function sizeOf(update: Record<string, unknown>): string | undefined {
  const nested = update.dyno_size;
  const asked =
    typeof nested === "object" && nested !== null
      ? text(nested as Record<string, unknown>, "name")
      : text(update, "size");
  if (asked === undefined) return undefined;
  const size = SIZES.find((one) => one.toLowerCase() === asked.toLowerCase());
  if (size === undefined) throw invalid(`No such size as ${asked}.`);
  return size;
}

/** A quantity may be a number, digits, or a change such as "+1". */
export function newQuantity(value: unknown, present: number): number {
  if (value === undefined || value === null) return present;
  const [, sign, digits] = /^([+-]?)(\d+)$/.exec(String(value)) ?? [];
  if (digits === undefined) throw invalid(`Invalid quantity: ${value}`);
  const amount = Number(digits);
  const next = sign === "+" ? present + amount : sign === "-" ? present - amount : amount;
  if (next < 0 || next > 100) throw invalid(`Invalid quantity: ${value}`);
  return next;
}

function formationOf(cloud: Cloud, app: App): Formation[] {
  return Object.values(cloud.state.formations)
    .filter((one) => one.appId === app.id)
    .sort((a, b) => a.type.localeCompare(b.type));
}

function find(cloud: Cloud, app: App, reference: string | undefined): Formation {
  const formation = formationOf(cloud, app).find((one) => one.type === reference || one.id === reference);
  if (!formation) throw new ApiError(404, "not_found", `Couldn't find that process type (${reference}).`);
  return formation;
}

function apply(cloud: Cloud, app: App, updates: readonly Record<string, unknown>[]): void {
  // All of them are looked at before the first one changes anything.
  const planned = updates.map((update) => {
    const formation = find(cloud, app, text(update, "type") ?? text(update, "id"));
    return {
      formation,
      quantity: newQuantity(update.quantity, formation.quantity),
      size: sizeOf(update) ?? formation.size,
    };
  });
  for (const { formation, quantity, size } of planned) {
    formation.quantity = quantity;
    formation.size = size;
    cloud.touch(formation);
  }
  void cloud.dynos.sync(app.id);
}

export function dynoRoutes(cloud: Cloud, present: Present): Route[] {
  const dynos = (app: App) => cloud.dynos.list(app.id);
  const named = (app: App, reference: string | undefined) => {
    const dyno = dynos(app).find((one) => one.id === reference || one.name === reference);
    if (!dyno) throw notFound("dyno");
    return dyno;
  };
  return [
    route("GET", "/apps/:app/formation", (x) =>
      list(
        x,
        formationOf(cloud, cloud.app(x.params.app)).map((one) => present.formation(one)),
        "type",
        "id",
      ),
    ),
    route("PATCH", "/apps/:app/formation", async (x) => {
      const app = cloud.app(x.params.app);
      const { updates } = await x.json();
      if (!Array.isArray(updates)) throw invalid("updates must be a list.");
      apply(cloud, app, updates);
      return ok(formationOf(cloud, app).map((one) => present.formation(one)));
    }),
    route("GET", "/apps/:app/formation/:type", (x) =>
      ok(present.formation(find(cloud, cloud.app(x.params.app), x.params.type))),
    ),
    route("PATCH", "/apps/:app/formation/:type", async (x) => {
      const app = cloud.app(x.params.app);
      const formation = find(cloud, app, x.params.type);
      apply(cloud, app, [{ ...(await x.json()), type: formation.type }]);
      return ok(present.formation(formation));
    }),
    route("GET", "/apps/:app/dynos", (x) =>
      list(
        x,
        dynos(cloud.app(x.params.app)).map((one) => present.dyno(one)),
        "name",
        "id",
      ),
    ),
    route("GET", "/apps/:app/dynos/:dyno", (x) => ok(present.dyno(named(cloud.app(x.params.app), x.params.dyno)))),
    route("POST", "/apps/:app/dynos", async (x) => {
      const app = cloud.app(x.params.app);
      const body = await x.json();
      if (body.attach === true)
        throw invalid("An attached dyno is not emulated: use run:detached, and logs for its output.");
      const slug = cloud.state.slugs[app.slugId ?? ""];
      if (!slug) throw invalid("Cannot run one-off process at this time: no code is deployed.");
      const command = text(body, "command");
      if (command === undefined) throw invalid("command is missing.");
      const extra = Object.fromEntries(
        Object.entries((body.env ?? {}) as Record<string, unknown>).map(([name, value]) => [name, String(value)]),
      );
      return ok(present.dyno(cloud.dynos.runOneOff(app, slug, command, sizeOf(body) ?? "Basic", extra)), 201);
    }),
    route("DELETE", "/apps/:app/dynos", async (x) => {
      await cloud.dynos.sync(cloud.app(x.params.app).id, true);
      return ok({}, 202);
    }),
    route("DELETE", "/apps/:app/dynos/:dyno", async (x) => {
      const app = cloud.app(x.params.app);
      await cloud.dynos.stopDyno(named(app, x.params.dyno));
      await cloud.dynos.sync(app.id);
      return ok({}, 202);
    }),
    route("POST", "/apps/:app/dynos/:dyno/actions/stop", async (x) => {
      const app = cloud.app(x.params.app);
      await cloud.dynos.stopDyno(named(app, x.params.dyno));
      return ok({}, 202);
    }),
    route("POST", "/apps/:app/log-sessions", async (x) => {
      const app = cloud.app(x.params.app);
      const { lines } = await x.json();
      const id = uuid();
      const count = typeof lines === "number" ? Math.min(1500, Math.max(1, lines)) : 100;
      return ok({ id, logplex_url: `${cloud.baseUrl}/_logs/${app.id}?lines=${count}&session=${id}` }, 201);
    }),
    route(
      "GET",
      "/_logs/:app",
      (x) => {
        const app = cloud.state.apps[x.params.app ?? ""];
        if (!app) throw notFound("app");
        x.response.writeHead(200, { "Content-Type": "text/event-stream" });
        // The official CLI waits for this long after the stream's end before it gives up.
        x.response.write("retry: 10\n\n");
        for (const line of cloud.logs.tail(app.id, Number(x.url.searchParams.get("lines")) || 100))
          x.response.write(`data: ${line}\n\n`);
        x.response.end();
        return undefined;
      },
      "public",
    ),
  ];
}
