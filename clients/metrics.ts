import { CloudWatchClient, type CloudWatchClientConfig, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";

/** Namespace of all metrics of this project. */
export const METRIC_NAMESPACE = "UscPis";

export interface MetricsOptions {
  readonly system: string;
  /** Each metric is put in all of them: the dead man's switch stands outside the region that may be lost. */
  readonly regions: readonly string[];
  readonly credentials?: CloudWatchClientConfig["credentials"];
}

const UNITS = {
  CaptureSucceeded: "Count",
  CaptureFailed: "Count",
  CaptureBytes: "Bytes",
  CaptureSeconds: "Seconds",
  MediaSynced: "Count",
  MediaFailed: "Count",
  /** Assets whose mirror is not what Cloudinary lists. */
  MediaDiffers: "Count",
  MediaAssets: "Count",
  MediaBytes: "Bytes",
  MediaSeconds: "Seconds",
} as const;

export type MetricName = keyof typeof UNITS;

/** Figures of runs in CloudWatch, with the dimension `System`. */
export class Metrics {
  private readonly clients: { region: string; client: CloudWatchClient }[];

  constructor(private readonly options: MetricsOptions) {
    this.clients = [...new Set(options.regions)].map((region) => ({
      region,
      client: new CloudWatchClient({
        region,
        maxAttempts: 3,
        requestHandler: { connectionTimeout: 3_000, socketTimeout: 5_000 },
        ...(options.credentials ? { credentials: options.credentials } : {}),
      }),
    }));
  }

  /** Never throws: a figure that cannot be put must not fail a good backup. @returns what went wrong, by region. */
  async put(values: Partial<Record<MetricName, number>>, at: Date): Promise<string[]> {
    const data = (Object.keys(values) as MetricName[]).map((name) => ({
      MetricName: name,
      Value: values[name],
      Unit: UNITS[name],
      Timestamp: at,
      Dimensions: [{ Name: "System", Value: this.options.system }],
    }));
    const results = await Promise.all(
      this.clients.map(async ({ region, client }) => {
        try {
          await client.send(new PutMetricDataCommand({ Namespace: METRIC_NAMESPACE, MetricData: data }));
          return [];
        } catch (error) {
          return [`metrics could not be put in ${region}: ${error instanceof Error ? error.message : String(error)}`];
        }
      }),
    );
    return results.flat();
  }
}
