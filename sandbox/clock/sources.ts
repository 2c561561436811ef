/** What happens by the clock in the services of the sandbox, as their control routes tell it. */
import { UscPisError } from "../../backup/errors";
import type { EventSource } from "./advance";

/** Asks a service's control route. Rejects unless it answers with a success. */
export type Ask = (method: "GET" | "POST", path: string, body?: object) => Promise<unknown>;

function nextOf(answer: unknown, what: string): Date | undefined {
  const next = (answer as { next?: unknown } | null)?.next;
  if (next === null) return undefined;
  const at = typeof next === "string" ? new Date(next) : undefined;
  if (at === undefined || Number.isNaN(at.getTime()))
    throw new UscPisError("unexpected_answer", `${what} answered ${JSON.stringify(answer)}, expected {"next": TIME}`);
  return at;
}

/** EventBridge Scheduler: due schedules, and deliveries that are tried again. */
export function schedulerSource(ask: Ask): EventSource {
  return {
    name: "schedules",
    next: async () => nextOf(await ask("GET", "/_sandbox/scheduler/next"), "the local AWS's scheduler"),
    run: async () => void (await ask("POST", "/_sandbox/scheduler/tick")),
  };
}

/** Heroku's own daily backups. Their transfers are waited for. */
export function herokuSource(ask: Ask): EventSource {
  return {
    name: "heroku backups",
    next: async () => nextOf(await ask("GET", "/_control/schedules/next"), "the Heroku emulator"),
    run: async () => void (await ask("POST", "/_control/schedules/run", { wait: true })),
  };
}

/** Cloudinary's webhooks that are tried again. */
export function webhookSource(ask: Ask): EventSource {
  return {
    name: "webhooks",
    next: async () => nextOf(await ask("GET", "/_control/webhooks"), "the Cloudinary emulator"),
    run: async () => void (await ask("POST", "/_control/webhooks/deliver")),
  };
}
