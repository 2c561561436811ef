import { readFileSync } from "node:fs";
import { expect } from "chai";
import { InputError } from "../../backup/errors";
import { encryptedKeys } from "../../infra/read-settings";
import { KEYS, KEYS_OF_ROLE, type Key, SECRET_KEYS } from "../../infra/schema";
import { parseSettings, type ServiceSettings } from "../../infra/settings";

const dynos = { quantity: 1, size: "basic" };
/** A good configuration of the primary role; each test changes one thing. */
const GOOD = {
  role: "primary",
  app: {
    name: "usc-pis",
    region: "us",
    stack: "heroku-24",
    buildpacks: ["heroku/nodejs", "heroku/python"],
    postgresPlan: "heroku-postgresql:essential-0",
    redisPlan: "heroku-redis:mini",
    formation: { web: dynos, worker: dynos, beat: dynos },
    domain: "clinic.example.org",
  },
  release: { version: "v1.2.3", sha256: "a".repeat(64) },
  secretConfig: { SECRET_KEY: "s3cr3t-key", PGP_ENCRYPTION_KEY: "pgp-value" },
  alerts: ["admin@clinic.example"],
  cloudinary: { cloudName: "clinic", apiKey: "123" },
  cloudinaryApiSecret: "cl-secret",
  herokuApiKey: "hk-token",
};
type Config = Record<string, unknown>;
const RECOVERY: Config = { ...GOOD, role: "recovery", secretConfig: { PGP_ENCRYPTION_KEY: "pgp-value" } };
const VAULT: Config = { role: "vault" };

function raw(config: Config): Record<string, string> {
  const entries = Object.entries(config).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([key, value]) => [`usc-pis:${key}`, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

const parse = (config: Config, encrypted?: Set<string>) => parseSettings(raw(config), "test", encrypted);

/** Everything that is said about a bad configuration; a good one fails the test. */
function problems(config: Config, encrypted?: Set<string>): string {
  try {
    parse(config, encrypted);
  } catch (error) {
    expect(error).to.be.instanceOf(InputError);
    return (error as Error).message;
  }
  throw new Error("expected the configuration to be refused");
}

const app = (change: Config): Config => ({ ...GOOD, app: { ...GOOD.app, ...change } });
const backup = (change: Config): Config => ({ ...GOOD, backup: change });

describe("settings", () => {
  it("accept a good configuration of each role, and complete it", () => {
    const settings = parse(GOOD) as ServiceSettings;
    expect(settings).to.deep.include({
      role: "primary",
      system: "usc-pis",
      protect: true,
      aws: { primaryRegion: "ap-southeast-1", replicaRegion: "ap-northeast-1" },
      backup: { minute: 17, captureIntervalMinutes: 60, herokuSchedule: "02:00 UTC", side: "primary" },
      retentionDays: { hourly: 2, daily: 7, weekly: 28, monthly: 92, critical: 366 },
      restore: {},
    });
    expect(parse(VAULT).role).to.equal("vault");
    expect(parse({ ...RECOVERY, restore: { before: "2026-05-23T14:00:00Z" } }).role).to.equal("recovery");
  });

  /** What is wrong, the configuration, and what the message must name: key, value and expectation. */
  const refused: [string, Config, RegExp][] = [
    ["no role", { ...GOOD, role: undefined }, /usc-pis:role is missing, expected one of vault/],
    ["an unknown role", { ...GOOD, role: "master" }, /usc-pis:role is "master", expected one of vault/],
    ["an unknown key", { ...GOOD, alert: [] }, /usc-pis:alert is unknown, expected one of .*alerts/],
    ["an unknown key inside", app({ plan: "x" }), /usc-pis:app\.plan is unknown/],
    ["a key of another role", { ...GOOD, restore: {} }, /usc-pis:restore means nothing to role primary/],
    [
      "alerts that nobody would get",
      { ...VAULT, alerts: ["a@b.example"] },
      /usc-pis:alerts means nothing to role vault/,
    ],
    ["what is no JSON", { ...GOOD, backup: "hourly" }, /usc-pis:backup is "hourly", expected JSON/],
    [
      "a missing secret",
      { ...GOOD, herokuApiKey: undefined },
      /herokuApiKey is missing, expected a secret: pulumi config/,
    ],
    ["no release", { ...GOOD, release: undefined }, /usc-pis:release is missing/],
    [
      "a digest cut short",
      { ...GOOD, release: { version: "v1", sha256: "abc" } },
      /release\.sha256 is "abc", expected the 64/,
    ],
    [
      "both buckets in one region",
      { ...GOOD, aws: { primaryRegion: "eu-central-1", replicaRegion: "eu-central-1" } },
      /aws\.replicaRegion is "eu-central-1", expected another region than primaryRegion/,
    ],
    [
      "a bucket in us-east-1",
      { ...VAULT, aws: { primaryRegion: "us-east-1", replicaRegion: "eu-central-1" } },
      /aws\.primaryRegion is "us-east-1", expected another region than us-east-1/,
    ],
    [
      "a replica where Heroku runs",
      { ...app({ region: "eu" }), aws: { primaryRegion: "ap-southeast-1", replicaRegion: "eu-west-1" } },
      /aws\.replicaRegion is "eu-west-1", expected another region: Heroku's "eu" runs there/,
    ],
    [
      "no region of AWS",
      { ...VAULT, aws: { primaryRegion: "Singapore", replicaRegion: "eu-central-1" } },
      /"Singapore"/,
    ],
    [
      "captures rarer than RPO",
      backup({ captureIntervalMinutes: 300 }),
      /captureIntervalMinutes is 300, expected at most 240/,
    ],
    ["an interval that no cron carries", backup({ captureIntervalMinutes: 90 }), /is 90, expected one of 60, 120/],
    ["a minute whose retries leave the hour", backup({ minute: 45 }), /backup\.minute is 45, expected at most 29/],
    [
      "a schedule between hours",
      backup({ herokuSchedule: "02:30 UTC" }),
      /herokuSchedule is "02:30 UTC", expected a whole/,
    ],
    [
      "hourly backups kept a day",
      backup({ retentionDays: { hourly: 1 } }),
      /retentionDays\.hourly is 1, expected at least 2/,
    ],
    ["monthly backups kept 90 days", backup({ retentionDays: { monthly: 90 } }), /monthly is 90, expected at least 92/],
    ["half a day", backup({ retentionDays: { daily: 7.5 } }), /daily is 7\.5, expected a whole number of days/],
    ["a class that is none", backup({ retentionDays: { yearly: 400 } }), /retentionDays\.yearly is unknown/],
    ["an address that is none", { ...GOOD, alerts: ["nobody"] }, /usc-pis:alerts\.0 has .*expected an e-mail address/],
    ["alarms for no one", { ...GOOD, alerts: [] }, /expected at least one address/],
    [
      "a retired plan",
      app({ postgresPlan: "heroku-postgresql:mini" }),
      /"heroku-postgresql:mini", .*successor is .*essential-0/,
    ],
    [
      "an older one",
      app({ postgresPlan: "heroku-postgresql:hobby-dev" }),
      /hobby-dev", expected a plan that still exists/,
    ],
    ["a retired Redis plan", app({ redisPlan: "heroku-redis:hobby-dev" }), /successor is heroku-redis:mini/],
    ["an invented plan", app({ postgresPlan: "heroku-postgresql:huge" }), /expected a plan of Heroku Postgres/],
    ["a Redis plan for Postgres", app({ postgresPlan: "heroku-redis:mini" }), /expected a plan of Heroku Postgres/],
    ["a capital in the app's name", app({ name: "USC-PIS" }), /app\.name is "USC-PIS", expected 3 to 30 small letters/],
    ["a name that begins with a digit", app({ name: "1clinic" }), /app\.name is "1clinic"/],
    ["a name that is too long", app({ name: "a".repeat(31) }), /app\.name/],
    ["a name with a dash at its end", app({ name: "clinic-" }), /app\.name/],
    [
      "two beats",
      app({ formation: { ...GOOD.app.formation, beat: { quantity: 2, size: "basic" } } }),
      /beat\.quantity is 2/,
    ],
    ["a missing process", app({ formation: { web: dynos, worker: dynos } }), /app\.formation\.beat is missing/],
    [
      "a dyno of no size",
      app({ formation: { ...GOOD.app.formation, web: { quantity: 1, size: "xl" } } }),
      /web\.size is "xl"/,
    ],
    [
      "Heroku's host name as the clinic's",
      app({ domain: "usc-pis.herokuapp.com" }),
      /expected a host name of the clinic's own/,
    ],
    ["an address as host name", app({ domain: "https://clinic.example" }), /app\.domain is "https:/],
    ["DEBUG on", { ...GOOD, config: { DEBUG: "True" } }, /config\.DEBUG is "True", expected "False"/],
    ["a variable misspelt", { ...GOOD, config: { DEBGU: "x" } }, /DEBGU is not known/],
    ["a derived variable", { ...GOOD, config: { SITE_URL: "https://x" } }, /SITE_URL is derived/],
    ["a number as a variable", { ...GOOD, config: { PASSWORD_RESET_TIMEOUT: 5 } }, /TIMEOUT is 5, expected text/],
    [
      "no key of the encrypted columns",
      { ...GOOD, secretConfig: { SECRET_KEY: "x" } },
      /PGP_ENCRYPTION_KEY is missing/,
    ],
    [
      "an old session key on a recovery",
      { ...RECOVERY, secretConfig: GOOD.secretConfig },
      /SECRET_KEY is set, expected it to be absent/,
    ],
    [
      "Cloudinary said twice",
      { ...GOOD, config: { CLOUDINARY_CLOUD_NAME: "x" } },
      /expected it to be absent: usc-pis:cloudinary/,
    ],
    [
      "a moment without a zone",
      { ...RECOVERY, restore: { before: "2026-05-23T14:00:00" } },
      /restore\.before .*with its zone/,
    ],
    ["a system's name that no bucket bears", { ...VAULT, system: "USC PIS" }, /usc-pis:system is "USC PIS"/],
    ["protection that is a word", { ...VAULT, protect: "yes" }, /usc-pis:protect is "yes", expected true or false/],
    [
      "a placeholder",
      { ...GOOD, release: { version: "<version>", sha256: "a".repeat(64) } },
      /still the example's placeholder/,
    ],
    [
      "a deployer that is no role",
      { ...VAULT, aws: { ...DEFAULTS(), vaultDeployerArn: "me" } },
      /vaultDeployerArn is "me"/,
    ],
    ["an API that is no address", { ...GOOD, endpoints: { herokuApi: "heroku" } }, /endpoints\.herokuApi is "heroku"/],
  ];

  for (const [what, config, message] of refused) {
    it(`refuse ${what}`, () => {
      expect(problems(config)).to.match(message);
    });
  }

  it("say everything that is wrong at once", () => {
    const message = problems({ ...app({ name: "X", redisPlan: "y" }), alerts: ["z"], extra: 1 });
    expect(message.split("\n").filter((line) => line.startsWith("  - "))).to.have.length(4);
    expect(message).to.match(/^configuration of stack test is not valid:/);
  });

  it("never show a secret's value", () => {
    const secrets: Config = {
      ...GOOD,
      alerts: ["person-not-an-address"],
      secretConfig: { SECRET_KEY: 12345678, PGP_ENCRYPTION_KEY: "pgp-value", UNKNOWN_ONE: "hidden-value" },
      herokuApiKey: "<hidden-token>",
      cloudinaryApiSecret: "",
    };
    const message =
      problems(secrets) + problems({ ...GOOD, secretConfig: { ...GOOD.secretConfig, OTHER: "hidden-value" } });
    for (const hidden of ["person-not", "12345678", "pgp-value", "hidden", "s3cr3t"]) {
      expect(message, hidden).not.to.contain(hidden);
    }
    expect(message).to.contain("usc-pis:alerts.0");
    expect(message).to.contain("usc-pis:secretConfig.SECRET_KEY");
  });

  it("refuse secrets in plain text", () => {
    const all = new Set([...SECRET_KEYS].map((key) => `usc-pis:${key}`));
    expect(parse(GOOD, all).role).to.equal("primary");
    for (const key of all) {
      const others = new Set([...all].filter((each) => each !== key));
      expect(problems(GOOD, others)).to.contain(`${key} is in plain text, expected it to be set with --secret`);
    }
    expect([...encryptedKeys({ PULUMI_CONFIG_SECRET_KEYS: '["usc-pis:alerts"]' })]).to.deep.equal(["usc-pis:alerts"]);
    expect([...encryptedKeys({})]).to.deep.equal([]);
  });

  it("accept the plans that exist, and Redis mini, which still does", () => {
    for (const postgresPlan of ["essential-1", "standard-0", "premium-2"].map((plan) => `heroku-postgresql:${plan}`)) {
      expect(parse(app({ postgresPlan })).role).to.equal("primary");
    }
    expect(parse(app({ redisPlan: "heroku-redis:premium-0" })).role).to.equal("primary");
  });

  it("ignore other namespaces, which providers check themselves", () => {
    expect(parseSettings({ ...raw(VAULT), "aws:region": "x" }, "test").role).to.equal("vault");
  });

  it("know a role for every key, and a key for every name", () => {
    const used = new Set(Object.values(KEYS_OF_ROLE).flatMap(({ required, optional }) => [...required, ...optional]));
    expect([...used].sort()).to.deep.equal((Object.keys(KEYS) as Key[]).sort());
  });
});

describe("the example stack files", () => {
  /** Enough of YAML for these files: their values are on one line or indented below their key. */
  const keysOf = (stack: string) =>
    [...readFileSync(`Pulumi.${stack}.yaml`, "utf8").matchAll(/^ {2}usc-pis:(\w+):/gm)].map(([, key]) => key as Key);

  for (const [stack, role] of [
    ["vault", "vault"],
    ["prod", "primary"],
    ["staging", "primary"],
    ["recovery", "recovery"],
  ] as const) {
    it(`${stack}: has every plain key of its role, no secret and no person`, () => {
      const keys = keysOf(stack);
      const { required, optional } = KEYS_OF_ROLE[role];
      expect(keys.filter((key) => ![...required, ...optional].includes(key))).to.deep.equal([]);
      expect(required.filter((key) => !SECRET_KEYS.has(key) && !keys.includes(key))).to.deep.equal([]);
      expect(keys.filter((key) => SECRET_KEYS.has(key))).to.deep.equal([]);
      expect(readFileSync(`Pulumi.${stack}.yaml`, "utf8")).not.to.match(/@[a-z]|secure:/);
    });
  }

  it("differ between staging and prod by values only", () => {
    expect(keysOf("staging").filter((key) => key !== "protect")).to.deep.equal(keysOf("prod"));
  });
});

function DEFAULTS() {
  return { primaryRegion: "ap-southeast-1", replicaRegion: "ap-northeast-1" };
}
