import { Logger } from "@aws-lambda-powertools/logger";
import type { Context } from "aws-lambda";
import { z } from "zod";
import { capture } from "../../backup/capture";
import type { CapturePorts, CaptureResult } from "../../backup/capture-ports";
import { openDownload } from "../../backup/download";
import { inspectDatabase } from "../../clients/database";
import { Heroku } from "../../clients/heroku";
import { Metrics } from "../../clients/metrics";
import { realPace } from "../../clients/retry";
import { RunTable } from "../../clients/runs";
import { Vault } from "../../clients/vault";
import { type CaptureEnvironment, parseCaptureEvent, readCaptureEnvironment } from "../environment";
import { kept, logOf, readSecret, speak, withinLimit } from "../lambda";

const SLOW = "is the database much larger than before? See the capture's duration on the dashboard";
const secretSchema = z.object({ herokuApiKey: z.string().min(1) });

/** Takes one backup; see `capture`. Fails, so that retries, the dead letter queue and alarms see it, when that failed. */
export async function handler(event: unknown, context: Context): Promise<CaptureResult> {
  const logger = new Logger({ serviceName: "capture" });
  logger.addContext(context);
  try {
    return await withinLimit(context, "capture", SLOW, async (signal) => {
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
      const result = await capture(request, settings, ports, signal);
      logger.info("capture ended", { result });
      return result;
    });
  } catch (error) {
    logger.error("capture failed", error as Error);
    throw speak(error);
  }
}

const clientsOf = kept((environment: CaptureEnvironment) => {
  const { primaryRegion, replicaRegion } = environment;
  return {
    vault: new Vault({ bucket: environment.vaultBucket, region: primaryRegion, side: "primary" }),
    otherVault: new Vault({ bucket: environment.replicaBucket, region: replicaRegion, side: "replica" }),
    runs: new RunTable({ table: environment.runTable, region: primaryRegion }),
    metrics: new Metrics({ system: environment.system, regions: [primaryRegion, replicaRegion] }),
  };
});

async function connect(environment: CaptureEnvironment, logger: Logger): Promise<CapturePorts> {
  const { herokuApiUrl: apiUrl, herokuDataApiUrl: dataApiUrl } = environment;
  const { herokuApiKey } = await readSecret(environment.secretArn, secretSchema);
  const heroku = new Heroku({
    apiKey: herokuApiKey,
    ...(apiUrl === undefined ? {} : { apiUrl }),
    ...(dataApiUrl === undefined ? {} : { dataApiUrl }),
  });
  return {
    ...clientsOf(environment),
    heroku,
    inspect: (databaseUrl, signal) => inspectDatabase(databaseUrl, signal ? { signal } : {}),
    download: (url, signal) => openDownload(url, signal ? { signal } : {}),
    pace: realPace,
    log: logOf(logger),
  };
}
