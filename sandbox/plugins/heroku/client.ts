import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Operation } from "../core/types";
import type { Properties, Value } from "../core/values";

/** Longest pause between two looks at something that is being made, in milliseconds; the first look is immediate. */
const POLL = { first: 200, last: 10_000 };

/** The API asks to slow down: first and last pause in milliseconds, as the provider's own client does it. */
const RATE_LIMIT = { first: 30_000, last: 900_000 };

/** An answer that is no success, with the API's own error id. */
export class HerokuError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly id: string | undefined,
  ) {
    super(message);
  }
}

/** What the provider is configured with. */
export interface HerokuOptions {
  url: string;
  email: string;
  apiKey: string;
  headers: { [name: string]: string };
  /** Seconds to wait after a creation. The provider's own defaults (10 and 5) are for the real service: here none. */
  delays: { app: number; domain: number };
  /** Minutes to wait for an add-on. */
  addonTimeout: number;
  /** Whether the state gets config vars that the program does not manage: all of an app, those of an add-on. */
  inState: { appVars: boolean; addonVars: boolean };
}

/** Heroku's API as the Terraform provider uses it. */
export class HerokuClient {
  #addons: Promise<unknown> = Promise.resolve();

  constructor(readonly options: HerokuOptions) {}

  /**
   * One request.
   *
   * @param range range header of a list
   * @throws HerokuError on any answer that is no success
   * @throws Error with "EOF" if a success has no body, as the provider's client does
   */
  async call(operation: Operation, method: string, path: string, body?: Value, range?: string): Promise<Value> {
    const { url, email, apiKey, headers } = this.options;
    for (let pause = RATE_LIMIT.first; ; pause = Math.min(pause * 2, RATE_LIMIT.last)) {
      const answer = await fetch(url.replace(/\/$/, "") + path, {
        method,
        headers: {
          Accept: "application/vnd.heroku+json; version=3",
          Authorization: `Basic ${Buffer.from(`${email}:${apiKey}`).toString("base64")}`,
          "Request-Id": randomUUID(),
          "User-Agent": "heroku/v6 (linux; amd64) terraform-provider-heroku/5.3.2",
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...(range === undefined ? {} : { Range: range }),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: operation.signal,
      }).catch((error: unknown) => {
        const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
        throw new Error(`${method} ${url}${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
          cause: error,
        });
      });
      const text = await answer.text();
      if (answer.status === 429) {
        await sleep(pause, undefined, { signal: operation.signal });
        continue;
      }
      if (!answer.ok) throw errorOf(answer.status, text);
      if (text === "") throw new Error(`${method} ${path}: EOF`);
      return JSON.parse(text);
    }
  }

  /** Looks until a state is reached. @throws Error if it becomes one that is neither pending nor the target */
  async until<T>(
    operation: Operation,
    what: string,
    minutes: number,
    look: () => Promise<{ state: string; value: T }>,
    pending: string[],
    target: string,
  ): Promise<T> {
    const deadline = Date.now() + minutes * 60_000;
    for (let pause = POLL.first; ; pause = Math.min(pause * 2, POLL.last)) {
      const { state, value } = await look();
      if (state === target) return value;
      if (!pending.includes(state)) throw new Error(`${what}: unexpected state '${state}', wanted target '${target}'`);
      if (Date.now() + pause > deadline)
        throw new Error(`${what}: timeout while waiting for state to become '${target}'`);
      await sleep(pause, undefined, { signal: operation.signal });
    }
  }

  /** The provider makes one add-on at a time. */
  oneAddon<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#addons.then(work, work);
    this.#addons = turn.catch(() => {});
    return turn;
  }

  /** Waits for the release that a change of config vars makes. */
  async waitForRelease(operation: Operation, app: string): Promise<void> {
    const releases: Properties[] = await this.call(
      operation,
      "GET",
      `/apps/${app}/releases`,
      undefined,
      "version ..; max=1,order=desc",
    );
    const id = releases[0]?.id;
    if (id === undefined) throw new Error(`app ${app} has no release`);
    await this.until(
      operation,
      `release ${id} of app ${app}`,
      20,
      async () => {
        const release = await this.call(operation, "GET", `/apps/${app}/releases/${id}`);
        return { state: release.status, value: release };
      },
      ["pending"],
      "succeeded",
    );
  }

  /** Sets and (null) removes config vars and waits for the release. */
  async setConfigVars(operation: Operation, app: string, vars: Properties): Promise<void> {
    await this.call(operation, "PATCH", `/apps/${app}/config-vars`, vars);
    await this.waitForRelease(operation, app);
  }
}

function errorOf(status: number, text: string): HerokuError {
  try {
    const { id, message } = JSON.parse(text) as { id?: string; message?: string };
    return new HerokuError(message ?? `encountered an error : ${status}`, status, id);
  } catch {
    return new HerokuError(`encountered an error : ${status}`, status, undefined);
  }
}
