import type { ComparisonOperator, Statistic } from "@aws-sdk/client-cloudwatch";
import type { ResourceType } from "../core/types";
import type { Properties } from "../core/values";
import { type AwsClients, ifFound } from "./clients";
import { region, removedTags, tagList, tags, tagsFrom, tagsOf } from "./shared";

async function putAlarm(inputs: Properties, aws: AwsClients, withTags: boolean): Promise<void> {
  await (await aws.cloudwatch(inputs.region)).putMetricAlarm({
    AlarmName: inputs.name,
    AlarmDescription: inputs.alarmDescription,
    ActionsEnabled: inputs.actionsEnabled,
    AlarmActions: inputs.alarmActions,
    OKActions: inputs.okActions,
    Namespace: inputs.namespace,
    MetricName: inputs.metricName,
    Dimensions: Object.entries(inputs.dimensions ?? {}).map(([Name, Value]) => ({ Name, Value: String(Value) })),
    Statistic: inputs.statistic as Statistic,
    ExtendedStatistic: inputs.extendedStatistic,
    Period: inputs.period,
    Unit: inputs.unit,
    EvaluationPeriods: inputs.evaluationPeriods,
    DatapointsToAlarm: inputs.datapointsToAlarm,
    Threshold: inputs.threshold,
    ComparisonOperator: inputs.comparisonOperator as ComparisonOperator,
    TreatMissingData: inputs.treatMissingData,
    Tags: withTags ? tagList(inputs.tags) : undefined,
  });
}

/** Metric math and actions for insufficient data are absent on purpose: the emulator forgets them. */
export const metricAlarm: ResourceType<AwsClients> = {
  token: "aws:cloudwatch/metricAlarm:MetricAlarm",
  inputs: {
    name: { autoname: { max: 255 }, replace: true },
    actionsEnabled: { default: true },
    alarmActions: { compare: "set" },
    alarmDescription: {},
    comparisonOperator: { required: true },
    datapointsToAlarm: {},
    dimensions: {},
    evaluationPeriods: { required: true },
    extendedStatistic: {},
    metricName: { required: true },
    namespace: { required: true },
    okActions: { compare: "set" },
    period: { required: true },
    statistic: {},
    threshold: { required: true },
    treatMissingData: { default: "missing", values: ["missing", "ignore", "breaching", "notBreaching"] },
    unit: {},
    tags,
    region,
  },
  outputs: { arn: {}, tagsAll: {} },
  async create(inputs, aws) {
    await putAlarm(inputs, aws, true);
    return { id: inputs.name };
  },
  async read(id, state, aws) {
    const cloudwatch = await aws.cloudwatch(state.region);
    const found = await cloudwatch.describeAlarms({ AlarmNames: [id], AlarmTypes: ["MetricAlarm"] });
    const live = found.MetricAlarms?.[0];
    if (!live) return undefined;
    const { Tags } = await cloudwatch.listTagsForResource({ ResourceARN: live.AlarmArn });
    const dimensions = Object.fromEntries((live.Dimensions ?? []).map(({ Name, Value }) => [Name ?? "", Value ?? ""]));
    return {
      name: live.AlarmName,
      arn: live.AlarmArn,
      region: live.AlarmArn?.split(":")[3],
      actionsEnabled: live.ActionsEnabled ?? true,
      alarmActions: live.AlarmActions,
      alarmDescription: live.AlarmDescription,
      comparisonOperator: live.ComparisonOperator,
      datapointsToAlarm: live.DatapointsToAlarm,
      dimensions: Object.keys(dimensions).length > 0 ? dimensions : undefined,
      evaluationPeriods: live.EvaluationPeriods,
      extendedStatistic: live.ExtendedStatistic,
      metricName: live.MetricName,
      namespace: live.Namespace,
      okActions: live.OKActions,
      period: live.Period,
      statistic: live.Statistic,
      threshold: live.Threshold,
      treatMissingData: live.TreatMissingData ?? "missing",
      unit: live.Unit,
      ...tagsOf(Tags),
    };
  },
  async update({ news, olds, changed, client: aws }) {
    await putAlarm(news, aws, false);
    if (changed.has("tags")) {
      const cloudwatch = await aws.cloudwatch(news.region);
      const gone = removedTags(olds, news);
      if (gone.length > 0) await cloudwatch.untagResource({ ResourceARN: olds.arn, TagKeys: gone });
      if (Object.keys(news.tags ?? {}).length > 0) {
        await cloudwatch.tagResource({ ResourceARN: olds.arn, Tags: tagList(news.tags) });
      }
    }
    return {};
  },
  async delete(id, state, aws) {
    await (await aws.cloudwatch(state.region)).deleteAlarms({ AlarmNames: [id] });
  },
};

async function putDashboard({ dashboardName, dashboardBody, region: where }: Properties, aws: AwsClients) {
  const cloudwatch = await aws.cloudwatch(where);
  await cloudwatch.putDashboard({ DashboardName: dashboardName, DashboardBody: dashboardBody });
}

export const dashboard: ResourceType<AwsClients> = {
  token: "aws:cloudwatch/dashboard:Dashboard",
  inputs: {
    dashboardName: { required: true, replace: true },
    dashboardBody: { required: true, compare: "json" },
    region,
  },
  outputs: { dashboardArn: {} },
  async create(inputs, aws) {
    await putDashboard(inputs, aws);
    return { id: inputs.dashboardName };
  },
  async read(id, state, aws) {
    const live = await ifFound((await aws.cloudwatch(state.region)).getDashboard({ DashboardName: id }));
    if (!live) return undefined;
    const { DashboardArn, DashboardBody } = live;
    return {
      dashboardName: id,
      dashboardArn: DashboardArn,
      dashboardBody: DashboardBody,
      region: state.region ?? aws.region,
    };
  },
  async update({ news, client: aws }) {
    await putDashboard(news, aws);
    return {};
  },
  async delete(id, state, aws) {
    await (await aws.cloudwatch(state.region)).deleteDashboards({ DashboardNames: [id] });
  },
};

export const logGroup: ResourceType<AwsClients> = {
  token: "aws:cloudwatch/logGroup:LogGroup",
  inputs: {
    name: { autoname: { max: 512 }, replace: true },
    kmsKeyId: {},
    retentionInDays: { default: 0 },
    skipDestroy: { default: false, values: [false] },
    tags,
    region,
  },
  outputs: { arn: {}, tagsAll: {} },
  async create(inputs, aws, operation) {
    const logs = await aws.logs(inputs.region);
    const logGroupName: string = inputs.name;
    await logs.createLogGroup({ logGroupName, kmsKeyId: inputs.kmsKeyId, tags: inputs.tags });
    operation.created(logGroupName);
    if (inputs.retentionInDays > 0) {
      await logs.putRetentionPolicy({ logGroupName, retentionInDays: inputs.retentionInDays });
    }
    return { id: logGroupName };
  },
  async read(id, state, aws) {
    const logs = await aws.logs(state.region);
    const found = await logs.describeLogGroups({ logGroupNamePrefix: id });
    const live = found.logGroups?.find(({ logGroupName }) => logGroupName === id);
    if (!live) return undefined;
    const arn = live.arn?.replace(/:\*$/, "");
    const listed = await logs.listTagsForResource({ resourceArn: arn });
    return {
      name: id,
      arn,
      region: arn?.split(":")[3],
      kmsKeyId: live.kmsKeyId,
      retentionInDays: live.retentionInDays ?? 0,
      ...tagsFrom(listed.tags),
    };
  },
  async update({ id, news, olds, changed, client: aws }) {
    const logs = await aws.logs(news.region);
    if (changed.has("retentionInDays")) {
      const retentionInDays: number = news.retentionInDays;
      if (retentionInDays > 0) await logs.putRetentionPolicy({ logGroupName: id, retentionInDays });
      else await logs.deleteRetentionPolicy({ logGroupName: id });
    }
    if (changed.has("kmsKeyId")) {
      if (news.kmsKeyId === undefined) await logs.disassociateKmsKey({ logGroupName: id });
      else await logs.associateKmsKey({ logGroupName: id, kmsKeyId: news.kmsKeyId });
    }
    if (changed.has("tags")) {
      const gone = removedTags(olds, news);
      if (gone.length > 0) await logs.untagResource({ resourceArn: olds.arn, tagKeys: gone });
      if (Object.keys(news.tags ?? {}).length > 0) await logs.tagResource({ resourceArn: olds.arn, tags: news.tags });
    }
    return {};
  },
  async delete(id, state, aws) {
    await (await aws.logs(state.region)).deleteLogGroup({ logGroupName: id });
  },
};
