import { Logger } from "@aws-lambda-powertools/logger";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Context } from "aws-lambda";
import { z } from "zod";
import { capture } from "../../backup/capture";
import type { CapturePorts, CaptureResult } from "../../backup/capture-ports";
import { openDownload } from "../../backup/download";
import { UscPisError } from "../../backup/errors";
import { AFTERMATH_MS } from "../../backup/job";
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

async function connect(environment: CaptureEnvironment, logger: Logger): Promise<CapturePorts> {
  const { herokuApiUrl: apiUrl, herokuDataApiUrl: dataApiUrl, primaryRegion, replicaRegion } = environment;
  const heroku = new Heroku({
    apiKey: await readHerokuKey(environment.secretArn),
    ...(apiUrl === undefined ? {} : { apiUrl }),
    ...(dataApiUrl === undefined ? {} : { dataApiUrl }),
  });
  return {
    heroku,
    vault: new Vault({
      bucket: environment.vaultBucket,
      region: primaryRegion,
      side: "primary",
    }),
    otherVault: new Vault({
      bucket: environment.replicaBucket,
      region: replicaRegion,
      side: "replica",
    }),
    inspect: (databaseUrl, signal) => inspectDatabase(databaseUrl, signal ? { signal } : {}),
    download: (url, signal) => openDownload(url, signal ? { signal } : {}),
    runs: new RunTable({ table: environment.runTable, region: primaryRegion }),
    metrics: new Metrics({ system: environment.system, regions: [primaryRegion, replicaRegion] }),
    pace: realPace,
    log: {
      info: (message, fields) => logger.info(message, { ...fields }),
      warn: (message, fields) => logger.warn(message, { ...fields }),
    },
  };
}

/** Read at each run, so that a rotated token needs no deployment. */
async function readHerokuKey(secretArn: string): Promise<string> {
  const region = secretArn.split(":")[3];
  const client = new SecretsManagerClient({ maxAttempts: 3, ...(region ? { region } : {}) });
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
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
