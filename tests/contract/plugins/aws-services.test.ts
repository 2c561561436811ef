import { CloudWatch } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { IAM } from "@aws-sdk/client-iam";
import { KMS } from "@aws-sdk/client-kms";
import { Lambda } from "@aws-sdk/client-lambda";
import { Scheduler } from "@aws-sdk/client-scheduler";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { awsProvider } from "../../../sandbox/plugins/aws/provider";
import { type MiniStack, startMiniStack } from "../../support/ministack";
import { type Held, PluginClient } from "../../support/plugin";
import { live } from "../../support/plugin-cycle";

const region = "ap-southeast-1";

describe("stand-in for aws: services", function () {
  this.timeout(60_000);
  let ministack: MiniStack;
  let plugin: PluginClient;
  let role: Held;
  let func: Held;
  let topic: Held;
  let queue: Held;
  let secret: Held;

  before(async () => {
    ministack = await startMiniStack();
    plugin = await PluginClient.start(awsProvider, { region });
    role = await plugin.make("aws:iam/role:Role", { name: "runner", assumeRolePolicy: trust("lambda.amazonaws.com") });
    func = await plugin.make("aws:lambda/function:Function", functionInputs(role.state.arn, "1"));
    topic = await plugin.make("aws:sns/topic:Topic", { name: "alerts" });
    queue = await plugin.make("aws:sqs/queue:Queue", { name: "letters" });
    secret = await plugin.make("aws:secretsmanager/secret:Secret", { name: "token", recoveryWindowInDays: 0 });
  });
  after(async () => {
    plugin?.close();
    await ministack?.stop();
  });

  it("kms Key", () => {
    const kms = new KMS({ region });
    return live(plugin, {
      token: "aws:kms/key:Key",
      inputs: {
        description: "vault",
        enableKeyRotation: true,
        deletionWindowInDays: 30,
        policy: resourcePolicy("kms:*", "*"),
        tags: { a: "b" },
      },
      change: { description: "other", deletionWindowInDays: 7, policy: resourcePolicy("kms:Decrypt", "*"), tags: {} },
      replace: { multiRegion: true },
      unknown: ["arn", "keyId"],
      drift: { by: ({ id }) => kms.disableKeyRotation({ KeyId: id }), shows: ["enableKeyRotation"] },
      lose: ({ id }) => kms.scheduleKeyDeletion({ KeyId: id, PendingWindowInDays: 7 }),
    });
  });

  it("kms Key: its deletion waits as long as the program said", async () => {
    const held = await plugin.make("aws:kms/key:Key", { deletionWindowInDays: 9 });
    await plugin.delete(held);
    const { KeyMetadata } = await new KMS({ region }).describeKey({ KeyId: held.id });
    const days = ((KeyMetadata?.DeletionDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(KeyMetadata?.KeyState).to.equal("PendingDeletion");
    expect(days).to.be.within(8.9, 9.1);
  });

  it("kms Alias", async () => {
    const one = await plugin.make("aws:kms/key:Key", {});
    const two = await plugin.make("aws:kms/key:Key", {});
    await live(plugin, {
      token: "aws:kms/alias:Alias",
      inputs: { name: "alias/vault", targetKeyId: one.state.arn },
      change: { targetKeyId: two.state.keyId },
      replace: { name: "alias/other" },
      unknown: ["targetKeyArn"],
      lose: ({ id }) => new KMS({ region }).deleteAlias({ AliasName: id }),
    });
  });

  it("iam Role", () => {
    const iam = new IAM({ region });
    return live(plugin, {
      token: "aws:iam/role:Role",
      // MiniStack keeps a description that is set to nothing, so it is changed and never removed here.
      inputs: {
        name: "capture",
        assumeRolePolicy: trust("lambda.amazonaws.com"),
        description: "old",
        tags: { a: "b" },
      },
      change: { assumeRolePolicy: trust("scheduler.amazonaws.com"), description: "new", maxSessionDuration: 7200 },
      replace: { name: "other", path: "/x/" },
      unknown: ["arn", "uniqueId"],
      drift: {
        by: () => iam.updateAssumeRolePolicy({ RoleName: "capture", PolicyDocument: trust("ec2.amazonaws.com") }),
        shows: ["assumeRolePolicy"],
      },
      lose: () => iam.deleteRole({ RoleName: "capture" }),
    });
  });

  it("iam RolePolicy", () => {
    const iam = new IAM({ region });
    const named = { RoleName: "runner", PolicyName: "main" };
    return live(plugin, {
      token: "aws:iam/rolePolicy:RolePolicy",
      inputs: { role: role.id, name: "main", policy: identityPolicy("s3:GetObject") },
      change: { policy: identityPolicy("s3:PutObject") },
      replace: { name: "other", role: "other" },
      drift: {
        by: () => iam.putRolePolicy({ ...named, PolicyDocument: identityPolicy("s3:*") }),
        shows: ["policy"],
      },
      lose: () => iam.deleteRolePolicy(named),
    });
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

  it("sns Topic", () =>
    live(plugin, {
      token: "aws:sns/topic:Topic",
      inputs: { name: "other-alerts", displayName: "USC-PIS", kmsMasterKeyId: "alias/one", tags: { a: "b" } },
      change: { displayName: "USC", tags: {} },
      replace: { name: "x" },
      unknown: ["arn"],
      lose: ({ id }) => new SNS({ region }).deleteTopic({ TopicArn: id }),
    }));

  it("sns TopicPolicy", () => {
    const sns = new SNS({ region });
    const { arn } = topic.state;
    return live(plugin, {
      token: "aws:sns/topicPolicy:TopicPolicy",
      inputs: { arn, policy: resourcePolicy("SNS:Publish", arn) },
      change: { policy: resourcePolicy("SNS:Subscribe", arn) },
      replace: { arn: "arn:aws:sns:ap-southeast-1:000000000000:x" },
      drift: {
        by: () =>
          sns.setTopicAttributes({
            TopicArn: arn,
            AttributeName: "Policy",
            AttributeValue: resourcePolicy("SNS:GetTopicAttributes", arn),
          }),
        shows: ["policy"],
      },
      endsWithDelete: false,
    });
  });

  it("sns TopicSubscription", () =>
    live(plugin, {
      token: "aws:sns/topicSubscription:TopicSubscription",
      inputs: { topic: topic.id, protocol: "email", endpoint: "admin@example.org" },
      replace: { endpoint: "other@example.org", protocol: "sqs" },
      unknown: ["arn", "pendingConfirmation"],
      lose: ({ id }) => new SNS({ region }).unsubscribe({ SubscriptionArn: id }),
    }));

  it("sns TopicSubscription of a queue, with a filter", () =>
    live(plugin, {
      token: "aws:sns/topicSubscription:TopicSubscription",
      inputs: {
        topic: topic.id,
        protocol: "sqs",
        endpoint: queue.state.arn,
        rawMessageDelivery: true,
        filterPolicy: '{ "kind": ["a"] }',
      },
      change: { rawMessageDelivery: false, filterPolicy: '{"kind":["b"]}' },
    }));

  it("sns TopicSubscription: what the emulator can't confirm is refused", async () => {
    const { failures } = await plugin.check("aws:sns/topicSubscription:TopicSubscription", {
      topic: topic.id,
      protocol: "https",
      endpoint: "https://example.org",
    });
    expect(failures[0]).to.match(/protocol is "https"/);
  });

  it("cloudwatch MetricAlarm", () => {
    const cloudwatch = new CloudWatch({ region });
    return live(plugin, {
      token: "aws:cloudwatch/metricAlarm:MetricAlarm",
      inputs: {
        name: "no-success",
        alarmDescription: "runbook",
        namespace: "UscPis",
        metricName: "CaptureSucceeded",
        dimensions: { System: "usc-pis" },
        statistic: "Sum",
        period: 3600,
        evaluationPeriods: 2,
        datapointsToAlarm: 2,
        threshold: 1,
        comparisonOperator: "LessThanThreshold",
        treatMissingData: "breaching",
        alarmActions: [topic.id],
        okActions: [topic.id],
        tags: { a: "b" },
      },
      change: { threshold: 2, treatMissingData: "notBreaching", dimensions: { System: "x" }, okActions: [] },
      replace: { name: "other" },
      unknown: ["arn"],
      drift: {
        by: async () => {
          const found = await cloudwatch.describeAlarms({ AlarmNames: ["no-success"] });
          const { AlarmName, Namespace, MetricName, Statistic, Period } = found.MetricAlarms?.[0] ?? {};
          await cloudwatch.putMetricAlarm({
            ...{ AlarmName, Namespace, MetricName, Statistic, Period },
            EvaluationPeriods: 2,
            Threshold: 1,
            ComparisonOperator: "LessThanThreshold",
            ActionsEnabled: false,
          });
        },
        shows: ["actionsEnabled", "alarmActions[0]", "treatMissingData"],
      },
      lose: ({ id }) => cloudwatch.deleteAlarms({ AlarmNames: [id] }),
    });
  });

  it("cloudwatch Dashboard", () => {
    const cloudwatch = new CloudWatch({ region });
    const body = (text: string) => JSON.stringify({ widgets: [{ type: "text", properties: { markdown: text } }] });
    return live(plugin, {
      token: "aws:cloudwatch/dashboard:Dashboard",
      inputs: { dashboardName: "usc-pis", dashboardBody: body("one") },
      change: { dashboardBody: body("two") },
      replace: { dashboardName: "other" },
      drift: {
        by: ({ id }) => cloudwatch.putDashboard({ DashboardName: id, DashboardBody: body("drift") }),
        shows: ["dashboardBody"],
      },
      lose: ({ id }) => cloudwatch.deleteDashboards({ DashboardNames: [id] }),
    });
  });

  it("cloudwatch LogGroup", () => {
    const logs = new CloudWatchLogs({ region });
    return live(plugin, {
      token: "aws:cloudwatch/logGroup:LogGroup",
      inputs: { name: "/aws/lambda/x", retentionInDays: 30, tags: { a: "b" } },
      change: { retentionInDays: 60, tags: { c: "d" } },
      replace: { name: "other" },
      unknown: ["arn"],
      drift: { by: ({ id }) => logs.deleteRetentionPolicy({ logGroupName: id }), shows: ["retentionInDays"] },
      lose: ({ id }) => logs.deleteLogGroup({ logGroupName: id }),
    });
  });

  it("secretsmanager Secret", () => {
    const secrets = new SecretsManager({ region });
    return live(plugin, {
      token: "aws:secretsmanager/secret:Secret",
      inputs: { name: "heroku", description: "a", recoveryWindowInDays: 0, tags: { a: "b" } },
      change: { description: "b", recoveryWindowInDays: 7, tags: { c: "d" } },
      replace: { name: "other" },
      unknown: ["arn"],
      lose: ({ id }) => secrets.deleteSecret({ SecretId: id, ForceDeleteWithoutRecovery: true }),
    });
  });

  it("secretsmanager SecretVersion: a secret value, and a new one replaces it", async () => {
    const token = "aws:secretsmanager/secretVersion:SecretVersion";
    const inputs = { secretId: secret.id, secretString: "one" };
    await live(plugin, {
      token,
      inputs,
      replace: { secretString: "two" },
      unknown: ["versionId"],
      endsWithDelete: false,
    });
    const { inputs: checked } = await plugin.check(token, inputs);
    const { secrets } = await plugin.create(token, checked);
    expect(secrets).to.deep.include({ secretString: true });
    const value = await new SecretsManager({ region }).getSecretValue({ SecretId: secret.id });
    expect(value.SecretString).to.equal("one");
  });

  it("getCallerIdentity", async () => {
    const identity = await plugin.invoke("aws:index/getCallerIdentity:getCallerIdentity");
    expect(identity).to.include({ accountId: "000000000000", id: "000000000000" });
  });

  it("refuses nested inputs, configuration, types and functions that it does not carry out", async () => {
    const nested = await plugin.check("aws:dynamodb/table:Table", {
      hashKey: "id",
      ttl: { enabled: true, attributeName: "x", other: 1 },
    });
    expect(nested.failures.join()).to.contain("ttl.other");
    const message = (work: Promise<unknown>) =>
      work.then(
        () => "",
        (error: Error) => error.message,
      );
    expect(await message(PluginClient.start(awsProvider, { region, endpoints: "[]" }))).to.contain("endpoints");
    expect(await message(plugin.check("aws:ec2/vpc:Vpc", {}))).to.contain("aws:ec2/vpc:Vpc");
    expect(await message(plugin.invoke("aws:index/getRegion:getRegion"))).to.contain("getRegion");
  });

  it("acts as the profile's role", async () => {
    const iam = new IAM({ region });
    await iam.createUser({ UserName: "ops" });
    await iam.putUserPolicy({ UserName: "ops", PolicyName: "a", PolicyDocument: identityPolicy("sts:AssumeRole") });
    const { AccessKey } = await iam.createAccessKey({ UserName: "ops" });
    await iam.createRole({ RoleName: "deployer", AssumeRolePolicyDocument: trustUser });
    await iam.putRolePolicy({ RoleName: "deployer", PolicyName: "a", PolicyDocument: identityPolicy("sqs:*") });
    const { mkdtempSync, rmSync, writeFileSync } = await import("node:fs");
    const folder = mkdtempSync("/tmp/usc-pis-profile-");
    writeFileSync(
      `${folder}/config`,
      `[profile ops]\naws_access_key_id = ${AccessKey?.AccessKeyId}\naws_secret_access_key = ${AccessKey?.SecretAccessKey}\n` +
        "[profile deployer]\nrole_arn = arn:aws:iam::000000000000:role/deployer\nsource_profile = ops\n",
    );
    const before = { ...process.env };
    delete process.env.AWS_ACCESS_KEY_ID;
    Object.assign(process.env, { AWS_CONFIG_FILE: `${folder}/config`, AWS_SHARED_CREDENTIALS_FILE: `${folder}/none` });
    const deployer = await PluginClient.start(awsProvider, { region, profile: "deployer" });
    try {
      const identity = await deployer.invoke("aws:index/getCallerIdentity:getCallerIdentity");
      expect(identity.arn).to.contain("assumed-role/deployer/");
      const held = await deployer.make("aws:sqs/queue:Queue", { name: "allowed" });
      await deployer.delete(held);
      const denied = await deployer.make("aws:kms/key:Key", {}).then(
        () => "",
        (error: Error) => error.message,
      );
      expect(denied).to.match(/AccessDenied/);
    } finally {
      deployer.close();
      process.env = before;
      rmSync(folder, { recursive: true });
    }
  });
});

const statement = (more: object) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...more }] });
const trust = (Service: string) => statement({ Principal: { Service }, Action: "sts:AssumeRole" });
const trustUser = statement({ Principal: { AWS: "arn:aws:iam::000000000000:root" }, Action: "sts:AssumeRole" });
const identityPolicy = (action: string) => statement({ Action: [action], Resource: "*" });
const resourcePolicy = (action: string, resource: string) =>
  statement({ Principal: { AWS: "arn:aws:iam::000000000000:root" }, Action: action, Resource: resource });

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
