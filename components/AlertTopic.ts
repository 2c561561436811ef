import { Topic } from "@pulumi/aws/sns/topic";
import { TopicPolicy } from "@pulumi/aws/sns/topicPolicy";
import { TopicSubscription } from "@pulumi/aws/sns/topicSubscription";
import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../backup/errors";
import type { Tags } from "./options";
import { alertTopicPolicy } from "./policies/alert-topic";
import { policyJson } from "./policies/document";

/** Arguments of {@link AlertTopic}. */
export interface AlertTopicArgs {
  topicName: string;
  account: string;
  region: string;
  /** Addresses; each gets a mail with a link that it has to follow once. */
  emails: readonly pulumi.Input<string>[];
  tags: Tags;
}

/**
 * Where alarms of one region go. It carries no key: alarms can't publish to a topic under `alias/aws/sns`, a key of its
 * own would be one more thing to lose, and an alarm's text says nothing about patients.
 */
export class AlertTopic extends pulumi.ComponentResource {
  readonly topicArn: pulumi.Output<string>;
  readonly nodes: { topic: Topic; policy: TopicPolicy; subscriptions: TopicSubscription[] };

  constructor(name: string, args: AlertTopicArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:monitoring:AlertTopic", name, {}, opts);
    const { region } = args;
    if (args.emails.length === 0) throw new InputError(`topic ${args.topicName} has no address, expected at least one`);

    const topic = new Topic(
      `${name}-topic`,
      { name: args.topicName, displayName: args.topicName, region, tags: args.tags },
      { parent: this },
    );
    const policy = new TopicPolicy(
      `${name}-policy`,
      {
        arn: topic.arn,
        policy: topic.arn.apply((arn) => policyJson(alertTopicPolicy(arn, args.account))),
        region,
      },
      { parent: this },
    );
    // Numbered, not named after the address: names are plain text in the state.
    const subscriptions = args.emails.map(
      (email, index) =>
        new TopicSubscription(
          `${name}-email-${index}`,
          { topic: topic.arn, protocol: "email", endpoint: pulumi.secret(email), region },
          { parent: this, dependsOn: policy },
        ),
    );

    this.nodes = { topic, policy, subscriptions };
    this.topicArn = topic.arn;
    this.registerOutputs({ topicArn: this.topicArn });
  }
}
