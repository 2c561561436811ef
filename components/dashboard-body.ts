/** The dashboard's content as data. */
import { METRIC_NAMESPACE } from "./policies/job";

export interface DashboardArgs {
  system: string;
  appName: string;
  /** Region of the jobs. */
  region: string;
  /** Region of the dead man's switch. */
  switchRegion: string;
  functionNames: string[];
  queueNames: string[];
  alarmArns: string[];
}

/** Body for CloudWatch: alarms first, since that is what a phone shows without scrolling. */
export function dashboardBody(args: DashboardArgs): string {
  const own = (name: string, region: string) => [METRIC_NAMESPACE, name, "System", args.system, { region }];
  const graph = (title: string, metrics: unknown[], y: number, x: number, stat = "Sum") => ({
    type: "metric",
    x,
    y,
    width: 12,
    height: 6,
    properties: { title, metrics, stat, period: 3600, region: args.region, view: "timeSeries", stacked: false },
  });
  return JSON.stringify({
    start: "-P2D",
    widgets: [
      {
        type: "text",
        x: 0,
        y: 0,
        width: 24,
        height: 2,
        properties: {
          markdown: `# ${args.system}: backups of ${args.appName}\nAlarms name their runbook in docs/runbooks. State from a terminal: \`usc-pis backup list\``,
        },
      },
      {
        type: "alarm",
        x: 0,
        y: 2,
        width: 24,
        height: 3,
        properties: { title: "Alarms", alarms: args.alarmArns },
      },
      graph("Captures an hour", [own("CaptureSucceeded", args.region), own("CaptureFailed", args.region)], 5, 0),
      graph("Captures as the other region sees them", [own("CaptureSucceeded", args.switchRegion)], 5, 12),
      graph("Bytes of a capture", [own("CaptureBytes", args.region)], 11, 0, "Maximum"),
      graph("Seconds of a capture", [own("CaptureSeconds", args.region)], 11, 12, "Maximum"),
      graph("Media syncs", [own("MediaSynced", args.region), own("MediaFailed", args.region)], 17, 0),
      graph("Media that differ", [own("MediaDiffers", args.region)], 17, 12, "Maximum"),
      graph("Media in the mirror", [own("MediaAssets", args.region)], 23, 0, "Maximum"),
      graph("Bytes of media in the mirror", [own("MediaBytes", args.region)], 23, 12, "Maximum"),
      graph(
        "Functions",
        args.functionNames.flatMap((name) => [
          ["AWS/Lambda", "Errors", "FunctionName", name],
          ["AWS/Lambda", "Invocations", "FunctionName", name],
        ]),
        29,
        0,
      ),
      graph(
        "Events that nobody took",
        args.queueNames.map((name) => ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name]),
        29,
        12,
        "Maximum",
      ),
    ],
  });
}
