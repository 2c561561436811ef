import type { Exchange, Reply } from "../http";
import { applyRange, parseRange } from "../range";

/** Answers a list by the request's Range header: 206 with Next-Range while something is left. */
export function list(exchange: Exchange, items: readonly object[], fallback: string, ...others: string[]): Reply {
  const range = parseRange(exchange.request.headers.range, fallback, [fallback, ...others]);
  const { page, next } = applyRange(items, range);
  const headers: Record<string, string> = { "Accept-Ranges": [fallback, ...others].join(", ") };
  if (next !== undefined) headers["Next-Range"] = next;
  return { status: next === undefined ? 200 : 206, headers, body: page };
}
