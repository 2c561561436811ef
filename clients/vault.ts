import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  paginateListObjectsV2,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { UscPisError } from "../backup/errors";
import type { VaultSide } from "../backup/layout";
import {
  type Condition,
  type ObjectHead,
  type ObjectVersion,
  replicationStatus,
  sending,
  vaultError,
  version,
  type WriteOptions,
} from "./vault-objects";
import { type Uploaded, upload } from "./vault-upload";

export type { Condition, ObjectHead, ObjectVersion, WriteOptions } from "./vault-objects";

export interface VaultOptions {
  readonly bucket: string;
  readonly region: string;
  readonly side: VaultSide;
  readonly credentials?: S3ClientConfig["credentials"];
  /** @default SINGLE_PUT_MAX_BYTES */
  readonly singlePutMaxBytes?: number;
  readonly partBytes?: number;
}

/** One bucket of the vault. Reads are retried by the SDK; a stream is sent once, its sender decides what follows. */
export class Vault {
  readonly side: VaultSide;
  readonly bucket: string;
  readonly region: string;
  private readonly client: S3Client;

  constructor(private readonly options: VaultOptions) {
    this.side = options.side;
    this.bucket = options.bucket;
    this.region = options.region;
    this.client = new S3Client({
      region: options.region,
      maxAttempts: 3,
      // A lost region must show within seconds; an idle connection within a minute.
      requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
      ...(options.credentials ? { credentials: options.credentials } : {}),
    });
  }

  /**
   * Streams an object; replaces nothing but the version that `write.replaces` names.
   * @throws UscPisError `exists` when the key is taken, or by another version than that.
   */
  async putStream(
    key: string,
    body: AsyncIterable<Uint8Array>,
    bytes: number,
    write: WriteOptions = {},
  ): Promise<Uploaded> {
    const { singlePutMaxBytes, partBytes } = this.options;
    return this.named(`writing ${key}`, write.signal, () =>
      upload(this.client, this.bucket, {
        key,
        body,
        bytes,
        headers: this.headers(write, "application/octet-stream"),
        ...(write.replaces === undefined ? {} : { replaces: write.replaces }),
        ...(write.signal ? { signal: write.signal } : {}),
        ...(singlePutMaxBytes === undefined ? {} : { singlePutMaxBytes }),
        ...(partBytes === undefined ? {} : { partBytes }),
      }),
    );
  }

  /** @returns the new version. @throws UscPisError `exists` when the condition does not hold. */
  async putText(key: string, text: string, condition: Condition, write: WriteOptions = {}) {
    return this.named(`writing ${key}`, write.signal, async () => {
      const answer = await this.client.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key: key,
          Body: text,
          ChecksumAlgorithm: "SHA256",
          ...this.headers(write, "application/json"),
          ...(condition === undefined
            ? {}
            : "absent" in condition
              ? { IfNoneMatch: "*" }
              : { IfMatch: condition.etag }),
        }),
        sending(write.signal),
      );
      return { versionId: answer.VersionId, etag: answer.ETag };
    });
  }

  /** Text of a small object; undefined when it is not there. */
  async getText(key: string, versionId?: string, signal?: AbortSignal) {
    return this.orMissing(`reading ${key}`, signal, async () => {
      const answer = await this.client.send(
        new GetObjectCommand({ Bucket: this.bucket, Key: key, ...version(versionId), ChecksumMode: "ENABLED" }),
        sending(signal),
      );
      const text = (await answer.Body?.transformToString()) ?? "";
      return { text, etag: answer.ETag ?? "", versionId: answer.VersionId };
    });
  }

  /** Bytes of an object as a stream; undefined when it is not there. */
  async getStream(
    key: string,
    versionId?: string,
    signal?: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.orMissing(`reading ${key}`, signal, async () => {
      const answer = await this.client.send(
        new GetObjectCommand({ Bucket: this.bucket, Key: key, ...version(versionId) }),
        sending(signal),
      );
      return answer.Body as unknown as AsyncIterable<Uint8Array>;
    });
  }

  /** What S3 holds, without its bytes; undefined when it is not there. */
  async head(key: string, versionId?: string, signal?: AbortSignal): Promise<ObjectHead | undefined> {
    return this.orMissing(`looking at ${key}`, signal, async () => {
      const answer = await this.client.send(
        new HeadObjectCommand({ Bucket: this.bucket, Key: key, ...version(versionId), ChecksumMode: "ENABLED" }),
        sending(signal),
      );
      return {
        bytes: answer.ContentLength ?? -1,
        versionId: answer.VersionId,
        checksum: answer.ChecksumSHA256,
        replication: replicationStatus(answer.ReplicationStatus),
        retainUntil: answer.ObjectLockRetainUntilDate,
        metadata: answer.Metadata ?? {},
      };
    });
  }

  /** Puts a delete marker over an object: what lies below stays, and is found by its version. Twice does no harm. */
  async hide(key: string, signal?: AbortSignal): Promise<void> {
    await this.named(`hiding ${key}`, signal, () =>
      this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }), sending(signal)),
    );
  }

  /** Keys of current objects, in order. */
  async list(prefix: string, startAfter?: string, signal?: AbortSignal): Promise<string[]> {
    return this.named(`listing ${prefix}`, signal, async () => {
      const keys: string[] = [];
      const input = { Bucket: this.bucket, Prefix: prefix, ...(startAfter ? { StartAfter: startAfter } : {}) };
      for await (const page of paginateListObjectsV2({ client: this.client }, input, sending(signal))) {
        for (const object of page.Contents ?? []) if (object.Key) keys.push(object.Key);
      }
      return keys;
    });
  }

  /** All versions and delete markers below a prefix: an expiry or a deletion only hides a locked version. */
  async listVersions(prefix: string, signal?: AbortSignal): Promise<ObjectVersion[]> {
    return this.named(`listing versions of ${prefix}`, signal, async () => {
      const found: ObjectVersion[] = [];
      let marker: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
      while (marker) {
        const page: Awaited<ReturnType<typeof this.versionsPage>> = await this.versionsPage(prefix, marker, signal);
        const entries = [
          ...(page.Versions ?? []).map((entry) => {
            return { entry, deleteMarker: false, bytes: entry.Size ?? 0, etag: entry.ETag ?? "" };
          }),
          ...(page.DeleteMarkers ?? []).map((entry) => ({ entry, deleteMarker: true, bytes: 0, etag: "" })),
        ];
        for (const { entry, deleteMarker, bytes, etag } of entries) {
          if (!entry.Key || !entry.VersionId || !entry.LastModified) continue;
          const { Key: key, VersionId: versionId, LastModified: modified, IsLatest: latest = false } = entry;
          found.push({ key, versionId, deleteMarker, latest, modified, bytes, etag });
        }
        const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page;
        marker = IsTruncated
          ? {
              ...(NextKeyMarker ? { KeyMarker: NextKeyMarker } : {}),
              ...(NextVersionIdMarker ? { VersionIdMarker: NextVersionIdMarker } : {}),
            }
          : undefined;
      }
      return found;
    });
  }

  /**
   * Makes sure that a version is locked at least until then: reads back, sets what is missing, reads again. A
   * multipart upload may lose its lock on the way (seen on an emulator), and a backup without one is not good.
   */
  async ensureRetention(key: string, versionId: string | undefined, until: Date, signal?: AbortSignal): Promise<void> {
    await this.named(`checking the lock of ${key}`, signal, async () => {
      if (await this.heldUntil(key, versionId, until, signal)) return;
      await this.client.send(
        new PutObjectRetentionCommand({
          Bucket: this.bucket,
          Key: key,
          ...version(versionId),
          Retention: { Mode: "GOVERNANCE", RetainUntilDate: until },
        }),
        sending(signal),
      );
      if (await this.heldUntil(key, versionId, until, signal)) return;
      throw new UscPisError("unlocked", `${this.bucket}/${key} is not locked until ${until.toISOString()}`, {
        hint: "is Object Lock switched on for the bucket? See the vault stack",
      });
    });
  }

  /** A URL under which anybody may read this version, for as long as the credentials that sign it live. */
  async presign(key: string, versionId: string | undefined, seconds: number): Promise<string> {
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: key, ...version(versionId) });
    return getSignedUrl(this.client, command, { expiresIn: seconds });
  }

  /** Ends multipart uploads that a broken run left below a prefix. @returns how many there were. */
  async abortUploads(prefix: string, signal?: AbortSignal): Promise<number> {
    return this.named(`ending uploads below ${prefix}`, signal, async () => {
      const answer = await this.client.send(
        new ListMultipartUploadsCommand({ Bucket: this.bucket, Prefix: prefix }),
        sending(signal),
      );
      const uploads = (answer.Uploads ?? []).filter((entry) => entry.Key?.startsWith(prefix));
      for (const { Key, UploadId } of uploads) {
        await this.client.send(
          new AbortMultipartUploadCommand({ Bucket: this.bucket, Key, UploadId }),
          sending(signal),
        );
      }
      return uploads.length;
    });
  }

  private versionsPage(prefix: string, marker: object, signal?: AbortSignal) {
    return this.client.send(
      new ListObjectVersionsCommand({ Bucket: this.bucket, Prefix: prefix, ...marker }),
      sending(signal),
    );
  }

  private async heldUntil(key: string, versionId: string | undefined, until: Date, signal?: AbortSignal) {
    try {
      const answer = await this.client.send(
        new GetObjectRetentionCommand({ Bucket: this.bucket, Key: key, ...version(versionId) }),
        sending(signal),
      );
      const held = answer.Retention?.RetainUntilDate;
      // S3 keeps whole seconds.
      return held !== undefined && held.getTime() >= Math.floor(until.getTime() / 1000) * 1000;
    } catch (error) {
      if (error instanceof S3ServiceException && error.name === "NoSuchObjectLockConfiguration") return false;
      throw error;
    }
  }

  /** No encryption headers: the bucket's own default, its key, applies to what names none. */
  private headers(write: WriteOptions, contentType: string) {
    return {
      ContentType: contentType,
      ...(write.metadata ? { Metadata: { ...write.metadata } } : {}),
      ...(write.retainUntil
        ? { ObjectLockMode: "GOVERNANCE" as const, ObjectLockRetainUntilDate: write.retainUntil }
        : {}),
    };
  }

  private async orMissing<T>(what: string, signal: AbortSignal | undefined, act: () => Promise<T>) {
    return this.named(what, signal, async () => {
      try {
        return await act();
      } catch (error) {
        const name = error instanceof S3ServiceException ? error.name : "";
        if (name === "NoSuchKey" || name === "NotFound" || name === "NoSuchVersion") return undefined;
        throw error;
      }
    });
  }

  /** Says which bucket and what was being done; keeps our own errors and the reason of an abort as they are. */
  private async named<T>(what: string, signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof UscPisError) throw error;
      throw vaultError(what, this.bucket, this.region, error);
    }
  }
}
