/** Delivery of webhooks: kept until they are taken, tried again 3 times, on a clock that may jump. */
import { randomUUID } from "node:crypto";
import { CLOUDINARY_SWITCHES as SWITCH } from "../faults/switches";
import { type Event, notificationBody, recipients } from "./events";
import type { Faults } from "./faults";
import { type SignatureAlgorithm, webhookSignature } from "./signature";
import type { PendingNotification, Store } from "./store";

/** Waits before the second, third and fourth attempt (Cloudinary's documentation: 3, 6 and 9 minutes). */
export const RETRY_DELAYS_MS = [180_000, 360_000, 540_000] as const;

/** How many lost notifications are remembered. */
const LOST_KEPT = 50;

export interface NotificationOptions {
  apiKey: string;
  apiSecret: string;
  algorithm: SignatureAlgorithm;
  now(): number;
  /** @default 3, 6 and 9 minutes */
  retryDelaysMs?: readonly number[];
  /** How often the clock is looked at while something waits. @default 1000 */
  pollMs?: number;
  /** How long a receiver may take to answer. @default 10 seconds */
  timeoutMs?: number;
  /** Failures that it has been told to have. */
  faults: Faults;
}

/** Who is still to be told what, without the bodies. */
export interface NotificationOverview {
  pending: Omit<PendingNotification, "body">[];
  /** When the next attempt is due (ISO), null when nothing waits. */
  nextDueAt: string | null;
  lost: Store["state"]["lostNotifications"];
}

export class Notifications {
  readonly #store: Store;
  readonly #options: NotificationOptions;
  readonly #delays: readonly number[];
  readonly #stop = new AbortController();
  readonly #attempts = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(store: Store, options: NotificationOptions) {
    this.#store = store;
    this.#options = options;
    this.#delays = options.retryDelaysMs ?? RETRY_DELAYS_MS;
  }

  /** Goes on with what an earlier run of the emulator left undelivered. */
  resume(): void {
    this.#look();
  }

  /**
   * Writes down what is to be told, together with every change made to the state so far, and lets the first attempts begin.
   * Does not wait for them.
   */
  async fire(...events: Event[]): Promise<void> {
    const { now, apiKey } = this.#options;
    for (const event of events) {
      const body = notificationBody(event, { now: now(), requestId: randomUUID().replaceAll("-", ""), apiKey });
      for (const url of recipients(Object.values(this.#store.state.triggers), event)) {
        if (this.#options.faults.switched(SWITCH.webhookLost) !== undefined) continue;
        const notification = { id: randomUUID(), event: event.type, url, body, attempts: 0, ...this.#due() };
        this.#store.state.notifications.push(notification);
      }
    }
    await this.#store.commit();
    this.#look();
  }

  /** When it is to be sent: at once, or as late as was told, and then with the time of its event. */
  #due(): Pick<PendingNotification, "dueAt" | "signedAt"> {
    const now = this.#options.now();
    const late = this.#options.faults.switched(SWITCH.webhookDelay)?.value;
    return late === undefined ? { dueAt: now } : { dueAt: now + Number(late), signedAt: now };
  }

  /** Tries everything that is due by the clock, and waits for those attempts and the ones under way. */
  async deliverDue(): Promise<void> {
    for (const one of this.#store.state.notifications) {
      if (one.dueAt > this.#options.now() || this.#attempts.has(one.id) || this.#stop.signal.aborted) continue;
      const attempt = this.#attempt(one).finally(() => this.#attempts.delete(one.id));
      this.#attempts.set(one.id, attempt);
    }
    await Promise.all(this.#attempts.values());
  }

  overview(): NotificationOverview {
    const { notifications, lostNotifications } = this.#store.state;
    const next = Math.min(...notifications.map(({ dueAt }) => dueAt));
    return {
      pending: notifications.map(({ body, ...shown }) => shown),
      nextDueAt: Number.isFinite(next) ? new Date(next).toISOString() : null,
      lost: lostNotifications,
    };
  }

  /** Ends what is under way. What was not delivered stays written down, for the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await Promise.all(this.#attempts.values());
  }

  /** Short looks at the clock instead of one long timer: the clock may jump over the time that is waited for. */
  #look(): void {
    clearTimeout(this.#timer);
    if (this.#stop.signal.aborted || this.#store.state.notifications.length === 0) return;
    this.#timer = setTimeout(() => this.#look(), this.#options.pollMs ?? 1000);
    this.deliverDue().catch((error: Error) => {
      console.error(`cloudinary emulator: the state of the webhooks was not written: ${error.message}`);
    });
  }

  async #attempt(notification: PendingNotification): Promise<void> {
    const at = notification.signedAt ?? this.#options.now();
    const problem = await this.#post(notification, at);
    if (problem === undefined) await this.#replay(notification, at);
    // An attempt that the emulator's own end broke off does not count.
    if (problem !== undefined && this.#stop.signal.aborted) return;
    const { state } = this.#store;
    const delay = this.#delays[notification.attempts];
    notification.attempts += 1;
    if (problem !== undefined && delay !== undefined) {
      Object.assign(notification, { problem, dueAt: this.#options.now() + delay });
    } else {
      state.notifications = state.notifications.filter((one) => one !== notification);
      if (problem !== undefined) {
        const { body, dueAt, ...lost } = notification;
        const entry = { ...lost, problem, lostAt: this.#options.now() };
        state.lostNotifications = [...state.lostNotifications, entry].slice(-LOST_KEPT);
      }
    }
    await this.#store.commit();
  }

  /** The very same again, as somebody who listened in could send it, whatever the receiver answers. */
  async #replay(notification: PendingNotification, at: number): Promise<void> {
    const again = Number(this.#options.faults.switched(SWITCH.webhookReplay)?.value ?? 0);
    for (let i = 0; i < again; i++) await this.#post(notification, at);
  }

  /** Posts once. Answers what went wrong: anything but a 200, a redirect included, counts as not taken. */
  async #post({ url, body }: PendingNotification, at: number): Promise<string | undefined> {
    const { algorithm, faults, timeoutMs = 10_000 } = this.#options;
    const forged = faults.switched(SWITCH.webhookForged) !== undefined;
    const apiSecret = forged ? `not ${this.#options.apiSecret}` : this.#options.apiSecret;
    const timestamp = Math.floor(at / 1000);
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-cld-timestamp": String(timestamp),
          "x-cld-signature": webhookSignature(body, timestamp, apiSecret, algorithm),
        },
        body,
        redirect: "manual",
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]),
      });
      await response.body?.cancel();
      return response.status === 200 ? undefined : `answered ${response.status}`;
    } catch (error) {
      const { message, cause } = error as Error;
      return cause instanceof Error ? `${message}: ${cause.message}` : message;
    }
  }
}
