import { Bucket } from "@pulumi/aws/s3/bucket";
import { BucketLifecycleConfiguration } from "@pulumi/aws/s3/bucketLifecycleConfiguration";
import { BucketObjectLockConfiguration } from "@pulumi/aws/s3/bucketObjectLockConfiguration";
import { BucketOwnershipControls } from "@pulumi/aws/s3/bucketOwnershipControls";
import { BucketPolicy } from "@pulumi/aws/s3/bucketPolicy";
import { BucketPublicAccessBlock } from "@pulumi/aws/s3/bucketPublicAccessBlock";
import { BucketServerSideEncryptionConfiguration } from "@pulumi/aws/s3/bucketServerSideEncryptionConfiguration";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning";
import * as pulumi from "@pulumi/pulumi";
import type { LifecycleRule } from "./lifecycle-rules";
import { dataOptions, type Tags } from "./options";
import { policyJson } from "./policies/document";
import { vaultBucketPolicy } from "./policies/vault-bucket";

/** Arguments of {@link VaultBucket}. */
export interface VaultBucketArgs {
  /** Name of the bucket, from backup/layout.ts, so that others find it without this stack's state. */
  bucketName: string;
  /** Region in which it lies. */
  region: string;
  /** ARN of the customer-managed key of that region. Both the default encryption and the policy name it. */
  keyArn: pulumi.Input<string>;
  /** Days for which any new version is locked when its writer names no longer time. GOVERNANCE: see the ADR on locks. */
  lockDays: number;
  /** Lifecycle, since it differs between backups and media. */
  lifecycleRules: LifecycleRule[];
  /** ARNs of the roles that the policy's denials don't bind. */
  exemptRoleArns: readonly string[];
  /** Whether the engine may destroy it, with everything in it. */
  protect: boolean;
  tags: Tags;
}

/** A versioned, locked, encrypted, private bucket whose settings only the vault's deployer and the break-glass role change. */
export class VaultBucket extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>;
  readonly bucketArn: pulumi.Output<string>;
  readonly nodes: { bucket: Bucket; versioning: BucketVersioning; lock: BucketObjectLockConfiguration };

  constructor(name: string, args: VaultBucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:vault:VaultBucket", name, {}, opts);
    const { region, protect } = args;
    const data = (more?: pulumi.CustomResourceOptions) => dataOptions(this, protect, more);

    // Object Lock can't be had later without AWS support, so it is on from the bucket's first moment.
    const bucket = new Bucket(
      `${name}-bucket`,
      { bucket: args.bucketName, objectLockEnabled: true, forceDestroy: !protect, region, tags: args.tags },
      data(),
    );
    const of = { bucket: bucket.bucket, region };

    const versioning = new BucketVersioning(
      `${name}-versioning`,
      { ...of, versioningConfiguration: { status: "Enabled" } },
      data(),
    );
    const encryption = new BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      {
        ...of,
        rules: [
          {
            applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: args.keyArn },
            bucketKeyEnabled: true,
          },
        ],
      },
      data(),
    );
    const lock = new BucketObjectLockConfiguration(
      `${name}-lock`,
      {
        ...of,
        objectLockEnabled: "Enabled",
        rule: { defaultRetention: { mode: "GOVERNANCE", days: args.lockDays } },
      },
      data({ dependsOn: versioning }),
    );
    const lifecycle = new BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      { ...of, rules: args.lifecycleRules },
      data({ dependsOn: versioning }),
    );
    const publicAccess = new BucketPublicAccessBlock(
      `${name}-public-access`,
      { ...of, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
      data(),
    );
    const ownership = new BucketOwnershipControls(
      `${name}-ownership`,
      { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } },
      data({ dependsOn: publicAccess }),
    );
    // Last, since it denies most of what stands above to everyone who is not exempt.
    new BucketPolicy(
      `${name}-policy`,
      {
        ...of,
        policy: pulumi
          .output(args.keyArn)
          .apply((keyArn) =>
            policyJson(vaultBucketPolicy({ bucket: args.bucketName, keyArn, exemptRoleArns: args.exemptRoleArns })),
          ),
      },
      data({ dependsOn: [encryption, lock, lifecycle, ownership] }),
    );

    this.nodes = { bucket, versioning, lock };
    this.bucketName = bucket.bucket;
    this.bucketArn = bucket.arn;
    this.registerOutputs({ bucketName: this.bucketName, bucketArn: this.bucketArn });
  }
}
