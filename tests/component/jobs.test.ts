import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { MINIMUM_RETENTION_DAYS } from "../../backup/classes";
import { Alerting, switchSeconds } from "../../components/Alerting";
import { BackupJobs, type BackupJobsArgs } from "../../components/BackupJobs";
import { readCaptureEnvironment } from "../../functions/environment";
import { type Recording, record, sentAsSecret } from "./recorder";

const args: BackupJobsArgs = {
  system: "usc-pis",
  account: "111122223333",
  appName: "usc-pis",
  home: { region: "ap-southeast-1", keyArn: "arn:aws:kms:ap-southeast-1:111122223333:key/home" },
  other: { region: "ap-northeast-1", keyArn: "arn:aws:kms:ap-northeast-1:111122223333:key/other" },
  retentionDays: MINIMUM_RETENTION_DAYS,
  herokuSchedule: "02:00 UTC",
  herokuApiKey: pulumi.secret("token"),
};

const make = (more: Partial<BackupJobsArgs> = {}) => record(() => new BackupJobs("jobs", { ...args, ...more }));

describe("BackupJobs", function () {
  this.timeout(60_000);
  let recording: Recording;

  before(async () => {
    ({ recording } = await make());
  });

  it("consists of exactly these resources, each below it", () => {
    expect(recording.counts()).to.deep.equal({
      "usc-pis:backup:BackupJobs": 1,
      "usc-pis:backup:FunctionJob": 1,
      "usc-pis:backup:JobSchedule": 1,
      "aws:lambda/function:Function": 1,
      "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": 1,
      "aws:iam/role:Role": 2,
      "aws:iam/rolePolicy:RolePolicy": 2,
      "aws:secretsmanager/secret:Secret": 1,
      "aws:secretsmanager/secretVersion:SecretVersion": 1,
      "aws:sqs/queue:Queue": 1,
      "aws:cloudwatch/logGroup:LogGroup": 1,
      "aws:scheduler/scheduleGroup:ScheduleGroup": 1,
      "aws:scheduler/schedule:Schedule": 1,
    });
    expect(recording.roots()).to.deep.equal(["jobs"]);
  });

  it("gives the function an environment that it accepts, without the token", () => {
    const { variables } = recording.one("jobs-function").inputs.environment;
    const environment = readCaptureEnvironment(variables);
    expect(environment).to.include({
      app: "usc-pis",
      vaultBucket: "usc-pis-vault-111122223333-ap-southeast-1",
      replicaBucket: "usc-pis-vault-111122223333-ap-northeast-1",
      intervalMinutes: 60,
    });
    expect(environment.retention).to.deep.equal(MINIMUM_RETENTION_DAYS);
    expect(JSON.stringify(variables)).not.to.contain("token");
  });

  it("keeps the token secret, in Secrets Manager only", () => {
    const { inputs, sent } = recording.one("jobs-secret-value");
    expect(JSON.parse(inputs.secretString)).to.deep.equal({ herokuApiKey: "token" });
    expect(sentAsSecret(sent.secretString)).to.equal(true);
    const others = recording.resources.filter(({ name }) => name !== "jobs-secret-value");
    expect(JSON.stringify(others.map((resource) => resource.inputs))).not.to.contain('token"');
  });

  it("names its bundle by a path that is the same in every checkout", () => {
    const { code } = recording.one("jobs-function").inputs;
    expect(JSON.stringify(code)).to.contain('"path":"dist/functions/capture"');
    expect(JSON.stringify(code)).not.to.contain(process.cwd());
  });

  it("triggers at 17 past and again within the slot, keeps what fails, and repeats nothing by itself", () => {
    const { inputs } = recording.one("jobs-schedule-schedule");
    expect(inputs).to.include({
      scheduleExpression: "cron(17,32,47 * * * ? *)",
      scheduleExpressionTimezone: "UTC",
      state: "ENABLED",
    });
    expect(JSON.parse(inputs.target.input)).to.deep.equal({ trigger: "schedule", requestedBy: "schedule" });
    expect(inputs.target.deadLetterConfig.arn).to.equal("arn:mock:jobs-dlq");
    expect(inputs.target.retryPolicy.maximumRetryAttempts).to.equal(5);
    const invocation = recording.one("jobs-invocation").inputs;
    expect(invocation.maximumRetryAttempts).to.equal(0);
    expect(invocation.destinationConfig.onFailure.destination).to.equal("arn:mock:jobs-dlq");
  });

  it("works from the replica when the primary region is gone", async () => {
    const { recording: moved } = await make({
      home: { region: "ap-northeast-1", keyArn: "arn:aws:kms:ap-northeast-1:111122223333:key/other" },
      other: { region: "ap-southeast-1" },
    });
    const { variables } = moved.one("jobs-function").inputs.environment;
    expect(readCaptureEnvironment(variables).vaultBucket).to.equal("usc-pis-vault-111122223333-ap-northeast-1");
    for (const { inputs, type, custom } of moved.resources) {
      if (custom && !type.startsWith("aws:iam/")) expect(inputs.region).to.equal("ap-northeast-1");
    }
    expect(moved.one("jobs-role-policy").inputs.policy).not.to.contain("key/home");
  });
});

describe("Alerting", () => {
  const alerting = () =>
    new Alerting("alerting", {
      system: "usc-pis",
      account: "111122223333",
      appName: "usc-pis",
      region: "ap-southeast-1",
      switchRegion: "ap-northeast-1",
      emails: [pulumi.secret("a@clinic.example"), "b@clinic.example"],
      functionName: "usc-pis-capture",
      deadLetterQueueName: "usc-pis-capture-dlq",
      media: { functionName: "usc-pis-media-sync", deadLetterQueueName: "usc-pis-media-sync-dlq" },
    });

  it("consists of exactly these resources, each below it", async () => {
    const { recording } = await record(alerting);
    expect(recording.counts()).to.deep.equal({
      "usc-pis:monitoring:Alerting": 1,
      "usc-pis:monitoring:AlertTopic": 2,
      "aws:sns/topic:Topic": 2,
      "aws:sns/topicPolicy:TopicPolicy": 2,
      "aws:sns/topicSubscription:TopicSubscription": 4,
      "aws:cloudwatch/metricAlarm:MetricAlarm": 7,
      "aws:cloudwatch/dashboard:Dashboard": 1,
    });
    expect(recording.roots()).to.deep.equal(["alerting"]);
  });

  it("keeps addresses secret and out of names", async () => {
    const { recording } = await record(alerting);
    for (const { sent, name } of recording.of("aws:sns/topicSubscription:TopicSubscription")) {
      expect(sentAsSecret(sent.endpoint)).to.equal(true);
      expect(name).not.to.contain("@");
    }
  });

  it("tells somebody by each alarm, with runbook and next command, in the alarm's own region", async () => {
    const { recording } = await record(alerting);
    for (const { inputs, name } of recording.of("aws:cloudwatch/metricAlarm:MetricAlarm")) {
      const isSwitch = ["alerting-no-success", "alerting-media-no-sync"].includes(name);
      const topic = isSwitch ? "alerting-switch-topic" : "alerting-topic";
      expect(inputs.alarmActions, name).to.deep.equal([`arn:mock:${topic}-topic`]);
      expect(inputs.okActions, name).to.deep.equal(inputs.alarmActions);
      expect(recording.one(`${topic}-topic`).inputs.region).to.equal(inputs.region);
      expect(inputs.alarmDescription, name).to.match(
        /^(CRITICAL|WARNING): .+\nNext: usc-pis .+\nRunbook: docs\/runbooks\//,
      );
      expect(inputs.actionsEnabled).to.equal(true);
    }
  });

  it("puts the dead man's switch into the replica region, where silence alarms after two hours", async () => {
    const { recording } = await record(alerting);
    const { inputs } = recording.one("alerting-no-success");
    expect(inputs).to.include({
      region: "ap-northeast-1",
      metricName: "CaptureSucceeded",
      treatMissingData: "breaching",
      comparisonOperator: "LessThanThreshold",
    });
    expect(inputs.period * inputs.evaluationPeriods).to.equal(7200);
    expect(inputs.datapointsToAlarm).to.equal(inputs.evaluationPeriods);
    expect(recording.one("alerting-capture-failed").inputs.treatMissingData).to.equal("notBreaching");
    expect([switchSeconds(60), switchSeconds(240)]).to.deep.equal([7200, 28_800]);
  });

  it("alarms on failed syncs and differing media at once, and on 26 hours without one from the replica region", async () => {
    const { recording } = await record(alerting);
    const alarm = (name: string) => recording.one(`alerting-media-${name}`).inputs;
    for (const [name, metricName] of [
      ["failed", "MediaFailed"],
      ["differ", "MediaDiffers"],
    ] as const) {
      const expected = { metricName, threshold: 1, evaluationPeriods: 1, treatMissingData: "notBreaching" };
      expect(alarm(name)).to.include({ ...expected, region: "ap-southeast-1" });
    }
    const { period, evaluationPeriods, ...noSync } = alarm("no-sync");
    expect(noSync).to.include({
      region: "ap-northeast-1",
      metricName: "MediaSynced",
      treatMissingData: "breaching",
      comparisonOperator: "LessThanThreshold",
      datapointsToAlarm: evaluationPeriods,
    });
    expect(period * evaluationPeriods).to.equal(26 * 3600);
    // CloudWatch looks back further than a day only in whole hours, and a week at most.
    expect(period).to.equal(3600);
    expect(alarm("undelivered").dimensions).to.deep.equal({ QueueName: "usc-pis-media-sync-dlq" });
  });

  it("refuses to notify no one", async () => {
    const work = record(() => new Alerting("a", { system: "s", appName: "a", emails: [] } as never));
    let message = "";
    await work.catch((error: Error) => {
      message = error.message;
    });
    expect(message).to.contain("expected at least one");
  });
});
