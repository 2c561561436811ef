import { createHash } from "node:crypto";

/** S3 takes keys of 1024 bytes; what stands before an id in them is far shorter than the rest. */
const LONGEST = 900;

/**
 * A public id as the end of an S3 key: folders stay folders, everything but letters, digits, `-`, `_` and `.` is written as
 * the `%XX` of its bytes. Two ids never share a key, and no key has a part that is empty, `.` or `..`, which clients and
 * file systems take for something else. Ids whose key would be too long (255 characters may be 3060 bytes) go by their
 * SHA-256; the asset's facts name them.
 */
export function escapePublicId(publicId: string): string {
  const escaped = publicId.split("/").map(escapePart).join("/");
  if (escaped.length <= LONGEST) return escaped;
  return `%sha256-${createHash("sha256").update(publicId).digest("hex")}`;
}

/** The public id behind the end of a key; undefined for one that went by its digest. */
export function unescapePublicId(escaped: string): string | undefined {
  if (escaped.startsWith("%sha256-")) return undefined;
  return escaped
    .split("/")
    .map((part) => (part === "%" ? "" : decodeURIComponent(part)))
    .join("/");
}

function escapePart(part: string): string {
  // Nothing else is a lone `%`.
  if (part === "") return "%";
  if (part === "." || part === "..") return part.replaceAll(".", "%2E");
  return part.replace(/[^A-Za-z0-9._-]+/g, (run) =>
    [...Buffer.from(run, "utf8")].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}
