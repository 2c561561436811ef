/** Databases of Postgres add-ons: a login role and a database each, in a real server. */
import { Client } from "pg";
import { hex } from "../ids";
import type { DatabaseLogin } from "../model";

/** The PostgreSQL server under the add-ons. */
export interface PostgresAccess {
  /** `postgres://superuser[:password]@host:port/postgres`. */
  adminUrl: string;
  /** Folder of pg_dump and pg_restore of the server's own version. */
  bin: string;
}

/** What the data API tells about a database. */
export interface DatabaseFigures {
  bytes: number;
  tables: number;
  connections: number;
  version: string;
}

const DATABASE_NAME = /^d[0-9a-f]{14}$/;

function checked(name: string): string {
  if (!/^[du][0-9a-f]{14}$/.test(name)) throw new Error(`not a name that this emulator gives: ${name}`);
  return name;
}

export class Databases {
  constructor(readonly access: PostgresAccess) {}

  newLogin(): DatabaseLogin {
    return { database: `d${hex(14)}`, user: `u${hex(14)}`, password: `p${hex(40)}` };
  }

  /** Made from the server's present address: its port may change from one start to the next. */
  url(login: DatabaseLogin): string {
    const { hostname, port } = new URL(this.access.adminUrl);
    return `postgres://${login.user}:${login.password}@${hostname}:${port || "5432"}/${login.database}?sslmode=disable`;
  }

  /** Environment that connects PostgreSQL's own programs: no password on a command line. */
  environment(login: DatabaseLogin): Record<string, string> {
    const { hostname, port } = new URL(this.access.adminUrl);
    return {
      PGHOST: hostname,
      PGPORT: port || "5432",
      PGUSER: login.user,
      PGPASSWORD: login.password,
      PGDATABASE: login.database,
      PGSSLMODE: "disable",
      PGCONNECT_TIMEOUT: "10",
    };
  }

  /** Makes role and database; what exists already is left as it is, so that a broken-off creation can go on. */
  async create(login: DatabaseLogin, connectionLimit: number): Promise<void> {
    await this.asAdmin(async (client) => {
      const role = checked(login.user);
      // A tenant sees no database but its own.
      await client.query("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC");
      const { rowCount } = await client.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [role]);
      if (rowCount === 0)
        await client.query(
          `CREATE ROLE ${role} LOGIN PASSWORD ${client.escapeLiteral(login.password)} CONNECTION LIMIT ${connectionLimit}`,
        );
      const found = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [checked(login.database)]);
      if (found.rowCount === 0) await this.createDatabase(client, login);
    });
  }

  /** Another plan's number of connections. */
  async limitConnections(login: DatabaseLogin, connectionLimit: number): Promise<void> {
    await this.asAdmin((client) =>
      client.query(`ALTER ROLE ${checked(login.user)} CONNECTION LIMIT ${Math.trunc(connectionLimit)}`),
    );
  }

  /** Connections that are open stay; new ones need the new password. */
  async setPassword(login: DatabaseLogin, password: string): Promise<void> {
    await this.asAdmin((client) =>
      client.query(`ALTER ROLE ${checked(login.user)} PASSWORD ${client.escapeLiteral(password)}`),
    );
  }

  async majorVersion(): Promise<string> {
    return this.asAdmin(async (client) => {
      const { rows } = await client.query<{ n: string }>(
        "SELECT (current_setting('server_version_num')::int / 10000)::text AS n",
      );
      return rows[0]?.n ?? "unknown";
    });
  }

  /** Takes everything out of the database, as Heroku does before a restore: connections are cut, the login stays. */
  async empty(login: DatabaseLogin): Promise<void> {
    await this.asAdmin(async (client) => {
      await client.query(`DROP DATABASE IF EXISTS ${checked(login.database)} WITH (FORCE)`);
      await this.createDatabase(client, login);
    });
  }

  async drop(login: DatabaseLogin): Promise<void> {
    await this.asAdmin(async (client) => {
      await client.query(`DROP DATABASE IF EXISTS ${checked(login.database)} WITH (FORCE)`);
      await client.query(`DROP ROLE IF EXISTS ${checked(login.user)}`);
    });
  }

  /** Extensions by name, or as `schema.name` in a schema that is made for it. */
  async createExtensions(login: DatabaseLogin, extensions: readonly string[]): Promise<void> {
    if (extensions.length === 0) return;
    await this.withClient(this.url(login), async (client) => {
      for (const extension of extensions) {
        const [name = "", schema] = extension.split(".").reverse();
        const place = schema === undefined ? "" : ` WITH SCHEMA ${client.escapeIdentifier(schema)}`;
        if (schema !== undefined) await client.query(`CREATE SCHEMA IF NOT EXISTS ${client.escapeIdentifier(schema)}`);
        await client.query(`CREATE EXTENSION IF NOT EXISTS ${client.escapeIdentifier(name)}${place}`);
      }
    });
  }

  /** Puts extensions where Heroku keeps them since 2022: in a schema of their own, which the database looks through. */
  async moveExtensions(login: DatabaseLogin): Promise<void> {
    const url = new URL(this.access.adminUrl);
    url.pathname = `/${checked(login.database)}`;
    await this.withClient(url.toString(), async (client) => {
      await client.query(`CREATE SCHEMA IF NOT EXISTS heroku_ext AUTHORIZATION ${checked(login.user)}`);
      const { rows } = await client.query<{ name: string }>(
        "SELECT extname AS name FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE nspname = 'public' AND extrelocatable",
      );
      for (const { name } of rows)
        await client.query(`ALTER EXTENSION ${client.escapeIdentifier(name)} SET SCHEMA heroku_ext`);
      await client.query(`ALTER DATABASE ${checked(login.database)} SET search_path = "$user", public, heroku_ext`);
    });
  }

  async figures(login: DatabaseLogin): Promise<DatabaseFigures> {
    const tables = await this.withClient(this.url(login), async (client) => {
      const { rows } = await client.query<{ n: number }>(
        "SELECT count(*)::int AS n FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p') AND nspname NOT IN ('pg_catalog', 'information_schema')",
      );
      return rows[0]?.n ?? 0;
    });
    return this.asAdmin(async (client) => {
      const { rows } = await client.query<{ bytes: string; connections: number; version: string }>(
        "SELECT pg_database_size($1)::text AS bytes, (SELECT count(*)::int FROM pg_stat_activity WHERE datname = $1) AS connections, split_part(current_setting('server_version'), ' ', 1) AS version",
        [login.database],
      );
      const row = rows[0];
      return {
        bytes: Number(row?.bytes ?? 0),
        tables,
        connections: row?.connections ?? 0,
        version: row?.version ?? "unknown",
      };
    });
  }

  /** Size of the database, and how far the server has written its log. */
  async extent(login: DatabaseLogin): Promise<{ bytes: number; position: string }> {
    return this.asAdmin(async (client) => {
      const { rows } = await client.query<{ bytes: string; position: string }>(
        "SELECT pg_database_size($1)::text AS bytes, pg_current_wal_insert_lsn()::text AS position",
        [login.database],
      );
      return { bytes: Number(rows[0]?.bytes ?? 0), position: rows[0]?.position ?? "" };
    });
  }

  /** Names of the databases in the server that look like add-ons' ones, also those that no add-on knows. */
  async present(): Promise<string[]> {
    return this.asAdmin(async (client) => {
      const { rows } = await client.query<{ datname: string }>("SELECT datname FROM pg_database ORDER BY 1");
      return rows.map((row) => row.datname).filter((name) => DATABASE_NAME.test(name));
    });
  }

  private async createDatabase(client: Client, login: DatabaseLogin): Promise<void> {
    const database = checked(login.database);
    await client.query(`CREATE DATABASE ${database} OWNER ${checked(login.user)} TEMPLATE template0 ENCODING 'UTF8'`);
    // Tenants of one server don't see each other's databases.
    await client.query(`REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`);
  }

  private asAdmin<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return this.withClient(this.access.adminUrl, work);
  }

  private async withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
    // A cut connection (a dropped database, a stopped server) must fail the query, not the whole process.
    client.on("error", () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
