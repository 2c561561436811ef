import type { Heroku } from "../clients/heroku";
import { UscPisError } from "./errors";
import { type DailySchedule, formatDailySchedule } from "./slot";

/** Heroku names a schedule after the config var of the database. */
export const SCHEDULE_NAME = "DATABASE_URL";

type Api = Pick<Heroku, "schedules" | "setSchedule" | "deleteSchedule">;

export interface ScheduleResult {
  readonly change: "unchanged" | "created" | "changed";
  /** What stood there before, such as `03:00 UTC`. */
  readonly before?: string;
  readonly now: string;
}

/** Makes Heroku's own daily backup be as wanted (D1), and reads it back. @throws UscPisError `schedule_not_kept` */
export async function ensureDailySchedule(
  heroku: Api,
  databaseId: string,
  wanted: DailySchedule,
  signal?: AbortSignal,
): Promise<ScheduleResult> {
  const now = formatDailySchedule(wanted);
  const before = await find(heroku, databaseId, signal);
  if (before === now) return { change: "unchanged", before, now };
  await heroku.setSchedule(databaseId, SCHEDULE_NAME, wanted.hour, wanted.timezone, signal);
  const kept = await find(heroku, databaseId, signal);
  if (kept !== now) {
    throw new UscPisError("schedule_not_kept", `Heroku's daily backup is at ${kept ?? "no time"}, expected ${now}`);
  }
  return before === undefined ? { change: "created", now } : { change: "changed", before, now };
}

/** Removes Heroku's own daily backup. @returns false when there was none. @throws UscPisError `schedule_not_kept` */
export async function removeDailySchedule(heroku: Api, databaseId: string, signal?: AbortSignal): Promise<boolean> {
  const existing = (await heroku.schedules(databaseId, signal)).filter((schedule) => schedule.name === SCHEDULE_NAME);
  for (const schedule of existing) await heroku.deleteSchedule(databaseId, schedule.uuid, signal);
  if (await find(heroku, databaseId, signal)) {
    throw new UscPisError("schedule_not_kept", "Heroku's daily backup is still scheduled after its removal");
  }
  return existing.length > 0;
}

async function find(heroku: Api, databaseId: string, signal?: AbortSignal): Promise<string | undefined> {
  const found = (await heroku.schedules(databaseId, signal)).find((schedule) => schedule.name === SCHEDULE_NAME);
  return found && formatDailySchedule(found);
}
