/** Addresses that work without a key until they expire: public URLs of backups, upload addresses of sources. */
import { createHmac, timingSafeEqual } from "node:crypto";

function signature(key: string, path: string, expires: number): string {
  return createHmac("sha256", key).update(`${path}\n${expires}`).digest("hex");
}

/** Path with expiry and signature; `expires` is in seconds since 1970. */
export function signPath(key: string, path: string, expires: number): string {
  return `${path}?expires=${expires}&signature=${signature(key, path, expires)}`;
}

/** Why an address is refused, or undefined when it is good. `nowSeconds` is given by tests. */
export function refusal(key: string, url: URL, nowSeconds = Date.now() / 1000): "expired" | "forged" | undefined {
  const expires = Number(url.searchParams.get("expires") ?? "NaN");
  const given = Buffer.from(url.searchParams.get("signature") ?? "");
  const expected = Buffer.from(signature(key, url.pathname, expires));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return "forged";
  return nowSeconds > expires ? "expired" : undefined;
}
