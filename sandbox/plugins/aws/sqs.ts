import type { QueueAttributeName } from "@aws-sdk/client-sqs";
import type { ResourceType } from "../core/types";
import { type AwsClients, ifFound } from "./clients";
import { number, region, removedTags, tags, tagsFrom } from "./shared";

/** Inputs of a queue and the service's names for them. */
const ATTRIBUTES: [string, QueueAttributeName][] = [
  ["delaySeconds", "DelaySeconds"],
  ["kmsDataKeyReusePeriodSeconds", "KmsDataKeyReusePeriodSeconds"],
  ["kmsMasterKeyId", "KmsMasterKeyId"],
  ["maxMessageSize", "MaximumMessageSize"],
  ["messageRetentionSeconds", "MessageRetentionPeriod"],
  ["policy", "Policy"],
  ["receiveWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds"],
  ["redriveAllowPolicy", "RedriveAllowPolicy"],
  ["redrivePolicy", "RedrivePolicy"],
  ["sqsManagedSseEnabled", "SqsManagedSseEnabled"],
  ["visibilityTimeoutSeconds", "VisibilityTimeout"],
];

export const queue: ResourceType<AwsClients> = {
  token: "aws:sqs/queue:Queue",
  inputs: {
    name: { autoname: { max: 80 }, replace: true },
    delaySeconds: { default: 0 },
    kmsDataKeyReusePeriodSeconds: { computed: true },
    kmsMasterKeyId: {},
    // The provider's default is older than the service's (1 MiB), so that it is always sent.
    maxMessageSize: { default: 262144 },
    messageRetentionSeconds: { default: 345600 },
    policy: { computed: true, compare: "policy" },
    receiveWaitTimeSeconds: { default: 0 },
    redriveAllowPolicy: { computed: true, compare: "json" },
    redrivePolicy: { computed: true, compare: "json" },
    sqsManagedSseEnabled: { computed: true },
    visibilityTimeoutSeconds: { default: 30 },
    tags,
    region,
  },
  outputs: { arn: {}, tagsAll: {}, url: {} },
  async create(inputs, aws) {
    const set = ATTRIBUTES.filter(([name]) => inputs[name] !== undefined);
    const { QueueUrl } = await (await aws.sqs(inputs.region)).createQueue({
      QueueName: inputs.name,
      Attributes: Object.fromEntries(set.map(([name, attribute]) => [attribute, String(inputs[name])])),
      tags: inputs.tags,
    });
    return { id: QueueUrl ?? "" };
  },
  async read(id, state, aws) {
    const sqs = await aws.sqs(state.region);
    const found = await ifFound(sqs.getQueueAttributes({ QueueUrl: id, AttributeNames: ["All"] }));
    if (!found?.Attributes) return undefined;
    const live = found.Attributes;
    const { Tags } = await sqs.listQueueTags({ QueueUrl: id });
    const arn = live.QueueArn ?? "";
    return {
      name: arn.split(":").pop(),
      arn,
      url: id,
      region: arn.split(":")[3],
      delaySeconds: number(live.DelaySeconds),
      kmsDataKeyReusePeriodSeconds: number(live.KmsDataKeyReusePeriodSeconds) || 300,
      kmsMasterKeyId: live.KmsMasterKeyId,
      maxMessageSize: number(live.MaximumMessageSize),
      messageRetentionSeconds: number(live.MessageRetentionPeriod),
      policy: live.Policy,
      receiveWaitTimeSeconds: number(live.ReceiveMessageWaitTimeSeconds),
      redriveAllowPolicy: live.RedriveAllowPolicy,
      redrivePolicy: live.RedrivePolicy,
      sqsManagedSseEnabled: live.SqsManagedSseEnabled === undefined ? undefined : live.SqsManagedSseEnabled === "true",
      visibilityTimeoutSeconds: number(live.VisibilityTimeout),
      ...tagsFrom(Tags),
    };
  },
  async update({ id, news, olds, changed, client: aws }) {
    const sqs = await aws.sqs(news.region);
    const set = ATTRIBUTES.filter(([name]) => changed.has(name));
    if (set.length > 0) {
      const Attributes = Object.fromEntries(set.map(([name, attribute]) => [attribute, String(news[name] ?? "")]));
      await sqs.setQueueAttributes({ QueueUrl: id, Attributes });
    }
    if (changed.has("tags")) {
      const gone = removedTags(olds, news);
      if (gone.length > 0) await sqs.untagQueue({ QueueUrl: id, TagKeys: gone });
      if (Object.keys(news.tags ?? {}).length > 0) await sqs.tagQueue({ QueueUrl: id, Tags: news.tags });
    }
    return {};
  },
  async delete(id, state, aws) {
    await (await aws.sqs(state.region)).deleteQueue({ QueueUrl: id });
  },
};
