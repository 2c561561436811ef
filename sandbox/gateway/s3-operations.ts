/** Which operation of S3 a request is, by its method, path and query. Pure. */

/** Sub-resources of buckets, as they are named in the query, and how operations name them. */
const BUCKET: Readonly<Record<string, string>> = {
  accelerate: "BucketAccelerateConfiguration",
  acl: "BucketAcl",
  cors: "BucketCors",
  encryption: "BucketEncryption",
  lifecycle: "BucketLifecycleConfiguration",
  location: "BucketLocation",
  logging: "BucketLogging",
  notification: "BucketNotificationConfiguration",
  "object-lock": "ObjectLockConfiguration",
  ownershipControls: "BucketOwnershipControls",
  policy: "BucketPolicy",
  policyStatus: "BucketPolicyStatus",
  publicAccessBlock: "PublicAccessBlock",
  replication: "BucketReplication",
  requestPayment: "BucketRequestPayment",
  tagging: "BucketTagging",
  versioning: "BucketVersioning",
  website: "BucketWebsite",
};
const OBJECT: Readonly<Record<string, string>> = {
  acl: "ObjectAcl",
  attributes: "ObjectAttributes",
  "legal-hold": "ObjectLegalHold",
  retention: "ObjectRetention",
  tagging: "ObjectTagging",
};
const VERBS: Readonly<Record<string, string>> = { GET: "Get", PUT: "Put", DELETE: "Delete" };

/** Deletions whose name is not made from the read's one. */
const DELETES: Readonly<Record<string, string>> = { BucketLifecycleConfiguration: "BucketLifecycle" };

function named(table: Readonly<Record<string, string>>, method: string, query: URLSearchParams): string | undefined {
  const found = Object.keys(table).find((name) => query.has(name));
  const subject = found === undefined ? undefined : table[found];
  const verb = VERBS[method];
  if (subject === undefined || verb === undefined) return undefined;
  return `${verb}${verb === "Delete" ? (DELETES[subject] ?? subject) : subject}`;
}

function bucketOperation(method: string, query: URLSearchParams): string | undefined {
  const sub = named(BUCKET, method, query);
  if (sub !== undefined) return sub;
  if (method === "GET") {
    if (query.has("versions")) return "ListObjectVersions";
    if (query.has("uploads")) return "ListMultipartUploads";
    return query.get("list-type") === "2" ? "ListObjectsV2" : "ListObjects";
  }
  if (method === "POST") return query.has("delete") ? "DeleteObjects" : undefined;
  return { PUT: "CreateBucket", DELETE: "DeleteBucket", HEAD: "HeadBucket" }[method];
}

function objectOperation(method: string, query: URLSearchParams, copies: boolean): string | undefined {
  const sub = named(OBJECT, method, query);
  if (sub !== undefined) return sub;
  if (query.has("uploadId")) {
    const put = copies ? "UploadPartCopy" : "UploadPart";
    const parts = { GET: "ListParts", PUT: put, POST: "CompleteMultipartUpload", DELETE: "AbortMultipartUpload" };
    return parts[method as keyof typeof parts];
  }
  if (method === "POST") {
    if (query.has("uploads")) return "CreateMultipartUpload";
    return query.has("restore") ? "RestoreObject" : undefined;
  }
  const put = copies ? "CopyObject" : "PutObject";
  return { GET: "GetObject", HEAD: "HeadObject", PUT: put, DELETE: "DeleteObject" }[method];
}

/**
 * @param path as sent; the bucket is its first segment, or in the host name when `virtualHost`
 * @param copies whether the request has `x-amz-copy-source`
 */
export function s3Operation(
  method: string,
  path: string,
  query: URLSearchParams,
  { copies = false, virtualHost = false } = {},
): string | undefined {
  const segments = path.split("/").slice(1);
  const [bucket = "", ...key] = virtualHost ? ["bucket", ...segments] : segments;
  if (bucket === "") return method === "GET" ? "ListBuckets" : undefined;
  return key.join("/") === "" ? bucketOperation(method, query) : objectOperation(method, query, copies);
}
