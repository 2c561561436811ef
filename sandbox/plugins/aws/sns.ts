import type { ResourceType } from "../core/types";
import type { Properties } from "../core/values";
import { type AwsClients, ifFound } from "./clients";
import { region, removedTags, tagList, tags, tagsOf } from "./shared";

export const topic: ResourceType<AwsClients> = {
  token: "aws:sns/topic:Topic",
  inputs: {
    name: { autoname: { max: 256 }, replace: true },
    displayName: {},
    kmsMasterKeyId: {},
    policy: { computed: true, compare: "policy" },
    tags,
    region,
  },
  outputs: { arn: {}, owner: {}, tagsAll: {} },
  async create(inputs, aws) {
    const Attributes: { [name: string]: string } = {};
    if (inputs.displayName !== undefined) Attributes.DisplayName = inputs.displayName;
    if (inputs.kmsMasterKeyId !== undefined) Attributes.KmsMasterKeyId = inputs.kmsMasterKeyId;
    if (inputs.policy !== undefined) Attributes.Policy = inputs.policy;
    const sns = await aws.sns(inputs.region);
    const { TopicArn } = await sns.createTopic({ Name: inputs.name, Attributes, Tags: tagList(inputs.tags) });
    return { id: TopicArn ?? "" };
  },
  async read(id, state, aws) {
    const sns = await aws.sns(state.region);
    const live = (await ifFound(sns.getTopicAttributes({ TopicArn: id })))?.Attributes;
    if (!live) return undefined;
    const { Tags } = await sns.listTagsForResource({ ResourceArn: id });
    return {
      name: id.split(":").pop(),
      arn: id,
      owner: live.Owner,
      region: id.split(":")[3],
      displayName: live.DisplayName,
      kmsMasterKeyId: live.KmsMasterKeyId,
      policy: live.Policy,
      ...tagsOf(Tags),
    };
  },
  async update({ id, news, olds, changed, client: aws }) {
    const sns = await aws.sns(news.region);
    const names = [
      ["displayName", "DisplayName"],
      ["kmsMasterKeyId", "KmsMasterKeyId"],
      ["policy", "Policy"],
    ] as const;
    for (const [name, AttributeName] of names) {
      if (changed.has(name)) {
        await sns.setTopicAttributes({ TopicArn: id, AttributeName, AttributeValue: news[name] ?? "" });
      }
    }
    if (changed.has("tags")) {
      const gone = removedTags(olds, news);
      if (gone.length > 0) await sns.untagResource({ ResourceArn: id, TagKeys: gone });
      if (Object.keys(news.tags ?? {}).length > 0) await sns.tagResource({ ResourceArn: id, Tags: tagList(news.tags) });
    }
    return {};
  },
  async delete(id, state, aws) {
    await (await aws.sns(state.region)).deleteTopic({ TopicArn: id });
  },
};

/** What a topic has when nobody gave it a policy: its owner may do everything. */
function defaultPolicy(arn: string): string {
  const actions = ["AddPermission", "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic", "Publish"].concat([
    "RemovePermission",
    "SetTopicAttributes",
    "Subscribe",
  ]);
  return JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: actions.map((action) => `SNS:${action}`),
        Resource: arn,
        Condition: { StringEquals: { "AWS:SourceOwner": arn.split(":")[4] } },
      },
    ],
  });
}

export const topicPolicy: ResourceType<AwsClients> = {
  token: "aws:sns/topicPolicy:TopicPolicy",
  inputs: { arn: { required: true, replace: true }, policy: { required: true, compare: "policy" }, region },
  outputs: { owner: {} },
  async create({ arn, policy, region: where }, aws) {
    const sns = await aws.sns(where);
    await sns.setTopicAttributes({ TopicArn: arn, AttributeName: "Policy", AttributeValue: policy });
    return { id: arn };
  },
  async read(id, state, aws) {
    const live = (await ifFound((await aws.sns(state.region)).getTopicAttributes({ TopicArn: id })))?.Attributes;
    if (!live?.Policy) return undefined;
    return { arn: id, policy: live.Policy, owner: live.Owner, region: id.split(":")[3] };
  },
  async update({ id, news, client: aws }) {
    const sns = await aws.sns(news.region);
    await sns.setTopicAttributes({ TopicArn: id, AttributeName: "Policy", AttributeValue: news.policy });
    return {};
  },
  async delete(id, state, aws) {
    const sns = await aws.sns(state.region);
    await sns.setTopicAttributes({ TopicArn: id, AttributeName: "Policy", AttributeValue: defaultPolicy(id) });
  },
};

const SUBSCRIPTION: [string, string][] = [
  ["filterPolicy", "FilterPolicy"],
  ["filterPolicyScope", "FilterPolicyScope"],
  ["rawMessageDelivery", "RawMessageDelivery"],
  ["redrivePolicy", "RedrivePolicy"],
];

export const topicSubscription: ResourceType<AwsClients> = {
  token: "aws:sns/topicSubscription:TopicSubscription",
  inputs: {
    topic: { required: true, replace: true },
    // The emulator can't confirm http and https.
    protocol: { required: true, replace: true, values: ["email", "email-json", "lambda", "sqs"] },
    endpoint: { required: true, replace: true },
    confirmationTimeoutInMinutes: { default: 1 },
    endpointAutoConfirms: { default: false },
    filterPolicy: { compare: "json" },
    filterPolicyScope: { computed: true },
    rawMessageDelivery: { default: false },
    redrivePolicy: { compare: "json" },
    region,
  },
  outputs: { arn: {}, confirmationWasAuthenticated: {}, ownerId: {}, pendingConfirmation: {} },
  async create(inputs, aws) {
    const set = SUBSCRIPTION.filter(([name]) => inputs[name] !== undefined && inputs[name] !== false);
    const { SubscriptionArn } = await (await aws.sns(inputs.region)).subscribe({
      TopicArn: inputs.topic,
      Protocol: inputs.protocol,
      Endpoint: inputs.endpoint,
      ReturnSubscriptionArn: true,
      Attributes: Object.fromEntries(set.map(([name, attribute]) => [attribute, String(inputs[name])])),
    });
    return { id: SubscriptionArn ?? "" };
  },
  async read(id, state, aws) {
    const sns = await aws.sns(state.region);
    const live = (await ifFound(sns.getSubscriptionAttributes({ SubscriptionArn: id })))?.Attributes;
    if (!live) return undefined;
    return {
      arn: id,
      topic: live.TopicArn,
      protocol: live.Protocol,
      endpoint: live.Endpoint,
      ownerId: live.Owner,
      pendingConfirmation: live.PendingConfirmation === "true",
      confirmationWasAuthenticated: live.ConfirmationWasAuthenticated === "true",
      filterPolicy: live.FilterPolicy,
      filterPolicyScope: live.FilterPolicyScope,
      rawMessageDelivery: live.RawMessageDelivery === "true",
      redrivePolicy: live.RedrivePolicy,
      region: id.split(":")[3],
    } satisfies Properties;
  },
  async update({ id, news, changed, client: aws }) {
    const sns = await aws.sns(news.region);
    for (const [name, AttributeName] of SUBSCRIPTION) {
      if (!changed.has(name)) continue;
      const AttributeValue = String(news[name] ?? (name === "rawMessageDelivery" ? false : "{}"));
      await sns.setSubscriptionAttributes({ SubscriptionArn: id, AttributeName, AttributeValue });
    }
    return {};
  },
  async delete(id, state, aws) {
    await (await aws.sns(state.region)).unsubscribe({ SubscriptionArn: id });
  },
};
