/**
 * Answers of Heroku's Platform API and Postgres data API, as far as we read them (facts: what the official CLI uses).
 * States are closed sets: one that is not known here is refused, so that it can never be taken for a success.
 */
import { z } from "zod";
import { readAnswer } from "./answer";

const timestamp = z.string().min(1).nullish();

export const appSchema = z.object({
  id: z.string(),
  name: z.string(),
  maintenance: z.boolean().nullish(),
  web_url: z.string().nullish(),
});
export type HerokuApp = z.infer<typeof appSchema>;

export const releaseSchema = z.object({
  id: z.string(),
  version: z.number().int(),
  description: z.string().nullish(),
  status: z.enum(["pending", "succeeded", "failed", "expired"]).nullish(),
  current: z.boolean().nullish(),
  created_at: timestamp,
});
export type HerokuRelease = z.infer<typeof releaseSchema>;

export const buildSchema = z.object({
  id: z.string(),
  status: z.enum(["pending", "succeeded", "failed"]),
  release: z.object({ id: z.string() }).nullish(),
});
export type HerokuBuild = z.infer<typeof buildSchema>;

export const addonSchema = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(["provisioning", "provisioned", "deprovisioning", "deprovisioned"]).nullish(),
  app: z.object({ id: z.string().nullish(), name: z.string() }),
  plan: z.object({ name: z.string() }),
  config_vars: z.array(z.string()).nullish(),
});
export type HerokuAddon = z.infer<typeof addonSchema>;

export const attachmentSchema = z.object({
  name: z.string(),
  addon: z.object({
    id: z.string(),
    name: z.string(),
    app: z.object({ id: z.string().nullish(), name: z.string() }),
    plan: z.object({ name: z.string() }).nullish(),
  }),
  app: z.object({ name: z.string() }),
  config_vars: z.array(z.string()).nullish(),
  namespace: z.string().nullish(),
});
export type HerokuAttachment = z.infer<typeof attachmentSchema>;

export const configVarsSchema = z.record(z.string(), z.string());

const transferEnd = z.enum(["pg_dump", "pg_restore", "gof3r", "htcat"]);
export const transferSchema = z.object({
  uuid: z.string(),
  num: z.number().int(),
  from_type: transferEnd,
  to_type: transferEnd,
  from_name: z.string().nullish(),
  to_name: z.string().nullish(),
  from_url: z.string().nullish(),
  to_url: z.string().nullish(),
  created_at: timestamp,
  started_at: timestamp,
  finished_at: timestamp,
  canceled_at: timestamp,
  succeeded: z.boolean().nullish(),
  warnings: z.number().nullish(),
  processed_bytes: z.number().nullish(),
  source_bytes: z.number().nullish(),
  schedule: z.object({ uuid: z.string() }).nullish(),
  logs: z.array(z.object({ created_at: timestamp, level: z.string().nullish(), message: z.string() })).nullish(),
});
export type HerokuTransfer = z.infer<typeof transferSchema>;

export const scheduleSchema = z.object({
  uuid: z.string(),
  name: z.string(),
  hour: z.coerce.number().int().min(0).max(23),
  timezone: z.string(),
});
export type HerokuSchedule = z.infer<typeof scheduleSchema>;

export const publicUrlSchema = z.object({ url: z.url(), expires_at: timestamp });

/** @throws UscPisError `unexpected_answer` that names the first field which is not as expected, without its value. */
export function parseAnswer<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  return readAnswer(schema, body, what, "clients/heroku-schemas.ts");
}

export type TransferState = "waiting" | "succeeded" | "failed";

/** What a transfer came to. `succeeded` has to be true in so many words once it is finished. */
export function transferState(transfer: HerokuTransfer): TransferState {
  if (!transfer.finished_at) return transfer.canceled_at ? "failed" : "waiting";
  return transfer.succeeded === true && !transfer.canceled_at ? "succeeded" : "failed";
}

/** A backup that somebody asked for: a dump into Heroku's own storage, outside any schedule. */
export function isManualBackup(transfer: HerokuTransfer): boolean {
  return transfer.from_type === "pg_dump" && transfer.to_type === "gof3r" && !transfer.schedule;
}

export function isRestore(transfer: HerokuTransfer): boolean {
  return transfer.to_type === "pg_restore";
}
