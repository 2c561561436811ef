"""What the role of a replication needs for one object."""

import re

from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, request_scope
from ministack.services import kms, s3

from . import roles

KMS_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"


def region_of(bucket):
    return s3._buckets[bucket].get("region") or "us-east-1"


def take(arn, bucket):
    return roles.take(arn, "s3.amazonaws.com", f"arn:aws:s3:::{bucket}")


def use_key(role, action, reference, bucket, key):
    """@raises Denied unless the key is there, enabled, and the role may use it for this bucket"""
    region = region_of(bucket)
    # An ARN says its region itself.
    key_region = parse_arn(reference).region if reference.startswith("arn:") else region
    with request_scope(get_account_id(), key_region):
        record = kms._resolve_key(reference)
    if record is None or record.get("KeyState") != "Enabled":
        raise roles.Denied(f"the key {reference} is not enabled")
    if role is None:
        return
    # With bucket keys the context is the bucket's, else the object's.
    bucket_key = re.search(r"BucketKeyEnabled>\s*true", s3._bucket_encryption.get(bucket) or "")
    arn = f"arn:aws:s3:::{bucket}" if bucket_key else f"arn:aws:s3:::{bucket}/{key}"
    context = {"kms:viaservice": f"s3.{region}.amazonaws.com", "kms:encryptioncontext:aws:s3:arn": arn}
    role.must(action, record["Arn"], key_region, context=context, policy=record.get("Policy") or "")


def _may(role, bucket, key, needed, tags):
    """@raises Denied unless all that is needed is allowed. @returns whether tags go along"""
    if role is None:
        return True
    region, policy = region_of(bucket), s3._bucket_policies.get(bucket) or ""
    for action in needed:
        whole = action in ("s3:GetReplicationConfiguration", "s3:ListBucket")
        role.must(action, f"arn:aws:s3:::{bucket}{'' if whole else f'/{key}'}", region, policy=policy)
    return role.may(tags, f"arn:aws:s3:::{bucket}/{key}", region, policy=policy)


def read_source(role, bucket, key):
    needed = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
    needed += ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl"]
    if s3._bucket_object_lock.get(bucket):
        needed += ["s3:GetObjectRetention", "s3:GetObjectLegalHold"]
    return _may(role, bucket, key, needed, "s3:GetObjectVersionTagging")


def write_replica(role, bucket, key, action="s3:ReplicateObject"):
    return _may(role, bucket, key, [action], "s3:ReplicateTags")
