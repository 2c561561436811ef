import { z } from "zod";
import type { DatabaseFacts } from "../clients/database";
import { BackupId } from "./backup-id";
import { BACKUP_CLASSES } from "./classes";
import { UscPisError } from "./errors";

export const MANIFEST_VERSION = 1;

const rows = z.number().int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * What a backup says of itself (D4). It is written last: without it there is no backup. Readers refuse a version that
 * they do not know.
 */
export const manifestSchema = z.object({
  version: z.literal(MANIFEST_VERSION),
  id: z.string().refine(BackupId.isValid, "not a backup id"),
  type: z.literal("database"),
  system: z.string().min(1),
  class: z.enum(BACKUP_CLASSES),
  /** The app whose database this is; a recovery app has another name and the same system. */
  app: z.string().min(1),
  trigger: z.object({
    kind: z.enum(["schedule", "manual"]),
    requestedBy: z.string(),
    request: z.string().optional(),
  }),
  slot: z.string(),
  release: z
    .object({ version: z.number().int(), description: z.string().optional(), createdAt: z.string().optional() })
    .optional(),
  database: z.object({
    id: z.string(),
    name: z.string(),
    plan: z.string(),
    serverVersion: z.string(),
    /** Size on disk at the source, in bytes. */
    bytes: z.number().int().nonnegative(),
    extensions: z.array(z.object({ name: z.string(), version: z.string(), schema: z.string() })),
  }),
  /** Everything committed before this moment is in the dump: RPO counts from here. */
  takenAt: z.iso.datetime(),
  startedAt: z.iso.datetime(),
  completedAt: z.iso.datetime(),
  dump: z.object({
    key: z.string(),
    /** Version in the bucket that it was written to; a replica may number its own. */
    versionId: z.string().optional(),
    bytes: z.number().int().positive(),
    sha256,
    /** What S3 holds as SHA-256: base64, with `-<parts>` after a multipart upload. */
    checksum: z.string(),
    /** Version of PostgreSQL's archive format: a restore tool must be at least as new. */
    archiveVersion: z.string(),
  }),
  rows: z.object({
    /** Both counts, before and after the capture, agreed: the dump holds exactly these. */
    exact: z.boolean(),
    tables: z.record(z.string(), z.object({ atLeast: rows, atMost: rows })),
  }),
  /** Applied migrations, as `app.name`. */
  migrations: z.array(z.string()),
  retainUntil: z.iso.datetime(),
  assessment: z.object({
    status: z.enum(["success", "suspect"]),
    reasons: z.array(z.string()),
    /** The good backup that it was compared with. */
    comparedWith: z.string().optional(),
  }),
  heroku: z.object({ app: z.string(), transfer: z.string(), num: z.number().int() }),
});
export type Manifest = z.infer<typeof manifestSchema>;
export type RowBounds = Manifest["rows"];

/**
 * Reads a manifest of this system.
 * @throws UscPisError `bad_manifest` when it is none, is of another version, or tells of another place than it lies at;
 *   `other_system` when it is another system's.
 */
export function parseManifest(text: string, expected: { system: string; id?: string; key?: string }): Manifest {
  const where = expected.key ?? "manifest";
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UscPisError("bad_manifest", `${where} is not JSON`, { cause });
  }
  const about = json as { version?: unknown; system?: unknown } | null;
  if (about?.version !== MANIFEST_VERSION) {
    throw new UscPisError(
      "bad_manifest",
      `${where} has version ${JSON.stringify(about?.version)}, expected ${MANIFEST_VERSION}`,
      { hint: "a newer version of this project may have written it: update the clone" },
    );
  }
  if (about.system !== expected.system) {
    throw new UscPisError(
      "other_system",
      `${where} belongs to system ${JSON.stringify(about.system)}, expected "${expected.system}"`,
    );
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UscPisError("bad_manifest", `${where} is not valid: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  if (expected.id !== undefined && parsed.data.id !== expected.id) {
    throw new UscPisError("bad_manifest", `${where} tells of backup ${parsed.data.id}, expected ${expected.id}`);
  }
  return parsed.data;
}

/** Bounds of what a dump taken between two counts must hold: exact where both agree. */
export function rowBounds(before: DatabaseFacts["tables"], after: DatabaseFacts["tables"]): RowBounds {
  const tables: RowBounds["tables"] = {};
  let exact = true;
  for (const name of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    // A table made or dropped meanwhile may be in the dump or not; a missing one counts as empty.
    const [first, second] = [before[name] ?? 0, after[name] ?? 0];
    tables[name] = { atLeast: Math.min(first, second), atMost: Math.max(first, second) };
    if (before[name] !== after[name]) exact = false;
  }
  return { exact, tables };
}

/** Where a database differs from a manifest, in words, table by table; empty when it holds what it must. */
export function rowDifferences(bounds: RowBounds, found: DatabaseFacts["tables"]): string[] {
  const differences: string[] = [];
  for (const [name, { atLeast, atMost }] of Object.entries(bounds.tables)) {
    const rows = found[name];
    const expected = atLeast === atMost ? `${atLeast}` : `${atLeast} to ${atMost}`;
    if (rows === undefined) {
      if (bounds.exact || atLeast > 0) differences.push(`table ${name} is missing, expected ${expected} rows`);
    } else if (rows < atLeast || rows > atMost) {
      differences.push(`table ${name} has ${rows} rows, expected ${expected}`);
    }
  }
  for (const name of Object.keys(found)) {
    if (!(name in bounds.tables)) differences.push(`table ${name} is not in the backup`);
  }
  return differences;
}
