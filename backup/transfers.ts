import type { Heroku } from "../clients/heroku";
import { type HerokuTransfer, isManualBackup, isRestore, transferState } from "../clients/heroku-schemas";
import { HttpError } from "../clients/http";
import type { Pace } from "../clients/retry";
import { UscPisError } from "./errors";

/** Longest pause between two looks at a transfer, in ms: that of the official CLI. */
export const POLL_MS = 3_000;
/** First pause, in ms; it doubles, so that the pauses of a capture that ends within seconds are short against it. */
const FIRST_POLL_MS = 40;
/** Polls in a row that may fail. The official CLI gives up after 21 and then reports success (failure 7). */
const FAILED_POLLS = 20;

export interface WaitOptions {
  readonly signal?: AbortSignal;
  /** Gives up, by throwing, after this long, in ms. */
  readonly timeoutMs: number;
}

type Api = Pick<Heroku, "transfer" | "transfers">;

/** Waits until a transfer has ended, well or not. @throws UscPisError `transfer_timeout` or `transfer_lost`. */
export async function waitForEnd(
  heroku: Pick<Heroku, "transfer">,
  app: string,
  uuid: string,
  pace: Pace,
  options: WaitOptions,
): Promise<HerokuTransfer> {
  const start = pace.now().getTime();
  let failures = 0;
  for (let pause = FIRST_POLL_MS; ; pause = Math.min(POLL_MS, pause * 2)) {
    options.signal?.throwIfAborted();
    try {
      const transfer = await heroku.transfer(app, uuid, false, options.signal);
      failures = 0;
      if (transferState(transfer) !== "waiting") return transfer;
    } catch (error) {
      options.signal?.throwIfAborted();
      const gone = error instanceof HttpError && (error.status === 404 || error.status === 410 || error.status === 401);
      if (gone || ++failures >= FAILED_POLLS) {
        throw new UscPisError("transfer_lost", `Heroku no longer tells of transfer ${uuid} of app ${app}`, {
          cause: error,
          hint: `heroku pg:backups -a ${app}`,
        });
      }
    }
    if (pace.now().getTime() - start > options.timeoutMs) {
      const seconds = Math.round(options.timeoutMs / 1000);
      throw new UscPisError("transfer_timeout", `transfer ${uuid} of app ${app} has not ended after ${seconds} s`, {
        hint: `heroku pg:backups -a ${app}`,
      });
    }
    await pace.sleep(pause, options.signal);
  }
}

/** Waits for success. @throws UscPisError `transfer_failed` with the last words of Heroku's log. */
export async function waitForSuccess(
  heroku: Pick<Heroku, "transfer">,
  app: string,
  uuid: string,
  pace: Pace,
  options: WaitOptions,
): Promise<HerokuTransfer> {
  const transfer = await waitForEnd(heroku, app, uuid, pace, options);
  if (transferState(transfer) === "succeeded") return transfer;
  const verbose = await heroku.transfer(app, uuid, true, options.signal).catch(() => undefined);
  const words = (verbose?.logs ?? []).slice(-5).map((line) => line.message.trim());
  const end = transfer.canceled_at ? "was cancelled" : "failed";
  throw new UscPisError(
    "transfer_failed",
    `Heroku's ${isRestore(transfer) ? "restore" : "capture"} ${transfer.num} ${end}${words.length ? `: ${words.join(" | ")}` : ""}`,
    { hint: `heroku pg:backups:info -a ${app}` },
  );
}

/** Waits for everything that runs on the app's databases now: Heroku runs one transfer a database well, not two. */
export async function waitForRunning(
  heroku: Api,
  app: string,
  pace: Pace,
  options: WaitOptions,
  which: (transfer: HerokuTransfer) => boolean = () => true,
): Promise<HerokuTransfer[]> {
  const transfers = await heroku.transfers(app, options.signal);
  const running = transfers.filter((transfer) => transferState(transfer) === "waiting" && which(transfer));
  const ended: HerokuTransfer[] = [];
  for (const transfer of running) ended.push(await waitForEnd(heroku, app, transfer.uuid, pace, options));
  return ended;
}

export interface Started {
  readonly transfer: HerokuTransfer;
  /** False when we found it after our request seemed to fail: probably ours, so it is used, but never removed. */
  readonly ours: boolean;
}

/**
 * Starts a capture or restore that must not be started twice. When the request fails in a way that leaves open whether
 * Heroku began, what Heroku lists decides: the one new transfer of that kind is taken, none means that it did not.
 */
export async function startOnce(
  heroku: Api,
  app: string,
  kind: "capture" | "restore",
  pace: Pace,
  start: () => Promise<HerokuTransfer>,
  signal?: AbortSignal,
): Promise<Started> {
  const known = new Set((await heroku.transfers(app, signal)).map((transfer) => transfer.uuid));
  try {
    return { transfer: await start(), ours: true };
  } catch (error) {
    if (!(error instanceof HttpError) || !error.ambiguous) throw error;
    await pace.sleep(POLL_MS, signal);
    const wanted = kind === "capture" ? isManualBackup : isRestore;
    const fresh = (await heroku.transfers(app, signal)).filter((each) => !known.has(each.uuid) && wanted(each));
    if (fresh.length === 1 && fresh[0]) return { transfer: fresh[0], ours: false };
    throw error;
  }
}
