/** The Request-Id header: a client's ids come back with the one that the API gave, so that both sides' logs can be joined. */

/** Of the ids that a client sent, the last ones are kept: the official CLI's list grows with each request. */
const KEPT = 20;
const ID = /^[A-Za-z0-9-]{20,128}$/;

export function joinedRequestId(sent: string | readonly string[] | undefined, own: string): string {
  const ids = String(sent ?? "")
    .split(",")
    .map((id) => id.trim())
    .filter((id) => ID.test(id));
  return [...ids.slice(-KEPT), own].join(",");
}
