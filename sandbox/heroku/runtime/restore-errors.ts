/** Which complaints of pg_restore don't matter. Everything that is not listed here fails a restore. */

/** A login that does not own an extension may not comment on it; plpgsql and schema public exist in a new database. */
const BENIGN = [
  /must be owner of extension/,
  /extension "plpgsql" (already exists|does not exist)/,
  /schema "public" already exists/,
];

export interface RestoreVerdict {
  errors: string[];
  benign: number;
}

/**
 * Sorts the error lines of pg_restore's standard error.
 *
 * @param schemas those that were made beforehand, for extensions: the dump makes them again, in vain
 */
export function judgeRestoreErrors(stderr: string, schemas: readonly string[] = []): RestoreVerdict {
  const lines = stderr.split("\n").filter((line) => /^pg_restore: error: /.test(line));
  const isBenign = (line: string) =>
    BENIGN.some((pattern) => pattern.test(line)) ||
    schemas.some((schema) => line.endsWith(`schema "${schema}" already exists`));
  const errors = lines.filter((line) => !isBenign(line));
  return { errors, benign: lines.length - errors.length };
}
