/** What people do while the simulated time passes: the clinic works, administrators mend what went wrong. */

import {
  GetScheduleCommand,
  SchedulerClient,
  type ScheduleState,
  UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import { GetQueueUrlCommand, PurgeQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { UscPisError } from "../../backup/errors";
import { grow, mediaAssets } from "../app";
import { PROFILES } from "../aws/identities";
import * as faults from "../faults/commands";
import { Remote } from "../faults/remote";
import type { Workbench } from "../rehearsal/context";
import { cloudinarySdk } from "../seed";
import { APPS } from "../stacks";
import type { Incident } from "./incidents";

/** Rows that an ordinary day brings. */
const DAY: Readonly<Record<string, number>> = {
  patients_medicalrecord: 3,
  patients_consultation: 4,
  notifications_notificationlog: 5,
  feedback_feedback: 1,
};
/** Patients who are new in a week. */
const WEEK: Readonly<Record<string, number>> = { patients_patient: 2 };

/** A day of the clinic: more rows; once a week new patients, an asset that is new and one that goes. */
export async function liveDay(bench: Workbench, day: number, signal?: AbortSignal): Promise<void> {
  const vars = await bench.heroku.configVars(APPS.primary, signal);
  const { DATABASE_URL: databaseUrl, PGP_ENCRYPTION_KEY: pgpKey } = vars;
  if (databaseUrl === undefined || pgpKey === undefined)
    throw new UscPisError("no_database", `app ${APPS.primary} has no DATABASE_URL or PGP_ENCRYPTION_KEY`);
  const isWeek = day % 7 === 3;
  await grow({ databaseUrl, pgpKey }, isWeek ? { ...DAY, ...WEEK } : DAY);
  if (isWeek) await changeMedia(bench, day);
}

async function changeMedia({ state }: Workbench, day: number): Promise<void> {
  const { cloudinary, account } = cloudinarySdk(state);
  const assets = mediaAssets(1);
  const asset = assets[day % assets.length];
  if (asset === undefined) throw new Error("the clinic has no media");
  const file = `data:${asset.contentType};base64,${asset.bytes.toString("base64")}`;
  const options = { ...account, resource_type: asset.resourceType };
  await cloudinary.uploader.upload(file, { ...options, public_id: `simulated/${day}-${asset.publicId}` });
  if (day > 7) {
    const old = assets[(day - 7) % assets.length];
    if (old === undefined) return;
    await cloudinary.uploader.destroy(`simulated/${day - 7}-${old.publicId}`, {
      ...account,
      resource_type: old.resourceType,
    });
  }
}

/** Switches the schedule of captures on or off, as a person may in the console. */
async function switchSchedule(bench: Workbench, State: ScheduleState): Promise<void> {
  const client = new SchedulerClient(await bench.access(PROFILES.root));
  try {
    const which = { Name: "capture", GroupName: `${APPS.primary}-capture` };
    const { $metadata, Arn, CreationDate, LastModificationDate, ...kept } = await client.send(
      new GetScheduleCommand(which),
    );
    const { ScheduleExpression, Target, FlexibleTimeWindow } = kept;
    await client.send(
      new UpdateScheduleCommand({ ...kept, ...which, ScheduleExpression, Target, FlexibleTimeWindow, State }),
    );
  } finally {
    client.destroy();
  }
}

export async function beginIncident(bench: Workbench, { fault }: Incident): Promise<void> {
  if (fault === undefined) await switchSchedule(bench, "DISABLED");
  else await faults.set(fault.name, { param: fault.param });
}

export async function endIncident(bench: Workbench, { fault }: Incident): Promise<void> {
  if (fault === undefined) await switchSchedule(bench, "ENABLED");
  else await faults.reset(fault.name);
}

/** What an administrator does when all has been looked at: the letters of failed triggers go. */
export async function emptyDeadLetters(bench: Workbench): Promise<void> {
  const client = new SQSClient(await bench.access(PROFILES.root));
  try {
    const { QueueUrl } = await client.send(new GetQueueUrlCommand({ QueueName: `${APPS.primary}-capture-dlq` }));
    await client.send(new PurgeQueueCommand({ QueueUrl }));
  } finally {
    client.destroy();
  }
}

/**
 * Leaves out what would come to nothing: triggers of an hour whose work is done, and dumps of a database that has not
 * changed. What is left in the vault, the alarms and the inbox is the same.
 */
export async function sparing({ paths, state }: Workbench): Promise<void> {
  const services = new Remote(paths, state);
  await services.call("aws", { method: "POST", path: "/_sandbox/scheduler/economy", body: { on: true } });
  await services.call("heroku", { method: "POST", path: "/_control/dumps", body: { reuse: true } });
}
