import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { expect } from "chai";
import fc from "fast-check";
import { ApiRegions } from "../../../sandbox/gateway/api-regions";
import { AwsChunkedDecoder } from "../../../sandbox/gateway/aws-chunked";
import { awsError } from "../../../sandbox/gateway/aws-errors";
import { endToEnd, requestHeaders } from "../../../sandbox/gateway/headers";
import { namesActionInForm, recognise } from "../../../sandbox/gateway/recognise";
import { rootHeaders, withoutPart } from "../../../sandbox/gateway/uploads";

const signed = (region: string, service: string): IncomingHttpHeaders => ({
  authorization: `AWS4-HMAC-SHA256 Credential=ASIA/20260524/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
  host: "127.0.0.1:4566",
});

function of(method: string, url: string, headers: IncomingHttpHeaders, form?: string) {
  const [path = "/", query = ""] = url.split("?");
  return recognise({ method, path, query: new URLSearchParams(query), headers, form });
}

describe("what the gateway recognises", () => {
  const s3 = signed("ap-southeast-1", "s3");
  for (const [method, url, operation, headers] of [
    ["GET", "/", "ListBuckets"],
    ["PUT", "/bucket", "CreateBucket"],
    ["PUT", "/bucket/", "CreateBucket"],
    ["HEAD", "/bucket", "HeadBucket"],
    ["DELETE", "/bucket", "DeleteBucket"],
    ["GET", "/bucket?list-type=2&prefix=a/", "ListObjectsV2"],
    ["GET", "/bucket?prefix=a", "ListObjects"],
    ["GET", "/bucket?versions", "ListObjectVersions"],
    ["GET", "/bucket?uploads", "ListMultipartUploads"],
    ["POST", "/bucket?delete", "DeleteObjects"],
    ["GET", "/bucket?object-lock", "GetObjectLockConfiguration"],
    ["PUT", "/bucket?lifecycle", "PutBucketLifecycleConfiguration"],
    ["DELETE", "/bucket?lifecycle", "DeleteBucketLifecycle"],
    ["DELETE", "/bucket?policy", "DeleteBucketPolicy"],
    ["PUT", "/bucket/a/b.dump?x-id=PutObject", "PutObject"],
    ["PUT", "/bucket/copy", "CopyObject", { "x-amz-copy-source": "/bucket/a" }],
    ["GET", "/bucket/a?versionId=1", "GetObject"],
    ["HEAD", "/bucket/a", "HeadObject"],
    ["DELETE", "/bucket/a", "DeleteObject"],
    ["PUT", "/bucket/a?retention", "PutObjectRetention"],
    ["GET", "/bucket/a?legal-hold", "GetObjectLegalHold"],
    ["POST", "/bucket/a?uploads", "CreateMultipartUpload"],
    ["PUT", "/bucket/a?partNumber=1&uploadId=u", "UploadPart"],
    ["POST", "/bucket/a?uploadId=u", "CompleteMultipartUpload"],
    ["DELETE", "/bucket/a?uploadId=u", "AbortMultipartUpload"],
    ["GET", "/bucket/a?uploadId=u", "ListParts"],
  ] as [string, string, string, IncomingHttpHeaders?][]) {
    it(`${method} ${url} as ${operation}`, () =>
      expect(of(method, url, { ...s3, ...headers })).to.deep.equal({
        service: "s3",
        region: "ap-southeast-1",
        operation,
      }));
  }

  it("operations by target, by path and by form", () => {
    const dynamodb = { ...signed("eu-west-1", "dynamodb"), "x-amz-target": "DynamoDB_20120810.PutItem" };
    expect(of("POST", "/", dynamodb)).to.deep.equal({ service: "dynamodb", region: "eu-west-1", operation: "PutItem" });
    const path = "/service/GraniteServiceVersion20100801/operation/PutMetricData";
    expect(of("POST", path, signed("eu-west-1", "monitoring")).operation).to.equal("PutMetricData");
    const sns = signed("eu-west-1", "sns");
    expect(of("POST", "/", sns, "Action=Publish&TopicArn=x").operation).to.equal("Publish");
    expect(of("GET", "/?Action=ConfirmSubscription", sns).operation).to.equal("ConfirmSubscription");
    expect(of("POST", "/2015-03-31/functions/capture/invocations", signed("eu-west-1", "lambda")).operation).to.equal(
      "Invoke",
    );
  });

  it("presigned addresses, keys of SigV4a, and endpoints without a signature", () => {
    const presigned = "/bucket/a?X-Amz-Credential=ASIA%2F20260524%2Fap-northeast-1%2Fs3%2Faws4_request";
    expect(of("GET", presigned, {})).to.deep.equal({ service: "s3", region: "ap-northeast-1", operation: "GetObject" });
    const v4a = { authorization: "AWS4-ECDSA-P256-SHA256 Credential=ASIA/20260524/s3/aws4_request, Signature=0" };
    expect(of("GET", "/bucket/a", v4a)).to.deep.equal({ service: "s3", operation: "GetObject" });
    expect(of("GET", "/", { host: "abc.lambda-url.eu-west-1.on.aws" })).to.deep.equal({
      service: "lambda-url",
      region: "eu-west-1",
    });
    expect(of("GET", "/", { host: "127.0.0.1" })).to.deep.equal({});
  });

  it("an HTTP API's region, once somebody has made it", () => {
    const apis = new ApiRegions();
    const target = (service: string, path: string, region?: string) => ({
      service,
      method: "GET",
      path,
      query: new URLSearchParams(),
      ...(region === undefined ? {} : { region }),
    });
    const called = () => apis.complete(target("execute-api", "/status"), "abc123.execute-api.127.0.0.1:4566");
    expect(called()).to.not.have.property("region");
    apis.complete(target("apigateway", "/v2/apis/abc123/routes", "eu-west-1"), "127.0.0.1:4566");
    expect(called()).to.include({ service: "execute-api", region: "eu-west-1" });
  });

  it("looks into forms only", () => {
    const facts = (headers: IncomingHttpHeaders, method = "POST") => ({
      method,
      path: "/",
      query: new URLSearchParams(),
      headers,
    });
    const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
    expect(namesActionInForm(facts(form))).to.equal(true);
    expect(namesActionInForm(facts(form, "PUT"))).to.equal(false);
    expect(namesActionInForm(facts({ "content-type": "application/octet-stream" }))).to.equal(false);
  });
});

describe("headers on their way", () => {
  it("leave out what belongs to the connection, and keep the rest as it is", () => {
    const raw = [
      "Host",
      "h",
      "Connection",
      "keep-alive, X-Own",
      "x-own",
      "1",
      "X-Twice",
      "a",
      "x-twice",
      "b",
      "TE",
      "t",
    ];
    expect(endToEnd(raw)).to.deep.equal(["Host", "h", "X-Twice", "a", "x-twice", "b"]);
  });

  it("say of a body what was said, and that there is none when nothing was", () => {
    expect(requestHeaders(["Transfer-Encoding", "chunked"], "PUT")).to.deep.equal(["Transfer-Encoding", "chunked"]);
    expect(requestHeaders(["Content-Length", "5"], "PUT")).to.deep.equal(["Content-Length", "5"]);
    expect(requestHeaders([], "POST")).to.deep.equal(["Content-Length", "0"]);
    expect(requestHeaders([], "GET")).to.deep.equal([]);
  });
});

describe("uploads that are changed on their way", () => {
  it("go on as the root's, without what the sender said of the body", () => {
    const raw = [
      ...[
        "Host",
        "h",
        "X-Amz-Date",
        "20260524T101010Z",
        "Authorization",
        "AWS4 of a role",
        "x-amz-security-token",
        "t",
      ],
      ...["Content-Encoding", "gzip,aws-chunked", "x-amz-decoded-content-length", "9", "Content-Length", "70"],
      ...["x-amz-checksum-crc32", "c", "x-amz-trailer", "x", "x-amz-sdk-checksum-algorithm", "SHA256"],
      ...["x-amz-object-lock-mode", "GOVERNANCE", "If-None-Match", "*"],
    ];
    expect(rootHeaders(raw, { region: "r", service: "s3" }, 8)).to.deep.equal([
      ...["Host", "h", "X-Amz-Date", "20260524T101010Z", "Content-Encoding", "gzip"],
      ...["x-amz-sdk-checksum-algorithm", "SHA256", "x-amz-object-lock-mode", "GOVERNANCE", "If-None-Match", "*"],
      "Authorization",
      `AWS4-HMAC-SHA256 Credential=test/20260524/r/s3/aws4_request, SignedHeaders=host, Signature=${"0".repeat(64)}`,
      ...["x-amz-content-sha256", "UNSIGNED-PAYLOAD", "Content-Length", "8"],
    ]);
  });

  it("lose the part that was named, and no other", () => {
    const part = (n: number) => `<Part><ETag>"e"</ETag><PartNumber>${n}</PartNumber></Part>`;
    const list = (...numbers: number[]) =>
      `<CompleteMultipartUpload>${numbers.map(part).join("")}</CompleteMultipartUpload>`;
    expect(withoutPart(list(1, 2, 12), 2)).to.equal(list(1, 12));
    expect(withoutPart(list(1, 2, 12), 3)).to.equal(list(1, 2, 12));
  });

  it("are taken out of their frames, however they come in chunks", async () => {
    const decode = async (bytes: Buffer, size: number) => {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      const out: Buffer[] = [];
      for await (const chunk of Readable.from(pieces).pipe(new AwsChunkedDecoder())) out.push(chunk as Buffer);
      return Buffer.concat(out);
    };
    const frame = (bytes: Uint8Array) =>
      Buffer.concat([Buffer.from(`${bytes.length.toString(16)};chunk-signature=abc\r\n`), bytes, Buffer.from("\r\n")]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 })),
        fc.integer({ min: 1, max: 50 }),
        async (frames, size) => {
          const end = Buffer.from("0\r\nx-amz-checksum-sha256:abc=\r\n\r\n");
          expect(await decode(Buffer.concat([...frames.map(frame), end]), size)).to.deep.equal(Buffer.concat(frames));
        },
      ),
      { numRuns: 100 },
    );
    for (const broken of ["5\r\nabc", "zz\r\nabc\r\n", "3\r\nabc\r\n"]) {
      const error = await decode(Buffer.from(broken), 100).catch((caught: Error) => caught.message);
      expect(error, broken).to.contain("aws-chunked body");
    }
  });
});

describe("errors in AWS's words", () => {
  const error = { status: 400, code: "SomeException", message: "a < b" };
  it("are told in the protocol that was spoken", () => {
    expect(awsError(error, "s3", {}).body).to.contain("<Code>SomeException</Code><Message>a &lt; b</Message>");
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect(awsError(error, "sns", form).body).to.match(/^<ErrorResponse><Error><Type>Sender<\/Type><Code>SomeE/);
    const json = awsError(error, "dynamodb", { "x-amz-target": "DynamoDB_20120810.PutItem" });
    expect(JSON.parse(String(json.body))).to.deep.equal({ __type: "SomeException", message: "a < b" });
    const rest = awsError(error, "lambda", {});
    expect(rest.headers).to.include({ "x-amzn-errortype": "SomeException", "content-type": "application/json" });
    const cbor = awsError(error, "monitoring", { "smithy-protocol": "rpc-v2-cbor" });
    expect(cbor.headers).to.include({ "content-type": "application/cbor" });
    expect([...Buffer.from(cbor.body as Buffer).subarray(0, 10)]).to.deep.equal([
      0xa2,
      0x79,
      0,
      6,
      ...Buffer.from("__type"),
    ]);
  });
});
