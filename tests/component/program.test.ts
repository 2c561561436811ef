import { RunError } from "@pulumi/pulumi";
import { expect } from "chai";
import { InputError } from "../../backup/errors";
import { findJobSides } from "../../infra/job-sides";
import { report } from "../../infra/report";
import { composeService, type Prepared } from "../../infra/service";
import { parseSettings, type ServiceSettings, type VaultSettings } from "../../infra/settings";
import { composeVault } from "../../infra/vault";
import { type Recording, record, resolved, sentAsSecret } from "./recorder";

const one = { quantity: 1, size: "basic" };
const PREPARED: Prepared = {
  account: "111122223333",
  releasePath: `.releases/${"a".repeat(64)}.tar.gz`,
  sides: {
    home: { region: "ap-southeast-1", keyArn: "arn:key:home" },
    other: { region: "ap-northeast-1", keyArn: "arn:key:other" },
  },
};

function settings(role: "primary" | "recovery", more: Record<string, unknown> = {}): ServiceSettings {
  const config: Record<string, unknown> = {
    role,
    app: {
      name: role === "recovery" ? "usc-pis-recovery" : "usc-pis",
      region: "us",
      stack: "heroku-24",
      buildpacks: ["heroku/nodejs", "heroku/python"],
      postgresPlan: "heroku-postgresql:essential-0",
      redisPlan: "heroku-redis:mini",
      formation: { web: one, worker: one, beat: one },
      domain: "clinic.example.org",
    },
    release: { version: "v1", sha256: "a".repeat(64) },
    secretConfig: { PGP_ENCRYPTION_KEY: "pgp-value", ...(role === "primary" ? { SECRET_KEY: "carried-key" } : {}) },
    alerts: ["admin@clinic.example"],
    cloudinary: { cloudName: "clinic", apiKey: "cloud-api-key" },
    cloudinaryApiSecret: "cloud-secret",
    herokuApiKey: "heroku-token",
    ...more,
  };
  const raw = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      `usc-pis:${key}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  return parseSettings(raw, "test") as ServiceSettings;
}

const compose = (role: "primary" | "recovery", more: Record<string, unknown> = {}) =>
  record(() => composeService(settings(role, more), PREPARED));

/** Whether the text of any input shows a value that was not sent as a secret. */
function shows(recording: Recording, text: string): string[] {
  const open = (value: unknown): boolean => {
    if (sentAsSecret(value)) return false;
    if (Array.isArray(value)) return value.some(open);
    if (typeof value === "object" && value !== null) return Object.values(value).some(open);
    return typeof value === "string" && value.includes(text);
  };
  return recording.resources.filter(({ sent }) => open(sent)).map(({ name }) => name);
}

const SERVICE = { "usc-pis:app:HerokuApp": 1, "usc-pis:app:ReleaseReady": 1 };
const AROUND = {
  "usc-pis:backup:CurrentApp": 1,
  "usc-pis:backup:PostgresBackups": 1,
  "usc-pis:backup:BackupJobs": 1,
  "usc-pis:backup:FunctionJob": 2,
  "usc-pis:backup:JobSchedule": 2,
  "usc-pis:media:CloudinaryMedia": 1,
  "usc-pis:media:MediaJobs": 1,
  "usc-pis:monitoring:Alerting": 1,
  "usc-pis:monitoring:AlertTopic": 2,
};

describe("the program", function () {
  this.timeout(60_000);
  let primary: Recording;
  let recovery: Recording;
  let outputs: ReturnType<typeof composeService>;

  before(async () => {
    ({ recording: primary } = await compose("primary"));
    ({ recording: recovery, value: outputs } = await compose("recovery"));
  });

  const components = (recording: Recording) =>
    Object.fromEntries(Object.entries(recording.counts()).filter(([type]) => type.startsWith("usc-pis:")));

  it("composes the components of each role, and nothing beside them", () => {
    expect(components(primary)).to.deep.equal({ ...SERVICE, ...AROUND });
    expect(components(recovery)).to.deep.equal({
      ...SERVICE,
      "usc-pis:recovery:DatabaseRestore": 1,
      "usc-pis:recovery:AppChecks": 1,
      ...AROUND,
    });
    const loose = recovery.resources.filter(({ custom, parent }) => custom && !parent).map(({ name }) => name);
    expect(loose).to.deep.equal(["secret-key"]);
  });

  it("recovers in order: app, add-ons, data, config, build, release, processes, checks, domain, then what surrounds it", () => {
    const chain = [
      "app-app",
      "app-database",
      "restore-restore",
      "app-config",
      "app-build",
      "release-wait",
      "app-web",
      "checks-checks",
      "app-domain",
      "current-app-claim",
      "jobs-function",
      "jobs-schedule-schedule",
    ].map((name) => recovery.one(name));
    chain.slice(1).forEach((later, index) => {
      const earlier = chain[index] as (typeof chain)[number];
      expect(recovery.waitsFor(later, earlier), `${later.name} waits for ${earlier.name}`).to.equal(true);
      expect(recovery.waitsFor(earlier, later), `${earlier.name} waits for ${later.name}`).to.equal(false);
    });
  });

  it("lets nothing that surrounds the service come before it", () => {
    const domain = recovery.one("app-domain");
    const around = recovery.resources.filter(
      ({ custom, name }) => custom && !/^(app|release|restore|checks|secret-key)(-|$)/.test(name),
    );
    expect(around.length).to.be.greaterThan(15);
    for (const resource of around) expect(recovery.waitsFor(resource, domain), resource.name).to.equal(true);
  });

  it("makes a new SECRET_KEY on a recovery only, and carries the key of the encrypted columns", () => {
    expect(recovery.one("app-config").inputs.sensitiveVars).to.include({
      SECRET_KEY: "generated-secret-key",
      PGP_ENCRYPTION_KEY: "pgp-value",
    });
    expect(primary.one("app-config").inputs.sensitiveVars.SECRET_KEY).to.equal("carried-key");
    expect(primary.of("random:index/randomPassword:RandomPassword")).to.deep.equal([]);
  });

  it("takes over on a recovery only, adopting what stands on Cloudinary", () => {
    expect(recovery.one("current-app-claim").inputs.create).to.match(/--take-over$/);
    expect(primary.one("current-app-claim").inputs.create).not.to.contain("take-over");
    expect(recovery.one("media-preset-images").inputs.adopt).to.equal(true);
    expect(primary.one("media-preset-images").inputs.adopt).to.equal(false);
  });

  it("shows no secret in any input, and the restore's result to people", async () => {
    for (const recording of [primary, recovery]) {
      for (const secret of ["heroku-token", "pgp-value", "cloud-secret", "carried-key", "admin@clinic.example"]) {
        expect(shows(recording, secret), secret).to.deep.equal([]);
      }
      // The control: what is no secret is seen.
      expect(shows(recording, "heroku-24")).to.deep.equal(["app-app"]);
    }
    expect((await resolved(outputs.restore as never)) as unknown).to.have.property("backupId", "b1");
  });

  it("puts no absolute path into any input", () => {
    expect(shows(recovery, process.cwd())).to.deep.equal([]);
    expect(recovery.one("app-build").inputs.source.path).to.equal(PREPARED.releasePath);
  });

  it("gives every AWS resource of a region its region, and tags by which it is found", () => {
    for (const { custom, type, name, inputs } of primary.resources) {
      if (!custom || !type.startsWith("aws:")) continue;
      if (!type.startsWith("aws:iam/")) expect(inputs.region, name).to.match(/^ap-(south|north)east-1$/);
      if (inputs.tags) expect(inputs.tags, name).to.include({ project: "usc-pis", system: "usc-pis", app: "usc-pis" });
    }
  });

  it("leaves data unprotected where configuration says so", async () => {
    const { recording } = await compose("primary", { protect: false });
    expect(recording.resources.filter(({ protect }) => protect)).to.deep.equal([]);
    expect(primary.resources.filter(({ protect }) => protect).map(({ name }) => name)).to.include("app-database");
  });

  it("finds the vault's keys by their aliases, and does not ask a region that is gone", async () => {
    const asked: string[] = [];
    const getAlias = ({ region }: Record<string, unknown>) => {
      asked.push(String(region));
      return { targetKeyArn: `arn:key:${region}` };
    };
    const calls = { "aws:kms/getAlias:getAlias": getAlias };
    const both = await record(() => findJobSides(settings("primary")), calls);
    expect(both.value).to.deep.equal({
      home: { region: "ap-southeast-1", keyArn: "arn:key:ap-southeast-1" },
      other: { region: "ap-northeast-1", keyArn: "arn:key:ap-northeast-1" },
    });
    asked.length = 0;
    const moved = await record(() => findJobSides(settings("recovery", { backup: { side: "replica" } })), calls);
    expect(moved.value.home.region).to.equal("ap-northeast-1");
    expect(moved.value.other).to.deep.equal({ region: "ap-southeast-1" });
    expect(asked).to.deep.equal(["ap-northeast-1"]);
  });

  it("composes the vault for its own role", async () => {
    const vault = parseSettings({ "usc-pis:role": "vault", "usc-pis:system": "clinic" }, "test") as VaultSettings;
    const { recording, value } = await record(() => composeVault(vault, "111122223333"));
    expect(await resolved(value.vault)).to.equal("clinic-vault-111122223333-ap-southeast-1");
    expect(recording.one("vault-primary-backups-bucket").protect).to.equal(true);
  });

  it("tells a person's mistake without a stack trace, and keeps the stack of any other error", () => {
    expect(() => report(new InputError("wrong", { hint: "do this" }))).to.throw(RunError, "wrong\nhint: do this");
    const bug = new TypeError("bug");
    expect(() => report(bug)).to.throw(bug as never);
  });
});
