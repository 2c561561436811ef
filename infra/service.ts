/** Roles `primary` and `recovery`: the app and everything around it. They differ by where data and SECRET_KEY come from. */
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { vaultBucketName } from "../backup/layout";
import { ensureRelease } from "../backup/release";
import { Alerting } from "../components/Alerting";
import { AppChecks } from "../components/AppChecks";
import { BackupJobs } from "../components/BackupJobs";
import { CloudinaryMedia } from "../components/CloudinaryMedia";
import { CurrentApp } from "../components/CurrentApp";
import { DatabaseRestore } from "../components/DatabaseRestore";
import { HerokuApp, type HerokuAppArgs } from "../components/HerokuApp";
import { MediaJobs } from "../components/MediaJobs";
import { PostgresBackups } from "../components/PostgresBackups";
import { ReleaseReady } from "../components/ReleaseReady";
import { after } from "./after";
import { findJobSides, type JobSides } from "./job-sides";
import { appConfig, type ServiceSettings } from "./settings";

/** What the vault gives before anything is composed. */
export interface Prepared {
  account: string;
  /** Tarball of the release, relative to the project's root. */
  releasePath: string;
  sides: JobSides;
}

/** @throws UscPisError when the vault does not hold the release, or has no keys: nothing was created yet. */
export async function prepareService(settings: ServiceSettings, account: string): Promise<Prepared> {
  const { system, aws, release } = settings;
  const { primaryRegion, replicaRegion } = aws;
  const [releasePath, sides] = await Promise.all([
    ensureRelease({ system, sha256: release.sha256, primaryRegion, replicaRegion, account }),
    findJobSides(settings),
  ]);
  return { account, releasePath, sides };
}

/** Service first: app, data and domain; what surrounds it follows. */
export function composeService(settings: ServiceSettings, prepared: Prepared) {
  const { system, aws } = settings;
  const { account, releasePath } = prepared;
  const environment = commandEnvironment(settings, account);

  const recovery = settings.role === "recovery" ? recoverySteps(settings, environment) : undefined;
  const released: HerokuAppArgs["released"] = ({ appName }, build) =>
    new ReleaseReady("release", { appName, build: build.uuid, environment }, after(build));
  const app = new HerokuApp("app", { ...appArgs(settings, releasePath), released, ...recovery?.hooks });
  const dashboard = composeAround(settings, prepared, environment, app);

  return {
    appName: app.appName,
    appUrl: app.url,
    // Where the clinic's DNS record has to point; it changes with the app.
    domainTarget: app.nodes.domain?.cname,
    vault: vaultBucketName(system, account, aws.primaryRegion),
    dashboard,
    ...recovery?.outputs(),
  };
}

function appArgs(settings: ServiceSettings, releasePath: string): HerokuAppArgs {
  const { name, ...app } = settings.app;
  const { plain, secret } = appConfig(settings);
  return {
    ...app,
    appName: name,
    release: { version: settings.release.version, path: releasePath },
    config: plain,
    secretConfig: { ...asSecrets(secret), ...(settings.role === "recovery" ? { SECRET_KEY: newSecretKey() } : {}) },
    protect: settings.protect,
  };
}

/** Sessions and reset links of the lost app end with its key: it may have been the reason of the recovery. */
function newSecretKey(): pulumi.Output<string> {
  return new RandomPassword("secret-key", { length: 64, special: false }).result;
}

/** What a recovery does between the app's own steps. */
function recoverySteps(settings: ServiceSettings, environment: Environment) {
  let restore: DatabaseRestore | undefined;
  let checks: AppChecks | undefined;
  const hooks: Pick<HerokuAppArgs, "dataFirst" | "checksBeforeDomain"> = {
    dataFirst: ({ appName, databaseId }) => {
      restore = new DatabaseRestore("restore", { appName, databaseId, ...settings.restore, environment });
      return restore;
    },
    checksBeforeDomain: ({ webUrl }, processes) => {
      checks = new AppChecks("checks", { url: webUrl }, after(...processes));
      return checks;
    },
  };
  return { hooks, outputs: () => ({ restore: restore?.result, checks: checks?.result }) };
}

/** Pointer, schedules, media configuration, jobs and alarms. Returns the address of the dashboard. */
function composeAround(
  settings: ServiceSettings,
  { account, sides }: Prepared,
  environment: Environment,
  app: HerokuApp,
): pulumi.Output<string> {
  const { system, backup, endpoints, retentionDays, cloudinary } = settings;
  const { minute, captureIntervalMinutes, herokuSchedule } = backup;
  const appName = settings.app.name;
  const place = { system, account, appName, ...sides };
  const cloudinaryApiSecret = pulumi.secret(settings.cloudinaryApiSecret);
  const herokuApiKey = pulumi.secret(settings.herokuApiKey);

  const takeOver = settings.role === "recovery";
  const claim = new CurrentApp("current-app", { appName: app.appName, takeOver, environment }, after(app));
  new PostgresBackups(
    "heroku-backups",
    { appName: app.appName, databaseId: app.databaseId, at: herokuSchedule, environment },
    after(app),
  );
  new CloudinaryMedia(
    "media",
    {
      system,
      ...cloudinary,
      apiSecret: cloudinaryApiSecret,
      // The lost stack's presets are still there when only Heroku was lost.
      existing: takeOver ? "adopt" : "refuse",
    },
    after(app),
  );
  const jobs = new BackupJobs(
    "jobs",
    { ...place, retentionDays, minute, captureIntervalMinutes, herokuSchedule, herokuApiKey, endpoints },
    after(claim),
  );
  const mediaJobs = new MediaJobs(
    "media-jobs",
    { ...place, ...cloudinary, apiSecret: cloudinaryApiSecret, endpoints },
    after(claim),
  );
  const alerting = new Alerting(
    "alerting",
    {
      system,
      account,
      appName,
      region: sides.home.region,
      switchRegion: sides.other.region,
      emails: settings.alerts.map((email) => pulumi.secret(email)),
      captureIntervalMinutes,
      functionName: jobs.functionName,
      deadLetterQueueName: jobs.deadLetterQueueName,
      media: mediaJobs,
    },
    after(app),
  );
  return alerting.dashboardUrl;
}

type Environment = Record<string, pulumi.Input<string>>;

/**
 * What the project's own commands read. AWS credentials are not in it: they come from the environment of whoever runs
 * the engine, and must not lie in the state.
 */
export function commandEnvironment(settings: ServiceSettings, account: string): Environment {
  const { system, aws, endpoints } = settings;
  return {
    USC_PIS_SYSTEM: system,
    USC_PIS_ACCOUNT: account,
    USC_PIS_PRIMARY_REGION: aws.primaryRegion,
    USC_PIS_REPLICA_REGION: aws.replicaRegion,
    HEROKU_API_KEY: pulumi.secret(settings.herokuApiKey),
    ...(endpoints.herokuApi ? { HEROKU_API_URL: endpoints.herokuApi } : {}),
    ...(endpoints.herokuDataApi ? { HEROKU_DATA_API_URL: endpoints.herokuDataApi } : {}),
  };
}

function asSecrets(values: Record<string, string>): Record<string, pulumi.Output<string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, pulumi.secret(value)]));
}
