/** Admin API: Basic authentication, the hourly limit, and where its paths lead. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody } from "./body";
import { flag } from "./encoding";
import type { Environment } from "./environment";
import { CloudinaryError, notCarriedOut } from "./errors";
import { folders } from "./folders";
import { metadataFields } from "./metadata-fields";
import { presets } from "./presets";
import { resources } from "./resources";
import { type Params, sameText } from "./signature";
import { triggers } from "./triggers";
import { config, tagNames, usage } from "./usage";

const HOUR_MS = 3_600_000;

export async function admin(
  env: Environment,
  request: IncomingMessage,
  response: ServerResponse,
  path: string[],
  query: Params,
): Promise<void> {
  authenticate(env, request.headers.authorization);
  for (const [name, value] of Object.entries(takeCall(env))) response.setHeader(name, value);
  const window = env.store.state.adminCalls;
  if (window.count > env.adminLimitPerHour) {
    const reset = `${new Date((window.window + 1) * HOUR_MS).toISOString().slice(0, 19).replace("T", " ")} UTC`;
    const limit = env.adminLimitPerHour;
    throw new CloudinaryError(
      420,
      `Rate Limit Exceeded. Limit of ${limit} api operations reached. Try again on ${reset}`,
    );
  }
  const body = request.method === "GET" ? { params: {} } : await readBody(request, env.store.temporary);
  const result = await dispatch(env, request.method ?? "GET", path, { ...query, ...body.params });
  response.writeHead(200, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(result));
}

/** Throws Cloudinary's 401 unless the header carries the API's key and secret. */
export function authenticate(env: Environment, header = ""): void {
  const encoded = /^Basic (.+)$/i.exec(header)?.[1];
  if (encoded === undefined) throw new CloudinaryError(401, "Missing or invalid Authorization header");
  const [key = "", ...secret] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  const keyIsRight = sameText(key, env.apiKey);
  const secretIsRight = sameText(secret.join(":"), env.apiSecret);
  if (!keyIsRight) throw new CloudinaryError(401, "unknown api_key");
  if (!secretIsRight) throw new CloudinaryError(401, "api_secret mismatch");
}

/** Counts a call in its hour (whole hours of UTC) and says what is left, in Cloudinary's own headers. */
function takeCall(env: Environment): Record<string, string> {
  const calls = env.store.state.adminCalls;
  const window = Math.floor(env.now() / HOUR_MS);
  if (calls.window !== window) Object.assign(calls, { window, count: 0 });
  calls.count += 1;
  return {
    "x-featureratelimit-limit": String(env.adminLimitPerHour),
    "x-featureratelimit-remaining": String(Math.max(0, env.adminLimitPerHour - calls.count)),
    "x-featureratelimit-reset": new Date((window + 1) * HOUR_MS).toUTCString(),
  };
}

async function dispatch(env: Environment, method: string, path: string[], params: Params): Promise<unknown> {
  const [collection = "", ...rest] = path;
  const id = rest.length === 0 ? undefined : rest.join("/");
  const read = method === "GET";
  if (read && path.length === 1 && collection === "ping") return { status: "ok" };
  if (read && path.length === 1 && collection === "usage") return usage(env);
  if (read && path.length === 1 && collection === "config") return config(env, flag(params, "settings") === true);
  if (read && path.length === 2 && collection === "tags") return tagNames(env, rest[0] ?? "", params);
  switch (collection) {
    case "resources":
      return resources(env, method, rest, params);
    case "upload_presets":
      return presets(env, method, id, params);
    case "triggers":
      return triggers(env, method, id, params);
    case "folders":
      return folders(env, method, rest.join("/").split("/").filter(Boolean), params);
    case "metadata_fields":
      return metadataFields(env, method, rest, params);
    default:
      throw notCarriedOut(`${method} ${path.join("/")}`);
  }
}
