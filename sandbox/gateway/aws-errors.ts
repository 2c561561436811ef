/** An error as AWS words it, in the protocol in which it was asked. Pure. */
import type { IncomingHttpHeaders } from "node:http";

export interface AwsError {
  status: number;
  code: string;
  message: string;
}

const REQUEST_ID = "SANDBOXFAULT0000";

function escaped(text: string): string {
  return text.replace(/[<>&]/g, (sign) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;" })[sign] ?? sign);
}

/** A text in CBOR (RFC 8949), of less than 64 KiB. */
function cborText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x79, bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function cborMap(fields: Record<string, string>): Buffer {
  const parts = Object.entries(fields).flatMap((field) => field.map(cborText));
  return Buffer.concat([Buffer.from([0xa0 + Object.keys(fields).length]), ...parts]);
}

export function awsError(
  { code, message }: AwsError,
  service: string | undefined,
  headers: IncomingHttpHeaders,
): { headers: Record<string, string>; body: string | Buffer } {
  if (service === "s3")
    return {
      headers: { "content-type": "application/xml", "x-amz-request-id": REQUEST_ID },
      body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${escaped(code)}</Code><Message>${escaped(message)}</Message><RequestId>${REQUEST_ID}</RequestId></Error>`,
    };
  const ids = { "x-amzn-requestid": REQUEST_ID, "x-amzn-errortype": code };
  if (headers["smithy-protocol"] === "rpc-v2-cbor")
    return {
      headers: { ...ids, "content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor" },
      body: cborMap({ __type: code, message }),
    };
  if (headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
    return {
      headers: { "content-type": "text/xml", "x-amzn-requestid": REQUEST_ID },
      body: `<ErrorResponse><Error><Type>Sender</Type><Code>${escaped(code)}</Code><Message>${escaped(message)}</Message></Error><RequestId>${REQUEST_ID}</RequestId></ErrorResponse>`,
    };
  // JSON 1.0 and 1.1 name the error in the body, REST services in the header.
  return {
    headers: { ...ids, "content-type": headers["x-amz-target"] ? "application/x-amz-json-1.0" : "application/json" },
    body: JSON.stringify({ __type: code, message }),
  };
}
