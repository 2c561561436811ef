import { Client } from "pg";
import type { Contents, TableContents } from "./compare";

/**
 * Counts and digests all tables of the public schema in one snapshot. The digest is over sorted rows as text: their
 * order on disk differs after a restore.
 */
export async function readContents(databaseUrl: string): Promise<Contents> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const { rows: tables } = await client.query<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
    );
    const contents: Record<string, TableContents> = {};
    for (const { name } of tables) {
      const { rows } = await client.query<{ rows: number; digest: string }>(
        `SELECT count(*)::int AS rows,
                md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) AS digest
           FROM ${client.escapeIdentifier(name)} t`,
      );
      const [found] = rows;
      if (found) contents[name] = { rows: found.rows, digest: found.digest };
    }
    return contents;
  } finally {
    await client.end();
  }
}
