import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { CreateTableCommand, DynamoDBClient, ListTablesCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { IAMClient, ListRolesCommand } from "@aws-sdk/client-iam";
import { KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { CreateTopicCommand, ListTopicsCommand, PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { findFault } from "../../sandbox/faults/catalogue";
import { parseParameters } from "../../sandbox/faults/named/define";
import { MIB, PRIMARY, REPLICA, sha256, signingS3, startTestGateway, type TestGateway } from "../support/gateway";

const Bucket = "told-to-fail";

describe("faults at the gateway", function () {
  this.timeout(60_000);
  let gateway: TestGateway;
  let s3: S3Client;
  const clients: { destroy(): void }[] = [];
  before(async () => {
    gateway = await startTestGateway();
    s3 = await signingS3(gateway, Bucket);
    clients.push(s3);
  });
  after(async () => {
    for (const client of clients) client.destroy();
    await gateway?.stop();
  });
  afterEach(() => gateway.control("DELETE", "faults"));

  const told = (...rules: object[]) => gateway.control("POST", "faults", { rules });
  const hits = async () => (await gateway.control("GET", "faults")).faults.map((one: { hits: number }) => one.hits);
  const put = (Key: string, Body: Uint8Array | string, more = {}) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const stream = (Key: string, bytes: Buffer) => {
    const Body = Readable.from([bytes.subarray(0, 1000), bytes.subarray(1000)], { objectMode: false });
    return put(Key, Body as never, { ContentLength: bytes.length, ChecksumAlgorithm: "SHA256" });
  };
  const get = (Key: string, more = {}) => s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
  const read = async (Key: string, more = {}) => {
    const { Body } = await get(Key, more);
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  const head = (Key: string) => s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
  const failed = (work: Promise<unknown>): Promise<any> =>
    work.then(
      () => "succeeded",
      (error) => error,
    );

  it("are told in the words that each service's SDK understands", async () => {
    const options = gateway.root();
    const asked: [string, { send(command: any): Promise<unknown>; destroy(): void }, object][] = [
      ["s3", s3, new HeadObjectCommand({ Bucket, Key: "none" })],
      ["s3", s3, new GetObjectCommand({ Bucket, Key: "none" })],
      ["dynamodb", new DynamoDBClient(options), new ListTablesCommand({})],
      ["kms", new KMSClient(options), new ListKeysCommand({})],
      ["lambda", new LambdaClient(options), new ListFunctionsCommand({})],
      ["sqs", new SQSClient(options), new ListQueuesCommand({})],
      ["sns", new SNSClient(options), new ListTopicsCommand({})],
      ["iam", new IAMClient(options), new ListRolesCommand({})],
      [
        "monitoring",
        new CloudWatchClient(options),
        new PutMetricDataCommand({ Namespace: "n", MetricData: [{ MetricName: "m", Value: 1 }] }),
      ],
    ];
    for (const [service, client, command] of asked) {
      clients.push(client);
      await told({ service, status: 400, code: "ToldException", message: "of all things", times: 1 });
      const error = await failed(client.send(command));
      expect(error.$metadata?.httpStatusCode, service).to.equal(400);
      // An answer to HEAD has no body that could name the error.
      if (command instanceof HeadObjectCommand) continue;
      expect([error.name, error.message], service).to.deep.equal(["ToldException", "of all things"]);
      const again = await failed(client.send(command));
      expect(again === "succeeded" || again.name !== "ToldException", `${service} once only`).to.equal(true);
    }
  });

  it("hit one operation, found in its form, and no other", async () => {
    const sns = new SNSClient(gateway.root());
    clients.push(sns);
    await told({ service: "sns", operation: "Publish", status: 403, code: "AuthorizationError", message: "no" });
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "told" }));
    expect((await failed(sns.send(new PublishCommand({ TopicArn, Message: "x" })))).name).to.match(
      /^AuthorizationError/,
    );
    expect(await hits()).to.deep.equal([1]);
  });

  it("take a whole region, and leave the other", async () => {
    const there = new DynamoDBClient(gateway.root(PRIMARY));
    const here = new DynamoDBClient(gateway.root(REPLICA));
    clients.push(there, here);
    await told({ region: PRIMARY, cut: true });
    expect((await failed(there.send(new ListTablesCommand({})))).code).to.equal("ECONNRESET");
    expect(await failed(here.send(new ListTablesCommand({})))).to.equal("succeeded");
    await told({ region: PRIMARY, hang: true });
    const abortSignal = AbortSignal.timeout(200);
    expect((await failed(there.send(new ListTablesCommand({}), { abortSignal }))).name).to.match(/Timeout|Abort/);
    await told();
    expect(await failed(there.send(new ListTablesCommand({})))).to.equal("succeeded");
  });

  it("are survived by a client that tries again", async () => {
    const patient = new S3Client({ ...gateway.root(), maxAttempts: 3, forcePathStyle: true });
    clients.push(patient);
    await told({ service: "s3", status: 503, code: "SlowDown", message: "Please reduce your request rate.", times: 2 });
    await patient.send(new PutObjectCommand({ Bucket, Key: "again", Body: "there" }));
    expect(await hits()).to.deep.equal([2]);
    expect((await read("again")).toString()).to.equal("there");
  });

  it("change what is read", async () => {
    const bytes = randomBytes(200_000);
    await put("read", bytes);
    await told({ operation: "GetObject", flipBitAt: 70_000 });
    const flipped = await read("read", { ChecksumMode: "DISABLED" });
    expect(flipped.findIndex((byte, at) => byte !== bytes[at])).to.equal(70_000);
    const noticed = await failed(read("read", { ChecksumMode: "ENABLED" }));
    expect(noticed.message).to.match(/[Cc]hecksum/);
    await told({ operation: ["GetObject", "HeadObject"], truncateBy: 1 });
    expect((await head("read")).ContentLength).to.equal(199_999);
    expect((await read("read", { ChecksumMode: "DISABLED" })).equals(bytes.subarray(0, -1))).to.equal(true);
    await told({ operation: "GetObject", cutAfter: 100_000 });
    expect((await failed(read("read", { ChecksumMode: "DISABLED" }))).code).to.equal("ECONNRESET");
    await told();
    expect((await read("read")).equals(bytes)).to.equal(true);
  });

  it("store less than was sent, and say that all is well", async () => {
    const bytes = randomBytes(MIB);
    await told({ operation: "PutObject", shortenUpload: 100 });
    const { ETag } = await stream("short stream", bytes);
    await put("short", bytes, { ChecksumSHA256: sha256(bytes), IfNoneMatch: "*", Metadata: { note: "kept" } });
    expect(ETag).to.be.a("string");
    expect(await hits()).to.deep.equal([2]);
    for (const Key of ["short stream", "short"]) {
      const found = await head(Key);
      expect(found.ContentLength, Key).to.equal(MIB - 100);
      expect((await read(Key)).equals(bytes.subarray(0, MIB - 100)), Key).to.equal(true);
      expect(found.ChecksumSHA256, Key).to.not.equal(sha256(bytes));
    }
    expect((await head("short")).Metadata).to.deep.equal({ note: "kept" });
    await told();
    await stream("whole stream", bytes);
    expect((await head("whole stream")).ChecksumSHA256).to.equal(sha256(bytes));
  });

  it("lose a part of a multipart upload, and say that all is well", async () => {
    const parts = [randomBytes(5 * MIB), randomBytes(1000)] as const;
    const upload = async (Key: string) => {
      const target = { Bucket, Key };
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: "SHA256" }));
      const Parts = [];
      for (const [index, Body] of parts.entries()) {
        const part = { ...target, UploadId, PartNumber: index + 1, Body, ChecksumSHA256: sha256(Body) };
        const { ETag } = await s3.send(new UploadPartCommand(part));
        Parts.push({ PartNumber: index + 1, ETag, ChecksumSHA256: sha256(Body) });
      }
      const MpuObjectSize = parts[0].length + parts[1].length;
      const MultipartUpload = { Parts };
      await s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload, MpuObjectSize }));
      return (await head(Key)).ContentLength;
    };
    await told({ operation: "CompleteMultipartUpload", dropPart: 1 });
    expect(await upload("lost part")).to.equal(1000);
    await told();
    expect(await upload("all parts")).to.equal(5 * MIB + 1000);
  });

  it("lose the answer to what has been done", async () => {
    await told({ operation: "PutObject", cut: "answer" });
    expect((await failed(put("done", "all the same"))).code).to.equal("ECONNRESET");
    expect((await read("done")).toString()).to.equal("all the same");
  });

  it("of the catalogue are what the SDKs see, and end with them", async () => {
    const options = gateway.root();
    const dynamodb = new DynamoDBClient(options);
    const sns = new SNSClient(options);
    const lambda = new LambdaClient(options);
    clients.push(dynamodb, sns, lambda);
    const table = { TableName: "runs", Item: { id: { S: "1" } } };
    const key = [{ AttributeName: "id", KeyType: "HASH" as const }];
    const AttributeDefinitions = [{ AttributeName: "id", AttributeType: "S" as const }];
    const create = { TableName: "runs", KeySchema: key, AttributeDefinitions, BillingMode: "PAY_PER_REQUEST" as const };
    await dynamodb.send(new CreateTableCommand(create));
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "mail" }));
    await put("kept", "as it was");
    const asked: [string, string[], () => Promise<unknown>, string][] = [
      ["s3-slow-down", [`region=${PRIMARY}`], () => put("kept", "new"), "SlowDown"],
      ["kms-access-denied", ["on=write"], () => put("kept", "new"), "AccessDenied"],
      ["kms-access-denied", ["on=read"], () => get("kept"), "AccessDenied"],
      ["region-lost", ["how=error"], () => dynamodb.send(new ListTablesCommand({})), "ServiceUnavailable"],
      ["aws-throttled", [], () => dynamodb.send(new PutItemCommand(table)), "ProvisionedThroughputExceededException"],
      [
        "aws-throttled",
        ["service=lambda"],
        () => lambda.send(new ListFunctionsCommand({})),
        "TooManyRequestsException",
      ],
      [
        "dynamodb-condition-fails",
        [],
        () => dynamodb.send(new PutItemCommand(table)),
        "ConditionalCheckFailedException",
      ],
      [
        "mail-refused",
        [],
        () => sns.send(new PublishCommand({ TopicArn, Message: "x" })),
        "AuthorizationErrorException",
      ],
      ["aws-error", ["service=s3", "operation=GetObject"], () => get("kept"), "InternalError"],
    ];
    for (const [name, params, work, error] of asked) {
      const fault = findFault(name);
      const plan = fault.plan(parseParameters(fault, params), new Date());
      await told(...("rules" in plan ? plan.rules : []));
      expect((await failed(work())).name, name).to.equal(error);
      await told();
      expect(await failed(work()), `${name} is over`).to.equal("succeeded");
    }
    const kms = findFault("kms-access-denied").plan({ on: "read", region: "" }, new Date());
    await told(...("rules" in kms ? kms.rules : []));
    // Metadata are not encrypted.
    expect((await head("kept")).ContentLength).to.be.greaterThan(0);
  });

  it("come to an end, and refuse what makes no sense", async () => {
    const { faults } = await told({ service: "s3", delayMs: 1, times: 1 });
    expect(faults).to.deep.equal([{ rule: { service: "s3", delayMs: 1, times: 1 }, seen: 0, hits: 0, over: false }]);
    expect(await failed(told({ operation: "PutObject" })))
      .to.have.property("message")
      .that.contains("does nothing");
    expect(await failed(told({ switch: "x" })))
      .to.have.property("message")
      .that.contains("no switch");
    const open = await fetch(`${gateway.url}/_sandbox/faults`, { method: "POST", body: '{"rules":[]}' });
    expect(open.status).to.equal(401);
    expect(await hits()).to.deep.equal([0]);
  });
});
