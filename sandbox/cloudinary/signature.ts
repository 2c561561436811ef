/** Cloudinary's request signatures, delivery signatures and webhook signatures. Pure. */
import { createHash, timingSafeEqual } from "node:crypto";
import { CloudinaryError } from "./errors";

/** Form or query parameters after parsing; a repeated `name[]` is a list under `name`. */
export type Params = Record<string, string | string[]>;

/** Digests that an account can be set to. */
export type SignatureAlgorithm = "sha1" | "sha256";

/** Parameters that never belong to the signed text. */
const UNSIGNED_PARAMS = new Set(["file", "cloud_name", "resource_type", "api_key", "signature"]);

/** Signed requests are good for one hour (Cloudinary's documentation of authentication signatures). */
export const MAX_SIGNATURE_AGE_SECONDS = 3600;

/** Compares two texts in a time that does not depend on where they differ, nor on their lengths. */
export function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/**
 * The text that is signed. Version 2, which SDKs use since 2025, escapes `&` in values, so that a value can't pretend to
 * be a further parameter; version 1 does not.
 */
export function stringToSign(params: Params, version: 1 | 2): string {
  return Object.entries(params)
    .filter(([name, value]) => !UNSIGNED_PARAMS.has(name) && value.length > 0)
    .map(([name, value]): [string, string] => [name, Array.isArray(value) ? value.join(",") : value])
    .filter(([, value]) => value !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .map((pair) => (version === 2 ? pair.replaceAll("&", "%26") : pair))
    .join("&");
}

/** Hexadecimal signature of a text with the secret appended, as everywhere in Cloudinary. */
export function sign(text: string, secret: string, algorithm: SignatureAlgorithm = "sha1"): string {
  return createHash(algorithm)
    .update(text + secret)
    .digest("hex");
}

/**
 * Throws Cloudinary's 401 unless key, age and signature (SHA-1 or SHA-256, version 1 or 2) are right. A request that names
 * its own end (`expires_at`, part of the signed text) is as old as it likes to be.
 */
export function verifySignedParams(
  params: Params,
  account: { apiKey: string; apiSecret: string },
  nowSeconds: number,
): void {
  const text = (name: string) => (typeof params[name] === "string" ? params[name] : "");
  if (text("api_key") === "") throw new CloudinaryError(401, "Must supply api_key");
  if (!sameText(text("api_key"), account.apiKey)) {
    throw new CloudinaryError(401, `Invalid api_key ${text("api_key")}`);
  }
  if (text("signature") === "") throw new CloudinaryError(400, "Missing required parameter - signature");
  const timestamp = Number(text("timestamp"));
  if (!Number.isInteger(timestamp) || timestamp <= 0) {
    throw new CloudinaryError(400, `Invalid timestamp ${text("timestamp")}`);
  }
  if (text("expires_at") === "" && timestamp < nowSeconds - MAX_SIGNATURE_AGE_SECONDS) {
    const reported = `${new Date(timestamp * 1000).toISOString().slice(0, 19).replace("T", " ")} +0000`;
    throw new CloudinaryError(400, `Stale request - reported time is ${reported} which is more than 1 hour ago`);
  }
  const algorithm = text("signature").length === 64 ? "sha256" : "sha1";
  const texts = [stringToSign(params, 2), stringToSign(params, 1)];
  // Both are always computed: no early way out that would tell which version came close.
  const matches = texts.map((candidate) => sameText(sign(candidate, account.apiSecret, algorithm), text("signature")));
  if (!matches.includes(true)) {
    throw new CloudinaryError(401, `Invalid Signature ${text("signature")}. String to sign - '${texts[0]}'.`);
  }
}

/** The component `s--XXXXXXXX--` of a signed delivery URL, without its frame. */
export function deliverySignature(transformation: string, source: string, secret: string, long = false): string {
  const toSign = [transformation, source].filter((part) => part !== "").join("/");
  return createHash(long ? "sha256" : "sha1")
    .update(toSign + secret)
    .digest("base64")
    .slice(0, long ? 32 : 8)
    .replaceAll("/", "_")
    .replaceAll("+", "-");
}

/** Signature of a webhook: a digest of body, timestamp and secret. */
export function webhookSignature(
  body: string,
  timestamp: number,
  secret: string,
  algorithm: SignatureAlgorithm = "sha1",
): string {
  return sign(`${body}${timestamp}`, secret, algorithm);
}
