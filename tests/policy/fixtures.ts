/** A compliant stack as plain objects, and the ways to break it. */
import { MINIMUM_RETENTION_DAYS } from "../../backup/classes";
import type { Checked } from "../../policies/model";
import * as types from "../../policies/types";

const ACCOUNT = "000000000000";

export function resource(type: string, name: string, props: Record<string, unknown>, protect = false): Checked {
  return { type, name, urn: `urn:pulumi:test::usc-pis::${type}::${name}`, props, opts: { protect } };
}

function bucket(kind: "vault" | "media", region: string): Checked[] {
  const name = `usc-pis-${kind}-${ACCOUNT}-${region}`;
  const of = { bucket: name, region };
  const classes = Object.entries(MINIMUM_RETENTION_DAYS).map(([backupClass, days]) => ({
    id: backupClass,
    status: "Enabled",
    filter: { prefix: `${backupClass}/` },
    expiration: { days },
    noncurrentVersionExpiration: { noncurrentDays: 1 },
  }));
  const media = [
    { id: "media", status: "Enabled", filter: { prefix: "" }, noncurrentVersionExpiration: { noncurrentDays: 366 } },
  ];
  const sweep = {
    id: "sweep",
    status: "Enabled",
    filter: { prefix: "" },
    expiration: { expiredObjectDeleteMarker: true },
  };
  const part = `${kind}-${region}`;
  return [
    resource(types.BUCKET, part, { ...of, objectLockEnabled: true, forceDestroy: false }, true),
    resource(types.BUCKET_VERSIONING, `${part}-versioning`, { ...of, versioningConfiguration: { status: "Enabled" } }),
    resource(types.BUCKET_ENCRYPTION, `${part}-encryption`, {
      ...of,
      rules: [
        { applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: `arn:aws:kms:${region}:k` } },
      ],
    }),
    resource(types.BUCKET_LOCK, `${part}-lock`, {
      ...of,
      objectLockEnabled: "Enabled",
      rule: { defaultRetention: { mode: "GOVERNANCE", days: 2 } },
    }),
    resource(types.BUCKET_PUBLIC_ACCESS, `${part}-public`, {
      ...of,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    }),
    resource(types.BUCKET_POLICY, `${part}-policy`, {
      ...of,
      policy: JSON.stringify({ Statement: [{ Sid: "TlsOnly", Effect: "Deny", Principal: "*", Action: "s3:*" }] }),
    }),
    resource(types.BUCKET_LIFECYCLE, `${part}-lifecycle`, {
      ...of,
      rules: [...(kind === "vault" ? classes : media), sweep],
    }),
  ];
}

function replication(kind: "vault" | "media"): Checked {
  return resource(types.BUCKET_REPLICATION, `${kind}-replication`, {
    bucket: `usc-pis-${kind}-${ACCOUNT}-ap-southeast-1`,
    region: "ap-southeast-1",
    rules: [
      {
        status: "Enabled",
        sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
        destination: {
          bucket: `arn:aws:s3:::usc-pis-${kind}-${ACCOUNT}-ap-northeast-1`,
          encryptionConfiguration: { replicaKmsKeyId: "arn:aws:kms:ap-northeast-1:k" },
        },
      },
    ],
  });
}

/** A whole compliant stack: vault, app, jobs, alarms, media. Fresh objects each time, so that tests may change them. */
export function compliantStack(): Checked[] {
  const regions = ["ap-southeast-1", "ap-northeast-1"];
  return [
    ...regions.flatMap((region) => [...bucket("vault", region), ...bucket("media", region)]),
    replication("vault"),
    replication("media"),
    resource(types.KEY, "key", { enableKeyRotation: true, deletionWindowInDays: 30 }, true),
    resource(types.TABLE, "runs", { name: "usc-pis-runs" }, true),
    resource(types.SCHEDULE, "capture", {
      name: "capture",
      scheduleExpression: "cron(17,32,47 * * * ? *)",
      state: "ENABLED",
    }),
    resource(types.FUNCTION, "capture-function", {
      environment: {
        variables: {
          SYSTEM: "usc-pis",
          SECRET_ARN: "arn:aws:secretsmanager:x",
          RETENTION_DAYS: JSON.stringify(MINIMUM_RETENTION_DAYS),
        },
      },
    }),
    resource(types.ALARM, "failed", {
      metricName: "CaptureFailed",
      comparisonOperator: "GreaterThanThreshold",
      treatMissingData: "notBreaching",
      alarmActions: ["arn:aws:sns:x"],
    }),
    resource(types.ALARM, "silent", {
      metricName: "CaptureSucceeded",
      comparisonOperator: "LessThanThreshold",
      treatMissingData: "breaching",
      alarmActions: ["arn:aws:sns:x"],
    }),
    resource(types.ALARM, "no-sync", {
      metricName: "MediaSynced",
      comparisonOperator: "LessThanThreshold",
      treatMissingData: "breaching",
      alarmActions: ["arn:aws:sns:x"],
    }),
    resource(types.APP, "app", { name: "usc-pis", region: "us" }, true),
    resource(types.ADDON, "database", { plan: "heroku-postgresql:essential-0" }, true),
    resource(types.ADDON, "redis", { plan: "heroku-redis:mini" }),
    resource(types.FORMATION, "web", { type: "web", size: "basic", quantity: 1 }),
    resource(types.CONFIG, "config", {
      vars: { DEBUG: "False", USE_CLOUDINARY: "True", PASSWORD_RESET_TIMEOUT: "3600", SITE_URL: "https://x.example" },
      sensitiveVars: { SECRET_KEY: "s", PGP_ENCRYPTION_KEY: "p" },
    }),
    resource(types.COMMAND, "schedule", { create: 'node cli/bin.js backup schedule --app usc-pis --at "02:00 UTC"' }),
    resource(types.UPLOAD_PRESET, "images", { name: "usc-pis-images", unsigned: false, allowedFormats: ["jpg"] }),
  ];
}

/** The compliant stack with the properties of one resource changed; paths are separated by dots. */
export function changed(name: string, changes: Record<string, unknown>): Checked[] {
  const stack = compliantStack();
  const target = stack.find((one) => one.name === name);
  if (target === undefined) throw new Error(`no resource ${name} in the fixture`);
  for (const [path, value] of Object.entries(changes)) {
    const steps = path.split(".");
    const last = steps.pop() ?? "";
    let at = target.props as Record<string, unknown>;
    for (const step of steps) {
      const next = at[step];
      if (typeof next !== "object" || next === null) throw new Error(`no ${path} in the fixture's ${name}`);
      at = next as Record<string, unknown>;
    }
    if (value === undefined) delete at[last];
    else at[last] = value;
  }
  return stack;
}

/** The compliant stack without one resource. */
export function without(name: string): Checked[] {
  const stack = compliantStack();
  const left = stack.filter((one) => one.name !== name);
  if (left.length !== stack.length - 1) throw new Error(`no resource ${name} in the fixture`);
  return left;
}

export function unprotected(name: string): Checked[] {
  return compliantStack().map((one) => (one.name === name ? { ...one, opts: { protect: false } } : one));
}
