import { IAM } from "@aws-sdk/client-iam";
import { Lambda } from "@aws-sdk/client-lambda";
import { Scheduler, type Target } from "@aws-sdk/client-scheduler";
import { type Message, SQS } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { zip } from "../../../sandbox/plugins/aws/zip";
import { trust } from "../../support/iam-policies";
import { type LocalAws, startLocalAws, TOKEN } from "../../support/local";

const regions = ["ap-southeast-1", "ap-northeast-1"] as const;
const [region] = regions;
const account = "000000000000";
const RoleArn = `arn:aws:iam::${account}:role/scheduler`;
const OFF = { FlexibleTimeWindow: { Mode: "OFF" } } as const;

describe("EventBridge Scheduler on the sandbox's clock", function () {
  this.timeout(60_000);
  let aws: LocalAws;
  let scheduler: Scheduler;
  let sqs: SQS;
  let lambda: Lambda;
  let iam: IAM;
  let names = 0;

  before(async () => {
    aws = await startLocalAws();
    scheduler = new Scheduler({ region });
    sqs = new SQS({ region });
    lambda = new Lambda({ region });
    iam = new IAM({ region });
    await iam.createRole({ RoleName: "scheduler", AssumeRolePolicyDocument: trust("scheduler.amazonaws.com") });
    await allow("lambda:InvokeFunction", "sqs:SendMessage");
  });
  after(async () => aws?.stop());
  afterEach(async () => {
    const { Schedules = [] } = await scheduler.listSchedules({});
    for (const { Name } of Schedules) await scheduler.deleteSchedule({ Name });
  });

  /** What the schedules' role may do, from now on. */
  const allow = (...Action: string[]) => {
    const Statement = [{ Effect: "Allow", Action, Resource: "*" }];
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    return iam.putRolePolicy({ RoleName: "scheduler", PolicyName: "start", PolicyDocument });
  };
  const tick = () => aws.control("POST", "scheduler/tick");
  const next = async (): Promise<string | null> => (await aws.control("GET", "scheduler/next")).next;
  const queue = async (): Promise<{ url: string; arn: string; taken(): Promise<Message[]> }> => {
    const QueueName = `queue-${++names}`;
    const { QueueUrl: url = "" } = await sqs.createQueue({ QueueName });
    const take = () =>
      sqs.receiveMessage({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ["All"],
        WaitTimeSeconds: 0,
      });
    const taken = async () => {
      const { Messages = [] } = await take();
      for (const { ReceiptHandle } of Messages) await sqs.deleteMessage({ QueueUrl: url, ReceiptHandle });
      return Messages;
    };
    return { url, arn: `arn:aws:sqs:${region}:${account}:${QueueName}`, taken };
  };
  const schedule = async (ScheduleExpression: string, target: Partial<Target>, more: object = {}) => {
    const Name = `schedule-${++names}`;
    const Target = { RoleArn, Arn: "", ...target };
    await scheduler.createSchedule({ Name, ScheduleExpression, Target, ...OFF, ...more });
    return { Name, Target };
  };

  describe("refuses what AWS refuses", () => {
    const target = { Arn: `arn:aws:sqs:${region}:${account}:x` };
    for (const [expression, zone] of [
      ["rate(1 minutes)"],
      ["rate(5 minute)"],
      ["rate(0 days)"],
      ["rate(1 second)"],
      ["cron(99 * * * ? *)"],
      ["cron(0 24 * * ? *)"],
      ["cron(0 10 * * * *)"],
      ["cron(0 10 ? * ? *)"],
      ["cron(0 10 32 * ? *)"],
      ["cron(? 10 1 * ? *)"],
      ["cron(0 10 * 13 ? *)"],
      ["cron(0 10 ? * 8 *)"],
      ["cron(10-5 10 * * ? *)"],
      ["cron(0 10 * * ? 1969)"],
      ["cron(0 10 * * ?)"],
      ["at(2026-02-30T10:00:00)"],
      ["at(2026-02-03)"],
      ["every day"],
      ["cron(0 10 * * ? *)", "Asia/Manilla"],
    ] as const) {
      it(`${expression}${zone === undefined ? "" : ` in ${zone}`}`, async () => {
        const wrong = { ScheduleExpression: expression, ScheduleExpressionTimezone: zone };
        const refusal = (work: Promise<unknown>) =>
          work.then(
            () => "accepted",
            (error: Error) => error.name,
          );
        expect(await refusal(schedule(expression, target, wrong))).to.equal("ValidationException");
        const { Name, Target } = await schedule("rate(1 day)", target);
        const update = scheduler.updateSchedule({ Name, Target, ...OFF, ...wrong });
        expect(await refusal(update)).to.equal("ValidationException");
      });
    }

    it("and takes what AWS takes", async () => {
      for (const expression of [
        "rate(1 minute)",
        "rate(5 minutes)",
        "cron(17 * * * ? *)",
        "cron(0/15 8-17 ? * MON-FRI *)",
        "cron(0 10 L * ? 2026-2030)",
        "cron(0 10 ? * 6#3 *)",
        "at(2026-02-28T10:00:00)",
      ])
        await schedule(expression, target);
    });
  });

  it("says when the next schedule of any region is due, in its own time zone", async () => {
    const { arn } = await queue();
    expect(await next()).to.equal(null);
    aws.setTime(new Date("2027-03-27T12:00:00Z"));
    const zone = (ScheduleExpressionTimezone: string) => ({ ScheduleExpressionTimezone });
    const manila = await schedule("cron(0 10 * * ? *)", { Arn: arn }, zone("Asia/Manila"));
    expect(await next()).to.equal("2027-03-28T02:00:00.000Z");
    // 02:30 does not exist in Berlin on the day when summer time begins: AWS leaves that day out.
    const berlin = await schedule("cron(30 2 28-31 * ? *)", { Arn: arn }, zone("Europe/Berlin"));
    await scheduler.deleteSchedule({ Name: manila.Name });
    expect(await next()).to.equal("2027-03-29T00:30:00.000Z");
    const elsewhere = new Scheduler({ region: regions[1] });
    const there = { Name: "there", ScheduleExpression: "at(2027-03-28T00:00:00)", ...OFF };
    await elsewhere.createSchedule({ ...there, Target: { Arn: arn, RoleArn } });
    expect(await next()).to.equal("2027-03-28T00:00:00.000Z");
    await elsewhere.deleteSchedule({ Name: "there" });
    // 02:30 comes twice when it ends: once is enough.
    aws.setTime(new Date("2027-10-31T00:31:00Z"));
    await tick();
    expect(await next()).to.equal("2027-11-28T01:30:00.000Z");
    await scheduler.deleteSchedule({ Name: berlin.Name });
    expect(await next()).to.equal(null);
  });

  it("starts a due schedule once, whatever the clock jumped and however often it is asked", async () => {
    const { arn, taken } = await queue();
    aws.setTime(new Date("2028-01-01T00:00:30Z"));
    await schedule("cron(17 * * * ? *)", { Arn: arn, Input: '{"at":"<aws.scheduler.scheduled-time>"}' });
    await tick();
    expect(await taken()).to.have.length(0);
    aws.setTime(new Date("2028-01-06T05:17:00.500Z"));
    await Promise.all([tick(), tick(), tick()]);
    expect((await taken()).map(({ Body }) => Body)).to.deep.equal(['{"at":"2028-01-06T05:17:00Z"}']);
    expect(await next()).to.equal("2028-01-06T06:17:00.000Z");
    aws.setTime(new Date("2028-01-06T06:16:59Z"));
    await tick();
    expect(await taken()).to.have.length(0);
    aws.setTime(new Date("2028-01-06T06:17:00Z"));
    await tick();
    expect(await taken()).to.have.length(1);
  });

  it("starts a rate at once and then at its pace, and a time that is named once", async () => {
    const every = await queue();
    const once = await queue();
    aws.setTime(new Date("2028-02-01T00:00:00Z"));
    await schedule("rate(10 minutes)", { Arn: every.arn });
    const kept = await schedule("at(2028-02-01T00:15:00)", { Arn: once.arn });
    const removed = await schedule("at(2028-02-01T00:15:00)", { Arn: once.arn }, { ActionAfterCompletion: "DELETE" });
    await tick();
    expect(await every.taken()).to.have.length(1);
    aws.setTime(new Date("2028-02-01T00:09:00Z"));
    await tick();
    expect(await every.taken()).to.have.length(0);
    for (const minute of [11, 15, 16]) {
      aws.setTime(new Date(Date.UTC(2028, 1, 1, 0, minute, 5)));
      await tick();
    }
    expect(await every.taken()).to.have.length(1);
    expect(await once.taken()).to.have.length(2);
    expect((await scheduler.getSchedule({ Name: kept.Name })).Name).to.equal(kept.Name);
    const gone = await scheduler.getSchedule({ Name: removed.Name }).catch((error: Error) => error.name);
    expect(gone).to.equal("ResourceNotFoundException");
  });

  it("does not make good what was due while a schedule was disabled, or after its end", async () => {
    const { arn, taken } = await queue();
    aws.setTime(new Date("2028-03-01T00:00:00Z"));
    const { Name, Target } = await schedule("cron(0 * * * ? *)", { Arn: arn }, { State: "DISABLED" });
    aws.setTime(new Date("2028-03-01T05:30:00Z"));
    expect(await next()).to.equal(null);
    const EndDate = new Date("2028-03-01T06:30:00Z");
    await scheduler.updateSchedule({ Name, Target, ScheduleExpression: "cron(0 * * * ? *)", ...OFF, EndDate });
    await tick();
    expect(await taken()).to.have.length(0);
    aws.setTime(new Date("2028-03-01T08:30:00Z"));
    await tick();
    expect(await taken(), "the last slot before its end").to.have.length(1);
    await tick();
    expect(await taken()).to.have.length(0);
  });

  it("tries a missing function again by the schedule's policy, then leaves the event in its own queue", async () => {
    const letters = await queue();
    const Arn = `arn:aws:lambda:${region}:${account}:function:nobody`;
    aws.setTime(new Date("2028-04-01T00:00:00Z"));
    const { Name } = await schedule("at(2028-04-01T00:10:00)", {
      Arn,
      Input: '{"trigger":"schedule"}',
      RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 3600 },
      DeadLetterConfig: { Arn: letters.arn },
    });
    for (const minute of ["00:10", "00:11", "00:13"]) {
      const due = await next();
      // A pause begins when an attempt has failed: some milliseconds after the minute.
      expect(due).to.contain(`2028-04-01T${minute}:00`);
      expect(await letters.taken()).to.have.length(0);
      aws.setTime(new Date(due ?? ""));
      await tick();
    }
    const [letter, ...others] = await letters.taken();
    expect(others).to.have.length(0);
    expect(letter?.Body).to.equal('{"trigger":"schedule"}');
    const told = Object.entries(letter?.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue]);
    expect(Object.fromEntries(told)).to.include({
      EXHAUSTED_RETRY_CONDITION: "MaximumRetryAttempts",
      RETRY_ATTEMPTS: "2",
      TARGET_ARN: Arn,
      SCHEDULE_ARN: `arn:aws:scheduler:${region}:${account}:schedule/default/${Name}`,
      SCHEDULED_TIME: "2028-04-01T00:10:00Z",
    });
    expect(await next()).to.equal(null);
  });

  it("starts nothing that its role may not start, nor one that does not trust the scheduler", async () => {
    const target = await queue();
    const letters = await queue();
    const RetryPolicy = { MaximumRetryAttempts: 0 };
    const due = (more: object = {}) =>
      schedule("at(2028-04-02T00:00:00)", {
        Arn: target.arn,
        RetryPolicy,
        DeadLetterConfig: { Arn: letters.arn },
        ...more,
      });
    aws.setTime(new Date("2028-04-02T00:00:01Z"));
    await allow("lambda:InvokeFunction");
    await due();
    await tick();
    expect(await target.taken()).to.have.length(0);
    expect(await letters.taken(), "nor into its queue").to.have.length(0);
    await allow("lambda:InvokeFunction", "sqs:SendMessage");
    await due();
    await tick();
    expect(await target.taken()).to.have.length(1);
    const Condition = {
      StringEquals: { "aws:SourceArn": `arn:aws:scheduler:${region}:${account}:schedule-group/another` },
    };
    const statement = { ...JSON.parse(trust("scheduler.amazonaws.com")).Statement[0], Condition };
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    await iam.updateAssumeRolePolicy({ RoleName: "scheduler", PolicyDocument });
    await due();
    await tick();
    expect(await target.taken()).to.have.length(0);
    const ours = PolicyDocument.replace("schedule-group/another", "schedule-group/default");
    await iam.updateAssumeRolePolicy({ RoleName: "scheduler", PolicyDocument: ours });
    await due();
    await tick();
    expect(await target.taken()).to.have.length(1);
  });

  describe("functions", () => {
    const FunctionName = "worker";
    const Arn = `arn:aws:lambda:${region}:${account}:function:${FunctionName}`;

    before(async () => {
      const code = `exports.handler = async (event) => {
        await new Promise((done) => setTimeout(done, event.wait ?? 0));
        if (event.fail) throw new Error("refused to work");
        return "done";
      };`;
      const ZipFile = zip(new Map([["index.js", Buffer.from(code)]]));
      await iam.createRole({ RoleName: "worker", AssumeRolePolicyDocument: trust("lambda.amazonaws.com") });
      const Role = `arn:aws:iam::${account}:role/worker`;
      const common = { Role, Runtime: "nodejs24.x", Handler: "index.handler", Code: { ZipFile } } as const;
      await lambda.createFunction({ FunctionName, Timeout: 10, ...common });
    });

    it("are counted from when they are asked for until they have ended", async () => {
      aws.setTime(new Date("2028-05-01T00:00:00Z"));
      expect(await aws.control("GET", "activity")).to.deep.equal({ invocations: 0, requests: 0 });
      await schedule("at(2028-05-01T00:00:00)", { Arn, Input: '{"wait":300}' });
      await tick();
      expect((await aws.control("GET", "activity")).invocations).to.equal(1);
      const Payload = Buffer.from('{"wait":300}');
      const both = Promise.all([
        lambda.invoke({ FunctionName, Payload }),
        lambda.invoke({ FunctionName, Payload, InvocationType: "Event" }),
      ]);
      let most = { invocations: 0, requests: 0 };
      while (most.invocations < 3) most = await aws.control("GET", "activity");
      expect(most).to.deep.equal({ invocations: 3, requests: 1 });
      await both;
      await aws.settle();
    });

    it("are left out, when told to be sparing, in an hour in which they have ended well", async () => {
      const economy = (on: boolean) => aws.control("POST", "scheduler/economy", { on });
      const letters = await queue();
      const OnFailure = { Destination: letters.arn };
      const config = { FunctionName, MaximumRetryAttempts: 0, DestinationConfig: { OnFailure } };
      await lambda.putFunctionEventInvokeConfig(config);
      const runs = async (time: string, Input: string) => {
        const { Name } = await schedule(`at(${time})`, { Arn, Input });
        aws.setTime(new Date(`${time}Z`));
        await tick();
        const { invocations } = await aws.control("GET", "activity");
        await aws.settle();
        await scheduler.deleteSchedule({ Name });
        return invocations === 1;
      };
      const wait = '{"wait":200}';
      await economy(true);
      try {
        expect(await runs("2028-05-02T10:17:00", '{"wait":200,"fail":true}'), "the first").to.equal(true);
        expect(await runs("2028-05-02T10:32:00", wait), "after one that failed").to.equal(true);
        expect(await runs("2028-05-02T10:47:00", wait), "after one that ended well").to.equal(false);
        expect(await runs("2028-05-02T11:17:00", wait), "in the next hour").to.equal(true);
        await economy(false);
        expect(await runs("2028-05-02T11:32:00", wait), "without being sparing").to.equal(true);
      } finally {
        await economy(false);
      }
    });

    it("live through a jump of the clock by a quarter, as does a connection that is open", async () => {
      aws.setTime(new Date("2028-06-01T00:00:00Z"));
      const running = lambda.invoke({ FunctionName, Payload: Buffer.from('{"wait":300}') });
      aws.setTime(new Date("2028-08-30T00:00:00Z"));
      const answer = await lambda.invoke({ FunctionName, Payload: Buffer.from("{}") });
      expect(Buffer.from(answer.Payload ?? []).toString()).to.equal('"done"');
      expect(Buffer.from((await running).Payload ?? []).toString()).to.equal('"done"');
      const date = (await fetch(`${aws.url}/_ministack/ready`)).headers.get("date");
      expect(new Date(date ?? 0).toISOString()).to.match(/^2028-08-30T00:00:/);
    });

    it("that fail leave the event and the number of attempts in the destination, the raw event in a queue", async () => {
      const destination = await queue();
      const letters = await queue();
      const retries = { FunctionName, MaximumRetryAttempts: 0 };
      const fail = () =>
        lambda.invoke({ FunctionName, Payload: Buffer.from('{"fail":true}'), InvocationType: "Event" });
      const OnFailure = { Destination: destination.arn };
      await lambda.putFunctionEventInvokeConfig({ ...retries, DestinationConfig: { OnFailure } });
      await fail();
      await aws.settle();
      const [told] = await destination.taken();
      const envelope = JSON.parse(told?.Body ?? "{}");
      expect(envelope.requestPayload).to.deep.equal({ fail: true });
      expect(envelope.requestContext).to.include({ condition: "RetriesExhausted", approximateInvokeCount: 1 });
      expect(envelope.responsePayload.errorMessage).to.contain("refused to work");
      await lambda.putFunctionEventInvokeConfig(retries);
      await lambda.updateFunctionConfiguration({ FunctionName, DeadLetterConfig: { TargetArn: letters.arn } });
      await fail();
      await aws.settle();
      const [letter] = await letters.taken();
      expect(letter?.Body).to.equal('{"fail": true}');
      expect(letter?.MessageAttributes?.ErrorMessage?.StringValue).to.contain("refused to work");
      expect(await destination.taken()).to.have.length(0);
    });
  });

  it("lets no one change anything without the token, and says which routes there are", async () => {
    const ask = (method: string, path: string, token?: string) =>
      fetch(`${aws.url}/_sandbox/${path}`, {
        method,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      });
    expect((await ask("POST", "scheduler/tick")).status).to.equal(401);
    expect((await ask("POST", "scheduler/tick", "another")).status).to.equal(401);
    expect((await ask("POST", "scheduler/tick", TOKEN)).status).to.equal(200);
    expect((await ask("GET", "activity")).status).to.equal(200);
    const missing = await ask("GET", "nothing");
    expect(missing.status).to.equal(404);
    expect(await missing.text()).to.contain("POST /_sandbox/scheduler/tick");
  });
});
