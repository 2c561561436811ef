/** Postgres data API: captures, restores, their list, public URLs, and schedules. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Cloud } from "../cloud";
import { ApiError, invalid, notFound, notYetProvisioned, ok, text } from "../http";
import { uuid } from "../ids";
import type { Addon, App, Schedule, Transfer } from "../model";
import { type Route, route } from "../router";
import { isTimeZone } from "../runtime/scheduler";
import { refusal, signPath } from "../runtime/signed-urls";

/** A public URL works for ten minutes. */
const PUBLIC_URL_SECONDS = 600;

function show(transfer: Transfer, verbose = false) {
  return {
    uuid: transfer.uuid,
    num: transfer.num,
    num_keep: transfer.numKeep ?? null,
    from_type: transfer.fromType,
    from_name: transfer.fromName,
    from_url: transfer.fromUrl,
    to_type: transfer.toType,
    to_name: transfer.toName,
    to_url: transfer.toUrl,
    created_at: transfer.createdAt,
    updated_at: transfer.updatedAt,
    started_at: transfer.startedAt,
    finished_at: transfer.finishedAt,
    canceled_at: transfer.canceledAt,
    deleted_at: transfer.deletedAt,
    purged_at: transfer.deletedAt,
    succeeded: transfer.finishedAt === null ? null : transfer.succeeded,
    warnings: transfer.warnings,
    processed_bytes: transfer.processedBytes,
    source_bytes: transfer.sourceBytes,
    // `pgbackups_name` is for backups of a service before this one: none is here.
    options: {},
    schedule: transfer.scheduleId === null ? null : { uuid: transfer.scheduleId },
    ...(verbose ? { logs: transfer.logs } : {}),
  };
}

/** The Postgres add-on of a data API path; 404 without a message while it is being provisioned. */
export function database(cloud: Cloud, reference: string | undefined): Addon {
  const addon = cloud.addon(reference);
  if (addon.service !== "heroku-postgresql") throw notFound("database");
  if (addon.state !== "provisioned") throw notYetProvisioned();
  return addon;
}

/** Extensions of a request's body, each a name or `schema.name`. */
export function extensionNames(body: Record<string, unknown>): string[] {
  const extensions = Array.isArray(body.extensions) ? body.extensions.map(String) : [];
  const bad = extensions.find((name) => !/^([a-z_][a-z0-9_]*\.)?[a-z0-9_-]+$/.test(name));
  if (bad !== undefined) throw invalid(`Extension ${bad} is not valid.`);
  return extensions;
}

/** The add-on that a database's address belongs to. Others are refused: the emulator copies only what is its own. */
function addonOfUrl(cloud: Cloud, address: string | undefined): Addon {
  const url = URL.canParse(address ?? "") ? new URL(address ?? "") : undefined;
  const addon = Object.values(cloud.state.addons).find(
    ({ login }) => login && login.user === url?.username && `/${login.database}` === url.pathname,
  );
  if (!addon) throw invalid("from_url and to_url must be addresses of this emulator's own databases.");
  return addon;
}

/** Name under which the billing app knows the add-on; DATABASE when it is that one. */
function attachmentName(cloud: Cloud, addon: Addon): string {
  const names = Object.values(cloud.state.attachments)
    .filter((one) => one.addonId === addon.id && one.appId === addon.appId)
    .map((one) => one.name);
  return names.includes("DATABASE") ? "DATABASE" : (names[0] ?? addon.name);
}

/** By number or uuid: 404 when it never was, 410 when it was deleted. */
function findTransfer(cloud: Cloud, app: App, key: string | undefined): Transfer {
  const transfer = Object.values(cloud.state.transfers).find(
    (one) => one.appId === app.id && (one.uuid === key || String(one.num) === key),
  );
  if (!transfer) throw notFound("transfer");
  if (transfer.deletedAt !== null) throw new ApiError(410, "gone", "That transfer has been deleted.");
  return transfer;
}

function transferRoutes(cloud: Cloud): Route[] {
  return [
    route("POST", "/client/v11/databases/:database/backups", (x) => {
      const addon = database(cloud, x.params.database);
      return ok(show(cloud.transfers.capture(cloud.billingApp(addon), addon, attachmentName(cloud, addon))), 201);
    }),
    route("POST", "/client/v11/databases/:database/restores", async (x) => {
      const addon = database(cloud, x.params.database);
      const body = await x.json();
      const source = text(body, "backup_url") ?? "";
      if (!/^(https?|gof3r):\/\//.test(source))
        throw invalid("backup_url must be an http or https address, or that of a backup.");
      const transfer = cloud.transfers.restore(
        cloud.billingApp(addon),
        addon,
        attachmentName(cloud, addon),
        source,
        extensionNames(body),
      );
      return ok(show(transfer), 201);
    }),
    route("POST", "/client/v11/databases/:database/transfers", async (x) => {
      const target = database(cloud, x.params.database);
      const body = await x.json();
      const source = addonOfUrl(cloud, text(body, "from_url"));
      if (addonOfUrl(cloud, text(body, "to_url")).id !== target.id)
        throw invalid(`to_url must be the address of ${target.name}.`);
      if (source.id === target.id) throw invalid("A database can't be copied onto itself.");
      const names = { from: text(body, "from_name") ?? source.name, to: text(body, "to_name") ?? target.name };
      return ok(show(cloud.transfers.copy(cloud.billingApp(target), source, target, names)), 201);
    }),
    route("GET", "/client/v11/apps/:app/transfers", (x) => {
      const app = cloud.app(x.params.app);
      const transfers = Object.values(cloud.state.transfers).filter(
        (one) => one.appId === app.id && one.deletedAt === null,
      );
      return ok(transfers.sort((a, b) => a.num - b.num).map((one) => show(one)));
    }),
    route("GET", "/client/v11/apps/:app/transfers/:transfer", (x) => {
      const transfer = findTransfer(cloud, cloud.app(x.params.app), x.params.transfer);
      return ok(show(transfer, x.url.searchParams.get("verbose") === "true"));
    }),
    route("DELETE", "/client/v11/apps/:app/transfers/:transfer", async (x) => {
      const transfer = findTransfer(cloud, cloud.app(x.params.app), x.params.transfer);
      await cloud.transfers.cancel(transfer);
      cloud.transfers.remove(transfer);
      return ok(show(transfer));
    }),
    route("POST", "/client/v11/apps/:app/transfers/:transfer/actions/cancel", async (x) => {
      const transfer = findTransfer(cloud, cloud.app(x.params.app), x.params.transfer);
      await cloud.transfers.cancel(transfer);
      return ok({ canceled_at: transfer.canceledAt }, 201);
    }),
    route("POST", "/client/v11/apps/:app/transfers/:transfer/actions/public-url", (x) => {
      const transfer = findTransfer(cloud, cloud.app(x.params.app), x.params.transfer);
      if (transfer.toType !== "gof3r" || !transfer.succeeded)
        throw invalid("A public URL exists for finished, successful backups only.");
      const expires = Math.floor(Date.now() / 1000) + PUBLIC_URL_SECONDS;
      const path = `/_backups/${transfer.uuid}.dump`;
      const url = `${cloud.storageUrl}${signPath(cloud.state.urlKey, path, expires)}`;
      return ok({ url, expires_at: new Date(expires * 1000).toISOString() }, 201);
    }),
    route(
      "GET",
      "/_backups/:file",
      async (x) => {
        const transfer = cloud.state.transfers[(x.params.file ?? "").replace(/\.dump$/, "")];
        const why = refusal(cloud.state.urlKey, x.url);
        const file = transfer && cloud.transfers.dumpFile(transfer);
        if (why || !file || !existsSync(file)) {
          // The storage behind Heroku's public URLs speaks XML, not the API's JSON.
          const code = why === "expired" ? "AccessDenied" : why ? "SignatureDoesNotMatch" : "NoSuchKey";
          const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code></Error>`;
          x.response.writeHead(why ? 403 : 404, { "Content-Type": "application/xml" }).end(body);
          return undefined;
        }
        x.response.writeHead(200, { "Content-Type": "binary/octet-stream", "Content-Length": statSync(file).size });
        // A reader that goes away is no failure of the emulator.
        await pipeline(createReadStream(file), x.response).catch(() => x.response.destroy());
        return undefined;
      },
      "public",
    ),
  ];
}

function scheduleRoutes(cloud: Cloud): Route[] {
  const { schedules } = cloud.state;
  const ofDatabase = (addon: Addon) =>
    Object.values(schedules).filter((one) => one.addonId === addon.id && one.deletedAt === null);
  const show = ({ uuid, name, hour, timezone, createdAt, updatedAt }: Schedule) => ({
    uuid,
    name,
    hour,
    timezone,
    created_at: createdAt,
    updated_at: updatedAt,
  });
  return [
    route("GET", "/client/v11/databases/:database/transfer-schedules", (x) =>
      ok(ofDatabase(database(cloud, x.params.database)).map(show)),
    ),
    route("POST", "/client/v11/databases/:database/transfer-schedules", async (x) => {
      const addon = database(cloud, x.params.database);
      const body = await x.json();
      const hour = String(body.hour ?? "");
      const timezone = text(body, "timezone") ?? "UTC";
      const name = text(body, "schedule_name") ?? `${attachmentName(cloud, addon)}_URL`;
      if (!/^\d{1,2}$/.test(hour) || Number(hour) > 23) throw new ApiError(400, "bad_request", `Invalid hour: ${hour}`);
      if (!isTimeZone(timezone)) throw new ApiError(400, "bad_request", `Invalid timezone: ${timezone}`);
      const at = new Date().toISOString();
      // A schedule is known by its name: a second one of the same name changes the first.
      const known = ofDatabase(addon).find((one) => one.name === name);
      const schedule: Schedule = known ?? {
        uuid: uuid(),
        addonId: addon.id,
        name,
        hour,
        timezone,
        lastRunAt: null,
        createdAt: at,
        updatedAt: at,
        deletedAt: null,
      };
      Object.assign(schedule, { hour, timezone, updatedAt: at });
      schedules[schedule.uuid] = schedule;
      cloud.store.save();
      return ok(show(schedule), 201);
    }),
    route("DELETE", "/client/v11/databases/:database/transfer-schedules/:schedule", (x) => {
      const schedule = ofDatabase(database(cloud, x.params.database)).find((one) => one.uuid === x.params.schedule);
      if (!schedule) throw notFound("schedule");
      delete schedules[schedule.uuid];
      cloud.store.save();
      return ok(show(schedule));
    }),
  ];
}

export function backupRoutes(cloud: Cloud): Route[] {
  return [...transferRoutes(cloud), ...scheduleRoutes(cloud)];
}
