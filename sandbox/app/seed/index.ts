/** Fills a database with the synthetic clinic. */
import { Client } from "pg";
import { migrate } from "../source/migrate";
import { connection } from "../source/settings";
import { Dice } from "./random";
import { type Id, type Row, TABLES, type TableSeed } from "./tables";

export interface SeedOptions {
  databaseUrl: string;
  /** Multiplies the rows of all tables. @default 1 (7 users, 5 patients) */
  factor?: number;
  /** The app's PGP_ENCRYPTION_KEY. */
  pgpKey: string;
}

export interface SeedResult {
  /** Rows of each table after seeding, those that migrations put there included. */
  tables: Record<string, number>;
}

/** Rows in one INSERT. */
const BATCH = 1000;

/** Makes the tables when the app has not done so yet, and fills them in one transaction. */
export async function seed({ databaseUrl, factor = 1, pgpKey }: SeedOptions): Promise<SeedResult> {
  if (!Number.isInteger(factor) || factor < 1)
    throw new Error(`seed factor is ${factor}, expected a whole number from 1`);
  if (pgpKey === "") throw new Error("PGP_ENCRYPTION_KEY is empty: encrypted columns can't be written");
  const client = new Client({ ...connection(databaseUrl), connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await migrate(client, () => undefined);
    const users = await count(client, "authentication_user");
    if (users > 0) throw new Error(`the database has ${users} users already: seed an empty one`);
    const rows = new Map(TABLES.map(({ table, rows }) => [table, rows * factor]));
    const bases = new Map<string, number>();
    const id: Id = (table, index) => (bases.get(table) ?? 0) + 1 + (index % (rows.get(table) ?? 1));
    await client.query("BEGIN");
    for (const spec of TABLES) {
      bases.set(spec.table, spec.keyless ? 0 : await highest(client, spec.table));
      const own = (index: number) => ({ id: id(spec.table, index) });
      await fill(client, spec, { from: 0, to: rows.get(spec.table) ?? 0, own }, id, pgpKey);
    }
    await client.query("COMMIT");
    const tables: Record<string, number> = {};
    const { rows: names } = await client.query<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    );
    for (const { name } of names) tables[name] = await count(client, name);
    return { tables };
  } finally {
    await client.end();
  }
}

async function count(client: Client, table: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM ${client.escapeIdentifier(table)}`,
  );
  return rows[0]?.n ?? 0;
}

async function highest(client: Client, table: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(`SELECT coalesce(max(id), 0)::int AS n FROM ${table}`);
  return rows[0]?.n ?? 0;
}

interface Span {
  /** Numbers of the rows: the first, and the one after the last. */
  from: number;
  to: number;
  /** Key of a row. @default the table's own sequence gives it */
  own?: (index: number) => Row;
}

async function fill(client: Client, spec: TableSeed, { from, to, own }: Span, id: Id, pgpKey: string): Promise<void> {
  const dice = new Dice(`${spec.table}${from === 0 ? "" : from}`);
  for (let start = from; start < to; start += BATCH) {
    const rows: Row[] = [];
    for (let index = start; index < Math.min(to, start + BATCH); index++) {
      const row = spec.make(index, dice, id);
      rows.push(prepare(spec.keyless ? row : { ...own?.(index), ...row }, spec.encrypted ?? []));
    }
    await insert(client, spec, rows, pgpKey);
  }
  if (!spec.keyless && own !== undefined)
    await client.query(
      `SELECT setval(pg_get_serial_sequence('${spec.table}', 'id'), (SELECT max(id) FROM ${spec.table}))`,
    );
}

/** Adds rows to a clinic that has been seeded: what a day brings. @param additions rows by table */
export async function grow(
  { databaseUrl, pgpKey }: Omit<SeedOptions, "factor">,
  additions: Readonly<Record<string, number>>,
): Promise<void> {
  const unknown = Object.keys(additions).find(
    (name) => !TABLES.some(({ table, keyless }) => table === name && !keyless),
  );
  if (unknown !== undefined) throw new Error(`table ${unknown} can't grow: it is none of the seeded tables with an id`);
  const client = new Client({ ...connection(databaseUrl), connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query("BEGIN");
    const present = new Map<string, { first: number; rows: number }>();
    for (const { table, keyless } of TABLES) {
      if (keyless) continue;
      const { rows } = await client.query<{ first: number; rows: number }>(
        `SELECT coalesce(min(id), 1)::int AS first, count(*)::int AS rows FROM ${table}`,
      );
      present.set(table, rows[0] ?? { first: 1, rows: 0 });
    }
    const id: Id = (table, index) => {
      const { first, rows } = present.get(table) ?? { first: 1, rows: 1 };
      return first + (index % Math.max(1, rows));
    };
    for (const spec of TABLES) {
      const from = present.get(spec.table)?.rows ?? 0;
      const to = from + (additions[spec.table] ?? 0);
      if (to > from) await fill(client, spec, { from, to }, id, pgpKey);
    }
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}

/** Texts to be encrypted travel as hex, since their columns are bytea. */
function prepare(row: Row, encrypted: readonly string[]): Row {
  const next = { ...row };
  for (const column of encrypted) next[column] = `\\x${Buffer.from(String(row[column])).toString("hex")}`;
  return next;
}

async function insert(client: Client, spec: TableSeed, rows: readonly Row[], pgpKey: string): Promise<void> {
  const columns = Object.keys(rows[0] ?? {});
  const encrypted = spec.encrypted ?? [];
  const quoted = columns.map((column) => client.escapeIdentifier(column));
  const values = columns.map((column, index) =>
    encrypted.includes(column) ? `pgp_sym_encrypt(convert_from(${quoted[index]}, 'UTF8'), $2)` : quoted[index],
  );
  await client.query(
    `INSERT INTO ${spec.table} (${quoted.join(", ")}) SELECT ${values.join(", ")} FROM json_populate_recordset(NULL::${spec.table}, $1::json)`,
    encrypted.length > 0 ? [JSON.stringify(rows), pgpKey] : [JSON.stringify(rows)],
  );
}
