import { z } from "zod";
import { BACKUP_CLASSES, type RetentionDays, resolveRetention } from "../backup/classes";
import { InputError } from "../backup/errors";
import { checkCaptureInterval, type DailySchedule, parseDailySchedule } from "../backup/slot";

type Env = Readonly<Record<string, string | undefined>>;

/** What every job is configured with. The names are those of its environment variables. */
export interface JobEnvironment {
  readonly system: string;
  readonly app: string;
  readonly primaryRegion: string;
  readonly replicaRegion: string;
  readonly vaultBucket: string;
  readonly replicaBucket: string;
  readonly runTable: string;
  readonly secretArn: string;
}

function readJobEnvironment(env: Env): JobEnvironment {
  return {
    system: required(env, "SYSTEM"),
    app: required(env, "APP"),
    primaryRegion: required(env, "PRIMARY_REGION"),
    replicaRegion: required(env, "REPLICA_REGION"),
    vaultBucket: required(env, "VAULT_BUCKET"),
    replicaBucket: required(env, "REPLICA_BUCKET"),
    runTable: required(env, "RUN_TABLE"),
    secretArn: required(env, "SECRET_ARN"),
  };
}

/** What the capture function is configured with. */
export interface CaptureEnvironment extends JobEnvironment {
  readonly herokuApiUrl?: string;
  readonly herokuDataApiUrl?: string;
  readonly retention: RetentionDays;
  readonly herokuSchedule: DailySchedule;
  readonly intervalMinutes: number;
  readonly maxDumpBytes?: number;
}

/** Reads it once, before anything is done. @throws InputError that names the variable that is missing or wrong. */
export function readCaptureEnvironment(env: Env): CaptureEnvironment {
  const herokuApiUrl = optionalUrl(env, "HEROKU_API_URL");
  const herokuDataApiUrl = optionalUrl(env, "HEROKU_DATA_API_URL");
  const maxDumpBytes = optionalNumber(env, "MAX_DUMP_BYTES");
  return {
    ...readJobEnvironment(env),
    retention: named("RETENTION_DAYS", () => parseRetention(required(env, "RETENTION_DAYS"))),
    herokuSchedule: named("HEROKU_SCHEDULE", () => parseDailySchedule(required(env, "HEROKU_SCHEDULE"))),
    intervalMinutes: named("CAPTURE_INTERVAL_MINUTES", () =>
      checkCaptureInterval(optionalNumber(env, "CAPTURE_INTERVAL_MINUTES") ?? 60),
    ),
    ...(herokuApiUrl === undefined ? {} : { herokuApiUrl }),
    ...(herokuDataApiUrl === undefined ? {} : { herokuDataApiUrl }),
    ...(maxDumpBytes === undefined ? {} : { maxDumpBytes }),
  };
}

/** What the media sync is configured with. */
export interface MediaEnvironment extends JobEnvironment {
  readonly mediaBucket: string;
  readonly cloudName: string;
  readonly cloudinaryApiUrl?: string;
  readonly maxVanishedShare?: number;
}

/** @throws InputError that names the variable that is missing or wrong. */
export function readMediaEnvironment(env: Env): MediaEnvironment {
  const cloudinaryApiUrl = optionalUrl(env, "CLOUDINARY_API_URL");
  const maxVanishedShare = optionalShare(env, "MAX_VANISHED_SHARE");
  return {
    ...readJobEnvironment(env),
    mediaBucket: required(env, "MEDIA_BUCKET"),
    cloudName: required(env, "CLOUDINARY_CLOUD_NAME"),
    ...(cloudinaryApiUrl === undefined ? {} : { cloudinaryApiUrl }),
    ...(maxVanishedShare === undefined ? {} : { maxVanishedShare }),
  };
}

const triggerShape = {
  trigger: z.enum(["schedule", "manual"]),
  requestedBy: z.string().min(1).max(256),
  request: z.string().min(1).max(128).optional(),
};
const captureEventSchema = z.object({ ...triggerShape, class: z.enum(BACKUP_CLASSES).optional() });
const mediaEventSchema = z
  .object({ ...triggerShape, acceptDeletions: z.boolean().optional() })
  .refine(({ trigger, acceptDeletions }) => !acceptDeletions || trigger === "manual", {
    path: ["acceptDeletions"],
    error: "only a person may accept deletions",
  });

export type CaptureEvent = z.infer<typeof captureEventSchema>;
export type MediaEvent = z.infer<typeof mediaEventSchema>;

/** @throws InputError that names the field which is not as expected. */
export function parseCaptureEvent(event: unknown): CaptureEvent {
  return parseEvent(captureEventSchema, event);
}

/** @throws InputError that names the field which is not as expected. */
export function parseMediaEvent(event: unknown): MediaEvent {
  return parseEvent(mediaEventSchema, event);
}

function parseEvent<T>(schema: z.ZodType<T>, event: unknown): T {
  const parsed = schema.safeParse(event);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InputError(`invalid event: ${issue?.path.join(".") || "event"}: ${issue?.message}`);
}

function required(env: Env, name: string): string {
  const value = env[name];
  if (value === undefined || value === "") throw new InputError(`environment variable ${name} is missing`);
  return value;
}

function optionalUrl(env: Env, name: string): string | undefined {
  const value = env[name];
  if (value === undefined || value === "") return undefined;
  if (!URL.canParse(value)) throw new InputError(`environment variable ${name} is not a URL`);
  return value;
}

function optionalNumber(env: Env, name: string): number | undefined {
  const value = env[name];
  if (value === undefined || value === "") return undefined;
  if (!/^\d+$/.test(value)) throw new InputError(`environment variable ${name} is not a whole number: got "${value}"`);
  return Number(value);
}

function optionalShare(env: Env, name: string): number | undefined {
  const value = env[name];
  if (value === undefined || value === "") return undefined;
  const share = Number(value);
  if (!(share >= 0 && share <= 1)) {
    throw new InputError(`environment variable ${name} is not a share from 0 to 1: got "${value}"`);
  }
  return share;
}

function parseRetention(text: string): RetentionDays {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InputError("expected JSON");
  }
  const parsed = z
    .strictObject(Object.fromEntries(BACKUP_CLASSES.map((name) => [name, z.number().optional()])))
    .safeParse(json);
  if (!parsed.success) throw new InputError(parsed.error.issues[0]?.message ?? "not as expected");
  return resolveRetention(parsed.data);
}

function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError && !error.message.startsWith("environment variable")) {
      throw new InputError(`environment variable ${name}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
