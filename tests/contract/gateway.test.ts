import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateFunctionCommand, InvokeCommand, LambdaClient, waitUntilFunctionActiveV2 } from "@aws-sdk/client-lambda";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { expect } from "chai";
import { zip } from "../../sandbox/plugins/aws/zip";
import { SCOPE } from "../../sandbox/supervisor/services";
import { MIB, sha256, signingS3, startTestGateway, type TestGateway } from "../support/gateway";

const Bucket = "through-the-gateway";

/** Chunks of a stream that nobody keeps, and the digest of all of them. */
function chunks(total: number): { body: Readable; digest: Promise<string> } {
  const hash = createHash("sha256");
  const chunk = randomBytes(256 * 1024);
  async function* generate() {
    for (let sent = 0; sent < total; sent += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, total - sent));
      hash.update(part);
      yield part;
    }
  }
  const body = Readable.from(generate(), { objectMode: false });
  return { body, digest: once(body, "end").then(() => hash.digest("base64")) };
}

describe("the gateway before the local AWS", function () {
  this.timeout(60_000);
  let gateway: TestGateway;
  let s3: S3Client;
  before(async () => {
    gateway = await startTestGateway();
    s3 = await signingS3(gateway, Bucket);
  });
  after(async () => {
    s3?.destroy();
    await gateway?.stop();
  });

  const put = (Key: string, Body: Uint8Array | string, more = {}) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const read = async (Key: string, more = {}) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  /** Peak of the gateway's memory since it was last asked, in bytes. */
  const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, "utf8"))?.[1]) * 1024;

  it("carries bodies of every size and key both ways, unchanged", async () => {
    for (const size of [0, 1, 16 * 1024, 5 * MIB]) {
      const bytes = randomBytes(size);
      await put(`of ${size}/é+ü %2F?#&=.bin`, bytes, { Metadata: { note: "kept" } });
      expect(sha256(await read(`of ${size}/é+ü %2F?#&=.bin`)), String(size)).to.equal(sha256(bytes));
    }
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "of 1" }));
    expect(Contents?.map(({ Key }) => Key)).to.deep.equal(["of 1/é+ü %2F?#&=.bin", "of 16384/é+ü %2F?#&=.bin"]);
    expect((await read("of 16384/é+ü %2F?#&=.bin", { Range: "bytes=10-19" })).length).to.equal(10);
  });

  it("keeps statuses without a body, HEAD's lengths, and errors", async () => {
    const { ETag } = await put("statuses", "some text");
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "statuses" }));
    expect(head.ContentLength).to.equal(9);
    const outcome = (work: Promise<any>) =>
      work.then(
        (answer) => answer.$metadata.httpStatusCode,
        (error) => error.$metadata.httpStatusCode,
      );
    expect(await outcome(s3.send(new GetObjectCommand({ Bucket, Key: "statuses", IfNoneMatch: ETag })))).to.equal(304);
    expect(await outcome(put("statuses", "other", { IfNoneMatch: "*" }))).to.equal(412);
    expect(await outcome(s3.send(new DeleteObjectCommand({ Bucket, Key: "statuses" })))).to.equal(204);
    expect(await outcome(s3.send(new HeadObjectCommand({ Bucket, Key: "statuses" })))).to.equal(404);
    await put("many/1", "1");
    const Objects = [{ Key: "many/1" }, { Key: "many/2" }];
    const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted).to.have.length(2);
  });

  it("carries streams with their checksum behind them, and multipart uploads", async () => {
    const { body, digest } = chunks(3 * MIB + 17);
    const request = { Bucket, Key: "stream", Body: body, ContentLength: 3 * MIB + 17, ChecksumAlgorithm: "SHA256" };
    await s3.send(new PutObjectCommand(request as never));
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "stream", ChecksumMode: "ENABLED" }));
    expect(head.ChecksumSHA256).to.equal(await digest);

    const upload = { Bucket, Key: "parts" };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...upload, ChecksumAlgorithm: "SHA256" }));
    const parts = [randomBytes(5 * MIB), randomBytes(1000)];
    const Parts = await Promise.all(
      parts.map(async (Body, index) => {
        const part = { ...upload, UploadId, PartNumber: index + 1, Body, ChecksumSHA256: sha256(Body) };
        const { ETag } = await s3.send(new UploadPartCommand(part));
        return { PartNumber: index + 1, ETag, ChecksumSHA256: sha256(Body) };
      }),
    );
    await s3.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }));
    expect(sha256(await read("parts"))).to.equal(sha256(Buffer.concat(parts)));
  });

  it("lets presigned addresses work, and no changed ones", async () => {
    const Key = "presigned";
    const target = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key }), { expiresIn: 60 });
    expect(target).to.contain(gateway.url);
    expect((await fetch(target, { method: "PUT", body: "by anyone" })).status).to.equal(200);
    const source = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }), { expiresIn: 60 });
    expect(await (await fetch(source)).text()).to.equal("by anyone");
    expect((await fetch(source.replace("/presigned?", "/stream?"))).status).to.equal(403);
  });

  it("carries 100 MiB up and down in little memory", async () => {
    await put("warm", randomBytes(8 * MIB));
    await read("warm");
    const before = peak();
    const { body, digest } = chunks(100 * MIB);
    const request = { Bucket, Key: "large", Body: body, ContentLength: 100 * MIB, ChecksumAlgorithm: "SHA256" };
    await s3.send(new PutObjectCommand(request as never));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "large" }));
    const hash = createHash("sha256");
    for await (const chunk of Body as Readable) hash.update(chunk);
    expect(hash.digest("base64")).to.equal(await digest);
    // Measured: 40 to 55 MiB, most of it garbage of TLS; a body kept whole would be at least 100.
    expect((peak() - before) / MIB).to.be.lessThan(80);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "large" }));
  });

  it("gives up an upload that the client gave up", async () => {
    const stop = new AbortController();
    const { body } = chunks(20 * MIB);
    const request = { Bucket, Key: "given up", Body: body, ContentLength: 40 * MIB, ChecksumAlgorithm: "SHA256" };
    const sent = s3.send(new PutObjectCommand(request as never), { abortSignal: stop.signal }).catch((error) => error);
    await sleep(200);
    stop.abort();
    expect(await sent).to.be.instanceOf(Error);
    const missing = await s3.send(new HeadObjectCommand({ Bucket, Key: "given up" })).catch((error) => error.name);
    expect(missing).to.equal("NotFound");
  });

  it("answers `Expect: 100-continue` as the local AWS does", async () => {
    const target = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "expected" }), { expiresIn: 60 });
    const tell = async (url: string) => {
      const headers = { expect: "100-continue", "content-length": 5 };
      const request = httpsRequest(url, { method: "PUT", headers, agent: false });
      const continued = once(request, "continue").then(() => request.end("12345"));
      const [answer] = await once(request, "response");
      answer.resume();
      await once(answer, "end");
      await continued;
      return answer.statusCode;
    };
    expect(await tell(target)).to.equal(200);
    expect((await read("expected")).toString()).to.equal("12345");
  });

  it("stands in every address that the local AWS hands out, and in the functions' environment", async () => {
    const sqs = new SQSClient(gateway.root());
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "asked" }));
    expect(QueueUrl).to.match(new RegExp(`^${gateway.url}/`));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(Messages?.[0]?.Body).to.equal("hello");
    sqs.destroy();

    const lambda = new LambdaClient(gateway.root());
    const code = `exports.handler = async () => {
      const answer = await fetch(process.env.AWS_ENDPOINT_URL + "/_sandbox/health");
      return { endpoint: process.env.AWS_ENDPOINT_URL, status: answer.status };
    };`;
    const FunctionName = "asks";
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Role: `arn:aws:iam::${SCOPE.account}:role/signs`,
        Code: { ZipFile: zip(new Map([["index.js", Buffer.from(code)]])) },
      }),
    );
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 20 }, { FunctionName });
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName }));
    expect(JSON.parse(Buffer.from(Payload ?? []).toString())).to.deep.equal({ endpoint: gateway.url, status: 200 });
    lambda.destroy();
  });

  it("keeps its own controls from others, and the local AWS's address to this machine", async () => {
    const change = (headers: Record<string, string>) =>
      fetch(`${gateway.url}/_sandbox/upstream`, { method: "PUT", headers, body: JSON.stringify({ url: gateway.aws }) });
    expect((await change({})).status).to.equal(401);
    expect((await change({ authorization: "Bearer guessed" })).status).to.equal(401);
    expect((await fetch(`${gateway.url}/_sandbox/health`)).status).to.equal(200);
    expect((await fetch(`${gateway.url}/_sandbox/nothing`)).status).to.equal(404);
    const away = await gateway
      .control("PUT", "upstream", { url: "https://example.com" })
      .catch((error) => error.message);
    expect(away).to.contain("expected https://127.0.0.1:PORT");
    expect(await gateway.control("PUT", "upstream", { url: gateway.aws })).to.deep.equal({ upstream: gateway.aws });
  });
});
