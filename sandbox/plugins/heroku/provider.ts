import type { Provider } from "../core/types";
import type { Properties } from "../core/values";
import { addon, addonAttachment } from "./addon";
import { app } from "./app";
import { appConfigAssociation, appFeature } from "./app-settings";
import { build } from "./build";
import { HerokuClient } from "./client";
import { formation } from "./formation";
import { appWebhook, domain, drain } from "./network";
import { pipeline, pipelineCoupling } from "./pipeline";

const REMOTE = { url: "registry.opentofu.org/heroku/heroku", version: "5.3.2" };

function parsed(name: string, text: string | undefined): { [key: string]: unknown } {
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as { [key: string]: unknown };
  } catch (error) {
    throw new Error(`provider heroku: ${name} is no JSON: ${text}`, { cause: error });
  }
}

/** The stand-in for Pulumi's `terraform-provider` bridge around heroku/heroku. */
export const herokuProvider: Provider<HerokuClient> = {
  name: "heroku",
  config: { url: {}, apiKey: {}, email: {}, headers: {}, customizations: {}, delays: {}, timeouts: {} },
  frameworkBridge: true,
  parameterize(name, version, value) {
    const { remote } = parsed("parameterization", value) as { remote?: typeof REMOTE };
    if (
      name !== "heroku" ||
      version !== REMOTE.version ||
      remote?.url !== REMOTE.url ||
      remote.version !== REMOTE.version
    ) {
      throw new Error(
        `this stand-in bridges ${REMOTE.url} ${REMOTE.version} as heroku only, not ${name} ${version} with ${value}`,
      );
    }
  },
  configure(config) {
    const delays = parsed("delays", config.delays);
    const timeouts = parsed("timeouts", config.timeouts);
    const [customizations = {}] = Object.values(parsed("customizations", config.customizations)) as Properties[];
    return new HerokuClient({
      url: config.url ?? process.env.HEROKU_API_URL ?? "https://api.heroku.com",
      email: config.email ?? process.env.HEROKU_EMAIL ?? "",
      apiKey: config.apiKey ?? process.env.HEROKU_API_KEY ?? "",
      headers: parsed("headers", config.headers ?? process.env.HEROKU_HEADERS) as { [name: string]: string },
      delays: { app: Number(delays.postAppCreateDelay ?? 0), domain: Number(delays.postDomainCreateDelay ?? 0) },
      addonTimeout: Number(timeouts.addonCreateTimeout ?? 20),
      inState: {
        appVars: customizations.setAppAllConfigVarsInState ?? true,
        addonVars: customizations.setAddonConfigVarsInState ?? true,
      },
    });
  },
  resources: [
    app,
    appConfigAssociation,
    appFeature,
    addon,
    addonAttachment,
    build,
    formation,
    domain,
    appWebhook,
    drain,
    pipeline,
    pipelineCoupling,
  ],
};
