/** The application on Heroku and on Cloudinary: no debugging, nothing secret in plain sight, plans that exist (C3, C4, M1). */
import { planProblem } from "../infra/plans";
import type { Checked, ResourceRule } from "./model";
import { entries, items, peek, shown, UNKNOWN } from "./peek";
import { ADDON, APP, COMMAND, CONFIG, FORMATION, FUNCTION, UPLOAD_PRESET } from "./types";

/** Maps of variables that Pulumi and Heroku's provider keep secret, and those that they show. */
const SECRET_MAPS = ["sensitiveVars", "sensitiveConfigVars"];
const PLAIN_MAPS = ["vars", "configVars"];

export const noDebugging: ResourceRule = {
  name: "debug-is-off",
  description: "DEBUG is off: Django's debug pages show settings and queries to anyone.",
  remediation: "Set DEBUG to False",
  severity: "critical",
  requirement: "C3",
  types: [APP, CONFIG],
  check: ({ props }) => {
    for (const map of [...PLAIN_MAPS, ...SECRET_MAPS]) {
      for (const [name, value] of entries(props, map)) {
        if (name !== "DEBUG" || value === UNKNOWN) continue;
        if (!["false", "0", "no", "off", ""].includes(String(value).toLowerCase())) return `DEBUG is ${shown(value)}`;
      }
    }
    return undefined;
  },
};

/** Names that promise a secret, unless they are known not to. */
const SENSITIVE_NAME =
  /SECRET|PASSWORD|PASSWD|TOKEN|CREDENTIAL|PRIVATE|(^|_)(KEY|PGP|DSN)(_|$)|APIKEY|^(DATABASE|REDIS)_URL$|BROKER_URL|RESULT_BACKEND/i;
/** Switches and addresses of secrets, which are none themselves. */
const HARMLESS_NAME = /^PASSWORD_(RESET_TIMEOUT|BREACH_CHECK)$|_ARN$|_ID$|_NAME$/i;
/** Values that are secret whatever they are called: URLs with a password, and tokens with a known beginning. */
const SENSITIVE_VALUE = /:\/\/[^\s/:@]*:[^\s/@]+@|\bHRKU-[\w-]{20,}|\bAKIA[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY/;

/** What in a map of variables looks secret; the value is never shown. */
function secretIn(variables: [string, unknown][]): string | undefined {
  const found = variables.find(
    ([name, value]) =>
      value !== "" &&
      ((SENSITIVE_NAME.test(name) && !(HARMLESS_NAME.test(name) && !/CLIENT_ID/.test(name))) ||
        (typeof value === "string" && SENSITIVE_VALUE.test(value))),
  );
  return found?.[0];
}

export const hiddenSecrets: ResourceRule = {
  name: "secrets-are-not-in-plain-variables",
  description: "Nothing that looks secret lies in plain config vars or in a function's environment.",
  remediation: "Use secretConfig (sensitiveVars) for the app, and Secrets Manager for functions",
  severity: "critical",
  requirement: "C4",
  types: [APP, CONFIG, FUNCTION],
  check: (resource) => {
    const maps = resource.type === FUNCTION ? [["environment", "variables"]] : PLAIN_MAPS.map((map) => [map]);
    const name = maps.map((path) => secretIn(entries(resource.props, ...path))).find((found) => found !== undefined);
    return name === undefined ? undefined : `${name} looks like a secret in plain variables`;
  },
};

export const quietCommands: ResourceRule = {
  name: "commands-carry-no-secrets",
  description: "No command line carries a secret: other users see it, and so do logs.",
  remediation: "Hand it over in the command's environment, as a secret",
  severity: "critical",
  requirement: "C4",
  types: [COMMAND],
  check: ({ props }) => {
    const line = ["create", "update", "delete"].find((name) => {
      const text = peek(props, name);
      return typeof text === "string" && SENSITIVE_VALUE.test(text);
    });
    return line === undefined ? undefined : `its ${line} command carries what looks like a secret`;
  },
};

/** Dyno sizes that Heroku has retired, and what succeeded them. */
const RETIRED_SIZES: Readonly<Record<string, string>> = { free: "eco", hobby: "basic" };

/** Add-on services whose plans we know. */
const SERVICES: Readonly<Record<string, "postgres" | "redis">> = {
  "heroku-postgresql": "postgres",
  "heroku-redis": "redis",
};

export const existingPlans: ResourceRule = {
  name: "plans-still-exist",
  description: "Add-ons and dynos use plans that Heroku still sells.",
  remediation: "Change the plan in the stack's configuration",
  severity: "high",
  requirement: "C3",
  types: [ADDON, FORMATION],
  check: (resource) => {
    const plan = peek(resource.props, resource.type === ADDON ? "plan" : "size");
    if (typeof plan !== "string") return undefined;
    if (resource.type === FORMATION) {
      const successor = RETIRED_SIZES[plan.toLowerCase()];
      return successor === undefined ? undefined : `size ${plan} is retired; ${successor} succeeded it`;
    }
    const service = SERVICES[plan.split(":")[0] ?? ""];
    const problem = service === undefined ? undefined : planProblem(service, plan);
    return problem === undefined ? undefined : `plan is ${plan}, ${problem}`;
  },
};

export const signedUploads: ResourceRule = {
  name: "upload-presets-are-signed-and-limited",
  description: "Upload presets ask for a signature and name the formats that they accept.",
  remediation: "Leave unsigned off, and name allowedFormats",
  severity: "high",
  requirement: "M1",
  types: [UPLOAD_PRESET],
  check: ({ props }: Checked) => {
    if (peek(props, "unsigned") === true) return "anyone who knows its name could upload";
    const formats = items(props, "allowedFormats");
    return formats === UNKNOWN || formats.length > 0 ? undefined : "it accepts every format";
  },
};
