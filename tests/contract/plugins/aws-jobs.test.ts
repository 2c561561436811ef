import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { Lambda } from "@aws-sdk/client-lambda";
import { Scheduler } from "@aws-sdk/client-scheduler";
import { SQS } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { awsProvider } from "../../../sandbox/plugins/aws/provider";
import { resourcePolicy, trust } from "../../support/iam-policies";
import { type MiniStack, startMiniStack } from "../../support/ministack";
import { type Held, PluginClient } from "../../support/plugin";
import { live } from "../../support/plugin-cycle";

const region = "ap-southeast-1";

describe("stand-in for aws: tables, functions, schedules, queues", function () {
  this.timeout(60_000);
  let ministack: MiniStack;
  let plugin: PluginClient;
  let role: Held;
  let func: Held;
  let topic: Held;
  let queue: Held;

  before(async () => {
    ministack = await startMiniStack();
    plugin = await PluginClient.start(awsProvider, { region });
    role = await plugin.make("aws:iam/role:Role", { name: "runner", assumeRolePolicy: trust("lambda.amazonaws.com") });
    func = await plugin.make("aws:lambda/function:Function", functionInputs(role.state.arn, "1"));
    topic = await plugin.make("aws:sns/topic:Topic", { name: "alerts" });
    queue = await plugin.make("aws:sqs/queue:Queue", { name: "letters" });
  });
  after(async () => {
    plugin?.close();
    await ministack?.stop();
  });

  it("dynamodb Table", async () => {
    const dynamodb = new DynamoDB({ region });
    const { state: key } = await plugin.make("aws:kms/key:Key", {});
    await live(plugin, {
      token: "aws:dynamodb/table:Table",
      inputs: {
        name: "runs",
        billingMode: "PAY_PER_REQUEST",
        hashKey: "id",
        attributes: [
          { name: "id", type: "S" },
          { name: "day", type: "S" },
        ],
        globalSecondaryIndexes: [{ name: "byDay", hashKey: "day", rangeKey: "id", projectionType: "ALL" }],
        ttl: { enabled: true, attributeName: "expires" },
        pointInTimeRecovery: { enabled: true },
        serverSideEncryption: { enabled: true, kmsKeyArn: key.arn },
        tags: { a: "b" },
      },
      change: {
        deletionProtectionEnabled: true,
        attributes: [{ name: "id", type: "S" }],
        globalSecondaryIndexes: [],
        pointInTimeRecovery: { enabled: false },
        tags: { c: "d" },
      },
      replace: { hashKey: "other", name: "other" },
      unknown: ["arn"],
      drift: {
        by: () =>
          dynamodb.updateContinuousBackups({
            TableName: "runs",
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
          }),
        shows: ["pointInTimeRecovery.enabled"],
      },
      lose: () => dynamodb.deleteTable({ TableName: "runs" }),
    });
  });

  it("lambda Function", () => {
    const lambda = new Lambda({ region });
    return live(plugin, {
      token: "aws:lambda/function:Function",
      inputs: { ...functionInputs(role.state.arn, "1"), name: "capture" },
      change: {
        code: code("2"),
        timeout: 60,
        environment: { variables: { SYSTEM: "b", MORE: "c" } },
        deadLetterConfig: { targetArn: queue.state.arn },
        reservedConcurrentExecutions: 1,
      },
      replace: { name: "other" },
      unknown: ["arn", "qualifiedArn", "sourceCodeHash"],
      drift: {
        by: () =>
          lambda.updateFunctionConfiguration({ FunctionName: "capture", Environment: { Variables: { SYSTEM: "x" } } }),
        shows: ["environment.variables.SYSTEM"],
      },
      lose: () => lambda.deleteFunction({ FunctionName: "capture" }),
    });
  });

  it("lambda Function: what was packed runs", async () => {
    const answer = await new Lambda({ region }).invoke({ FunctionName: func.id });
    expect(Buffer.from(answer.Payload ?? []).toString()).to.equal('"1"');
  });

  it("lambda Permission", () =>
    live(plugin, {
      token: "aws:lambda/permission:Permission",
      inputs: {
        action: "lambda:InvokeFunction",
        function: func.id,
        principal: "scheduler.amazonaws.com",
        sourceArn: "arn:aws:scheduler:ap-southeast-1:000000000000:schedule/x/*",
        sourceAccount: "000000000000",
        statementId: "scheduler",
      },
      replace: { principal: "events.amazonaws.com", statementId: "x" },
      lose: ({ id }) => new Lambda({ region }).removePermission({ FunctionName: func.id, StatementId: id }),
    }));

  it("lambda FunctionEventInvokeConfig", () =>
    live(plugin, {
      token: "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
      inputs: {
        functionName: func.id,
        maximumRetryAttempts: 0,
        maximumEventAgeInSeconds: 900,
        destinationConfig: { onFailure: { destination: queue.state.arn } },
      },
      change: { maximumRetryAttempts: 1, destinationConfig: { onFailure: { destination: topic.state.arn } } },
      lose: ({ id }) => new Lambda({ region }).deleteFunctionEventInvokeConfig({ FunctionName: id }),
    }));

  it("scheduler ScheduleGroup", () =>
    live(plugin, {
      token: "aws:scheduler/scheduleGroup:ScheduleGroup",
      inputs: { name: "usc-pis", tags: { a: "b" } },
      replace: { name: "other" },
      unknown: ["arn"],
      lose: ({ id }) => new Scheduler({ region }).deleteScheduleGroup({ Name: id }),
    }));

  it("scheduler Schedule", async () => {
    const scheduler = new Scheduler({ region });
    const group = await plugin.make("aws:scheduler/scheduleGroup:ScheduleGroup", { name: "jobs" });
    const named = { GroupName: group.id, Name: "hourly" };
    const target = {
      arn: func.state.arn,
      roleArn: role.state.arn,
      input: '{"trigger": "schedule"}',
      deadLetterConfig: { arn: queue.state.arn },
      retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: 900 },
    };
    await live(plugin, {
      token: "aws:scheduler/schedule:Schedule",
      inputs: {
        name: "hourly",
        groupName: group.id,
        scheduleExpression: "cron(17 * * * ? *)",
        flexibleTimeWindow: { mode: "OFF" },
        target,
      },
      change: {
        scheduleExpression: "rate(1 hour)",
        state: "DISABLED",
        flexibleTimeWindow: { mode: "FLEXIBLE", maximumWindowInMinutes: 5 },
        target: { ...target, retryPolicy: { maximumRetryAttempts: 1, maximumEventAgeInSeconds: 60 } },
      },
      replace: { name: "other" },
      unknown: ["arn"],
      drift: {
        by: async () => {
          const now = await scheduler.getSchedule(named);
          const { ScheduleExpression, FlexibleTimeWindow, Target } = now;
          await scheduler.updateSchedule({
            ...named,
            ScheduleExpression,
            FlexibleTimeWindow,
            Target,
            State: "DISABLED",
          });
        },
        shows: ["state"],
      },
      lose: () => scheduler.deleteSchedule(named),
    });
  });

  it("sqs Queue", () => {
    const sqs = new SQS({ region });
    return live(plugin, {
      token: "aws:sqs/queue:Queue",
      inputs: {
        name: "dead",
        messageRetentionSeconds: 1209600,
        tags: { a: "b" },
        policy: resourcePolicy("sqs:*", "*"),
      },
      change: { visibilityTimeoutSeconds: 60, tags: { c: "d" }, kmsMasterKeyId: "alias/aws/sqs" },
      replace: { name: "other" },
      unknown: ["arn", "url"],
      drift: {
        by: ({ id }) => sqs.setQueueAttributes({ QueueUrl: id, Attributes: { MessageRetentionPeriod: "60" } }),
        shows: ["messageRetentionSeconds"],
      },
      lose: ({ id }) => sqs.deleteQueue({ QueueUrl: id }),
    });
  });
});

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const code = (answer: string) => ({
  [SIGNATURE]: "0def7320c3a5731c473e5ecbe6d01bc7",
  hash: `hash of ${answer}`,
  assets: {
    "index.js": {
      [SIGNATURE]: "c44067f5952c0a294b673a41bacd8c17",
      hash: answer,
      text: `exports.handler = async () => ${JSON.stringify(answer)};`,
    },
  },
});

const functionInputs = (role: string, answer: string) => ({
  name: "answering",
  role,
  code: code(answer),
  handler: "index.handler",
  runtime: "nodejs24.x",
  memorySize: 256,
  timeout: 30,
  environment: { variables: { SYSTEM: "a" } },
  loggingConfig: { logFormat: "JSON", logGroup: "/aws/lambda/answering" },
});
