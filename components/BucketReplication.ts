import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { BucketReplicationConfig } from "@pulumi/aws/s3/bucketReplicationConfig";
import * as pulumi from "@pulumi/pulumi";
import { dataOptions, type Tags } from "./options";
import { policyJson, serviceTrust } from "./policies/document";
import { replicationPolicy } from "./policies/replication";
import type { VaultBucket } from "./VaultBucket";

/** Minutes within which S3 promises replication, and after which it counts as late. The only value that S3 takes. */
const REPLICATION_MINUTES = 15;

/** One side: its bucket, key and region. */
export interface ReplicationEnd {
  bucket: VaultBucket;
  /** Name of the bucket as plain text, for the role's policy. */
  bucketName: string;
  keyArn: pulumi.Input<string>;
  region: string;
}

/** Arguments of {@link BucketReplication}. */
export interface BucketReplicationArgs {
  /** Name of the role that S3 assumes. */
  roleName: string;
  source: ReplicationEnd;
  destination: ReplicationEnd;
  /**
   * Whether a deletion at the source hides the object at the destination too. Chosen explicitly, since V1 and V2 rules
   * differ: no for backups (the replica must not follow a wrong hand), yes for media (a deleted asset ends after its
   * year on both sides).
   */
  deleteMarkers: boolean;
  protect: boolean;
  tags: Tags;
}

/** Replication of all new objects of one bucket, encrypted with the other region's key, timed and measured. */
export class BucketReplication extends pulumi.ComponentResource {
  readonly nodes: { role: Role; policy: RolePolicy; configuration: BucketReplicationConfig };

  constructor(name: string, args: BucketReplicationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:vault:BucketReplication", name, {}, opts);
    const { source, destination, protect } = args;

    const role = new Role(
      `${name}-role`,
      {
        name: args.roleName,
        description: `S3 replicates ${source.bucketName} to ${destination.region}`,
        assumeRolePolicy: policyJson(serviceTrust("s3.amazonaws.com")),
        tags: args.tags,
      },
      dataOptions(this, protect),
    );
    const policy = new RolePolicy(
      `${name}-role-policy`,
      {
        name: "replicate",
        role: role.name,
        policy: pulumi.all([source.keyArn, destination.keyArn]).apply(([sourceKey, destinationKey]) =>
          policyJson(
            replicationPolicy({
              source: { bucket: source.bucketName, keyArn: sourceKey, region: source.region },
              destination: { bucket: destination.bucketName, keyArn: destinationKey, region: destination.region },
              deleteMarkers: args.deleteMarkers,
            }),
          ),
        ),
      },
      dataOptions(this, protect),
    );
    const configuration = new BucketReplicationConfig(
      `${name}-configuration`,
      {
        bucket: source.bucket.bucketName,
        role: role.arn,
        region: source.region,
        rules: [
          {
            id: "all",
            status: "Enabled",
            priority: 1,
            // A filter, even an empty one, makes this a V2 rule.
            filter: { prefix: "" },
            deleteMarkerReplication: { status: args.deleteMarkers ? "Enabled" : "Disabled" },
            sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
            destination: {
              bucket: destination.bucket.bucketArn,
              storageClass: "STANDARD",
              encryptionConfiguration: { replicaKmsKeyId: destination.keyArn },
              replicationTime: { status: "Enabled", time: { minutes: REPLICATION_MINUTES } },
              metrics: { status: "Enabled", eventThreshold: { minutes: REPLICATION_MINUTES } },
            },
          },
        ],
      },
      dataOptions(this, protect, {
        dependsOn: [policy, source.bucket.nodes.versioning, destination.bucket.nodes.versioning],
      }),
    );

    this.nodes = { role, policy, configuration };
    this.registerOutputs({});
  }
}
