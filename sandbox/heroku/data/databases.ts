/** Postgres data API: what a database is like, whether it is there yet, its credentials, and its reset. */
import type { Cloud } from "../cloud";
import { notFound, ok } from "../http";
import type { Addon } from "../model";
import { findPlan } from "../plans";
import { type Route, route } from "../router";
import { database, extensionNames } from "./backups";

/** Storage limits by plan in GB (requirements' facts; others are not shown). */
const STORAGE_GB: Record<string, number> = { "essential-0": 1, "essential-1": 10, "essential-2": 32, "standard-0": 64 };

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** To the minute, as pg:info shows when a database was made. */
function minute(iso: string): string {
  return `${iso.slice(0, 16).replace("T", " ")} UTC`;
}

async function show(cloud: Cloud, addon: Addon) {
  if (!addon.login) throw notFound("database");
  const figures = await cloud.databases.figures(addon.login);
  const plan = findPlan(addon.plan);
  const limit = STORAGE_GB[addon.plan.split(":")[1] ?? ""];
  const size = megabytes(figures.bytes);
  const essential = addon.plan.includes(":essential");
  const info = [
    { name: "Plan", values: [plan.humanName] },
    { name: "Status", values: ["Available"] },
    { name: "Connections", values: [`${figures.connections}/${plan.connections}`] },
    { name: "PG Version", values: [figures.version] },
    { name: "Created", values: [minute(addon.createdAt)] },
    { name: "Data Size", values: [limit === undefined ? size : `${size} / ${limit} GB`] },
    { name: "Tables", values: [String(figures.tables)] },
    { name: "Fork/Follow", values: [essential ? "Unsupported" : "Available"] },
    { name: "Rollback", values: ["Unsupported"] },
    // The official CLI warns of logical backups where it is on; there is no write-ahead log to go back to here.
    { name: "Continuous Protection", values: [essential ? "Off" : "On"] },
  ];
  return {
    addon_id: addon.id,
    name: addon.name,
    created_at: addon.createdAt,
    database_name: addon.login.database,
    database_user: addon.login.user,
    following: null,
    forked_from: null,
    info,
    num_bytes: figures.bytes,
    num_connections: figures.connections,
    num_tables: figures.tables,
    plan: addon.plan.split(":")[1],
    postgres_version: figures.version,
    resource_url: cloud.databases.url(addon.login),
    "is_in_recovery?": false,
    "standalone?": true,
  };
}

function credential(cloud: Cloud, addon: Addon) {
  if (!addon.login) throw notFound("database");
  const { hostname, port } = new URL(cloud.databases.url(addon.login));
  const { user, password, database } = addon.login;
  return {
    uuid: addon.id,
    name: "default",
    state: "active",
    database,
    host: hostname,
    port,
    credentials: [{ state: "active", user, password, connections: null }],
  };
}

export function databaseRoutes(cloud: Cloud): Route[] {
  return [
    route("GET", "/client/v11/databases/:database", async (x) =>
      ok(await show(cloud, database(cloud, x.params.database))),
    ),
    route("GET", "/client/v11/databases/:database/wait_status", (x) => {
      database(cloud, x.params.database);
      return ok({ "waiting?": false, "error?": false, message: "available" });
    }),
    route("PUT", "/client/v11/databases/:database/reset", async (x) => {
      const addon = database(cloud, x.params.database);
      const extensions = extensionNames(await x.json());
      if (addon.login) {
        await cloud.databases.empty(addon.login);
        await cloud.databases.createExtensions(addon.login, extensions);
      }
      return ok({ message: "Reset successful" });
    }),
    // All credentials, or one by name: here there is only the default one.
    route("POST", "/postgres/v0/databases/:database/credentials_rotation", async (x) => {
      await cloud.addons.rotate(database(cloud, x.params.database));
      return ok({ message: "Rotated" });
    }),
    route("POST", "/postgres/v0/databases/:database/credentials/:name/credentials_rotation", async (x) => {
      if (x.params.name !== "default") throw notFound("credential");
      await cloud.addons.rotate(database(cloud, x.params.database));
      return ok({ message: "Rotated" });
    }),
    route("GET", "/postgres/v0/databases/:database/credentials", (x) =>
      ok([credential(cloud, database(cloud, x.params.database))]),
    ),
    route("GET", "/postgres/v0/databases/:database/credentials/:name", (x) => {
      if (x.params.name !== "default") throw notFound("credential");
      return ok(credential(cloud, database(cloud, x.params.database)));
    }),
  ];
}
