import { expect } from "chai";
import { type Checked, type Context, findings } from "../../policies/model";
import { RULES } from "../../policies/rules";
import { changed, compliantStack, unprotected, without } from "./fixtures";

const PRODUCTION: Context = { rehearsal: false };
const V = "vault-ap-southeast-1";
const M = "media-ap-northeast-1";
const ALL = JSON.stringify({ Statement: [{ Sid: "Open", Effect: "Allow", Principal: "*", Action: "s3:GetObject" }] });

/** Each violation: the rule that finds it, what was changed, and a word of its message. Nothing else may complain. */
const VIOLATIONS: [rule: string, what: string, stack: () => Checked[], message: RegExp, urnOf?: string][] = [
  ["buckets-block-public-access", "no block", () => without(`${V}-public`), /has no public access block/, V],
  [
    "buckets-block-public-access",
    "loose block",
    () => changed(`${V}-public`, { blockPublicPolicy: false }),
    /blockPublicPolicy/,
  ],
  [
    "buckets-block-public-access",
    "switch left out",
    () => changed(`${M}-public`, { ignorePublicAcls: undefined }),
    /ignorePublicAcls/,
  ],
  [
    "bucket-policies-allow-nobody-at-large",
    "open statement",
    () => changed(`${V}-policy`, { policy: ALL }),
    /Open allows everybody/,
  ],
  [
    "bucket-policies-allow-nobody-at-large",
    "all but some",
    () => changed(`${V}-policy`, { policy: ALL.replace("Principal", "NotPrincipal") }),
    /allows everybody/,
  ],
  ["bucket-policies-allow-nobody-at-large", "no JSON", () => changed(`${V}-policy`, { policy: "{" }), /not a JSON/],
  [
    "buckets-are-encrypted-with-own-keys",
    "no encryption",
    () => without(`${V}-encryption`),
    /has no default encryption/,
  ],
  [
    "buckets-are-encrypted-with-own-keys",
    "S3's own key",
    () => changed(`${V}-encryption`, { "rules.0.applyServerSideEncryptionByDefault.sseAlgorithm": "AES256" }),
    /AES256/,
  ],
  [
    "buckets-are-encrypted-with-own-keys",
    "AWS's key",
    () => changed(`${V}-encryption`, { "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId": "alias/aws/s3" }),
    /customer-managed/,
  ],
  [
    "buckets-are-encrypted-with-own-keys",
    "no key",
    () => changed(`${V}-encryption`, { "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId": undefined }),
    /key nothing/,
  ],
  ["buckets-are-versioned", "no versioning", () => without(`${V}-versioning`), /has no versioning/],
  [
    "buckets-are-versioned",
    "suspended",
    () => changed(`${M}-versioning`, { "versioningConfiguration.status": "Suspended" }),
    /Suspended/,
  ],
  ["buckets-are-locked", "no configuration", () => without(`${V}-lock`), /has no Object Lock/],
  ["buckets-are-locked", "bucket without lock", () => changed(V, { objectLockEnabled: false }), /without Object Lock/],
  ["buckets-are-locked", "no retention", () => changed(`${V}-lock`, { "rule.defaultRetention.days": 0 }), /no time/],
  [
    "buckets-are-locked",
    "unknown mode",
    () => changed(`${V}-lock`, { "rule.defaultRetention.mode": "MAYBE" }),
    /MAYBE/,
  ],
  ["buckets-are-replicated", "no replication", () => without("vault-replication"), /not replicated/],
  [
    "buckets-are-replicated",
    "rule switched off",
    () => changed("vault-replication", { "rules.0.status": "Disabled" }),
    /not replicated/,
  ],
  [
    "buckets-are-replicated",
    "to nowhere known",
    () => changed("media-replication", { "rules.0.destination.bucket": "arn:aws:s3:::other" }),
    /ap-northeast-1 is not replicated/,
    M,
  ],
  [
    "replication-covers-encrypted-objects",
    "encrypted objects left out",
    () => changed("vault-replication", { "rules.0.sourceSelectionCriteria": undefined }),
    /leaves encrypted objects out/,
  ],
  [
    "replication-covers-encrypted-objects",
    "no key of the replica",
    () => changed("vault-replication", { "rules.0.destination.encryptionConfiguration": undefined }),
    /no key of the replica/,
  ],
  [
    "replicas-lie-in-another-region",
    "one region",
    () => changed("vault-ap-northeast-1", { region: "ap-southeast-1" }),
    /same region/,
  ],
  ["buckets-stay-out-of-herokus-region", "Heroku's region", () => changed(V, { region: "us-east-1" }), /us-east-1/],
  ["keys-rotate", "off", () => changed("key", { enableKeyRotation: false }), /false/],
  ["keys-rotate", "left out", () => changed("key", { enableKeyRotation: undefined }), /nothing/],
  ["keys-wait-before-deletion", "short", () => changed("key", { deletionWindowInDays: 7 }), /7 days/],
  [
    "captures-run-every-four-hours",
    "too seldom",
    () => changed("capture", { scheduleExpression: "rate(5 hours)" }),
    /300 minutes/,
  ],
  [
    "captures-run-every-four-hours",
    "by cron",
    () => changed("capture", { scheduleExpression: "cron(17 0/6 * * ? *)" }),
    /360 minutes/,
  ],
  [
    "captures-run-every-four-hours",
    "working days only",
    () => changed("capture", { scheduleExpression: "cron(17 * ? * MON-FRI *)" }),
    /every day/,
  ],
  ["captures-run-every-four-hours", "switched off", () => changed("capture", { state: "DISABLED" }), /DISABLED/],
  ...["hourly", "daily", "weekly", "monthly", "critical"].map((backupClass, index): (typeof VIOLATIONS)[number] => [
    "backups-are-kept-long-enough",
    backupClass,
    () => {
      const rules = compliantStack().find((one) => one.name === `${V}-lifecycle`)?.props.rules as { id: string }[];
      const at = rules.findIndex((rule) => rule.id === backupClass);
      return changed(`${V}-lifecycle`, { [`rules.${at}.expiration.days`]: [1, 6, 27, 91, 365][index] });
    },
    new RegExp(`^${backupClass} backups end after`),
  ]),
  [
    "backups-are-kept-long-enough",
    "a rule for all",
    () => changed(`${V}-lifecycle`, { "rules.5.expiration": { days: 30 } }),
    /critical backups end after 30/,
  ],
  [
    "backups-are-kept-long-enough",
    "on a date",
    () => changed(`${V}-lifecycle`, { "rules.5.expiration": { date: "2027-01-01" } }),
    /on a date/,
  ],
  [
    "expired-backups-end",
    "never expires",
    () => changed(`${V}-lifecycle`, { "rules.0.expiration": undefined }),
    /hourly backups never expire/,
  ],
  [
    "expired-backups-end",
    "versions stay",
    () => changed("vault-ap-northeast-1-lifecycle", { "rules.1.noncurrentVersionExpiration": undefined }),
    /noncurrent daily/,
  ],
  [
    "media-are-kept",
    "current media expire",
    () => changed(`${M}-lifecycle`, { "rules.0.expiration": { days: 400 } }),
    /current media expire/,
  ],
  [
    "media-are-kept",
    "deleted media end early",
    () => changed(`${M}-lifecycle`, { "rules.0.noncurrentVersionExpiration.noncurrentDays": 30 }),
    /30 days/,
  ],
  [
    "captures-lock-long-enough",
    "short",
    () => changed("capture-function", { "environment.variables.RETENTION_DAYS": '{"hourly":1}' }),
    /hourly/,
  ],
  [
    "captures-lock-long-enough",
    "no JSON",
    () => changed("capture-function", { "environment.variables.RETENTION_DAYS": "x" }),
    /not JSON/,
  ],
  ["alarms-notify-someone", "no action", () => changed("failed", { alarmActions: [] }), /no one/],
  ["alarms-notify-someone", "left out", () => changed("failed", { alarmActions: undefined }), /no one/],
  ["alarms-notify-someone", "switched off", () => changed("silent", { actionsEnabled: false }), /switched off/],
  [
    "alarms-decide-on-missing-data",
    "left out",
    () => changed("failed", { treatMissingData: undefined }),
    /missing data/,
  ],
  [
    "dead-mans-switches-alarm-on-silence",
    "quiet",
    () => changed("silent", { treatMissingData: "notBreaching" }),
    /notBreaching/,
  ],
  [
    "dead-mans-switches-alarm-on-silence",
    "quiet about media",
    () => changed("no-sync", { treatMissingData: "notBreaching" }),
    /notBreaching/,
  ],
  ["debug-is-off", "on", () => changed("config", { "vars.DEBUG": "True" }), /DEBUG/],
  ["debug-is-off", "on in secret", () => changed("config", { "sensitiveVars.DEBUG": "1" }), /DEBUG/],
  ["debug-is-off", "on the app itself", () => changed("app", { configVars: { DEBUG: "yes" } }), /DEBUG/],
  [
    "secrets-are-not-in-plain-variables",
    "by name",
    () => changed("config", { "vars.PGP_ENCRYPTION_KEY": "p" }),
    /PGP_ENCRYPTION_KEY/,
  ],
  [
    "secrets-are-not-in-plain-variables",
    "client id of mail",
    () => changed("config", { "vars.GMAIL_CLIENT_SECRET": "p" }),
    /GMAIL/,
  ],
  [
    "secrets-are-not-in-plain-variables",
    "by value",
    () => changed("config", { "vars.SOMETHING": "postgres://u:pw@host/db" }),
    /SOMETHING/,
  ],
  [
    "secrets-are-not-in-plain-variables",
    "in a function",
    () => changed("capture-function", { "environment.variables.HEROKU_API_KEY": "x" }),
    /HEROKU_API_KEY/,
  ],
  [
    "secrets-are-not-in-plain-variables",
    "on the app itself",
    () => changed("app", { configVars: { SECRET_KEY: "s" } }),
    /SECRET_KEY/,
  ],
  [
    "commands-carry-no-secrets",
    "in a command line",
    () => changed("schedule", { create: "pg_dump postgres://u:pw@host/db" }),
    /create command/,
  ],
  ["plans-still-exist", "database", () => changed("database", { plan: "heroku-postgresql:mini" }), /essential-0/],
  [
    "plans-still-exist",
    "older database",
    () => changed("database", { plan: "heroku-postgresql:hobby-basic" }),
    /essential-1/,
  ],
  ["plans-still-exist", "redis", () => changed("redis", { plan: "heroku-redis:hobby-dev" }), /heroku-redis:mini/],
  ["plans-still-exist", "dyno", () => changed("web", { size: "hobby" }), /basic/],
  ["upload-presets-are-signed-and-limited", "unsigned", () => changed("images", { unsigned: true }), /anyone/],
  [
    "upload-presets-are-signed-and-limited",
    "unlimited",
    () => changed("images", { allowedFormats: undefined }),
    /every format/,
  ],
  ...[V, "key", "runs", "app", "database"].map((name): (typeof VIOLATIONS)[number] => [
    "data-are-protected",
    name,
    () => unprotected(name),
    /not protected/,
    name,
  ]),
  ["buckets-are-not-emptied-on-deletion", "forced", () => changed(V, { forceDestroy: true }), /emptied/],
];

function all(stack: Checked[], context = PRODUCTION): { rule: string; urn: string; message: string }[] {
  return RULES.flatMap((rule) => findings(rule, stack, context).map((found) => ({ rule: rule.name, ...found })));
}

describe("policy rules", () => {
  it("find nothing in a compliant stack, nor in an empty one", () => {
    expect(all(compliantStack())).to.deep.equal([]);
    expect(all([])).to.deep.equal([]);
  });

  for (const [rule, what, stack, message, urnOf] of VIOLATIONS) {
    it(`${rule}: ${what}`, () => {
      const found = all(stack());
      expect(found.map((one) => one.rule)).to.include(rule);
      // One property a rule: a single mutation is the business of a single rule.
      expect([...new Set(found.map((one) => one.rule))]).to.deep.equal([rule]);
      expect(found.map((one) => one.message).join("\n")).to.match(message);
      if (urnOf !== undefined) expect(found.some((one) => one.urn.endsWith(`::${urnOf}`))).to.equal(true);
    });
  }

  it("have a violation each", () => {
    const tested = new Set(VIOLATIONS.map(([rule]) => rule));
    expect(RULES.map((rule) => rule.name).filter((name) => !tested.has(name))).to.deep.equal([]);
  });

  it("let a rehearsal go unprotected, and nothing else", () => {
    const rehearsal = { rehearsal: true };
    for (const name of [V, "key", "runs", "app", "database"])
      expect(all(unprotected(name), rehearsal)).to.deep.equal([]);
    expect(all(changed(V, { forceDestroy: true }), rehearsal)).to.deep.equal([]);
    const excused = new Set(["data-are-protected", "buckets-are-not-emptied-on-deletion"]);
    for (const [rule, , stack] of VIOLATIONS.filter(([name]) => !excused.has(name))) {
      expect(all(stack(), rehearsal).map((one) => one.rule)).to.include(rule);
    }
  });

  it("leave harmless neighbours of secrets alone", () => {
    const harmless = {
      PASSWORD_BREACH_CHECK: "True",
      SECRET_ARN: "arn",
      SITE_URL: "https://usc.example/a:b@c",
      KEYBOARD: "us",
    };
    for (const [name, value] of Object.entries(harmless)) {
      expect(all(changed("config", { [`vars.${name}`]: value })), name).to.deep.equal([]);
    }
  });

  it("join settings to their bucket by where the value came from, when a preview does not know it", () => {
    const stack = compliantStack();
    const bucket = stack.find((one) => one.name === V);
    const versioning = stack.find((one) => one.name === `${V}-versioning`);
    if (bucket === undefined || versioning === undefined) throw new Error("incomplete fixture");
    versioning.props.bucket = "";
    expect(all(stack).map((one) => one.rule)).to.deep.equal(["buckets-are-versioned"]);
    versioning.propertyDependencies = { bucket: [bucket] };
    expect(all(stack)).to.deep.equal([]);
  });
});
