/** What AWS does to those who store, read and alarm. Set at the gateway, but for what happens inside the local AWS. */
import type { FaultRule } from "../rule";
import { type Call, choice, named, number, type Plan, text } from "./define";

const at = "gateway";
const gateway = (...rules: FaultRule[]): Plan => ({ rules });
/** A switch of the local AWS itself, see sandbox/aws/local. */
const mode = (path: string, to: string): Call => ({ method: "POST", path: `/_sandbox/${path}`, body: { mode: to } });

const REGION = text("", "only in this region");
const inRegion = (region: string) => (region === "" ? {} : { region });

const WRITES = ["PutObject", "UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload", "CopyObject"];
const READS = ["GetObject", "HeadObject"];
/** Of them, what needs the key: metadata are not encrypted. */
const DECRYPTING = ["GetObject"];

const store = [
  named({
    name: "s3-slow-down",
    at,
    about: "S3 asks for fewer requests",
    parameters: { region: REGION },
    plan: ({ region }) =>
      gateway({
        service: "s3",
        ...inRegion(region),
        status: 503,
        code: "SlowDown",
        message: "Please reduce your request rate.",
      }),
  }),
  named({
    name: "upload-part-lost",
    at,
    rows: [9],
    about: "a multipart upload is completed without one of its parts, and S3 says that all is well",
    parameters: { part: number(1, "its number") },
    plan: ({ part }) => gateway({ service: "s3", operation: "CompleteMultipartUpload", dropPart: part }),
  }),
  named({
    name: "upload-shortened",
    at,
    rows: [9],
    about: "S3 stores less than was sent, and says that all is well",
    parameters: { bytes: number(1, "how many are missing"), region: REGION },
    plan: ({ bytes, region }) =>
      gateway({ service: "s3", ...inRegion(region), operation: ["PutObject", "UploadPart"], shortenUpload: bytes }),
  }),
  named({
    name: "stored-object-shorter",
    at,
    rows: [8, 9],
    about: "objects read from S3, and their lengths, are shorter than what was stored",
    parameters: { bytes: number(1, "how many are missing"), region: REGION },
    plan: ({ bytes, region }) => gateway({ service: "s3", ...inRegion(region), operation: READS, truncateBy: bytes }),
  }),
  named({
    name: "stored-object-bit-flipped",
    at,
    rows: [8],
    about: "one bit of objects read from S3 is another",
    parameters: { offset: number(4096, "byte whose lowest bit is turned over"), region: REGION },
    plan: ({ offset, region }) =>
      gateway({ service: "s3", ...inRegion(region), operation: "GetObject", flipBitAt: offset }),
  }),
  named({
    name: "upload-answer-lost",
    at,
    rows: [9],
    about: "S3 stores an object and the connection breaks before it says so",
    plan: () => gateway({ service: "s3", operation: ["PutObject", "CompleteMultipartUpload"], cut: "answer" }),
  }),
  named({
    name: "kms-access-denied",
    at,
    rows: [13],
    about: "the key's policy refuses: objects can't be written, or read",
    parameters: { on: choice(["write", "read", "both"], "both", "which of it"), region: REGION },
    plan: ({ on, region }) => {
      const action = on === "read" ? "kms:Decrypt" : "kms:GenerateDataKey";
      const message = `User is not authorized to perform: ${action} on this resource because no resource-based policy allows the ${action} action`;
      const operation = on === "write" ? WRITES : on === "read" ? DECRYPTING : [...WRITES, ...DECRYPTING];
      const at = inRegion(region);
      return gateway(
        { service: "s3", ...at, operation, status: 403, code: "AccessDenied", message },
        { service: "kms", ...at, status: 400, code: "AccessDeniedException", message },
      );
    },
  }),
  named({
    name: "replication",
    at: "aws",
    rows: [12, 13, 23],
    about: "objects put from now on are not replicated: FAILED for good, or PENDING until this is reset",
    parameters: { status: choice(["failed", "pending"], "failed", "theirs") },
    plan: ({ status }) => ({ call: mode("replication", status) }),
    reset: mode("replication", "ok"),
  }),
];

const JSON_THROTTLE = {
  status: 400,
  code: "ThrottlingException",
  message: "Rate exceeded",
};

const general = [
  named({
    name: "region-lost",
    at,
    about: "a whole region does not answer",
    parameters: {
      region: text("ap-southeast-1", "which"),
      how: choice(["cut", "hang", "error"], "cut", "a cut connection, no answer, or 503"),
    },
    plan: ({ region, how }) => {
      const ways = {
        cut: { cut: true },
        hang: { hang: true },
        error: { status: 503, code: "ServiceUnavailable", message: "Service is unable to handle request." },
      } as const;
      return gateway({ region, ...ways[how] });
    },
  }),
  named({
    name: "aws-throttled",
    at,
    about: "a service refuses because of too many requests, in its own words",
    parameters: { service: text("dynamodb", "as in signatures: dynamodb, s3, lambda, monitoring …"), region: REGION },
    plan: ({ service, region }) => {
      const words: Record<string, object> = {
        s3: { status: 503, code: "SlowDown", message: "Please reduce your request rate." },
        dynamodb: {
          status: 400,
          code: "ProvisionedThroughputExceededException",
          message: "The level of configured provisioned throughput for the table was exceeded.",
        },
        lambda: { status: 429, code: "TooManyRequestsException", message: "Rate Exceeded." },
      };
      return gateway({ service, ...inRegion(region), ...(words[service] ?? JSON_THROTTLE) });
    },
  }),
  named({
    name: "dynamodb-condition-fails",
    at,
    about: "conditional writes find another item than they expect",
    parameters: { region: REGION },
    plan: ({ region }) =>
      gateway({
        service: "dynamodb",
        ...inRegion(region),
        operation: ["PutItem", "UpdateItem", "DeleteItem"],
        status: 400,
        code: "ConditionalCheckFailedException",
        message: "The conditional request failed",
      }),
  }),
  named({
    name: "aws-error",
    at,
    about: "requests to AWS are answered by an error",
    parameters: {
      service: text("", "as in signatures; all without it"),
      operation: text("", "such as PutObject"),
      region: REGION,
      status: number(500, "HTTP status"),
      code: text("InternalError", "AWS's word for it"),
    },
    plan: ({ service, operation, region, status, code }) =>
      gateway({
        ...(service === "" ? {} : { service }),
        ...(operation === "" ? {} : { operation }),
        ...inRegion(region),
        status,
        code,
        message: "Told to fail.",
      }),
  }),
  named({
    name: "aws-slow",
    at,
    about: "AWS answers late",
    parameters: {
      service: text("", "as in signatures; all without it"),
      region: REGION,
      ms: number(3000, "milliseconds"),
    },
    plan: ({ service, region, ms }) =>
      gateway({ ...(service === "" ? {} : { service }), ...inRegion(region), delayMs: ms }),
  }),
];

const mail = [
  named({
    name: "mail-refused",
    at,
    rows: [1, 23],
    about: "AWS refuses to send: publishing to topics and sending mail fail",
    plan: () =>
      gateway(
        { service: "ses", status: 400, code: "MessageRejected", message: "Email address is not verified." },
        { service: "sns", operation: "Publish", status: 403, code: "AuthorizationError", message: "Told to fail." },
      ),
  }),
  named({
    name: "mail-rejected",
    at: "aws",
    rows: [1, 23],
    about: "mail does not arrive: SES rejects it, and what topics send is dropped",
    plan: () => ({ call: mode("mail", "rejected") }),
    reset: mode("mail", "ok"),
  }),
];

export const AWS_FAULTS = [...store, ...general, ...mail];
