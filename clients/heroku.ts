import { z } from "zod";
import {
  addonSchema,
  appSchema,
  attachmentSchema,
  buildSchema,
  configVarsSchema,
  type HerokuAddon,
  type HerokuApp,
  type HerokuAttachment,
  type HerokuBuild,
  type HerokuRelease,
  type HerokuSchedule,
  type HerokuTransfer,
  parseAnswer,
  publicUrlSchema,
  releaseSchema,
  scheduleSchema,
  transferSchema,
} from "./heroku-schemas";
import { HttpClient, HttpError, type HttpRequest } from "./http";
import type { Pace } from "./retry";

export interface HerokuOptions {
  /** A token of Heroku's. It is sent as Bearer and appears in no message. */
  readonly apiKey: string;
  /** Platform API. @default https://api.heroku.com */
  readonly apiUrl?: string;
  /** Postgres data API. @default https://api.data.heroku.com */
  readonly dataApiUrl?: string;
  readonly pace?: Pace;
  readonly fetch?: typeof fetch;
  /** Of one attempt, in ms. @default 30000 */
  readonly timeoutMs?: number;
}

type Signal = AbortSignal | undefined;
const SDK = { accept: "application/vnd.heroku+json; version=3.sdk" };

/**
 * Heroku's Platform API and Postgres data API, as far as backups and recovery need them. Reads, and writes that may be
 * repeated, are retried; `startCapture` and `startRestore` only when Heroku cannot have begun (see `HttpError.ambiguous`).
 */
export class Heroku {
  private readonly platform: HttpClient;
  private readonly data: HttpClient;

  constructor(options: HerokuOptions) {
    const shared = {
      headers: {
        authorization: `Bearer ${options.apiKey}`,
        accept: "application/vnd.heroku+json; version=3",
        "user-agent": "usc-pis-infrastructure",
      },
      unauthorizedHint: "the Heroku token is wrong or has expired: make a new one and set it with the stack's secrets",
      ...(options.pace ? { pace: options.pace } : {}),
      ...(options.fetch ? { fetch: options.fetch } : {}),
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    };
    this.platform = new HttpClient({
      service: "Heroku",
      baseUrl: options.apiUrl ?? "https://api.heroku.com",
      ...shared,
    });
    this.data = new HttpClient({
      service: "Heroku Postgres",
      baseUrl: options.dataApiUrl ?? "https://api.data.heroku.com",
      ...shared,
    });
  }

  app(app: string, signal?: Signal): Promise<HerokuApp> {
    return this.get(this.platform, `/apps/${part(app)}`, appSchema, signal);
  }

  configVars(app: string, signal?: Signal): Promise<Record<string, string>> {
    return this.get(this.platform, `/apps/${part(app)}/config-vars`, configVarsSchema, signal);
  }

  /** The release that runs now; undefined for an app without any. */
  async currentRelease(app: string, signal?: Signal): Promise<HerokuRelease | undefined> {
    const headers = { ...SDK, range: "version ..; max=10, order=desc" };
    const path = `/apps/${part(app)}/releases`;
    const releases = await this.get(this.platform, path, z.array(releaseSchema), signal, headers);
    return releases.find((release) => release.current) ?? releases[0];
  }

  /** One release by id or number. */
  release(app: string, release: string | number, signal?: Signal): Promise<HerokuRelease> {
    return this.get(this.platform, `/apps/${part(app)}/releases/${part(String(release))}`, releaseSchema, signal);
  }

  build(app: string, build: string, signal?: Signal): Promise<HerokuBuild> {
    return this.get(this.platform, `/apps/${part(app)}/builds/${part(build)}`, buildSchema, signal);
  }

  addon(addon: string, signal?: Signal): Promise<HerokuAddon> {
    return this.get(this.platform, `/addons/${part(addon)}`, addonSchema, signal);
  }

  /** Attachments that a name means: `DATABASE`, `DATABASE_URL`, or the add-on's name or id. */
  async resolveAttachment(app: string, name: string, signal?: Signal): Promise<HerokuAttachment[]> {
    const path = "/actions/addon-attachments/resolve";
    const { body } = await this.platform.request({
      method: "POST",
      path,
      headers: { ...SDK, "accept-inclusion": "addon:plan,config_vars" },
      body: { addon_attachment: name, app },
      repeatable: true,
      ...given(signal),
    });
    return parseAnswer(z.array(attachmentSchema), body, `POST ${path}`);
  }

  transfers(app: string, signal?: Signal): Promise<HerokuTransfer[]> {
    return this.get(this.data, `/client/v11/apps/${part(app)}/transfers`, z.array(transferSchema), signal);
  }

  /** One transfer by uuid or number. `verbose` brings its log lines. */
  transfer(app: string, transfer: string | number, verbose = false, signal?: Signal): Promise<HerokuTransfer> {
    const path = `/client/v11/apps/${part(app)}/transfers/${part(String(transfer))}${verbose ? "?verbose=true" : ""}`;
    return this.get(this.data, path, transferSchema, signal);
  }

  /** Asks Heroku for a dump. Sent once: a repeated request would be a second capture. */
  async startCapture(databaseId: string, signal?: Signal): Promise<HerokuTransfer> {
    return this.post(`/client/v11/databases/${part(databaseId)}/backups`, undefined, transferSchema, false, signal);
  }

  /** Asks Heroku to restore a dump that it fetches from this URL. Sent once. */
  async startRestore(
    databaseId: string,
    backupUrl: string,
    extensions: readonly string[],
    signal?: Signal,
  ): Promise<HerokuTransfer> {
    const body = { backup_url: backupUrl, ...(extensions.length > 0 ? { extensions } : {}) };
    return this.post(`/client/v11/databases/${part(databaseId)}/restores`, body, transferSchema, false, signal);
  }

  /** A URL under which anybody may fetch the dump for about ten minutes. */
  async publicUrl(app: string, num: number, signal?: Signal): Promise<string> {
    const path = `/client/v11/apps/${part(app)}/transfers/${num}/actions/public-url`;
    return (await this.post(path, undefined, publicUrlSchema, true, signal)).url;
  }

  /** Removes Heroku's copy. One that is gone already is fine. */
  async deleteTransfer(app: string, num: number, signal?: Signal): Promise<void> {
    await this.gone(`/client/v11/apps/${part(app)}/transfers/${num}`, signal);
  }

  /** Stops a transfer; does nothing to one that has finished. */
  async cancelTransfer(app: string, uuid: string, signal?: Signal): Promise<void> {
    const path = `/client/v11/apps/${part(app)}/transfers/${part(uuid)}/actions/cancel`;
    await this.data.request({ method: "POST", path, repeatable: true, ...given(signal) });
  }

  schedules(databaseId: string, signal?: Signal): Promise<HerokuSchedule[]> {
    const path = `/client/v11/databases/${part(databaseId)}/transfer-schedules`;
    return this.get(this.data, path, z.array(scheduleSchema), signal);
  }

  /** Sets the daily backup of that name; Heroku keeps one a name, so repeating it does no harm. */
  async setSchedule(databaseId: string, name: string, hour: number, timezone: string, signal?: Signal): Promise<void> {
    await this.data.request({
      method: "POST",
      path: `/client/v11/databases/${part(databaseId)}/transfer-schedules`,
      body: { hour: String(hour).padStart(2, "0"), timezone, schedule_name: name },
      repeatable: true,
      ...given(signal),
    });
  }

  async deleteSchedule(databaseId: string, uuid: string, signal?: Signal): Promise<void> {
    await this.gone(`/client/v11/databases/${part(databaseId)}/transfer-schedules/${part(uuid)}`, signal);
  }

  /** GET of an object, or of a list with all its pages (`Next-Range`). */
  private async get<T>(
    client: HttpClient,
    path: string,
    schema: z.ZodType<T>,
    signal: Signal,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const first = await client.request({ method: "GET", path, headers, ...given(signal) });
    let body = first.body;
    let next = headers.range ? null : first.headers.get("next-range");
    while (Array.isArray(body) && next) {
      const page = await client.request({
        method: "GET",
        path,
        headers: { ...headers, range: next },
        ...given(signal),
      });
      body = [...body, ...parseAnswer(z.array(z.unknown()), page.body, `GET ${path}`)];
      next = page.headers.get("next-range");
    }
    return parseAnswer(schema, body, `GET ${path}`);
  }

  private async post<T>(path: string, body: unknown, schema: z.ZodType<T>, repeatable: boolean, signal: Signal) {
    const request: HttpRequest = {
      method: "POST",
      path,
      repeatable,
      ...(body === undefined ? {} : { body }),
      ...given(signal),
    };
    return parseAnswer(schema, (await this.data.request(request)).body, `POST ${path}`);
  }

  private async gone(path: string, signal: Signal): Promise<void> {
    try {
      await this.data.request({ method: "DELETE", path, ...given(signal) });
    } catch (error) {
      if (!(error instanceof HttpError) || (error.status !== 404 && error.status !== 410)) throw error;
    }
  }
}

function part(text: string): string {
  return encodeURIComponent(text);
}

function given(signal: Signal): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
