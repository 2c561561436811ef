import { Logger } from "@aws-lambda-powertools/logger";
import type { Context } from "aws-lambda";
import { z } from "zod";
import { openDownload } from "../../backup/download";
import { VANISH_LIMIT } from "../../backup/media/plan";
import type { MediaPorts, MediaResult } from "../../backup/media/ports";
import { syncMedia } from "../../backup/media/sync";
import { Cloudinary } from "../../clients/cloudinary";
import { Metrics } from "../../clients/metrics";
import { realPace } from "../../clients/retry";
import { RunTable } from "../../clients/runs";
import { Vault } from "../../clients/vault";
import { type MediaEnvironment, parseMediaEvent, readMediaEnvironment } from "../environment";
import { kept, logOf, readSecret, speak, withinLimit } from "../lambda";

const SLOW = "the next trigger goes on where this one stood; usc-pis media status tells how far it is";
const secretSchema = z.object({ cloudinaryApiKey: z.string().min(1), cloudinaryApiSecret: z.string().min(1) });

/** Mirrors the media; see `syncMedia`. Fails, so that the dead letter queue and alarms see it, when that failed. */
export async function handler(event: unknown, context: Context): Promise<MediaResult> {
  const logger = new Logger({ serviceName: "media-sync" });
  logger.addContext(context);
  try {
    return await withinLimit(context, "media sync", SLOW, async (signal) => {
      const environment = readMediaEnvironment(process.env);
      const request = parseMediaEvent(event);
      const ports = await connect(environment, logger);
      const { system, app, maxVanishedShare } = environment;
      const vanishLimit = maxVanishedShare === undefined ? VANISH_LIMIT : { ...VANISH_LIMIT, share: maxVanishedShare };
      const result = await syncMedia(request, { system, app, vanishLimit }, ports, signal);
      logger.info("media sync ended", { result });
      return result;
    });
  } catch (error) {
    logger.error("media sync failed", error as Error);
    throw speak(error);
  }
}

const clientsOf = kept((environment: MediaEnvironment) => {
  const { primaryRegion, replicaRegion } = environment;
  const primary = { region: primaryRegion, side: "primary" } as const;
  return {
    media: new Vault({ bucket: environment.mediaBucket, ...primary }),
    vault: new Vault({ bucket: environment.vaultBucket, ...primary }),
    otherVault: new Vault({ bucket: environment.replicaBucket, region: replicaRegion, side: "replica" }),
    runs: new RunTable({ table: environment.runTable, region: primaryRegion }),
    metrics: new Metrics({ system: environment.system, regions: [primaryRegion, replicaRegion] }),
  };
});

async function connect(environment: MediaEnvironment, logger: Logger): Promise<MediaPorts> {
  const { cloudName, cloudinaryApiUrl } = environment;
  const { cloudinaryApiKey, cloudinaryApiSecret } = await readSecret(environment.secretArn, secretSchema);
  return {
    ...clientsOf(environment),
    cloudinary: new Cloudinary({
      cloudName,
      apiKey: cloudinaryApiKey,
      apiSecret: cloudinaryApiSecret,
      ...(cloudinaryApiUrl === undefined ? {} : { apiUrl: cloudinaryApiUrl }),
    }),
    download: (url, what, signal) => openDownload(url, { what, ...(signal ? { signal } : {}) }),
    pace: realPace,
    log: logOf(logger),
  };
}
