"""One version as it lies in a bucket of MiniStack: what a replica takes over of it."""

import copy

from ministack.services import s3

_LOCKS = (s3._object_retention, s3._object_legal_hold)


def versions(bucket, key):
    return s3._object_versions.setdefault((bucket, key), [])


def find(bucket, key, version):
    return next((one for one in versions(bucket, key) if one["version_id"] == version), None)


def set_status(bucket, key, version, status):
    """The status of a source: kept with the version, and with the current object where that is the same."""
    entry = find(bucket, key, version)
    if entry is not None:
        entry["replication_status"] = status
    current = s3._buckets[bucket]["objects"].get(key)
    if current is not None and current.get("version_id") == version:
        current["replication_status"] = status


def current(bucket, key, version):
    """The object as it is read without a version id, where that is this version: it knows more than the version."""
    found = s3._buckets[bucket]["objects"].get(key)
    return found if found is not None and found.get("version_id") == version else None


def put(bucket, key, entry, like=None):
    """Puts a version or marker under its own id, in the order of creation: a late replica does not hide a newer one."""
    known = versions(bucket, key)
    known[:] = [one for one in known if one["version_id"] != entry["version_id"]]
    known.append(entry)
    # Sorting keeps the order of those of one moment.
    known.sort(key=lambda one: one["last_modified"])
    for one in known:
        one["is_latest"] = one is known[-1]
    if known[-1] is not entry:
        return
    objects = s3._buckets[bucket]["objects"]
    if entry.get("is_delete_marker"):
        objects.pop(key, None)
    else:
        known_more = {name: value for name, value in (like or {}).items() if name not in entry}
        objects[key] = {**known_more, **s3._object_record_from_version(entry), "body": entry["data"]}
        objects[key]["parts"] = entry.get("parts")


def copy_locks(source, destination, key, version):
    """Retention and hold of the source, as they are now."""
    if not s3._bucket_object_lock.get(destination):
        return
    for store in _LOCKS:
        found = store.get((source, key, version))
        if found is not None:
            store[(destination, key, version)] = copy.deepcopy(found)


def copy_tags(source, destination, key, version):
    tags = s3._object_tags.get((source, key, version))
    if tags is None:
        s3._object_tags.pop((destination, key, version), None)
    else:
        s3._object_tags[(destination, key, version)] = dict(tags)
