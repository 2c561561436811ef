/** Taking a backup as the scheduler would, and looking at what lies in the vault. */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetObjectCommand, GetObjectRetentionCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { CaptureRequest, CaptureResult } from "../../backup/capture-ports";
import { UscPisError } from "../../backup/errors";
import { backupKeys, vaultBucketName } from "../../backup/layout";
import { type Manifest, parseManifest } from "../../backup/manifest";
import { PROFILES } from "../aws/identities";
import { SCOPE } from "../supervisor/services";
import type { Workbench } from "./context";
import type { BackupRecord } from "./report";

/** Name of an app's capture function. */
export function captureFunction(app: string): string {
  return `${app}-capture`;
}

/**
 * Invokes the deployed function with the event that its schedule sends, and waits for its answer.
 *
 * @throws UscPisError `capture_failed` with the function's own words
 */
export async function invokeCapture(
  bench: Workbench,
  app: string,
  signal?: AbortSignal,
  event: CaptureRequest = { trigger: "schedule", requestedBy: "rehearsal" },
): Promise<CaptureResult> {
  const lambda = new LambdaClient({ ...(await bench.access(PROFILES.administrator)), maxAttempts: 1 });
  try {
    const answer = await lambda.send(
      new InvokeCommand({
        FunctionName: captureFunction(app),
        Payload: JSON.stringify(event),
        LogType: "Tail",
      }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    const text = Buffer.from(answer.Payload ?? []).toString("utf8");
    if (answer.FunctionError !== undefined) {
      const { errorMessage } = JSON.parse(text) as { errorMessage?: string };
      const log = Buffer.from(answer.LogResult ?? "", "base64")
        .toString("utf8")
        .trim();
      throw new UscPisError("capture_failed", `${captureFunction(app)} failed: ${errorMessage ?? text}\n${log}`, {
        hint: "npx usc-pis sandbox logs aws",
      });
    }
    return JSON.parse(text) as CaptureResult;
  } finally {
    lambda.destroy();
  }
}

/** Reads a backup's manifest and how its dump is kept, as an administrator. */
export async function readBackup(bench: Workbench, result: CaptureResult, signal?: AbortSignal): Promise<BackupRecord> {
  if (result.outcome !== "captured")
    throw new UscPisError("capture_failed", `the capture came to "${result.outcome}", expected a backup`);
  const keys = backupKeys(result.class, SCOPE.system, result.id);
  const bucket = vaultBucketName(SCOPE.system, SCOPE.account, SCOPE.regions[0]);
  const s3 = new S3Client({ ...(await bench.access(PROFILES.administrator)), forcePathStyle: true });
  const options = signal === undefined ? {} : { abortSignal: signal };
  try {
    const manifestObject = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: keys.manifest }), options);
    const manifest: Manifest = parseManifest((await manifestObject.Body?.transformToString()) ?? "", {
      system: SCOPE.system,
      id: result.id,
      key: keys.manifest,
    });
    const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: keys.dump }), options);
    const lock = await s3.send(new GetObjectRetentionCommand({ Bucket: bucket, Key: keys.dump }), options);
    const until = lock.Retention?.RetainUntilDate?.toISOString();
    return {
      id: manifest.id,
      class: manifest.class,
      bytes: head.ContentLength ?? 0,
      sha256: manifest.dump.sha256,
      takenAt: manifest.takenAt,
      bucket,
      key: keys.dump,
      ...(head.ReplicationStatus === undefined ? {} : { replication: head.ReplicationStatus }),
      ...(until === undefined ? {} : { retainUntil: `${until} (${lock.Retention?.Mode})` }),
      manifest,
    };
  } finally {
    s3.destroy();
  }
}
