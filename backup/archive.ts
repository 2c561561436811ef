import { UscPisError } from "./errors";

/** `PGDMP`, three bytes of version, sizes of integers and offsets, and the format. */
export const ARCHIVE_HEADER_BYTES = 11;
const MAGIC = "PGDMP";
const CUSTOM_FORMAT = 1;

/**
 * Reads the version of a pg_dump archive from its first bytes, such as `1.15.0`.
 * @throws UscPisError `empty_dump`, or `not_a_dump`, which tells an HTML page and a plain text apart: both have been
 *   stored as "the backup" by others (failures 1 and 20).
 */
export function archiveVersion(head: Uint8Array): string {
  if (head.byteLength === 0) {
    throw new UscPisError("empty_dump", "the dump is empty: got 0 bytes, expected a PostgreSQL archive");
  }
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) {
    const start = bytes.toString("latin1", 0, 64).trimStart();
    const what = /^<(!doctype|html|\?xml|head|body|error)/i.test(start)
      ? "an HTML or XML page"
      : JSON.stringify(start.slice(0, 16));
    throw new UscPisError("not_a_dump", `not a PostgreSQL archive: got ${what}, expected it to begin with PGDMP`);
  }
  if (bytes.length < ARCHIVE_HEADER_BYTES) {
    throw new UscPisError("truncated", `the dump ends within its header: got ${bytes.length} bytes`);
  }
  if (bytes[5] !== 1 || bytes[10] !== CUSTOM_FORMAT) {
    throw new UscPisError(
      "not_a_dump",
      `not a dump in custom format: got archive version ${bytes[5]}.${bytes[6]}, format ${bytes[10]}, expected 1.x and ${CUSTOM_FORMAT}`,
    );
  }
  return `${bytes[5]}.${bytes[6]}.${bytes[7]}`;
}
