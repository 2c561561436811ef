/** Buckets: private, encrypted, versioned, locked, replicated, and far enough from each other (D2, D3, D8). */
import { bucketsOf, bucketsWithout, label, refersTo } from "./buckets";
import type { Checked, ResourceRule, StackRule } from "./model";
import { isOrUnknown, items, peek, regionOf, shown, UNKNOWN } from "./peek";
import {
  BUCKET,
  BUCKET_ENCRYPTION,
  BUCKET_LOCK,
  BUCKET_POLICY,
  BUCKET_PUBLIC_ACCESS,
  BUCKET_REPLICATION,
  BUCKET_VERSIONING,
} from "./types";

/** Where Heroku runs, and where the control planes of IAM, Route 53 and S3 sit: it must not take the backups with it. */
export const HEROKU_REGION = "us-east-1";

const PUBLIC_ACCESS_SWITCHES = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

export const privateBuckets: StackRule = {
  name: "buckets-block-public-access",
  description: "Every bucket blocks public access in all four ways.",
  remediation: "Give it a BucketPublicAccessBlock with all four switches on; VaultBucket does",
  severity: "critical",
  requirement: "D8",
  checkStack: (resources) =>
    bucketsWithout(resources, BUCKET_PUBLIC_ACCESS, "public access block", ({ props }) => {
      const off = PUBLIC_ACCESS_SWITCHES.filter((name) => !isOrUnknown(peek(props, name), true));
      return off.length === 0 ? undefined : `${off.join(", ")} not true`;
    }),
};

export const noPublicPolicies: ResourceRule = {
  name: "bucket-policies-allow-nobody-at-large",
  description: "No bucket policy allows anything to everybody.",
  remediation: "Name the principals, or leave the statement out",
  severity: "critical",
  requirement: "D8",
  types: [BUCKET_POLICY],
  check: ({ props }) => {
    const statements = statementsOf(peek(props, "policy"));
    if (statements === UNKNOWN) return undefined;
    if (statements === undefined) return "policy is not a JSON document";
    const open = statements.find(
      (statement) =>
        statement.Effect === "Allow" &&
        statement.Condition === undefined &&
        (statement.NotPrincipal !== undefined || JSON.stringify(statement.Principal ?? "").includes('"*"')),
    );
    return open === undefined ? undefined : `statement ${open.Sid ?? "without Sid"} allows everybody`;
  },
};

interface Statement {
  Sid?: string;
  Effect?: string;
  Principal?: unknown;
  NotPrincipal?: unknown;
  Condition?: unknown;
}

function statementsOf(policy: unknown): Statement[] | undefined | typeof UNKNOWN {
  if (policy === UNKNOWN) return UNKNOWN;
  try {
    const document = (typeof policy === "string" ? JSON.parse(policy) : policy) as {
      Statement: Statement | Statement[];
    };
    return [document.Statement].flat();
  } catch {
    return undefined;
  }
}

export const encryptedBuckets: StackRule = {
  name: "buckets-are-encrypted-with-own-keys",
  description: "Every bucket encrypts with a customer-managed KMS key by default.",
  remediation: "Give it a BucketServerSideEncryptionConfiguration with aws:kms and the key of its region",
  severity: "critical",
  requirement: "D8",
  checkStack: (resources) =>
    bucketsWithout(resources, BUCKET_ENCRYPTION, "default encryption", ({ props }) => {
      const byDefault = peek(props, "rules", 0, "applyServerSideEncryptionByDefault");
      if (byDefault === UNKNOWN) return undefined;
      const algorithm = peek(byDefault, "sseAlgorithm");
      if (!isOrUnknown(algorithm, "aws:kms") && algorithm !== "aws:kms:dsse") {
        return `encrypts with ${shown(algorithm)}, expected aws:kms`;
      }
      const key = peek(byDefault, "kmsMasterKeyId");
      const own = key === UNKNOWN || (typeof key === "string" && key !== "" && !key.includes("alias/aws/"));
      return own ? undefined : `encrypts with key ${shown(key)}, expected a customer-managed one`;
    }),
};

export const versionedBuckets: StackRule = {
  name: "buckets-are-versioned",
  description: "Every bucket keeps versions, so that nothing is overwritten or deleted for good.",
  remediation: "Give it a BucketVersioning with status Enabled",
  severity: "critical",
  requirement: "D8",
  checkStack: (resources) =>
    bucketsWithout(resources, BUCKET_VERSIONING, "versioning", ({ props }) => {
      const status = peek(props, "versioningConfiguration", "status");
      return isOrUnknown(status, "Enabled") ? undefined : `versioning is ${shown(status)}, expected "Enabled"`;
    }),
};

export const lockedBuckets: StackRule = {
  name: "buckets-are-locked",
  description: "Every bucket locks new versions for at least a day, so that nobody can end them sooner.",
  remediation: "Create it with objectLockEnabled, and give it a BucketObjectLockConfiguration with a default retention",
  severity: "critical",
  requirement: "D3",
  checkStack: (resources) =>
    bucketsWithout(resources, BUCKET_LOCK, "Object Lock configuration", ({ props }, bucket) => {
      if (!isOrUnknown(peek(bucket.props, "objectLockEnabled"), true)) return "was created without Object Lock";
      const retention = peek(props, "rule", "defaultRetention");
      if (retention === UNKNOWN) return undefined;
      const mode = peek(retention, "mode");
      if (mode !== UNKNOWN && mode !== "GOVERNANCE" && mode !== "COMPLIANCE") return `lock mode is ${shown(mode)}`;
      const [days, years] = [peek(retention, "days"), peek(retention, "years")];
      const long = [days, years].some((length) => length === UNKNOWN || (typeof length === "number" && length >= 1));
      return long ? undefined : "locks for no time";
    }),
};

/** Enabled replication rules of a configuration. */
function enabledRules(configuration: Checked): unknown[] {
  const rules = items(configuration.props, "rules");
  return rules === UNKNOWN ? [] : rules.filter((rule) => isOrUnknown(peek(rule, "status"), "Enabled"));
}

function destinationOf(configuration: Checked, bucket: Checked): boolean {
  return enabledRules(configuration).some((rule) =>
    refersTo(configuration, "rules", peek(rule, "destination", "bucket"), bucket),
  );
}

export const replicatedBuckets: StackRule = {
  name: "buckets-are-replicated",
  description: "Every bucket is replicated, or is where another one is replicated to.",
  remediation: "Join it to a bucket of the other region by BucketReplication, with an enabled rule",
  severity: "critical",
  requirement: "D2",
  checkStack: (resources) => {
    const configurations = resources.filter((resource) => resource.type === BUCKET_REPLICATION);
    return bucketsOf(resources)
      .filter((bucket) => {
        const isSource = configurations.some(
          (one) => enabledRules(one).length > 0 && refersTo(one, "bucket", peek(one.props, "bucket"), bucket),
        );
        return !isSource && !configurations.some((one) => destinationOf(one, bucket));
      })
      .map((bucket) => ({ urn: bucket.urn, message: `bucket ${label(bucket)} is not replicated` }));
  },
};

export const replicatedEncryption: ResourceRule = {
  name: "replication-covers-encrypted-objects",
  description:
    "Replication rules select KMS-encrypted objects and name the replica's key: without either, nothing comes.",
  remediation:
    "Set sourceSelectionCriteria.sseKmsEncryptedObjects and destination.encryptionConfiguration.replicaKmsKeyId",
  severity: "critical",
  requirement: "D2",
  types: [BUCKET_REPLICATION],
  check: (resource) => {
    for (const rule of enabledRules(resource)) {
      const selected = peek(rule, "sourceSelectionCriteria", "sseKmsEncryptedObjects", "status");
      if (!isOrUnknown(selected, "Enabled")) return "a rule leaves encrypted objects out";
      const key = peek(rule, "destination", "encryptionConfiguration", "replicaKmsKeyId");
      if (key === undefined || key === "") return "a rule names no key of the replica";
    }
    return undefined;
  },
};

export const separateRegions: StackRule = {
  name: "replicas-lie-in-another-region",
  description: "A bucket and its replica lie in different regions.",
  remediation: "Choose another aws.replicaRegion",
  severity: "critical",
  requirement: "D2",
  checkStack: (resources) => {
    const buckets = bucketsOf(resources);
    return resources
      .filter((resource) => resource.type === BUCKET_REPLICATION)
      .flatMap((configuration) => {
        const source = buckets.find((one) =>
          refersTo(configuration, "bucket", peek(configuration.props, "bucket"), one),
        );
        const region = source === undefined ? regionOf(configuration) : regionOf(source);
        return buckets
          .filter((one) => one !== source && destinationOf(configuration, one))
          .filter((one) => typeof region === "string" && regionOf(one) === region)
          .map((one) => ({
            urn: configuration.urn,
            message: `bucket ${label(one)} is a replica in the same region, ${shown(region)}`,
          }));
      });
  },
};

export const awayFromHeroku: ResourceRule = {
  name: "buckets-stay-out-of-herokus-region",
  description: `No bucket lies in ${HEROKU_REGION}, where Heroku runs.`,
  remediation: "Choose other aws.primaryRegion and aws.replicaRegion",
  severity: "critical",
  requirement: "D2",
  types: [BUCKET],
  check: (resource) => {
    const region = regionOf(resource);
    return region === HEROKU_REGION ? `bucket ${label(resource)} lies in ${HEROKU_REGION}` : undefined;
  },
};
