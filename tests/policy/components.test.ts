/** The pack over what the components really declare: a rule that they break, or that misses them, shows here. */
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { MINIMUM_RETENTION_DAYS } from "../../backup/classes";
import { Alerting } from "../../components/Alerting";
import { BackupJobs } from "../../components/BackupJobs";
import { BackupVault, type BackupVaultArgs } from "../../components/BackupVault";
import { CloudinaryMedia } from "../../components/CloudinaryMedia";
import { HerokuApp, type HerokuAppArgs } from "../../components/HerokuApp";
import { MediaJobs } from "../../components/MediaJobs";
import { type Checked, findings } from "../../policies/model";
import { RULES } from "../../policies/rules";
import * as types from "../../policies/types";

const vaultArgs: BackupVaultArgs = {
  system: "usc-pis",
  account: "000000000000",
  primaryRegion: "ap-southeast-1",
  replicaRegion: "ap-northeast-1",
  retentionDays: MINIMUM_RETENTION_DAYS,
};

describe("policy pack over the components", () => {
  /** Resources that a program declares, with the provider's outputs that rules read. */
  async function declared(program: (opts: pulumi.ComponentResourceOptions) => void): Promise<Checked[]> {
    const recorded: Checked[] = [];
    // Mocks don't see options; a transformation, which children inherit, does.
    const isProtected = new Map<string, boolean>();
    const transformations: pulumi.ResourceTransformation[] = [
      ({ name, opts }) => {
        isProtected.set(name, opts.protect ?? false);
        return undefined;
      },
    ];
    await pulumi.runtime.setMocks(
      {
        newResource: ({ type, name, inputs }) => {
          const state = { ...inputs, arn: `arn:aws:${type}:${name}`, keyId: name, herokuHostname: `${name}.example` };
          if (type === types.BUCKET) state.arn = `arn:aws:s3:::${String(inputs.bucket)}`;
          if (type === types.ADDON) Object.assign(state, { configVarValues: { REDIS_URL: "rediss://h:pw@x:1" } });
          recorded.push({
            type,
            name,
            urn: `urn:pulumi:test::usc-pis::${type}::${name}`,
            props: state,
            opts: { protect: isProtected.get(name) ?? false },
          });
          return { id: `${name}-id`, state };
        },
        call: ({ token }) => {
          throw new Error(`unmocked call ${token}`);
        },
      },
      "usc-pis",
      "test",
    );
    await pulumi.runtime.runInPulumiStack(async () => program({ transformations }));
    // Registrations inside applies, and dynamic resources while their code is being serialized, come later.
    await pulumi.runtime.disconnect();
    return recorded;
  }

  const problems = (resources: Checked[], rehearsal = false) =>
    RULES.flatMap((rule) => findings(rule, resources, { rehearsal }).map((found) => `${rule.name}: ${found.message}`));

  it("accepts the vault", async () => {
    const resources = await declared((opts) => new BackupVault("vault", vaultArgs, opts));
    const count = (type: string) => resources.filter((resource) => resource.type === type).length;
    expect(count(types.BUCKET)).to.equal(4);
    for (const type of [types.BUCKET_LOCK, types.BUCKET_LIFECYCLE, types.BUCKET_PUBLIC_ACCESS, types.BUCKET_POLICY]) {
      expect(count(type), type).to.equal(4);
    }
    expect(count(types.KEY)).to.equal(2);
    expect(problems(resources)).to.deep.equal([]);
  });

  it("refuses the vault in one region, in Heroku's, with short retention or unprotected", async () => {
    const vault = (args: Partial<BackupVaultArgs>) =>
      declared((opts) => new BackupVault("vault", { ...vaultArgs, ...args }, opts));
    expect(problems(await vault({ replicaRegion: "us-east-1" })).join()).to.contain(
      "buckets-stay-out-of-herokus-region",
    );
    expect(problems(await vault({ retentionDays: { ...MINIMUM_RETENTION_DAYS, weekly: 20 } })).join()).to.contain(
      "weekly backups end after 20 days",
    );
    const loose = await vault({ protect: false });
    expect(problems(loose).join()).to.contain("data-are-protected");
    expect(problems(loose, true)).to.deep.equal([]);
  });

  it("accepts the app and its media, and refuses DEBUG, retired plans and a lack of protection", async () => {
    const secrets = { SECRET_KEY: "s", PGP_ENCRYPTION_KEY: "p" };
    const app = (more: { config?: Record<string, string>; postgresPlan?: string; protect?: boolean } = {}) =>
      declared((opts) => {
        const credentials = { cloudName: "clinic", apiKey: "1", apiSecret: "s" };
        const media = new CloudinaryMedia("media", { system: "usc-pis", ...credentials }, opts);
        const args: HerokuAppArgs = {
          appName: "usc-pis",
          region: "us",
          stack: "heroku-24",
          buildpacks: ["heroku/nodejs", "heroku/python"],
          postgresPlan: "heroku-postgresql:essential-0",
          redisPlan: "heroku-redis:mini",
          formation: {
            web: { quantity: 1, size: "basic" },
            worker: { quantity: 1, size: "basic" },
            beat: { quantity: 1, size: "basic" },
          },
          release: { version: "1.0.0", path: ".releases/x.tar.gz" },
          config: {},
          secretConfig: { ...secrets, ...media.secretConfig },
          ...more,
        };
        new HerokuApp("app", args, opts);
      });
    const resources = await app();
    expect(resources.filter((resource) => resource.type === types.UPLOAD_PRESET)).to.have.lengthOf(2);
    expect(problems(resources)).to.deep.equal([]);
    expect(problems(await app({ config: { DEBUG: "True" } })).join()).to.contain("debug-is-off");
    expect(problems(await app({ postgresPlan: "heroku-postgresql:mini" })).join()).to.contain("plans-still-exist");
    expect(problems(await app({ protect: false })).join()).to.contain("data-are-protected");
  });

  it("accepts the jobs and their alarms, and refuses captures that are too far apart", async () => {
    const side = (region: string) => ({ region, keyArn: `arn:aws:kms:${region}:000000000000:key/k` });
    const sides = { home: side("ap-southeast-1"), other: side("ap-northeast-1") };
    const resources = await declared((opts) => {
      const common = { system: "usc-pis", account: "000000000000", appName: "usc-pis", captureIntervalMinutes: 240 };
      const jobs = new BackupJobs(
        "jobs",
        {
          ...common,
          ...sides,
          retentionDays: MINIMUM_RETENTION_DAYS,
          herokuSchedule: "02:00 UTC",
          herokuApiKey: "HRKU-x",
        },
        opts,
      );
      const regions = { region: "ap-southeast-1", switchRegion: "ap-northeast-1" };
      const { functionName, deadLetterQueueName } = jobs;
      const media = new MediaJobs(
        "media-jobs",
        { ...common, ...sides, cloudName: "clinic", apiKey: "1", apiSecret: "s" },
        opts,
      );
      const args = { ...common, ...regions, emails: ["a@b.example"], functionName, deadLetterQueueName, media };
      new Alerting("alerting", args, opts);
    });
    const of = (type: string) => resources.filter((resource) => resource.type === type);
    expect(of(types.ALARM)).to.have.lengthOf(7);
    expect(of(types.FUNCTION)).to.have.lengthOf(2);
    expect(problems(resources)).to.deep.equal([]);
    const schedule = of(types.SCHEDULE).find(({ props }) => props.name === "capture");
    if (schedule === undefined) throw new Error("no schedule was declared");
    schedule.props.scheduleExpression = "cron(17 0/12 * * ? *)";
    expect(problems(resources)).to.deep.equal([
      'captures-run-every-four-hours: "cron(17 0/12 * * ? *)" leaves 720 minutes between captures',
    ]);
  });

  it("names types as the SDKs do", () => {
    const load = (path: string, name: string) => (require(path) as Record<string, { __pulumiType: string }>)[name];
    for (const token of Object.values(types)) {
      const [provider = "", module = "", name = ""] = token.split(":");
      if (provider === "pulumi-nodejs") continue;
      const path = provider === "heroku" ? "@pulumi/heroku" : `@pulumi/${provider}/${module.replace("index/", "")}`;
      const exported = provider === "command" ? load("@pulumi/command/local", name) : load(path, name);
      expect(exported?.__pulumiType, token).to.equal(token);
    }
  });
});
