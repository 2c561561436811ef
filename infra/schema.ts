/** Shape of a stack's configuration. Messages say what was expected; settings.ts adds key and value. */
import { z } from "zod";
import { BACKUP_CLASSES, MINIMUM_RETENTION_DAYS } from "../backup/classes";
import { LONGEST_CAPTURE_INTERVAL_MINUTES, parseDailySchedule } from "../backup/slot";
import { CAPTURE_INTERVALS, LATEST_MINUTE } from "../components/capture-schedule";
import { PROCESS_TYPES } from "../components/process-types";
import { APP_NAME, DYNO_SIZES, planProblem } from "./plans";

/** What a person was meant to replace in the example files: `<…>`, or the word itself. */
const PLACEHOLDER = /<[^<>]*>|REPLACE[-_ ]?ME/i;

const text = z
  .string("expected text")
  .min(1, "expected text that is not empty")
  .refine((value) => !PLACEHOLDER.test(value), "expected a value of your own: this is still the example's placeholder");

const matching = (pattern: RegExp, expected: string) => text.regex(pattern, `expected ${expected}`);

/** Days from `2026-05-23T14:00:00Z`: a moment without a zone is eight hours wide in Manila. */
const moment = matching(
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/,
  "a moment with its zone, such as 2026-05-23T14:00:00Z",
).refine((value) => !Number.isNaN(Date.parse(value)), "expected a moment that exists");

/** Neither bucket may stand where Heroku runs, or where the control planes of IAM, Route 53 and S3 sit. */
const region = matching(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region of AWS, such as ap-southeast-1").refine(
  (value) => value !== "us-east-1",
  "expected another region than us-east-1, where Heroku runs and AWS's control planes sit",
);

const hostname = matching(
  /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
  "a host name, such as clinic.example.org",
).refine((value) => !value.endsWith(".herokuapp.com"), "expected a host name of the clinic's own, not Heroku's");

const plan = (service: "postgres" | "redis") =>
  text.superRefine((value, context) => {
    const problem = planProblem(service, value);
    if (problem) context.addIssue(problem);
  });

const url = matching(/^https?:\/\/[^\s]+$/, "an address that begins with https://");
const roleArn = matching(/^arn:aws:iam::\d{12}:role\/.+$/, "the ARN of a role");
const principalArn = matching(
  /^arn:aws:iam::\d{12}:(root|(user|role)\/.+)$/,
  "the ARN of a user, a role or an account",
);
const whole = (least: number, most: number, unit: string) =>
  z
    .int(`expected a whole number of ${unit}`)
    .min(least, `expected at least ${least} ${unit}`)
    .max(most, `expected at most ${most} ${unit}`);

const retention = z
  .strictObject(
    Object.fromEntries(
      BACKUP_CLASSES.map((name) => [
        name,
        whole(MINIMUM_RETENTION_DAYS[name], 3653, "days (requirement D3)").optional(),
      ]),
    ),
  )
  .optional();

const schedule = text.superRefine((value, context) => {
  try {
    parseDailySchedule(value);
  } catch {
    context.addIssue('expected a whole hour and a zone, such as "02:00 UTC"');
  }
});

const dynos = z.strictObject({
  quantity: whole(0, 100, "dynos"),
  size: z.enum(DYNO_SIZES, `expected one of ${DYNO_SIZES.join(", ")}`),
});

export const ROLES = ["vault", "primary", "recovery"] as const;
export type Role = (typeof ROLES)[number];

/** Keys of the namespace `usc-pis`, and the shape of each. */
export const KEYS = {
  role: z.enum(ROLES, `expected one of ${ROLES.join(", ")}`),
  system: matching(/^[a-z][a-z0-9-]{1,18}[a-z0-9]$/, "3 to 20 small letters, digits and dashes"),
  protect: z.boolean("expected true or false"),
  aws: z
    .strictObject({
      primaryRegion: region,
      replicaRegion: region,
      vaultDeployerArn: roleArn.optional(),
      breakGlassPrincipals: z.array(principalArn).optional(),
    })
    .refine((aws) => aws.primaryRegion !== aws.replicaRegion, {
      path: ["replicaRegion"],
      error: "expected another region than primaryRegion: the replica must survive the loss of one",
    }),
  app: z.strictObject({
    name: matching(APP_NAME, "3 to 30 small letters, digits and dashes, beginning with a letter (Heroku's rule)"),
    region: z.enum(["us", "eu"], "expected us or eu"),
    stack: z.enum(["heroku-22", "heroku-24"], "expected heroku-22 or heroku-24"),
    buildpacks: z.array(text).min(1, "expected at least one buildpack"),
    postgresPlan: plan("postgres"),
    redisPlan: plan("redis"),
    formation: z
      .strictObject(
        Object.fromEntries(PROCESS_TYPES.map((type) => [type, dynos])) as Record<
          "web" | "worker" | "beat",
          typeof dynos
        >,
      )
      .refine((formation) => formation.beat.quantity <= 1, {
        path: ["beat", "quantity"],
        error: "expected at most 1: two would run every periodic task twice",
      }),
    domain: hostname.optional(),
  }),
  release: z.strictObject({
    version: matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "a version: letters, digits, dots and dashes"),
    sha256: matching(/^[0-9a-f]{64}$/, "the 64 hex digits that `usc-pis release add` printed"),
  }),
  config: z.record(z.string(), z.string("expected text: Heroku knows no other kind of value")),
  secretConfig: z.record(z.string(), z.string("expected text").min(1, "expected text that is not empty")),
  backup: z.strictObject({
    minute: whole(0, LATEST_MINUTE, "minutes").optional(),
    captureIntervalMinutes: z
      .number("expected a number of minutes")
      .max(
        LONGEST_CAPTURE_INTERVAL_MINUTES,
        `expected at most ${LONGEST_CAPTURE_INTERVAL_MINUTES} minutes, else RPO is lost`,
      )
      .refine(
        (value) => CAPTURE_INTERVALS.some((each) => each === value),
        `expected one of ${CAPTURE_INTERVALS.join(", ")}`,
      )
      .optional(),
    retentionDays: retention,
    herokuSchedule: schedule.optional(),
    side: z.enum(["primary", "replica"], "expected primary or replica").optional(),
  }),
  alerts: z
    .array(z.email("expected an e-mail address"))
    .min(1, "expected at least one address: alarms must reach somebody"),
  cloudinary: z.strictObject({ cloudName: matching(/^[a-z0-9_-]+$/i, "a cloud name"), apiKey: text }),
  cloudinaryApiSecret: text,
  herokuApiKey: text,
  restore: z.strictObject({
    backup: matching(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "the id of a backup").optional(),
    before: moment.optional(),
    overwrite: matching(/^[A-Za-z][A-Za-z0-9_-]+$/, "the name of a database add-on").optional(),
  }),
  endpoints: z.strictObject({
    herokuApi: url.optional(),
    herokuDataApi: url.optional(),
    cloudinaryUploadPrefix: url.optional(),
  }),
} as const;

export type Key = keyof typeof KEYS;

/** Keys whose values must be encrypted in the stack file, and never appear in a message. */
export const SECRET_KEYS: ReadonlySet<Key> = new Set(["secretConfig", "alerts", "cloudinaryApiSecret", "herokuApiKey"]);

/** Keys whose value is text, not JSON. */
export const TEXT_KEYS: ReadonlySet<Key> = new Set(["role", "system", "cloudinaryApiSecret", "herokuApiKey"]);

const SERVICE: Key[] = [
  "app",
  "release",
  "secretConfig",
  "alerts",
  "cloudinary",
  "cloudinaryApiSecret",
  "herokuApiKey",
];
const COMMON: Key[] = ["role", "system", "protect", "aws", "backup"];

/** Keys that a role needs, and those that it may have beside them. Others are refused: they would do nothing. */
export const KEYS_OF_ROLE: Readonly<Record<Role, { required: readonly Key[]; optional: readonly Key[] }>> = {
  vault: { required: ["role"], optional: COMMON },
  primary: { required: ["role", ...SERVICE], optional: [...COMMON, "config", "endpoints"] },
  recovery: { required: ["role", ...SERVICE], optional: [...COMMON, "config", "endpoints", "restore"] },
};
