/** The sandbox's own look into the emulator, below `/_control`. It shows no secret; what changes something wants the API's key. */
import type { IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { controlFaults, FAULT_METHODS, type FaultMethod } from "../faults/control";
import { RuleError } from "../faults/rule";
import { authenticate } from "./admin";
import { requireAsset } from "./assets";
import type { Environment } from "./environment";
import { CloudinaryError } from "./errors";

/**
 * `GET inventory` counts what is stored, `GET webhooks` tells who is still to be told what and when the next attempt is due,
 * `POST webhooks/deliver` tries what is due now (by the clock, which a test may have moved) and answers what is left.
 * `faults` are those of sandbox/faults; `POST assets` edits tags and context as if nobody had done it: no webhook, no version.
 */
export async function control(env: Environment, request: IncomingMessage, path: string[], query: URLSearchParams) {
  const { method = "GET" } = request;
  const { authorization } = request.headers;
  if (path.join("/") === "faults" && isFaultMethod(method)) {
    if (method !== "GET") authenticate(env, authorization);
    return faults(env, method, request, query);
  }
  switch (`${method} ${path.join("/")}`) {
    case "GET inventory":
      return inventory(env);
    case "GET webhooks":
      return env.notifications.overview();
    case "POST webhooks/deliver":
      authenticate(env, authorization);
      await env.notifications.deliverDue();
      return env.notifications.overview();
    case "POST assets":
      authenticate(env, authorization);
      return editSilently(env, (await json(request)) as Edit);
    default:
      throw new CloudinaryError(404, "Unknown control path");
  }
}

function isFaultMethod(method: string): method is FaultMethod {
  return (FAULT_METHODS as readonly string[]).includes(method);
}

async function faults(env: Environment, method: FaultMethod, request: IncomingMessage, query: URLSearchParams) {
  try {
    const body = method === "POST" || method === "PATCH" ? await json(request) : undefined;
    return controlFaults(env.faults, method, body, query.get("name") ?? undefined);
  } catch (error) {
    if (error instanceof RuleError || error instanceof SyntaxError) throw new CloudinaryError(422, error.message);
    throw error;
  }
}

interface Edit {
  public_id?: string;
  resource_type?: string;
  tags?: string[];
  context?: Record<string, string>;
}

async function editSilently(env: Environment, edit: Edit) {
  const asset = requireAsset(env, edit.resource_type ?? "image", "upload", edit.public_id ?? "");
  const { tags = asset.tags, context = asset.context } = edit;
  Object.assign(asset, { tags, context });
  await env.store.commit();
  return { public_id: asset.public_id, tags, context };
}

function inventory(env: Environment) {
  const { presets, triggers, assets } = env.store.state;
  const live = Object.values(assets).filter((asset) => !asset.placeholder);
  return {
    presets: Object.keys(presets).length,
    triggers: Object.keys(triggers).length,
    resources: live.length,
    bytes: live.reduce((sum, asset) => sum + asset.current.bytes, 0),
    presetNames: Object.keys(presets).sort(),
    triggerUris: Object.values(triggers).map((trigger) => trigger.uri),
  };
}
