/** What objects in the vault are told by, and how requests for them are worded. */
import { S3ServiceException } from "@aws-sdk/client-s3";
import { UscPisError } from "../backup/errors";

export interface WriteOptions {
  /** Locks the object (GOVERNANCE) until then. */
  readonly retainUntil?: Date;
  /** ETag of the current version that a stream replaces. @default it replaces nothing: a taken key is refused */
  readonly replaces?: string;
  /** The object's own metadata: S3 takes 2 KB of ASCII in all. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Only where nothing is (`absent`), only over this version (`etag`), or over whatever is there. */
export type Condition = { readonly absent: true } | { readonly etag: string } | undefined;

export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  readonly deleteMarker: boolean;
  readonly latest: boolean;
  readonly modified: Date;
  readonly bytes: number;
  /** Empty for a delete marker. */
  readonly etag: string;
}

/** `NONE`: no rule applies to the object. Unknown words are refused. */
export type ReplicationStatus = "COMPLETED" | "PENDING" | "FAILED" | "REPLICA" | "NONE";

export interface ObjectHead {
  readonly bytes: number;
  readonly versionId: string | undefined;
  /** Stored SHA-256 in base64, with `-<parts>` after a multipart upload; undefined when stored without one. */
  readonly checksum: string | undefined;
  readonly replication: ReplicationStatus;
  readonly retainUntil: Date | undefined;
  /** The object's own metadata, names in small letters. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Names a version only where one is given. */
export function version(versionId: string | undefined): { VersionId?: string } {
  return versionId === undefined ? {} : { VersionId: versionId };
}

export function sending(signal: AbortSignal | undefined) {
  return signal ? { abortSignal: signal } : {};
}

/** @throws UscPisError for a word that is not known: it must not pass for a success. */
export function replicationStatus(status: string | undefined): ReplicationStatus {
  switch (status) {
    case undefined:
      return "NONE";
    case "COMPLETED":
    case "COMPLETE": // S3 has used both words.
      return "COMPLETED";
    case "PENDING":
    case "FAILED":
    case "REPLICA":
      return status;
    default:
      throw new UscPisError("unexpected_answer", `unknown replication status: got "${status}"`);
  }
}

/** An S3 failure in our words: `exists`, `vault_unreachable` (no answer, or 5xx) or `vault_refused`. */
export function vaultError(what: string, bucket: string, region: string, error: unknown): UscPisError {
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const code =
    status === 412 ? "exists" : status === undefined || status >= 500 ? "vault_unreachable" : "vault_refused";
  return new UscPisError(code, `${what} in ${bucket} (${region}) failed: ${said}`, { cause: error });
}
