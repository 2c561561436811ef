import * as pulumi from "@pulumi/pulumi";
import { mediaBucketName } from "../backup/layout";
import { FunctionJob, type JobPlace } from "./FunctionJob";
import { MEDIA_RETRY_MINUTES, mediaSyncCron } from "./media-schedule";
import { mediaSyncPolicy } from "./policies/media-sync";

/** Arguments of {@link MediaJobs}. */
export interface MediaJobsArgs extends JobPlace {
  /** Product environment on Cloudinary that is mirrored. */
  cloudName: string;
  /** Key of its API. */
  apiKey: pulumi.Input<string>;
  /** Secret of its API. */
  apiSecret: pulumi.Input<string>;
  /** Share of the mirror, from 0 to 1, that may be gone at once without anybody being asked. @default 0.2 */
  maxVanishedShare?: number;
  /** Address of Cloudinary's API, where it is not Cloudinary's own. */
  endpoints?: { cloudinaryUploadPrefix?: string };
}

/** The daily sync of Cloudinary's media into the mirror (M2, M4, V3, A1). */
export class MediaJobs extends pulumi.ComponentResource {
  readonly functionName: pulumi.Output<string>;
  readonly deadLetterQueueName: pulumi.Output<string>;
  readonly nodes: { sync: FunctionJob };

  constructor(name: string, args: MediaJobsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:media:MediaJobs", name, {}, opts);
    const { system, account, appName, home, other } = args;
    const mediaBucket = mediaBucketName(system, account, home.region);

    const sync = new FunctionJob(
      `${name}-sync`,
      {
        ...{ system, account, appName, home, other },
        jobName: "media-sync",
        description: `Mirrors the media of ${appName} from Cloudinary into the vault`,
        secret: { cloudinaryApiKey: args.apiKey, cloudinaryApiSecret: args.apiSecret },
        secretDescription: `Cloudinary's key and secret for the media sync of ${appName}`,
        policy: (common) => mediaSyncPolicy({ ...common, mediaBucket }),
        environment: mediaEnvironment(args, mediaBucket),
        // Assets are streamed, not held; a listing of many thousands is.
        memorySize: 1024,
        schedule: {
          expression: mediaSyncCron(),
          description: `Media of ${appName}; further triggers of a day go on with a sync that was stopped, or do nothing`,
          retrySeconds: MEDIA_RETRY_MINUTES * 60,
        },
      },
      { parent: this },
    );

    this.nodes = { sync };
    this.functionName = sync.functionName;
    this.deadLetterQueueName = sync.deadLetterQueueName;
    this.registerOutputs({ functionName: this.functionName, deadLetterQueueName: this.deadLetterQueueName });
  }
}

/** What the media sync's environment has beside what every job gets; functions/environment.ts reads it. */
function mediaEnvironment(args: MediaJobsArgs, mediaBucket: string): Record<string, string> {
  const { cloudinaryUploadPrefix } = args.endpoints ?? {};
  return {
    MEDIA_BUCKET: mediaBucket,
    CLOUDINARY_CLOUD_NAME: args.cloudName,
    ...(args.maxVanishedShare === undefined ? {} : { MAX_VANISHED_SHARE: String(args.maxVanishedShare) }),
    ...(cloudinaryUploadPrefix ? { CLOUDINARY_API_URL: cloudinaryUploadPrefix } : {}),
  };
}
