/** Conditional and partial requests of delivery (RFC 9110). Pure. */
import type { IncomingHttpHeaders } from "node:http";

/** First and last byte, both included. */
export interface ByteRange {
  start: number;
  end: number;
}

/** Whether the client has these bytes already. An `If-None-Match` outweighs the time. */
export function isUnchanged(headers: IncomingHttpHeaders, etag: string, modified: string): boolean {
  const known = headers["if-none-match"];
  if (known !== undefined) {
    const tags = known.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    return tags.includes("*") || tags.includes(etag);
  }
  const since = Date.parse(headers["if-modified-since"] ?? "");
  return !Number.isNaN(since) && Math.floor(Date.parse(modified) / 1000) * 1000 <= since;
}

/** The one range that is asked for; undefined means everything, also for forms that a server may ignore. */
export function wantedRange(
  headers: IncomingHttpHeaders,
  etag: string,
  bytes: number,
): ByteRange | "unsatisfiable" | undefined {
  const asked = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? "");
  const [, first = "", last = ""] = asked ?? [];
  if (asked === null || (first === "" && last === "")) return undefined;
  const condition = headers["if-range"];
  if (condition !== undefined && condition !== etag) return undefined;
  if (first === "") {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? "unsatisfiable" : { start: bytes - length, end: bytes - 1 };
  }
  const start = Number(first);
  const end = last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= bytes ? "unsatisfiable" : { start, end };
}
