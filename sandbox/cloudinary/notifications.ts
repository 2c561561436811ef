/** Signed webhooks, as Cloudinary sends them: `X-Cld-Timestamp`, `X-Cld-Signature`, tried again when refused. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { webhookSignature } from "./signature";
import type { State } from "./store";

/** Cloudinary waits 3, 6 and 9 minutes; a sandbox has less time. */
export const RETRY_DELAYS_MS = [1000, 2000, 3000] as const;

/** Kinds of events that a trigger may name (Cloudinary's table of event types, without the add-ons' ones). */
export const EVENT_TYPES = [
  "all",
  "access_control_changed",
  "create_folder",
  "delete",
  "delete_folder",
  "rename",
  "resource_context_changed",
  "resource_metadata_changed",
  "resource_tags_changed",
  "restore",
  "upload",
] as const;
export type EventType = Exclude<(typeof EVENT_TYPES)[number], "all">;

export class Notifications {
  readonly #state: State;
  readonly #secret: string;
  readonly #now: () => number;
  readonly #delays: readonly number[];
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(state: State, secret: string, now: () => number, delays: readonly number[] = RETRY_DELAYS_MS) {
    this.#state = state;
    this.#secret = secret;
    this.#now = now;
    this.#delays = delays;
  }

  /** Tells every trigger of this kind, and the request's own `notification_url` if it has one. Does not wait. */
  fire(event: EventType, payload: Record<string, unknown>, notificationUrl?: string): void {
    const urls = new Set(
      Object.values(this.#state.triggers)
        .filter((trigger) => trigger.event_type === event || trigger.event_type === "all")
        .map((trigger) => trigger.uri),
    );
    if (notificationUrl !== undefined && notificationUrl !== "") urls.add(notificationUrl);
    const body = JSON.stringify({
      notification_type: event,
      timestamp: new Date(this.#now()).toISOString(),
      request_id: randomUUID().replaceAll("-", ""),
      ...payload,
      notification_context: {
        triggered_at: new Date(this.#now()).toISOString(),
        triggered_by: { source: "api", id: "sandbox" },
      },
    });
    for (const url of urls) {
      const delivery = this.#deliver(url, body).finally(() => this.#running.delete(delivery));
      this.#running.add(delivery);
    }
  }

  async #deliver(url: string, body: string): Promise<void> {
    for (const delay of [0, ...this.#delays]) {
      try {
        if (delay > 0) await sleep(delay, undefined, { signal: this.#stop.signal });
        if (await this.#post(url, body)) return;
      } catch {
        // Nobody listens (yet), or the emulator stops: both end in the next round.
      }
      if (this.#stop.signal.aborted) return;
    }
  }

  async #post(url: string, body: string): Promise<boolean> {
    const timestamp = Math.floor(this.#now() / 1000);
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-cld-timestamp": String(timestamp),
        "x-cld-signature": webhookSignature(body, timestamp, this.#secret),
      },
      body,
      redirect: "error",
      signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(10_000)]),
    });
    await response.arrayBuffer();
    return response.ok;
  }

  /** Ends what is under way. Undelivered notifications are lost, as they are when a receiver is down for too long. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }
}
