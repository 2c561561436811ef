import { Client, type ClientConfig } from "pg";
import { UscPisError } from "../backup/errors";

/** A database as one transaction sees it. */
export interface DatabaseFacts {
  /** As PostgreSQL prints it, such as `16.4`. */
  readonly serverVersion: string;
  /** Size on disk, in bytes. */
  readonly bytes: number;
  /** Rows of every table of the application: `table` in schema public, else `schema.table`. */
  readonly tables: Readonly<Record<string, number>>;
  /** Django's applied migrations as `app.name`, sorted; empty where there is no such table. */
  readonly migrations: readonly string[];
  readonly extensions: readonly { readonly name: string; readonly version: string; readonly schema: string }[];
}

export interface InspectOptions {
  /** Longest that one statement may take, in ms. @default 120000, as exact counts read whole tables */
  readonly statementTimeoutMs?: number;
  /** @default 15000 */
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Tables that a dump of the application carries: not the system's, not an extension's, not Heroku's own schemas. */
const TABLES = `
  SELECT n.nspname AS schema, c.relname AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'heroku_ext', '_heroku')
    AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'
    AND NOT EXISTS (SELECT 1 FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY 1, 2`;

/**
 * Connection settings for a Heroku URL. Heroku's databases demand TLS with a certificate that nobody can verify, so it
 * is not verified; `?sslmode=disable` switches it off. The parameter is ours: pg's own reading of it changes by version.
 */
export function connectionConfig(databaseUrl: string): ClientConfig {
  let url: URL;
  try {
    url = new URL(databaseUrl);
  } catch {
    throw new UscPisError(
      "bad_database_url",
      "the database's URL cannot be read, expected postgres://user:password@host/name",
    );
  }
  const plain = url.searchParams.get("sslmode") === "disable";
  url.searchParams.delete("sslmode");
  return { connectionString: url.toString(), ssl: plain ? false : { rejectUnauthorized: false } };
}

/**
 * Counts every row of every table, with what else a manifest says of a database, in one REPEATABLE READ transaction.
 * @throws UscPisError `database_unreachable` or `database_failed`; the URL, which holds a password, is in neither.
 */
export async function inspectDatabase(databaseUrl: string, options: InspectOptions = {}): Promise<DatabaseFacts> {
  const client = new Client({
    ...connectionConfig(databaseUrl),
    application_name: "usc-pis-backup",
    connectionTimeoutMillis: options.connectTimeoutMs ?? 15_000,
    statement_timeout: options.statementTimeoutMs ?? 120_000,
    query_timeout: (options.statementTimeoutMs ?? 120_000) + 10_000,
  });
  client.on("error", () => undefined); // A lost connection also fails the query that waits for it.
  const stop = () => void client.end().catch(() => undefined);
  options.signal?.addEventListener("abort", stop, { once: true });
  try {
    options.signal?.throwIfAborted();
    await client.connect().catch((cause) => {
      throw new UscPisError("database_unreachable", `cannot connect to the database: ${reason(cause)}`, { cause });
    });
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const facts = await readFacts(client);
    await client.query("COMMIT");
    return facts;
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (cause instanceof UscPisError) throw cause;
    throw new UscPisError("database_failed", `reading the database failed: ${reason(cause)}`, { cause });
  } finally {
    options.signal?.removeEventListener("abort", stop);
    await client.end().catch(() => undefined);
  }
}

/** Tables counted by one statement: a round trip to Heroku's region for each would take longer than the counting. */
const TABLES_AT_ONCE = 20;

async function readFacts(client: Client): Promise<DatabaseFacts> {
  const about = await client.query<{ version: string; bytes: string }>(
    "SELECT current_setting('server_version') AS version, pg_database_size(current_database())::text AS bytes",
  );
  const extensions = await client.query<{ name: string; version: string; schema: string }>(
    `SELECT e.extname AS name, e.extversion AS version, n.nspname AS schema
     FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY 1`,
  );
  const found = await client.query<{ schema: string; name: string }>(TABLES);
  const tables: Record<string, number> = {};
  for (let start = 0; start < found.rows.length; start += TABLES_AT_ONCE) {
    const counts = found.rows.slice(start, start + TABLES_AT_ONCE).map(({ schema, name }) => {
      const relation = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`;
      const label = client.escapeLiteral(schema === "public" ? name : `${schema}.${name}`);
      return `SELECT ${label} AS name, count(*)::text AS rows FROM ONLY ${relation}`;
    });
    const counted = await client.query<{ name: string; rows: string }>(counts.join(" UNION ALL "));
    for (const { name, rows } of counted.rows) tables[name] = Number(rows);
  }
  const migrations =
    "django_migrations" in tables
      ? await client.query<{ name: string }>(
          "SELECT app || '.' || name AS name FROM public.django_migrations ORDER BY app, name",
        )
      : { rows: [] };
  return {
    serverVersion: about.rows[0]?.version.split(" ")[0] ?? "",
    bytes: Number(about.rows[0]?.bytes),
    tables,
    migrations: migrations.rows.map((row) => row.name),
    extensions: extensions.rows,
  };
}

function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join("; ");
  return error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code || error.name : String(error);
}
