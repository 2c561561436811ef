/** What a request is about: AWS service, region and operation, by its signature and its protocol. Pure. */
import type { IncomingHttpHeaders } from "node:http";
import { s3Operation } from "./s3-operations";

export interface Recognised {
  /** As in the signature's scope: `s3`, `dynamodb`, `monitoring` (CloudWatch); unsigned ones by their host. */
  service?: string;
  region?: string;
  /** As the SDK's command is called, such as `PutObject`. */
  operation?: string;
}

export interface RequestFacts {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** The begin of a form's body: there the query protocol names its action. */
  form?: string;
}

/** Region and service of `KEY/DATE/REGION/SERVICE/aws4_request`; a key of SigV4a names no region. */
function scope(credential: string): Pick<Recognised, "service" | "region"> {
  const parts = credential.split("/");
  const end = parts.indexOf("aws4_request");
  if (end < 3) return {};
  const [region, service] = end >= 4 ? [parts[end - 2], parts[end - 1]] : [undefined, parts[end - 1]];
  return { ...(service ? { service } : {}), ...(region ? { region } : {}) };
}

/** An endpoint that is called without a signature has its service, and mostly its region, in its host name. */
function scopeOfHost(host: string): Pick<Recognised, "service" | "region"> {
  const url = /\.lambda-url\.([a-z0-9-]+)\./.exec(host);
  if (url?.[1] !== undefined) return { service: "lambda-url", region: url[1] };
  return /\.execute-api\./.test(host) ? { service: "execute-api" } : {};
}

function operationOf(service: string | undefined, facts: RequestFacts): string | undefined {
  const { method, path, query, headers } = facts;
  const target = headers["x-amz-target"];
  if (typeof target === "string") return target.slice(target.lastIndexOf(".") + 1);
  const rpc = /^\/service\/[^/]+\/operation\/([^/?]+)/.exec(path);
  if (rpc?.[1] !== undefined) return rpc[1];
  if (service === "s3") {
    const virtualHost = /\.s3[.-]/.test(headers.host ?? "");
    return s3Operation(method, path, query, { copies: headers["x-amz-copy-source"] !== undefined, virtualHost });
  }
  if (service === "lambda" && method === "POST" && /\/functions\/[^/]+\/invocations$/.test(path)) return "Invoke";
  if (service === "ses" && method === "POST" && path === "/v2/email/outbound-emails") return "SendEmail";
  return query.get("Action") ?? new URLSearchParams(facts.form).get("Action") ?? undefined;
}

export function recognise(facts: RequestFacts): Recognised {
  const { headers, query } = facts;
  const [, signed] = /Credential=([^,\s]+)/.exec(headers.authorization ?? "") ?? [];
  const credential = signed ?? query.get("X-Amz-Credential") ?? undefined;
  const found = credential === undefined ? scopeOfHost(headers.host ?? "") : scope(credential);
  const operation = operationOf(found.service, facts);
  return { ...found, ...(operation === undefined ? {} : { operation }) };
}

/** Whether the operation is only to be found in the body. */
export function namesActionInForm({ method, query, headers }: RequestFacts): boolean {
  const type = headers["content-type"] ?? "";
  return method === "POST" && !query.has("Action") && type.startsWith("application/x-www-form-urlencoded");
}
