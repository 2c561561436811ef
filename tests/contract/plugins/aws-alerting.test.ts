import { CloudWatch } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { SNS } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { awsProvider } from "../../../sandbox/plugins/aws/provider";
import { resourcePolicy } from "../../support/iam-policies";
import { type MiniStack, startMiniStack } from "../../support/ministack";
import { type Held, PluginClient } from "../../support/plugin";
import { live } from "../../support/plugin-cycle";

const region = "ap-southeast-1";

describe("stand-in for aws: topics, alarms, logs", function () {
  this.timeout(60_000);
  let ministack: MiniStack;
  let plugin: PluginClient;
  let topic: Held;
  let queue: Held;

  before(async () => {
    ministack = await startMiniStack();
    plugin = await PluginClient.start(awsProvider, { region });
    topic = await plugin.make("aws:sns/topic:Topic", { name: "alerts" });
    queue = await plugin.make("aws:sqs/queue:Queue", { name: "letters" });
  });
  after(async () => {
    plugin?.close();
    await ministack?.stop();
  });

  it("sns Topic", () =>
    live(plugin, {
      token: "aws:sns/topic:Topic",
      inputs: { name: "other-alerts", displayName: "USC-PIS", kmsMasterKeyId: "alias/one", tags: { a: "b" } },
      change: { displayName: "USC", tags: {} },
      replace: { name: "x" },
      unknown: ["arn"],
      lose: ({ id }) => new SNS({ region }).deleteTopic({ TopicArn: id }),
    }));

  it("sns TopicPolicy", () => {
    const sns = new SNS({ region });
    const { arn } = topic.state;
    return live(plugin, {
      token: "aws:sns/topicPolicy:TopicPolicy",
      inputs: { arn, policy: resourcePolicy("SNS:Publish", arn) },
      change: { policy: resourcePolicy("SNS:Subscribe", arn) },
      replace: { arn: "arn:aws:sns:ap-southeast-1:000000000000:x" },
      drift: {
        by: () =>
          sns.setTopicAttributes({
            TopicArn: arn,
            AttributeName: "Policy",
            AttributeValue: resourcePolicy("SNS:GetTopicAttributes", arn),
          }),
        shows: ["policy"],
      },
      endsWithDelete: false,
    });
  });

  it("sns TopicSubscription", () =>
    live(plugin, {
      token: "aws:sns/topicSubscription:TopicSubscription",
      inputs: { topic: topic.id, protocol: "email", endpoint: "admin@example.org" },
      replace: { endpoint: "other@example.org", protocol: "sqs" },
      unknown: ["arn", "pendingConfirmation"],
      lose: ({ id }) => new SNS({ region }).unsubscribe({ SubscriptionArn: id }),
    }));

  it("sns TopicSubscription of a queue, with a filter", () =>
    live(plugin, {
      token: "aws:sns/topicSubscription:TopicSubscription",
      inputs: {
        topic: topic.id,
        protocol: "sqs",
        endpoint: queue.state.arn,
        rawMessageDelivery: true,
        filterPolicy: '{ "kind": ["a"] }',
      },
      change: { rawMessageDelivery: false, filterPolicy: '{"kind":["b"]}' },
    }));

  it("sns TopicSubscription: what the emulator can't confirm is refused", async () => {
    const { failures } = await plugin.check("aws:sns/topicSubscription:TopicSubscription", {
      topic: topic.id,
      protocol: "https",
      endpoint: "https://example.org",
    });
    expect(failures[0]).to.match(/protocol is "https"/);
  });

  it("cloudwatch MetricAlarm", () => {
    const cloudwatch = new CloudWatch({ region });
    return live(plugin, {
      token: "aws:cloudwatch/metricAlarm:MetricAlarm",
      inputs: {
        name: "no-success",
        alarmDescription: "runbook",
        namespace: "UscPis",
        metricName: "CaptureSucceeded",
        dimensions: { System: "usc-pis" },
        statistic: "Sum",
        period: 3600,
        evaluationPeriods: 2,
        datapointsToAlarm: 2,
        threshold: 1,
        comparisonOperator: "LessThanThreshold",
        treatMissingData: "breaching",
        alarmActions: [topic.id],
        okActions: [topic.id],
        tags: { a: "b" },
      },
      change: { threshold: 2, treatMissingData: "notBreaching", dimensions: { System: "x" }, okActions: [] },
      replace: { name: "other" },
      unknown: ["arn"],
      drift: {
        by: async () => {
          const found = await cloudwatch.describeAlarms({ AlarmNames: ["no-success"] });
          const { AlarmName, Namespace, MetricName, Statistic, Period } = found.MetricAlarms?.[0] ?? {};
          await cloudwatch.putMetricAlarm({
            ...{ AlarmName, Namespace, MetricName, Statistic, Period },
            EvaluationPeriods: 2,
            Threshold: 1,
            ComparisonOperator: "LessThanThreshold",
            ActionsEnabled: false,
          });
        },
        shows: ["actionsEnabled", "alarmActions[0]", "treatMissingData"],
      },
      lose: ({ id }) => cloudwatch.deleteAlarms({ AlarmNames: [id] }),
    });
  });

  it("cloudwatch Dashboard", () => {
    const cloudwatch = new CloudWatch({ region });
    const body = (text: string) => JSON.stringify({ widgets: [{ type: "text", properties: { markdown: text } }] });
    return live(plugin, {
      token: "aws:cloudwatch/dashboard:Dashboard",
      inputs: { dashboardName: "usc-pis", dashboardBody: body("one") },
      change: { dashboardBody: body("two") },
      replace: { dashboardName: "other" },
      drift: {
        by: ({ id }) => cloudwatch.putDashboard({ DashboardName: id, DashboardBody: body("drift") }),
        shows: ["dashboardBody"],
      },
      lose: ({ id }) => cloudwatch.deleteDashboards({ DashboardNames: [id] }),
    });
  });

  it("cloudwatch LogGroup", () => {
    const logs = new CloudWatchLogs({ region });
    return live(plugin, {
      token: "aws:cloudwatch/logGroup:LogGroup",
      inputs: { name: "/aws/lambda/x", retentionInDays: 30, tags: { a: "b" } },
      change: { retentionInDays: 60, tags: { c: "d" } },
      replace: { name: "other" },
      unknown: ["arn"],
      drift: { by: ({ id }) => logs.deleteRetentionPolicy({ logGroupName: id }), shows: ["retentionInDays"] },
      lose: ({ id }) => logs.deleteLogGroup({ logGroupName: id }),
    });
  });
});
