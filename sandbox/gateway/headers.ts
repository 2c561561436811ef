/** Which headers go through a proxy. Pure. Names keep the case in which they came: signatures and people look at them. */

/** Name and value in turn, as Node's `rawHeaders`. */
export type RawHeaders = readonly string[];

/** Said by one side of a connection to the other, and to nobody beyond (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"]);

export function pairs(raw: RawHeaders): [name: string, value: string][] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i] ?? "", raw[2 * i + 1] ?? ""]);
}

/** The first value of a header, whatever its case. */
export function headerOf(raw: RawHeaders, name: string): string | undefined {
  return pairs(raw).find(([key]) => key.toLowerCase() === name)?.[1];
}

/** Without what belongs to the connection, and what the connection itself calls so. */
export function endToEnd(raw: RawHeaders): string[] {
  const named = (headerOf(raw, "connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  return pairs(raw)
    .filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()) && !named.includes(name.toLowerCase()))
    .flat();
}

/**
 * Headers of a request on its way to the upstream. A body of unknown length stays so; a request that may have a body and
 * says nothing of one has none, and Node would otherwise announce chunks.
 */
export function requestHeaders(raw: RawHeaders, method: string): string[] {
  const headers = endToEnd(raw);
  if (headerOf(raw, "transfer-encoding") !== undefined) return [...headers, "Transfer-Encoding", "chunked"];
  const silent =
    headerOf(raw, "content-length") === undefined && !["GET", "HEAD", "DELETE", "OPTIONS"].includes(method);
  return silent ? [...headers, "Content-Length", "0"] : headers;
}
