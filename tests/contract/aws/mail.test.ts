import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatch } from "@aws-sdk/client-cloudwatch";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { alertTopicPolicy } from "../../../components/policies/alert-topic";
import { policyJson } from "../../../components/policies/document";
import { confirmAll, mailsTo, readInbox } from "../../../sandbox/aws/mail";
import { showMail } from "../../../sandbox/commands";
import { sandboxPaths } from "../../../sandbox/supervisor/paths";
import { writeState } from "../../../sandbox/supervisor/state";
import { type LocalAws, startLocalAws } from "../../support/local";
import { sampleState } from "../../unit/sandbox/sample-state";

const region = "ap-southeast-1";
const account = "000000000000";
const Protocol = "email";

interface Mail {
  kind: string;
  to: string[];
  from: string;
  subject: string;
  text: string;
  time: string;
  topic?: string;
  confirm?: string;
}

describe("mail of the sandbox's SNS", function () {
  this.timeout(60_000);
  let aws: LocalAws;
  let sns: SNS;
  let cloudwatch: CloudWatch;
  let TopicArn: string;
  let names = 0;

  before(async () => {
    aws = await startLocalAws();
    sns = new SNS({ region });
    cloudwatch = new CloudWatch({ region });
  });
  after(async () => aws?.stop());
  beforeEach(async () => {
    aws.setTime(new Date("2027-01-01T12:00:00Z"));
    TopicArn = (await sns.createTopic({ Name: `alerts-${++names}` })).TopicArn ?? "";
    await aws.control("POST", "mail", { mode: "ok" });
  });

  const mails = async (address: string): Promise<Mail[]> => {
    const { mails } = await aws.control("GET", "mail");
    return (mails as Mail[]).filter(({ to }) => to.includes(address));
  };
  const subscribed = async (): Promise<{ address: string; arn: string }> => {
    const address = `somebody-${++names}@clinic.example`;
    const wanted = { TopicArn, Protocol, Endpoint: address, ReturnSubscriptionArn: true };
    return { address, arn: (await sns.subscribe(wanted)).SubscriptionArn ?? "" };
  };
  const confirmed = async () => {
    const { address, arn } = await subscribed();
    const [mail] = await mails(address);
    await fetch(mail?.confirm ?? "");
    return { address, arn };
  };
  /** A queue at the topic, which the topic may send to; gives what came. */
  const tap = async () => {
    const QueueName = `tap-${++names}`;
    const Endpoint = `arn:aws:sqs:${region}:${account}:${QueueName}`;
    const statement = { Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: Endpoint };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    const sqs = new SQS({ region });
    const { QueueUrl } = await sqs.createQueue({ QueueName, Attributes: { Policy } });
    await sns.subscribe({ TopicArn, Protocol: "sqs", Endpoint });
    return async (): Promise<string[]> => {
      const { Messages = [] } = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
      return Messages.map(({ Body }) => JSON.parse(Body ?? "").Message);
    };
  };
  const attributes = async (SubscriptionArn: string) =>
    (await sns.getSubscriptionAttributes({ SubscriptionArn })).Attributes ?? {};

  it("an address is told nothing before the link in its mail was followed", async () => {
    const { address, arn } = await subscribed();
    expect(arn).to.match(new RegExp(`^${TopicArn}:[0-9a-f-]{36}$`));
    expect((await attributes(arn)).PendingConfirmation).to.equal("true");
    const listed = async () => {
      const { Subscriptions = [] } = await sns.listSubscriptionsByTopic({ TopicArn });
      return Subscriptions.map(({ SubscriptionArn }) => SubscriptionArn);
    };
    expect(await listed()).to.deep.equal(["PendingConfirmation"]);
    await sns.publish({ TopicArn, Message: "too early" });
    const [asked, ...others] = await mails(address);
    expect(others).to.have.length(0);
    expect(asked?.subject).to.equal("AWS Notification - Subscription Confirmation");
    expect(asked?.text).to.contain(asked?.confirm).and.to.contain(TopicArn);
    expect(new URL(asked?.confirm ?? "").origin).to.equal(aws.url);
    const wrong = (asked?.confirm ?? "").replace(/Token=\w/, "Token=_");
    expect((await fetch(wrong)).status).to.equal(400);
    expect((await attributes(arn)).PendingConfirmation).to.equal("true");
    // Without any credentials: whoever reads the mail has none.
    expect((await fetch(asked?.confirm ?? "")).status).to.equal(200);
    expect(await attributes(arn)).to.include({ PendingConfirmation: "false", ConfirmationWasAuthenticated: "false" });
    expect(await listed()).to.deep.equal([arn]);
    await sns.publish({ TopicArn, Message: "in time", Subject: "Hello" });
    const [, told] = await mails(address);
    expect(told).to.include({ from: "no-reply@sns.amazonaws.com", subject: "Hello", text: "in time", topic: TopicArn });
    expect(told?.time).to.match(/^2027-01-01T12:00:0\dZ?/);
  });

  it("says 'pending confirmation' to who does not ask for the ARN, and asks again", async () => {
    const Endpoint = "twice@clinic.example";
    const subscribe = () => sns.subscribe({ TopicArn, Protocol, Endpoint });
    expect((await subscribe()).SubscriptionArn).to.equal("pending confirmation");
    expect((await subscribe()).SubscriptionArn).to.equal("pending confirmation");
    expect(await mails(Endpoint)).to.have.length(2);
    const { Subscriptions = [] } = await sns.listSubscriptionsByTopic({ TopicArn });
    expect(Subscriptions).to.have.length(1);
  });

  it("forgets who did not confirm within two days", async () => {
    const { address, arn } = await subscribed();
    const [asked] = await mails(address);
    aws.setTime(new Date("2027-01-03T12:01:00Z"));
    expect((await fetch(asked?.confirm ?? "")).status).to.equal(400);
    const gone = await attributes(arn).catch((error: Error) => error.name);
    expect(gone).to.match(/NotFound/);
    const kept = await confirmed();
    aws.setTime(new Date("2027-04-03T12:01:00Z"));
    expect((await attributes(kept.arn)).PendingConfirmation).to.equal("false");
  });

  it("keeps filters, and other protocols are not touched", async () => {
    const { address, arn } = await confirmed();
    const came = await tap();
    const FilterPolicy = JSON.stringify({ severity: ["critical"] });
    const set = { AttributeName: "FilterPolicy", AttributeValue: FilterPolicy };
    await sns.setSubscriptionAttributes({ SubscriptionArn: arn, ...set });
    const severity = (StringValue: string) => ({ severity: { DataType: "String", StringValue } });
    await sns.publish({ TopicArn, Message: "low", MessageAttributes: severity("warning") });
    await sns.publish({ TopicArn, Message: "high", MessageAttributes: severity("critical") });
    expect((await mails(address)).slice(1).map(({ text }) => text)).to.deep.equal(["high"]);
    expect(await came()).to.have.members(["low", "high"]);
  });

  describe("of an alarm", () => {
    const alarm = async (topic: string, more: object = {}) => {
      const AlarmName = `capture-failed-${++names}`;
      await cloudwatch.putMetricAlarm({
        AlarmName,
        AlarmDescription: "WARNING: a backup failed.\nNext: usc-pis backup list",
        Namespace: "UscPis",
        MetricName: "CaptureFailed",
        Dimensions: [{ Name: "System", Value: "usc-pis" }],
        Statistic: "Sum",
        Period: 300,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
        TreatMissingData: "notBreaching",
        AlarmActions: [topic],
        OKActions: [topic],
        ...more,
      });
      return AlarmName;
    };
    beforeEach(async () => {
      const policy = policyJson(alertTopicPolicy(TopicArn, account));
      await sns.setTopicAttributes({ TopicArn, AttributeName: "Policy", AttributeValue: policy });
    });
    const enter = (AlarmName: string, StateValue: "ALARM" | "OK") =>
      cloudwatch.setAlarmState({ AlarmName, StateValue, StateReason: "Threshold Crossed: because" });

    it("is laid out as AWS's, in words for people and in JSON for machines, once for each change", async () => {
      const { address } = await confirmed();
      const came = await tap();
      const AlarmName = await alarm(TopicArn);
      await enter(AlarmName, "ALARM");
      await enter(AlarmName, "ALARM");
      const [, mail, ...others] = await mails(address);
      expect(others).to.have.length(0);
      expect(mail?.subject).to.equal(`ALARM: "${AlarmName}" in Asia Pacific (Singapore)`);
      for (const line of [
        `Alarm "${AlarmName}" in the Asia Pacific (Singapore) region has entered the ALARM state, because "Threshold`,
        "Next: usc-pis backup list",
        "- State Change:               INSUFFICIENT_DATA -> ALARM",
        'at "Friday 01 January, 2027 12:00:0',
        "GreaterThanOrEqualToThreshold 1.0 for at least 1 of the last 1 period(s) of 300 seconds",
        "[System = usc-pis]",
        `- ALARM: [${TopicArn}]`,
        "- INSUFFICIENT_DATA: \n",
      ])
        expect(mail?.text).to.contain(line);
      const [told] = (await came()).map((message) => JSON.parse(message));
      expect(told).to.include({ AlarmName, NewStateValue: "ALARM", Region: "Asia Pacific (Singapore)" });
      expect(told.Trigger).to.include({ Threshold: 1, TreatMissingData: "notBreaching", DatapointsToAlarm: 1 });
      await enter(AlarmName, "OK");
      expect((await mails(address)).map(({ subject }) => subject)[2]).to.match(/^OK: /);
    });

    it("reaches nobody where CloudWatch may not publish, or actions are off", async () => {
      const { address } = await confirmed();
      const refusing = policyJson({ Version: "2012-10-17", Statement: [] });
      const off = await alarm(TopicArn, { ActionsEnabled: false });
      const on = await alarm(TopicArn);
      await enter(off, "ALARM");
      expect(await mails(address)).to.have.length(1);
      await sns.setTopicAttributes({ TopicArn, AttributeName: "Policy", AttributeValue: refusing });
      await enter(on, "ALARM");
      expect(await mails(address)).to.have.length(1);
      const policy = policyJson(alertTopicPolicy(TopicArn, account));
      await sns.setTopicAttributes({ TopicArn, AttributeName: "Policy", AttributeValue: policy });
      await sns.setTopicAttributes({ TopicArn, AttributeName: "KmsMasterKeyId", AttributeValue: "alias/aws/sns" });
      await enter(on, "OK");
      expect(await mails(address)).to.have.length(1);
      await sns.setTopicAttributes({ TopicArn, AttributeName: "KmsMasterKeyId", AttributeValue: "" });
      await enter(on, "ALARM");
      expect(await mails(address)).to.have.length(2);
    });

    it("is not evaluated by MiniStack itself", async () => {
      const AlarmName = await alarm(TopicArn);
      const MetricData = [
        { MetricName: "CaptureFailed", Value: 5, Dimensions: [{ Name: "System", Value: "usc-pis" }] },
      ];
      await cloudwatch.putMetricData({ Namespace: "UscPis", MetricData });
      const { MetricAlarms: [found] = [] } = await cloudwatch.describeAlarms({ AlarmNames: [AlarmName] });
      expect(found?.StateValue).to.equal("INSUFFICIENT_DATA");
    });
  });

  it("can be set to be rejected, and then only counts what was lost", async () => {
    const { address } = await confirmed();
    const { rejected } = await aws.control("GET", "mail");
    await aws.control("POST", "mail", { mode: "rejected" });
    await sns.publish({ TopicArn, Message: "lost" });
    expect(await mails(address)).to.have.length(1);
    expect(await aws.control("GET", "mail")).to.include({ mode: "rejected", rejected: rejected + 1 });
    await aws.control("POST", "mail", { mode: "ok" });
    await sns.publish({ TopicArn, Message: "arrived" });
    expect((await mails(address)).map(({ text }) => text)[1]).to.equal("arrived");
    const wrong = await aws.control("POST", "mail", { mode: "lost" }).catch((error: Error) => error.message);
    expect(wrong).to.match(/^400: mode is 'lost', expected one of ok, rejected/);
  });

  it("is read, and its links are followed, by the sandbox's own inbox", async () => {
    const one = await subscribed();
    const two = await subscribed();
    const inbox = { url: aws.url };
    const waits = async () => {
      const { mails } = await readInbox(inbox);
      return mails.flatMap(({ to, awaits }) => (awaits === true ? to : []));
    };
    expect(await waits()).to.include.members([one.address, two.address]);
    const { mails } = await readInbox(inbox);
    const confirmed = await confirmAll(mailsTo(mails, one.address), inbox);
    expect(confirmed.map(({ to }) => to)).to.deep.equal([[one.address]]);
    expect((await attributes(one.arn)).PendingConfirmation).to.equal("false");
    expect(await waits())
      .to.include(two.address)
      .and.not.to.include(one.address);
    expect(await confirmAll(mailsTo((await readInbox(inbox)).mails, one.address), inbox)).to.deep.equal([]);
    await sns.unsubscribe({ SubscriptionArn: two.arn });
    const late = await confirmAll(mailsTo(mails, two.address), inbox).catch((error: Error) => error.message);
    expect(late).to.match(/leads nowhere: 400 Invalid token/);
    const nobody = await readInbox({ url: "http://127.0.0.1:1" }).catch((error: Error) => error.message);
    expect(nobody).to.contain("the inbox can't be read");
  });

  it("is shown and confirmed by the command", async () => {
    const folder = mkdtempSync(join(tmpdir(), "usc-pis-mail-"));
    const before = process.env.USC_PIS_SANDBOX_DIR;
    process.env.USC_PIS_SANDBOX_DIR = folder;
    try {
      const { address: to, arn } = await subscribed();
      const state = sampleState();
      const service = { ...(state.services.aws as NonNullable<typeof state.services.aws>), url: aws.url };
      writeState(sandboxPaths(), { ...state, ready: true, services: { ...state.services, aws: service } });
      const io = { signal: new AbortController().signal, progress: () => {}, warn: () => {} };
      const list = await showMail(io, undefined, { to });
      expect(list.text).to.contain("(not confirmed yet)").and.to.contain(to);
      const [mail] = (list.data as { mails: Mail[] }).mails as (Mail & { id: string })[];
      expect((await showMail(io, mail?.id.slice(0, 12), {})).text).to.contain("To confirm this subscription");
      expect((await showMail(io, undefined, { to, confirm: true })).text).to.equal(`confirmed ${to} in ${region}`);
      expect((await attributes(arn)).PendingConfirmation).to.equal("false");
      expect((await showMail(io, undefined, { to, confirm: true })).text).to.equal("no address waits to be confirmed");
      const both = await showMail(io, "x", { confirm: true }).catch((error: Error) => error.message);
      expect(both).to.contain("not both");
    } finally {
      if (before === undefined) delete process.env.USC_PIS_SANDBOX_DIR;
      else process.env.USC_PIS_SANDBOX_DIR = before;
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("of SES lies beside them", async () => {
    const form = (parameters: Record<string, string>) =>
      fetch(`${aws.url}/`, {
        method: "POST",
        headers: {
          authorization: `AWS4-HMAC-SHA256 Credential=test/20270101/${region}/ses/aws4_request, SignedHeaders=host, Signature=x`,
        },
        body: new URLSearchParams(parameters),
      });
    // As an account begins: SES sends from and to verified addresses only.
    for (const EmailAddress of ["reports@clinic.example", "reader@clinic.example"])
      await form({ Action: "VerifyEmailIdentity", EmailAddress });
    const send = () =>
      form({
        Action: "SendEmail",
        Source: "reports@clinic.example",
        "Destination.ToAddresses.member.1": "reader@clinic.example",
        "Message.Subject.Data": "Weekly report",
        "Message.Body.Text.Data": "168 of 168",
      });
    expect((await send()).status).to.equal(200);
    const [mail] = await mails("reader@clinic.example");
    expect(mail).to.include({
      kind: "ses",
      from: "reports@clinic.example",
      subject: "Weekly report",
      text: "168 of 168",
    });
    await aws.control("POST", "mail", { mode: "rejected" });
    expect(await (await send()).text()).to.contain("MessageRejected");
    await aws.control("POST", "mail", { mode: "ok" });
    expect(await mails("reader@clinic.example")).to.have.length(1);
  });
});

describe("mail of a sandbox that confirms addresses by itself", function () {
  this.timeout(60_000);
  it("delivers at once", async () => {
    const aws = await startLocalAws({ confirmMail: true });
    try {
      const sns = new SNS({ region });
      const { TopicArn } = await sns.createTopic({ Name: "alerts" });
      await sns.subscribe({ TopicArn, Protocol, Endpoint: "a@clinic.example" });
      await sns.publish({ TopicArn, Message: "hello" });
      const { mails } = await aws.control("GET", "mail");
      expect((mails as Mail[]).map(({ kind, text }) => [kind, text])).to.deep.equal([["notification", "hello"]]);
    } finally {
      await aws.stop();
    }
  });
});
