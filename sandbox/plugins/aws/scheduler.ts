import type { CreateScheduleCommandInput } from "@aws-sdk/client-scheduler";
import type { ResourceType } from "../core/types";
import type { Properties } from "../core/values";
import { type AwsClients, ifFound, waitFor } from "./clients";
import { region, removedTags, tagList, tags, tagsOf } from "./shared";

export const scheduleGroup: ResourceType<AwsClients> = {
  token: "aws:scheduler/scheduleGroup:ScheduleGroup",
  inputs: { name: { autoname: { max: 64 }, replace: true }, tags, region },
  outputs: { arn: {}, creationDate: {}, lastModificationDate: {}, state: {}, tagsAll: {} },
  async create(inputs, aws) {
    await (await aws.scheduler(inputs.region)).createScheduleGroup({ Name: inputs.name, Tags: tagList(inputs.tags) });
    return { id: inputs.name };
  },
  async read(id, state, aws) {
    const scheduler = await aws.scheduler(state.region);
    const found = await ifFound(scheduler.getScheduleGroup({ Name: id }));
    if (!found || found.State === "DELETING") return undefined;
    const { Tags } = await scheduler.listTagsForResource({ ResourceArn: found.Arn });
    return {
      name: found.Name,
      arn: found.Arn,
      state: found.State,
      creationDate: found.CreationDate?.toISOString(),
      lastModificationDate: found.LastModificationDate?.toISOString(),
      region: state.region ?? aws.region,
      ...tagsOf(Tags),
    };
  },
  async update({ news, olds, client: aws }) {
    const scheduler = await aws.scheduler(news.region);
    const gone = removedTags(olds, news);
    if (gone.length > 0) await scheduler.untagResource({ ResourceArn: olds.arn, TagKeys: gone });
    if (Object.keys(news.tags ?? {}).length > 0) {
      await scheduler.tagResource({ ResourceArn: olds.arn, Tags: tagList(news.tags) });
    }
    return {};
  },
  async delete(id, state, aws, operation) {
    const scheduler = await aws.scheduler(state.region);
    await scheduler.deleteScheduleGroup({ Name: id });
    await waitFor(operation, `deletion of schedule group ${id}`, async () => {
      return (await ifFound(scheduler.getScheduleGroup({ Name: id }))) === undefined;
    });
  },
};

const date = (text: string | undefined) => (text === undefined ? undefined : new Date(text));

/** Every update names everything: what is left out falls back to the service's defaults. */
function request(inputs: Properties): CreateScheduleCommandInput {
  const { target, flexibleTimeWindow: window } = inputs;
  return {
    Name: inputs.name,
    GroupName: inputs.groupName,
    ActionAfterCompletion: inputs.actionAfterCompletion,
    Description: inputs.description,
    StartDate: date(inputs.startDate),
    EndDate: date(inputs.endDate),
    KmsKeyArn: inputs.kmsKeyArn,
    ScheduleExpression: inputs.scheduleExpression,
    ScheduleExpressionTimezone: inputs.scheduleExpressionTimezone,
    State: inputs.state,
    FlexibleTimeWindow: { Mode: window.mode, MaximumWindowInMinutes: window.maximumWindowInMinutes },
    Target: {
      Arn: target.arn,
      RoleArn: target.roleArn,
      Input: target.input,
      DeadLetterConfig: target.deadLetterConfig && { Arn: target.deadLetterConfig.arn },
      RetryPolicy: target.retryPolicy && {
        MaximumEventAgeInSeconds: target.retryPolicy.maximumEventAgeInSeconds,
        MaximumRetryAttempts: target.retryPolicy.maximumRetryAttempts,
      },
    },
  };
}

export const schedule: ResourceType<AwsClients> = {
  token: "aws:scheduler/schedule:Schedule",
  inputs: {
    name: { autoname: { max: 64 }, replace: true },
    groupName: { default: "default", replace: true },
    actionAfterCompletion: { default: "NONE", values: ["NONE", "DELETE"] },
    description: {},
    startDate: {},
    endDate: {},
    kmsKeyArn: {},
    scheduleExpression: { required: true },
    scheduleExpressionTimezone: { default: "UTC" },
    state: { default: "ENABLED", values: ["ENABLED", "DISABLED"] },
    flexibleTimeWindow: {
      required: true,
      fields: { mode: { required: true, values: ["OFF", "FLEXIBLE"] }, maximumWindowInMinutes: {} },
    },
    target: {
      required: true,
      fields: {
        arn: { required: true },
        roleArn: { required: true },
        input: { compare: "json" },
        deadLetterConfig: { fields: { arn: { required: true } } },
        retryPolicy: {
          computed: true,
          fields: { maximumEventAgeInSeconds: { computed: true }, maximumRetryAttempts: { computed: true } },
        },
      },
    },
    region,
  },
  outputs: { arn: {} },
  async create(inputs, aws) {
    await (await aws.scheduler(inputs.region)).createSchedule(request(inputs));
    return { id: `${inputs.groupName}/${inputs.name}` };
  },
  async read(id, state, aws) {
    const [GroupName, Name] = id.split("/");
    const live = await ifFound((await aws.scheduler(state.region)).getSchedule({ GroupName, Name }));
    if (!live) return undefined;
    const { Target: target, FlexibleTimeWindow: window } = live;
    return {
      name: Name,
      groupName: GroupName,
      arn: live.Arn,
      actionAfterCompletion: live.ActionAfterCompletion ?? "NONE",
      description: live.Description,
      startDate: live.StartDate?.toISOString().replace(".000Z", "Z"),
      endDate: live.EndDate?.toISOString().replace(".000Z", "Z"),
      kmsKeyArn: live.KmsKeyArn,
      scheduleExpression: live.ScheduleExpression,
      scheduleExpressionTimezone: live.ScheduleExpressionTimezone ?? "UTC",
      state: live.State ?? "ENABLED",
      flexibleTimeWindow: window && { mode: window.Mode, maximumWindowInMinutes: window.MaximumWindowInMinutes },
      target: target && {
        arn: target.Arn,
        roleArn: target.RoleArn,
        input: target.Input,
        deadLetterConfig: target.DeadLetterConfig?.Arn ? { arn: target.DeadLetterConfig.Arn } : undefined,
        retryPolicy: {
          maximumEventAgeInSeconds: target.RetryPolicy?.MaximumEventAgeInSeconds,
          maximumRetryAttempts: target.RetryPolicy?.MaximumRetryAttempts,
        },
      },
      region: state.region ?? aws.region,
    };
  },
  async update({ news, client: aws }) {
    await (await aws.scheduler(news.region)).updateSchedule(request(news));
    return {};
  },
  async delete(id, state, aws) {
    const [GroupName, Name] = id.split("/");
    await (await aws.scheduler(state.region)).deleteSchedule({ GroupName, Name });
  },
};
