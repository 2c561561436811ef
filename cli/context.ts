import { InputError } from "../backup/errors";
import { mediaBucketName, recoveryRoleName, runTableName, vaultBucketName } from "../backup/layout";
import type { RestorePorts } from "../backup/restore";
import { Cloudinary, parseCloudinaryUrl } from "../clients/cloudinary";
import { inspectDatabase } from "../clients/database";
import { Heroku } from "../clients/heroku";
import { assumeRole, callerAccount } from "../clients/identity";
import { realPace } from "../clients/retry";
import { RunTable } from "../clients/runs";
import { Vault } from "../clients/vault";
import type { Io } from "./output";

type Env = Readonly<Record<string, string | undefined>>;

/** Where the system is, from the environment alone: a recovery may have no state and no stack at hand. */
export interface CliSettings {
  readonly system: string;
  readonly primaryRegion: string;
  readonly replicaRegion: string;
  /** @default the account of the caller's credentials */
  readonly account?: string;
}

export function readSettings(env: Env = process.env): CliSettings {
  const system = env.USC_PIS_SYSTEM || "usc-pis";
  if (!/^[a-z][a-z0-9-]{1,30}$/.test(system)) {
    throw new InputError(
      `USC_PIS_SYSTEM is not a system's name: got "${system}", expected small letters, digits and "-"`,
    );
  }
  const account = env.USC_PIS_ACCOUNT;
  if (account && !/^\d{12}$/.test(account)) {
    throw new InputError(`USC_PIS_ACCOUNT is not an AWS account: got "${account}", expected 12 digits`);
  }
  return {
    system,
    primaryRegion: env.USC_PIS_PRIMARY_REGION || "ap-southeast-1",
    replicaRegion: env.USC_PIS_REPLICA_REGION || "ap-northeast-1",
    ...(account ? { account } : {}),
  };
}

/** @throws InputError when there is no token. */
export function connectHeroku(env: Env = process.env): Heroku {
  const apiKey = env.HEROKU_API_KEY;
  if (!apiKey) {
    throw new InputError("HEROKU_API_KEY is not set", { hint: "export HEROKU_API_KEY=$(heroku auth:token)" });
  }
  return new Heroku({
    apiKey,
    ...(env.HEROKU_API_URL ? { apiUrl: env.HEROKU_API_URL } : {}),
    ...(env.HEROKU_DATA_API_URL ? { dataApiUrl: env.HEROKU_DATA_API_URL } : {}),
  });
}

/** @throws InputError when there are no credentials; what they are is never shown. */
export function connectCloudinary(env: Env = process.env): Cloudinary {
  const url = env.CLOUDINARY_URL;
  if (!url) {
    throw new InputError("CLOUDINARY_URL is not set", {
      hint: "copy it from Cloudinary's console: cloudinary://KEY:SECRET@CLOUD",
    });
  }
  return new Cloudinary(parseCloudinaryUrl(url));
}

export interface Sides {
  /** Primary side first. */
  readonly vaults: readonly [Vault, Vault];
  /** Buckets of the mirror of media, the primary side first. */
  readonly media: readonly [Vault, Vault];
  /** Tables of runs, the primary region's first. */
  readonly runs: readonly [RunTable, RunTable];
}

/** Both sides, with the caller's own credentials or as the recovery role, which reads backups and writes markers. */
export async function connectSides(settings: CliSettings, as: "self" | "recovery"): Promise<Sides> {
  const { system, primaryRegion, replicaRegion } = settings;
  const regions = [primaryRegion, replicaRegion];
  const account = settings.account ?? (await callerAccount(regions));
  const role = `arn:aws:iam::${account}:role/${recoveryRoleName(system)}`;
  const credentials = as === "recovery" ? { credentials: assumeRole(role, "usc-pis-cli", regions) } : {};
  const bucket = (nameOf: typeof vaultBucketName, side: "primary" | "replica", region: string) =>
    new Vault({ side, region, bucket: nameOf(system, account, region), ...credentials });
  const both = (nameOf: typeof vaultBucketName): readonly [Vault, Vault] => [
    bucket(nameOf, "primary", primaryRegion),
    bucket(nameOf, "replica", replicaRegion),
  ];
  const runs = (region: string) => new RunTable({ table: runTableName(system), region, ...credentials });
  return {
    vaults: both(vaultBucketName),
    media: both(mediaBucketName),
    runs: [runs(primaryRegion), runs(replicaRegion)],
  };
}

export async function restorePorts(settings: CliSettings, io: Io): Promise<RestorePorts> {
  const heroku = connectHeroku();
  const { vaults } = await connectSides(settings, "recovery");
  return {
    heroku,
    vaults,
    inspect: (databaseUrl, signal) => inspectDatabase(databaseUrl, signal ? { signal } : {}),
    pace: realPace,
    log: { info: (message) => io.progress(message), warn: (message) => io.warn(message) },
  };
}
