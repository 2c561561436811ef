import { bucketArn, type PolicyDocument, policyDocument } from "./document";

/** One side of a replication. */
export interface ReplicationSide {
  bucket: string;
  keyArn: string;
  region: string;
}

/** From where to where, and whether deletions go along. */
export interface ReplicationPolicyArgs {
  source: ReplicationSide;
  destination: ReplicationSide;
  deleteMarkers: boolean;
}

/**
 * Exactly the rights of the role that replicates. A missing one lets the configuration apply cleanly and every object
 * fail: retention and legal hold are read because locked objects are not replicated without them, and with bucket keys
 * the encryption context is the bucket's ARN, not the object's.
 */
export function replicationPolicy({ source, destination, deleteMarkers }: ReplicationPolicyArgs): PolicyDocument {
  return policyDocument(
    {
      Sid: "ReadConfiguration",
      Effect: "Allow",
      Action: ["s3:GetReplicationConfiguration", "s3:ListBucket"],
      Resource: bucketArn(source.bucket),
    },
    {
      Sid: "ReadVersions",
      Effect: "Allow",
      Action: [
        "s3:GetObjectVersionForReplication",
        "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionTagging",
        "s3:GetObjectRetention",
        "s3:GetObjectLegalHold",
      ],
      Resource: `${bucketArn(source.bucket)}/*`,
    },
    {
      Sid: "WriteReplicas",
      Effect: "Allow",
      Action: ["s3:ReplicateObject", "s3:ReplicateTags", ...(deleteMarkers ? ["s3:ReplicateDelete"] : [])],
      Resource: `${bucketArn(destination.bucket)}/*`,
    },
    keyStatement("DecryptSource", "kms:Decrypt", source),
    keyStatement("EncryptReplica", "kms:Encrypt", destination),
  );
}

function keyStatement(sid: string, action: string, side: ReplicationSide) {
  return {
    Sid: sid,
    Effect: "Allow" as const,
    Action: action,
    Resource: side.keyArn,
    Condition: {
      StringEquals: {
        "kms:ViaService": `s3.${side.region}.amazonaws.com`,
        "kms:EncryptionContext:aws:s3:arn": bucketArn(side.bucket),
      },
    },
  };
}
