/** The sandbox's own look into the emulator, below `/_control`. It shows no secret; what changes something wants the API's key. */
import { authenticate } from "./admin";
import type { Environment } from "./environment";
import { CloudinaryError } from "./errors";

/**
 * `GET inventory` counts what is stored, `GET webhooks` tells who is still to be told what and when the next attempt is due,
 * `POST webhooks/deliver` tries what is due now (by the clock, which a test may have moved) and answers what is left.
 */
export async function control(env: Environment, method: string, path: string[], authorization?: string) {
  switch (`${method} ${path.join("/")}`) {
    case "GET inventory":
      return inventory(env);
    case "GET webhooks":
      return env.notifications.overview();
    case "POST webhooks/deliver":
      authenticate(env, authorization);
      await env.notifications.deliverDue();
      return env.notifications.overview();
    default:
      throw new CloudinaryError(404, "Unknown control path");
  }
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
