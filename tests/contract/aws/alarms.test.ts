import { CloudWatch, type PutMetricAlarmCommandInput } from "@aws-sdk/client-cloudwatch";
import { IAM } from "@aws-sdk/client-iam";
import { Lambda } from "@aws-sdk/client-lambda";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { AlarmWatch } from "../../../sandbox/aws/alarms";
import { ROOT_CREDENTIALS } from "../../../sandbox/aws/server";
import { zip } from "../../../sandbox/plugins/aws/zip";
import { trust } from "../../support/iam-policies";
import { type LocalAws, startLocalAws } from "../../support/local";

const regions = ["ap-southeast-1", "ap-northeast-1"] as const;
const [home, away] = regions;
const BEGIN = Date.UTC(2027, 0, 1, 12, 0);
const System = [{ Name: "System", Value: "usc-pis" }];

describe("the sandbox's alarms", function () {
  this.timeout(60_000);
  let aws: LocalAws;
  let watch: AlarmWatch;
  let names = 0;

  before(async () => {
    aws = await startLocalAws({ confirmMail: true });
    watch = new AlarmWatch({ regions, client: { endpoint: aws.url, credentials: ROOT_CREDENTIALS } });
  });
  after(async () => {
    watch?.close();
    await aws?.stop();
  });
  afterEach(async () => {
    for (const region of regions) {
      const cloudwatch = new CloudWatch({ region });
      const { MetricAlarms = [] } = await cloudwatch.describeAlarms({});
      const AlarmNames = MetricAlarms.map(({ AlarmName = "" }) => AlarmName);
      if (AlarmNames.length > 0) await cloudwatch.deleteAlarms({ AlarmNames });
    }
    watch.dirty();
  });

  const minute = (count: number) => new Date(BEGIN + count * 60_000);
  /** Goes to a minute and evaluates; gives the changes. */
  const go = async (count: number) => {
    aws.setTime(minute(count));
    const changes = await watch.evaluate(minute(count));
    return changes.map(({ alarm, to }) => `${alarm} ${to}`);
  };
  const alarm = async (more: Partial<PutMetricAlarmCommandInput> = {}, region: string = home) => {
    const AlarmName = `alarm-${++names}`;
    await new CloudWatch({ region }).putMetricAlarm({
      AlarmName,
      Namespace: "UscPis",
      MetricName: `Metric${names}`,
      Dimensions: System,
      Statistic: "Sum",
      Period: 300,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      TreatMissingData: "notBreaching",
      ...more,
    });
    watch.dirty(region);
    return { AlarmName, MetricName: `Metric${names}` };
  };
  const report = async (
    MetricName: string,
    Value: number,
    count: number,
    Dimensions = System,
    region: string = home,
  ) => {
    const MetricData = [{ MetricName, Value, Dimensions, Timestamp: new Date(BEGIN + count * 60_000 + 30_000) }];
    await new CloudWatch({ region }).putMetricData({ Namespace: "UscPis", MetricData });
    watch.dirty(region);
  };

  it("change on their own metric, dimensions and periods alone, and notify once for each change", async () => {
    const sns = new SNS({ region: home });
    const { TopicArn = "" } = await sns.createTopic({ Name: "alerts" });
    await sns.subscribe({ TopicArn, Protocol: "email", Endpoint: "duty@clinic.example" });
    const { AlarmName, MetricName } = await alarm({ AlarmActions: [TopicArn], OKActions: [TopicArn] });
    expect(await go(0)).to.deep.equal([`${AlarmName} OK`]);
    await report(MetricName, 5, 0, [{ Name: "System", Value: "another" }]);
    expect(await go(1)).to.deep.equal([]);
    await report(MetricName, 1, 1);
    expect(await go(2)).to.deep.equal([`${AlarmName} ALARM`]);
    expect(await go(3)).to.deep.equal([]);
    const later = await watch.nextTransition(minute(3), minute(600));
    expect(later).to.deep.equal(minute(17));
    expect(await go(16)).to.deep.equal([]);
    expect(await go(17)).to.deep.equal([`${AlarmName} OK`]);
    expect(await watch.nextTransition(minute(17), minute(100_000))).to.equal(undefined);
    const { mails } = await aws.control("GET", "mail");
    const subjects = (mails as { subject: string }[]).map(({ subject }) => subject.split(":")[0]);
    expect(subjects).to.deep.equal(["OK", "ALARM", "OK"]);
    const { AlarmHistoryItems = [] } = await new CloudWatch({ region: home }).describeAlarmHistory({ AlarmName });
    expect(AlarmHistoryItems.map(({ HistorySummary }) => HistorySummary).join()).to.contain("OK to ALARM");
  });

  it("alarm on silence when it has lasted, each in its region", async () => {
    const silence = {
      Period: 900,
      EvaluationPeriods: 8,
      DatapointsToAlarm: 8,
      ComparisonOperator: "LessThanThreshold",
      TreatMissingData: "breaching",
    } as const;
    const { AlarmName, MetricName } = await alarm(silence, away);
    await report(MetricName, 1, 0, System, home);
    expect(await go(1), "data of the other region").to.deep.equal([`${AlarmName} ALARM`]);
    await report(MetricName, 1, 1, System, away);
    expect(await go(2)).to.deep.equal([`${AlarmName} OK`]);
    await report(MetricName, 1, 60, System, away);
    const next = await watch.nextTransition(minute(61), minute(10_000));
    expect(next).to.deep.equal(minute(211));
    expect(await go(210)).to.deep.equal([]);
    expect(await go(211)).to.deep.equal([`${AlarmName} ALARM`]);
  });

  it("look at queues themselves, for as long as something lies there", async () => {
    const sqs = new SQS({ region: home });
    const QueueName = "letters";
    aws.setTime(minute(0));
    const { QueueUrl } = await sqs.createQueue({ QueueName });
    const { AlarmName } = await alarm({
      Namespace: "AWS/SQS",
      MetricName: "ApproximateNumberOfMessagesVisible",
      Dimensions: [{ Name: "QueueName", Value: QueueName }],
      Statistic: "Maximum",
      Threshold: 0,
      ComparisonOperator: "GreaterThanThreshold",
    });
    expect(await go(0)).to.deep.equal([`${AlarmName} OK`]);
    await sqs.sendMessage({ QueueUrl, MessageBody: "undelivered" });
    expect(await go(1)).to.deep.equal([]);
    expect(await watch.nextTransition(minute(1), minute(100))).to.deep.equal(minute(2));
    expect(await go(2)).to.deep.equal([`${AlarmName} ALARM`]);
    expect(await go(3000), "hours that were left out").to.deep.equal([]);
    await sqs.purgeQueue({ QueueUrl });
    expect(await go(3001)).to.deep.equal([]);
    expect(await go(3007)).to.deep.equal([`${AlarmName} OK`]);
  });

  it("see errors of functions that were invoked asynchronously", async () => {
    const FunctionName = "failing";
    const RoleName = "failing";
    await new IAM({ region: home }).createRole({ RoleName, AssumeRolePolicyDocument: trust("lambda.amazonaws.com") });
    const code = 'exports.handler = async () => { throw new Error("no") };';
    const lambda = new Lambda({ region: home });
    await lambda.createFunction({
      FunctionName,
      Role: `arn:aws:iam::000000000000:role/${RoleName}`,
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      Code: { ZipFile: zip(new Map([["index.js", Buffer.from(code)]])) },
    });
    await lambda.putFunctionEventInvokeConfig({ FunctionName, MaximumRetryAttempts: 0 });
    const Dimensions = [{ Name: "FunctionName", Value: FunctionName }];
    const errors = await alarm({ Namespace: "AWS/Lambda", MetricName: "Errors", Dimensions });
    const calls = await alarm({ Namespace: "AWS/Lambda", MetricName: "Invocations", Dimensions, Threshold: 2 });
    expect(await go(0)).to.have.members([`${errors.AlarmName} OK`, `${calls.AlarmName} OK`]);
    await lambda.invoke({ FunctionName, InvocationType: "Event" });
    await aws.settle();
    watch.dirty(home);
    expect(await go(1)).to.deep.equal([`${errors.AlarmName} ALARM`]);
  });

  it("that can't be evaluated are named, and what was deleted is forgotten", async () => {
    const { AlarmName } = await alarm({ Period: 10 });
    const gone = await alarm();
    await watch.evaluate(minute(0));
    expect(watch.unwatched).to.deep.equal([
      { region: home, name: AlarmName, reason: "a period of 10 s is not evaluated, only whole minutes" },
    ]);
    await report(gone.MetricName, 1, 1);
    await watch.nextTransition(minute(1), minute(2));
    await new CloudWatch({ region: home }).deleteAlarms({ AlarmNames: [gone.AlarmName] });
    expect(await go(2)).to.deep.equal([]);
  });

  it("cost nothing while nothing is new", async () => {
    for (let count = 0; count < 10; count++) {
      const { MetricName } = await alarm({ EvaluationPeriods: 8 });
      for (let back = 0; back < 8; back++) await report(MetricName, 0, back * 5);
    }
    await go(50);
    const begin = process.cpuUsage();
    for (let count = 51; count < 2051; count++) await watch.evaluate(minute(count));
    const { user, system } = process.cpuUsage(begin);
    // Two thousand minutes of ten alarms; a quarter has 131,000.
    expect((user + system) / 1000).to.be.below(3000);
  });
});
