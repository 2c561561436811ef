/** Shared by the contract tests of the Cloudinary emulator. */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { deflateSync } from "node:zlib";
import { type CloudinaryOptions, type RunningCloudinary, startCloudinary } from "../../sandbox/cloudinary";

export const ACCOUNT = { cloudName: "clinic", apiKey: "123456789012345", apiSecret: "s3cret-for-tests" };

export type Sdk = typeof import("cloudinary").v2;

/**
 * Runs something with no SDK loaded and CLOUDINARY_URL as given, and puts both back: the SDK reads the variable, and
 * chooses http or https, when it is loaded.
 */
export function withFreshSdk<T>(variable: string | undefined, run: (load: NodeJS.Require) => T): T {
  const restore = forgetSdk(variable);
  try {
    return run(createRequire(__filename));
  } finally {
    restore();
  }
}

/** The same for a whole suite: call the answer when it is over. */
export function forgetSdk(variable: string | undefined): () => void {
  const { cache } = createRequire(__filename);
  const loaded = () => Object.entries(cache).filter(([id]) => id.includes(`${sep}node_modules${sep}cloudinary${sep}`));
  const set = (value: string | undefined) => {
    if (value === undefined) delete process.env.CLOUDINARY_URL;
    else process.env.CLOUDINARY_URL = value;
  };
  const before = { modules: loaded(), variable: process.env.CLOUDINARY_URL };
  for (const [id] of before.modules) delete cache[id];
  set(variable);
  return () => {
    set(before.variable);
    for (const [id] of loaded()) delete cache[id];
    for (const [id, module] of before.modules) cache[id] = module;
  };
}

export function loadSdk(url: string): Sdk {
  return withFreshSdk(url, (load) => (load("cloudinary") as { v2: Sdk }).v2);
}

export function cloudinaryUrl(base: string, account = ACCOUNT): string {
  const prefix = encodeURIComponent(base);
  return `cloudinary://${account.apiKey}:${account.apiSecret}@${account.cloudName}?upload_prefix=${prefix}`;
}

export class Bench {
  readonly dataDir = mkdtempSync(join(tmpdir(), "cloudinary-test-"));
  running!: RunningCloudinary;
  sdk!: Sdk;

  async start(options: Partial<CloudinaryOptions> = {}): Promise<void> {
    this.running = await startCloudinary({ dataDir: this.dataDir, host: "127.0.0.1", ...ACCOUNT, ...options });
    this.sdk = loadSdk(cloudinaryUrl(this.running.url));
  }

  async stop(): Promise<void> {
    await this.running.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  api(path: string, init: RequestInit & { auth?: string } = {}): Promise<Response> {
    const auth = init.auth ?? `${ACCOUNT.apiKey}:${ACCOUNT.apiSecret}`;
    return fetch(`${this.running.url}/v1_1/${ACCOUNT.cloudName}/${path}`, {
      ...init,
      headers: { authorization: `Basic ${Buffer.from(auth).toString("base64")}`, ...init.headers },
    });
  }
}

/** A real PNG whose bytes depend on `seed`. */
export function png(seed = 0, size = 4): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const rows = Buffer.concat(Array.from({ length: size }, () => Buffer.from([0, ...Array(size).fill(seed % 256)])));
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("tEXt", Buffer.from(`seed\0${seed}`, "latin1")),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function crc32(data: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

export function dataUri(data: Buffer, type = "image/png"): string {
  return `data:${type};base64,${data.toString("base64")}`;
}

/** The rejection of a promise, or a failure if it has none. */
export async function rejection(promise: Promise<unknown>): Promise<{ http_code: number; message: string }> {
  try {
    await promise;
  } catch (error) {
    // The Admin API's rejections wrap what the Upload API's are.
    const found = error as { error?: { http_code: number; message: string } };
    return found.error ?? (error as { http_code: number; message: string });
  }
  throw new Error("expected a rejection, got a success");
}
