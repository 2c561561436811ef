/** The emulator with a database server for tests, and a small client of its own: not the one that is shipped. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HerokuEmulator, type HerokuOptions, startHeroku } from "../../sandbox/heroku/index";
import { startTestPostgres, type TestPostgres } from "./heroku-postgres";

export const TEST_KEY = "HRKU-test-key";

export type Json = any;

export interface Answer {
  status: number;
  headers: Headers;
  body: Json;
}

export class TestClient {
  constructor(
    readonly url: string,
    /** Null sends no key. */
    private readonly key: string | null = TEST_KEY,
    private readonly controlToken = "",
  ) {}

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const token = path.startsWith("/_control") ? this.controlToken : this.key;
    const response = await fetch(path.startsWith("http") ? path : this.url + path, {
      method,
      headers: {
        Accept: "application/vnd.heroku+json; version=3",
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** Sends and fails loudly unless the answer is 2xx. */
  async ok(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Json> {
    const answer = await this.send(method, path, body, headers);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async createApp(name: string): Promise<Json> {
    return this.ok("POST", "/apps", { name, region: "us", stack: "heroku-24" });
  }

  async addAddon(app: string, plan: string): Promise<Json> {
    const addon = await this.ok("POST", `/apps/${app}/addons`, { plan });
    return until(
      () => this.ok("GET", `/apps/${app}/addons/${addon.id}`),
      (one) => one.state === "provisioned",
    );
  }

  async capture(database: string, app: string): Promise<Json> {
    const { uuid } = await this.ok("POST", `/client/v11/databases/${database}/backups`);
    return this.transfer(app, uuid);
  }

  async restore(database: string, app: string, source: string, extensions?: string[]): Promise<Json> {
    const body = { backup_url: source, extensions };
    const { uuid } = await this.ok("POST", `/client/v11/databases/${database}/restores`, body);
    return this.transfer(app, uuid);
  }

  transfer(app: string, uuid: string): Promise<Json> {
    return until(
      () => this.ok("GET", `/client/v11/apps/${app}/transfers/${uuid}?verbose=true`),
      (one) => one.finished_at !== null,
    );
  }

  async deploy(app: string, tarball: Buffer, buildpacks?: { url: string }[], version = "v1"): Promise<Json> {
    const { source_blob: source } = await this.ok("POST", "/sources");
    const put = await fetch(source.put_url, { method: "PUT", body: new Uint8Array(tarball) });
    if (!put.ok) throw new Error(`upload: ${put.status}`);
    const body = { source_blob: { url: source.get_url, version }, buildpacks };
    const build = await this.ok("POST", `/apps/${app}/builds`, body);
    return until(
      () => this.ok("GET", `/apps/${app}/builds/${build.id}`),
      (one) => one.status !== "pending",
    );
  }

  /** The newest release, once it is no longer pending. */
  async settledRelease(app: string): Promise<Json> {
    const [release] = await until(
      () => this.ok("GET", `/apps/${app}/releases`, undefined, { Range: "version ..; max=1, order=desc" }),
      ([one]) => one.status !== "pending",
    );
    return release;
  }
}

export async function until<T>(read: () => Promise<T>, isDone: (value: T) => boolean, seconds = 30): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await read();
    if (isDone(value)) return value;
    if (Date.now() > end) throw new Error(`not done within ${seconds} s: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

export interface TestHeroku {
  emulator: HerokuEmulator;
  client: TestClient;
  postgres: TestPostgres;
  dataDir: string;
  lines: string[];
  stop(): Promise<void>;
}

/** @param options of the emulator, beside the folder, the database server and the key */
export async function startTestHeroku(options: Partial<HerokuOptions> = {}): Promise<TestHeroku> {
  const postgres = await startTestPostgres();
  const dataDir = mkdtempSync(join(tmpdir(), "heroku-emulator-"));
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const emulator = await startHeroku({ dataDir, postgres, apiKeys: [TEST_KEY], log, ...options });
  return {
    emulator,
    client: new TestClient(emulator.url, TEST_KEY, emulator.controlToken),
    postgres,
    dataDir,
    lines,
    async stop() {
      await emulator.close();
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
