import { Logger } from "@aws-lambda-powertools/logger";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Context } from "aws-lambda";
import { z } from "zod";
import { AFTERMATH_MS, capture } from "../../backup/capture";
import type { CapturePorts, CaptureResult } from "../../backup/capture-ports";
import { openDownload } from "../../backup/download";
import { UscPisError } from "../../backup/errors";
import { inspectDatabase } from "../../clients/database";
import { Heroku } from "../../clients/heroku";
import { Metrics } from "../../clients/metrics";
import { realPace } from "../../clients/retry";
import { RunTable } from "../../clients/runs";
import { Vault } from "../../clients/vault";
import { type CaptureEnvironment, parseCaptureEvent, readCaptureEnvironment } from "../environment";

/** The run ends itself this long before the function's limit, so that it fails in its own words and tidies up. */
const BEFORE_LIMIT_MS = AFTERMATH_MS + 8_000;

/** Takes one backup; see `capture`. Fails, so that retries, the dead letter queue and alarms see it, when that failed. */
export async function handler(event: unknown, context: Context): Promise<CaptureResult> {
  const logger = new Logger({ serviceName: "capture" });
  logger.addContext(context);
  const limit = new AbortController();
  const remaining = Math.max(0, context.getRemainingTimeInMillis() - BEFORE_LIMIT_MS);
  const timer = setTimeout(() => limit.abort(timeLimit(remaining)), remaining);
  try {
    const environment = readCaptureEnvironment(process.env);
    const request = parseCaptureEvent(event);
    const ports = await connect(environment, logger);
    const { system, app, retention, herokuSchedule, intervalMinutes, maxDumpBytes } = environment;
    const settings = {
      system,
      app,
      retention,
      herokuSchedule,
      intervalMinutes,
      ...(maxDumpBytes === undefined ? {} : { maxDumpBytes }),
    };
    const result = await capture(request, settings, ports, limit.signal);
    logger.info("capture ended", { result });
    return result;
  } catch (error) {
    logger.error("capture failed", error as Error);
    throw speak(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Clients of a function that stays warm: a connection takes longer to open than most requests on it. */
let kept: { readonly key: string; readonly clients: Clients } | undefined;

type Clients = ReturnType<typeof makeClients>;

function makeClients(environment: CaptureEnvironment) {
  const { primaryRegion, replicaRegion, secretArn } = environment;
  const region = secretArn.split(":")[3];
  return {
    secrets: new SecretsManagerClient({ maxAttempts: 3, ...(region ? { region } : {}) }),
    vault: new Vault({ bucket: environment.vaultBucket, region: primaryRegion, side: "primary" }),
    otherVault: new Vault({ bucket: environment.replicaBucket, region: replicaRegion, side: "replica" }),
    runs: new RunTable({ table: environment.runTable, region: primaryRegion }),
    metrics: new Metrics({ system: environment.system, regions: [primaryRegion, replicaRegion] }),
  };
}

function clientsOf(environment: CaptureEnvironment): Clients {
  const key = JSON.stringify(environment);
  if (kept?.key !== key) kept = { key, clients: makeClients(environment) };
  return kept.clients;
}

async function connect(environment: CaptureEnvironment, logger: Logger): Promise<CapturePorts> {
  const { herokuApiUrl: apiUrl, herokuDataApiUrl: dataApiUrl } = environment;
  const { secrets, ...clients } = clientsOf(environment);
  const heroku = new Heroku({
    apiKey: await readHerokuKey(secrets, environment.secretArn),
    ...(apiUrl === undefined ? {} : { apiUrl }),
    ...(dataApiUrl === undefined ? {} : { dataApiUrl }),
  });
  return {
    ...clients,
    heroku,
    inspect: (databaseUrl, signal) => inspectDatabase(databaseUrl, signal ? { signal } : {}),
    download: (url, signal) => openDownload(url, signal ? { signal } : {}),
    pace: realPace,
    log: {
      info: (message, fields) => logger.info(message, { ...fields }),
      warn: (message, fields) => logger.warn(message, { ...fields }),
    },
  };
}

/** Read at each run, so that a rotated token needs no deployment. */
async function readHerokuKey(secrets: SecretsManagerClient, secretArn: string): Promise<string> {
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretArn }));
  try {
    return z.object({ herokuApiKey: z.string().min(1) }).parse(JSON.parse(SecretString ?? "")).herokuApiKey;
  } catch {
    throw new UscPisError("bad_secret", `secret ${secretArn} is not JSON with herokuApiKey`);
  }
}

function timeLimit(milliseconds: number): UscPisError {
  const seconds = Math.round(milliseconds / 1000);
  return new UscPisError("time_limit", `the capture did not end within its ${seconds} s`, {
    hint: "is the database much larger than before? See the capture's duration on the dashboard",
  });
}

/** Lambda tells its caller nothing of an error but name and message: the hint goes into the message. */
function speak(error: unknown): unknown {
  if (!(error instanceof UscPisError)) return error;
  const told = new Error(`${error.message}${error.hint ? ` (hint: ${error.hint})` : ""}`, { cause: error });
  told.name = error.code;
  return told;
}
