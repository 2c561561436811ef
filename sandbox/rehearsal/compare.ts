/** Whether what was recovered is what there was, table by table. Pure. */

/** What a table held at one moment. */
export interface TableContents {
  rows: number;
  /** Digest over all rows in a fixed order: equal counts of other rows would pass unseen. */
  digest: string;
}

export type Contents = Readonly<Record<string, TableContents>>;

export interface TableCheck {
  table: string;
  /** Rows; missing where the table is. */
  source?: number;
  recovered?: number;
  status: "pass" | "fail";
  /** Why it failed. */
  reason?: string;
}

/** Every table of either side, by name. A table that only one side has fails, and so does a pair of empty sides. */
export function compareTables(source: Contents, recovered: Contents): TableCheck[] {
  const names = [...new Set([...Object.keys(source), ...Object.keys(recovered)])].sort();
  if (names.length === 0)
    return [{ table: "(any)", status: "fail", reason: "there is no table to compare: nothing was proven" }];
  return names.map((table) => {
    const before = source[table];
    const after = recovered[table];
    const counts = {
      table,
      ...(before === undefined ? {} : { source: before.rows }),
      ...(after === undefined ? {} : { recovered: after.rows }),
    };
    const reason = difference(before, after);
    return reason === undefined ? { ...counts, status: "pass" } : { ...counts, status: "fail", reason };
  });
}

function difference(before: TableContents | undefined, after: TableContents | undefined): string | undefined {
  if (after === undefined) return "the table is missing after the recovery";
  if (before === undefined) return "the source had no such table";
  const rows = (count: number) => `${count} ${count === 1 ? "row" : "rows"}`;
  if (after.rows < before.rows) return `${rows(before.rows - after.rows)} missing`;
  if (after.rows > before.rows) return `${rows(after.rows - before.rows)} too many`;
  return after.digest === before.digest ? undefined : "as many rows, but not the same ones";
}
