"""What the role of a replication may do: MiniStack copies whatever its rights.

Asked as S3 does: the role trusts the service, its policies and those of bucket and key allow each call. Like the rest of
MiniStack's rights this is looked at with AUTH=true only.
"""

import json
import re

from ministack.core.arn import parse_arn
from ministack.core.iam_evaluator import (
    EvalContext,
    _gather_role_policies,
    _permissions_boundary,
    _service_principal_matches,
    combine_resource_policy,
    evaluate,
)
from ministack.core.responses import get_account_id, request_scope
from ministack.services import iam, kms, s3

KMS_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"


class Denied(Exception):
    """The first thing that the role may not do."""


def region_of(bucket):
    return s3._buckets[bucket].get("region") or "us-east-1"


def _trusted(role):
    try:
        document = json.loads(role.get("AssumeRolePolicyDocument") or "{}")
    except ValueError:
        return False
    statements = document.get("Statement", [])
    return any(
        one.get("Effect") == "Allow" and _service_principal_matches(one.get("Principal"), "s3.amazonaws.com")
        for one in (statements if isinstance(statements, list) else [statements])
    )


class Role:
    def __init__(self, arn):
        self.account = get_account_id()
        self.name = arn.rsplit("/", 1)[-1]
        found = iam._roles.get_scoped(self.account, None, self.name)
        if found is None:
            raise Denied(f"there is no role {arn}")
        if not _trusted(found):
            raise Denied(f"{arn} does not trust s3.amazonaws.com")
        self._policies = _gather_role_policies(self.name, self.account)
        self._limits = _permissions_boundary(iam._roles, self.name, self.account)

    def may(self, action, resource, region, policy, required=False, context=None):
        asked = EvalContext(
            principal_arn=f"arn:aws:sts::{self.account}:assumed-role/{self.name}/s3-replication",
            principal_type="AssumedRole",
            principal_account=self.account,
            action=action,
            resource_arn=resource,
            region=region,
            secure_transport=True,
            service_context=context or {},
        )
        own = evaluate(asked, self._policies, *self._limits)
        found = combine_resource_policy(own, asked, policy, self.account, required, tuple(self._limits))
        return found.decision == "Allow"

    def must(self, *args, **more):
        if not self.may(*args, **more):
            raise Denied(f"{self.name} may not {args[0]} on {args[1]}")


def find_key(reference, region):
    """A key by its ARN, id or alias: its record, and its region. An ARN says its region itself."""
    if reference.startswith("arn:"):
        region = parse_arn(reference).region
    with request_scope(get_account_id(), region):
        return kms._resolve_key(reference), region


def use_key(role, action, reference, bucket, key):
    """@raises Denied unless the key is there, enabled, and the role may use it for this bucket"""
    region = region_of(bucket)
    record, key_region = find_key(reference, region)
    if record is None or record.get("KeyState") != "Enabled":
        raise Denied(f"the key {reference} is not enabled")
    if role is None:
        return
    # With bucket keys the context is the bucket's, else the object's.
    bucket_key = re.search(r"BucketKeyEnabled>\s*true", s3._bucket_encryption.get(bucket) or "")
    arn = f"arn:aws:s3:::{bucket}" if bucket_key else f"arn:aws:s3:::{bucket}/{key}"
    context = {"kms:viaservice": f"s3.{region}.amazonaws.com", "kms:encryptioncontext:aws:s3:arn": arn}
    role.must(action, record["Arn"], key_region, record.get("Policy"), required=True, context=context)


def replication_role(arn):
    """The role, or nothing where rights are not looked at. @raises Denied when S3 can't take it"""
    from ministack.app import AUTH

    return Role(arn) if AUTH else None


def read_source(role, bucket, key):
    """@raises Denied unless a version may be read whole. @returns whether its tags may be, too"""
    if role is None:
        return True
    region, policy = region_of(bucket), s3._bucket_policies.get(bucket)
    resource = f"arn:aws:s3:::{bucket}/{key}"
    for action in ("s3:GetReplicationConfiguration", "s3:ListBucket"):
        role.must(action, f"arn:aws:s3:::{bucket}", region, policy)
    wanted = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl"]
    if s3._bucket_object_lock.get(bucket):
        wanted += ["s3:GetObjectRetention", "s3:GetObjectLegalHold"]
    for action in wanted:
        role.must(action, resource, region, policy)
    return role.may("s3:GetObjectVersionTagging", resource, region, policy)


def write_replica(role, bucket, key, action="s3:ReplicateObject"):
    """@raises Denied unless a replica may be written. @returns whether its tags may be, too"""
    if role is None:
        return True
    region, policy = region_of(bucket), s3._bucket_policies.get(bucket)
    resource = f"arn:aws:s3:::{bucket}/{key}"
    role.must(action, resource, region, policy)
    return role.may("s3:ReplicateTags", resource, region, policy)
