/** The emulator of Cloudinary: Upload API, Admin API, delivery and webhooks on one loopback port. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ACTIONS, downloadable, downloadableVersion } from "./actions";
import { admin } from "./admin";
import { type Body, queryParams, readBody } from "./body";
import { chunkAnswer, collectChunk } from "./chunks";
import { control } from "./control";
import { attachmentOf, resolveDelivery, sendAsset } from "./delivery";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { Faults } from "./faults";
import { Notifications } from "./notifications";
import { type SignatureAlgorithm, sameText, verifySignedParams } from "./signature";
import { Store } from "./store";
import { upload } from "./uploads";

const MIB = 1024 * 1024;

export interface CloudinaryOptions {
  /** Folder of state and bytes; made if it is missing, private to its user. */
  dataDir: string;
  /** Address to bind: loopback only. */
  host: "127.0.0.1";
  /** Port, by default a free one. */
  port?: number;
  cloudName: string;
  apiKey: string;
  apiSecret: string;
  /** Admin API calls an hour. @default 500, Cloudinary's free plan. */
  adminLimitPerHour?: number;
  /** Whether PDFs are delivered by plain URLs. @default true; new free accounts start without. */
  deliverPdf?: boolean;
  /** Largest files by resource type, in bytes. @default 10 MiB, videos 100 MiB: Cloudinary's free plan. */
  maxBytes?: Partial<Environment["maxBytes"]>;
  /** How long a `next_cursor` is good. @default a day; Cloudinary's end too, but it does not say when. */
  cursorLifetimeMs?: number;
  /** Digest of webhooks' and answers' signatures, an account's setting. @default "sha1" */
  signatureAlgorithm?: SignatureAlgorithm;
  /** Waits before a webhook that was not taken is sent again. @default 3, 6 and 9 minutes, as documented */
  webhookRetryDelaysMs?: readonly number[];
  /** How often the clock is looked at while a webhook waits. @default 1000 */
  webhookPollMs?: number;
  /** How long a webhook's receiver may take to answer. @default 10 seconds */
  webhookTimeoutMs?: number;
  /** Clock in milliseconds. @default Date.now */
  now?: () => number;
}

export interface RunningCloudinary {
  /** Base of API (`upload_prefix`) and delivery. */
  url: string;
  close(): Promise<void>;
}

/** Starts the emulator; what it stored before is there again. */
export async function startCloudinary(options: CloudinaryOptions): Promise<RunningCloudinary> {
  if ((options.host as string) !== "127.0.0.1") throw new Error(`host must be 127.0.0.1, got ${options.host}`);
  const now = options.now ?? (() => Date.now());
  const store = new Store(options.dataDir);
  const signatureAlgorithm = options.signatureAlgorithm ?? "sha1";
  const faults = new Faults();
  const notifications = new Notifications(store, {
    faults,
    apiKey: options.apiKey,
    apiSecret: options.apiSecret,
    algorithm: signatureAlgorithm,
    now,
    retryDelaysMs: options.webhookRetryDelaysMs,
    pollMs: options.webhookPollMs,
    timeoutMs: options.webhookTimeoutMs,
  });
  let url = "";
  const env: Environment = {
    cloudName: options.cloudName,
    apiKey: options.apiKey,
    apiSecret: options.apiSecret,
    adminLimitPerHour: options.adminLimitPerHour ?? 500,
    deliverPdf: options.deliverPdf ?? true,
    maxBytes: { image: 10 * MIB, video: 100 * MIB, raw: 10 * MIB, ...options.maxBytes },
    cursorLifetimeMs: options.cursorLifetimeMs ?? 86_400_000,
    signatureAlgorithm,
    store,
    notifications,
    faults,
    now,
    url: () => url,
  };
  const server = createServer((request, response) => {
    response.setHeader("x-request-id", randomBytes(16).toString("hex"));
    faults
      .apply(request, response)
      .then((isDone) => (isDone ? undefined : route(env, request, response)))
      .catch((error: unknown) => answerError(request, response, error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, options.host, resolve);
  });
  url = `http://${options.host}:${(server.address() as AddressInfo).port}`;
  notifications.resume();
  return {
    url,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, notifications.close()]);
      await store.commit();
    },
  };
}

async function route(env: Environment, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const [version, ...segments] = url.pathname.slice(1).split("/");
  // Decoded segment by segment and joined again: SDKs send the slashes of public ids as %2F.
  const path = segments.map(decode);
  if (version === "_control") {
    return answer(response, await control(env, request, path, url.searchParams));
  }
  if (version !== "v1_1") {
    if (!sameText(version ?? "", env.cloudName)) throw new CloudinaryError(404, `Unknown cloud_name ${version}`);
    if (request.method !== "GET" && request.method !== "HEAD") throw notCarriedOut(`${request.method} on delivery`);
    return sendAsset(env, resolveDelivery(env, path), request, response);
  }
  const [cloudName = "", ...rest] = path;
  if (!sameText(cloudName, env.cloudName)) throw new CloudinaryError(401, `Invalid cloud_name ${cloudName}`);
  const [resourceType = "", action = ""] = rest;
  const isAction = rest.length === 2 && ["image", "raw", "video", "auto"].includes(resourceType);
  if (rest.length === 1 && resourceType === "download_backup" && request.method === "GET") {
    const params = queryParams(url.searchParams);
    verifySignedParams(params, env, env.now() / 1000);
    return sendAsset(env, downloadableVersion(env, params), request, response, { attachment: true });
  }
  if (!isAction) return admin(env, request, response, rest, queryParams(url.searchParams));
  if (action === "download" && request.method === "GET") {
    const params = queryParams(url.searchParams);
    verifySignedParams(params, env, env.now() / 1000);
    const asset = downloadable(env, resourceType, params);
    return sendAsset(env, asset, request, response, attachmentOf(params));
  }
  if (request.method !== "POST") throw notCarriedOut(`${request.method} ${url.pathname}`);
  const body = await readBody(request, env.store.temporary);
  try {
    answer(response, await act(env, request, resourceType, action, body));
  } finally {
    if (body.file !== undefined) await rm(body.file.path, { force: true });
  }
}

async function act(env: Environment, request: IncomingMessage, resourceType: string, action: string, body: Body) {
  const signed = body.params.signature !== undefined || body.params.api_key !== undefined;
  if (signed || action !== "upload") verifySignedParams(body.params, env, env.now() / 1000);
  const known = ACTIONS[action];
  if (known !== undefined) return known(env, resourceType, body.params);
  if (action !== "upload") throw notCarriedOut(`action ${action}`);
  if (request.headers["content-range"] !== undefined && body.file !== undefined) {
    const whole = await collectChunk(env, request.headers, body.file);
    if (whole === undefined) return chunkAnswer(request.headers);
    return upload(env, resourceType, { params: body.params, file: whole }, signed);
  }
  return upload(env, resourceType, body, signed);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new CloudinaryError(400, "Malformed path");
  }
}

function answer(response: ServerResponse, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { "content-type": "application/json; charset=utf-8", ...headers });
  response.end(JSON.stringify(body));
}

function answerError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // The rest of a refused upload is read and dropped, so that the client gets to read the answer.
  request.resume();
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = error instanceof CloudinaryError ? error.status : 500;
  const message = error instanceof Error ? error.message : String(error);
  const isDelivery = !/^\/(v1_1|_control)\//.test(request.url ?? "");
  response.writeHead(status, {
    ...(isDelivery ? { "content-length": 0 } : { "content-type": "application/json; charset=utf-8" }),
    "x-cld-error": message.replace(/[^\x20-\x7e]/g, "?"),
    ...(status === 401 && !isDelivery ? { "www-authenticate": 'Basic realm="Cloudinary API"' } : {}),
  });
  // Delivery says what is wrong in the header alone.
  response.end(isDelivery ? undefined : JSON.stringify({ error: { message } }));
}
