"""Replication between buckets, as AWS carries it out, and on demand as it fails.

MiniStack copies inside the PUT, before the source has its version id, lock or tags. Here a write is noted, and copied
when it is whole: under the same version id, with the source's lock and tags, under the key of the replica's region, and
only if the role has the rights. A replica is still there when the PUT is answered, unless the mode says otherwise.
"""

import copy
import logging
import threading

from ministack.core.responses import get_account_id, request_scope
from ministack.services import s3

from . import lifecycle, replicas, rights, roles
from .control import Refused

logger = logging.getLogger("sandbox")

MODES = ("ok", "failed", "pending")
_KEY = rights.KMS_HEADER

_lock = threading.RLock()
_mode = "ok"
# What waits for the mode to be ok again: (account, region, work, source, key, version).
_waiting = []
_noted = threading.local()


def _rule(bucket, key, version):
    tags = s3._object_tags.get((bucket, key, version))
    rule, role = s3._replication_rule_for(bucket, key, tags)
    if rule is None:
        return None, None
    entry = replicas.find(bucket, key, version) or {}
    selected = (rule.get("SourceSelectionCriteria") or {}).get("SseKmsEncryptedObjects") or {}
    # Objects under a key of one's own are left out unless the rule asks for them.
    if (entry.get("preserved_headers") or {}).get(_KEY) and selected.get("Status") != "Enabled":
        return None, None
    return rule, role


def _destination(bucket, key, rule, role):
    target = s3._replication_destination(bucket, key, rule, role)
    if target is None or target[1] != get_account_id():
        raise roles.Denied(f"there is no versioned bucket {(rule.get('Destination') or {}).get('Bucket')}")
    return target[0]


def _copy(bucket, key, version):
    rule, role_arn = _rule(bucket, key, version)
    source = replicas.find(bucket, key, version)
    if rule is None or source is None:
        return
    destination = _destination(bucket, key, rule, role_arn)
    role = rights.take(role_arn, bucket)
    with_tags = rights.read_source(role, bucket, key) & rights.write_replica(role, destination, key)
    replica = {**copy.copy(source), "replication_status": "REPLICA"}
    replica["preserved_headers"] = dict(source.get("preserved_headers") or {})
    if _KEY in replica["preserved_headers"]:
        rights.use_key(role, "kms:Decrypt", replica["preserved_headers"][_KEY], bucket, key)
        to = ((rule.get("Destination") or {}).get("EncryptionConfiguration") or {}).get("ReplicaKmsKeyID", "")
        rights.use_key(role, "kms:Encrypt", to, destination, key)
        replica["preserved_headers"][_KEY] = to
    if (rule.get("Destination") or {}).get("StorageClass"):
        replica["storage_class"] = rule["Destination"]["StorageClass"]
    if bool(s3._bucket_object_lock.get(bucket)) and not s3._bucket_object_lock.get(destination):
        raise roles.Denied(f"{destination} has no Object Lock")
    replicas.put(destination, key, replica, replicas.current(bucket, key, version))
    replicas.copy_locks(bucket, destination, key, version)
    if s3._object_retention.get((bucket, key, version)) is None:
        # The destination's default, counted from now.
        s3._apply_object_lock_from_headers(destination, key, {}, version)
    if with_tags:
        replicas.copy_tags(bucket, destination, key, version)


def _copy_metadata(bucket, key, version):
    """Changed tags, retention or hold of a version that was copied before; else the version itself."""
    rule, role_arn = _rule(bucket, key, version)
    if rule is None:
        return
    destination = _destination(bucket, key, rule, role_arn)
    if replicas.find(destination, key, version) is None:
        _copy(bucket, key, version)
        return
    role = rights.take(role_arn, bucket)
    with_tags = rights.read_source(role, bucket, key) & rights.write_replica(role, destination, key)
    replicas.copy_locks(bucket, destination, key, version)
    if with_tags:
        replicas.copy_tags(bucket, destination, key, version)


def _copy_marker(bucket, key, version):
    rule, role_arn = s3._replication_rule_for(bucket, key, None)
    marker = replicas.find(bucket, key, version)
    if rule is None or marker is None or "Filter" in rule and (
        s3._replication_rule_tags(rule) or (rule.get("DeleteMarkerReplication") or {}).get("Status") != "Enabled"
    ):
        return
    destination = _destination(bucket, key, rule, role_arn)
    rights.write_replica(rights.take(role_arn, bucket), destination, key, "s3:ReplicateDelete")
    replicas.put(destination, key, dict(marker))


def _work(work, bucket, key, version):
    status = "COMPLETED"
    try:
        work(bucket, key, version)
    except roles.Denied as refused:
        status = "FAILED"
        logger.warning("replication of %s/%s failed: %s", bucket, key, refused)
    if work is not _copy_marker:
        replicas.set_status(bucket, key, version, status)


def _settle(region, work, bucket, key, version):
    """Carries a noted change out, or leaves it undone as the mode says."""
    with _lock:
        if _mode == "ok":
            _work(work, bucket, key, version)
            return
        if work is not _copy_marker:
            replicas.set_status(bucket, key, version, "FAILED" if _mode == "failed" else "PENDING")
        if _mode == "pending":
            _waiting.append((get_account_id(), region, work, bucket, key, version))


def _note(bucket, key, obj, _data=None, _tags=None):
    """In the place of MiniStack's own copying: at this moment the version has neither id, lock nor tags."""
    if s3._bucket_replication.get(bucket):
        _noted.objects = [*getattr(_noted, "objects", []), (bucket, key, obj)]


def _after_write(original):
    def write(*args, **more):
        _noted.objects = []
        answer = original(*args, **more)
        noted, _noted.objects = _noted.objects, []
        for bucket, key, obj in noted:
            version = obj.get("version_id")
            if version and _rule(bucket, key, version)[0] is not None:
                _settle(rights.region_of(bucket), _copy, bucket, key, version)
        return answer

    return write


def _after_change(original):
    def change(bucket, key, *args, **more):
        answer = original(bucket, key, *args, **more)
        query = args[-1] if args and isinstance(args[-1], dict) else more.get("query_params") or {}
        if answer[0] in (200, 204) and s3._bucket_replication.get(bucket):
            version = s3._resolve_subresource_version(query, s3._buckets[bucket], key)
            entry = replicas.find(bucket, key, version)
            # What waits is copied as it then is; what failed, and what is older than the rule, is left alone.
            if entry is not None and entry.get("replication_status") == "COMPLETED":
                _settle(rights.region_of(bucket), _copy_metadata, bucket, key, version)
        return answer

    return change


def _marker_put(bucket, key):
    known = replicas.versions(bucket, key)
    if known and known[-1].get("is_delete_marker") and not lifecycle.asks():
        _settle(rights.region_of(bucket), _copy_marker, bucket, key, known[-1]["version_id"])


async def show(_body):
    with _lock:
        return {"mode": _mode, "pending": len(_waiting)}


async def switch(body):
    """What waits is carried out when the mode is ok again, and fails for good when it is failed."""
    global _mode
    mode = body.get("mode")
    if mode not in MODES:
        raise Refused(400, f"mode is {mode!r}, expected one of {', '.join(MODES)}")
    with _lock:
        _mode = mode
        while _waiting and mode != "pending":
            account, region, work, bucket, key, version = _waiting.pop(0)
            with request_scope(account, region):
                if bucket in s3._buckets and replicas.find(bucket, key, version) is not None:
                    _settle(region, work, bucket, key, version)
    return await show(body)


def _reset(original):
    def reset():
        global _mode
        with _lock:
            _mode = "ok"
            _waiting.clear()
            original()

    return reset


def install():
    s3._maybe_replicate = _note
    s3._maybe_replicate_delete_marker = _marker_put
    for name in ("_put_object", "_copy_object", "_post_object", "_complete_multipart_upload"):
        setattr(s3, name, _after_write(getattr(s3, name)))
    for name in ("_put_object_tagging", "_delete_object_tagging", "_put_object_retention", "_put_object_legal_hold"):
        setattr(s3, name, _after_change(getattr(s3, name)))
    s3.reset = _reset(s3.reset)
