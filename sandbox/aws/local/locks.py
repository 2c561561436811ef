"""Object Lock where MiniStack lets go of it: in multipart uploads, for times in the past, and in suspended buckets."""

from datetime import datetime, timezone

from ministack.core.responses import now_iso
from ministack.services import s3

_UNTIL = "x-amz-object-lock-retain-until-date"
_HEADERS = (*s3._OBJECT_LOCK_HEADERS, "x-amz-tagging")


def _future(text):
    """A time to come as MiniStack writes the present: it compares texts. Nothing for the past, and for no time."""
    try:
        until = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
    except ValueError:
        return None
    written = until.strftime("%Y-%m-%dT%H:%M:%S.") + f"{until.microsecond // 1000:03d}Z"
    return written if written > now_iso() else None


def _refused():
    return s3._error("InvalidArgument", "The retain until date must be in the future!", 400)


def _checked_headers(original):
    def check(bucket, headers):
        refused = original(bucket, headers)
        if refused:
            return refused
        mode = headers.get("x-amz-object-lock-mode")
        until = headers.get(_UNTIL)
        if bool(mode) != bool(until):
            return s3._error("InvalidArgument", f"{_UNTIL} and x-amz-object-lock-mode must both be supplied", 400)
        if until:
            written = _future(until)
            if written is None:
                return _refused()
            headers[_UNTIL] = written
        return None

    return check


def _checked_retention(original):
    def put(bucket, key, body, headers, query_params=None):
        try:
            until = s3._find_xml_tag(s3.fromstring(body), "RetainUntilDate").text
        except Exception:
            # Whatever is wrong with the body, MiniStack says so itself.
            return original(bucket, key, body, headers, query_params)
        written = _future(until)
        if written is None:
            return _refused()
        return original(bucket, key, body.replace(until.encode(), written.encode()), headers, query_params)

    return put


def _starting(original):
    def start(bucket, key, headers):
        before = set(s3._multipart_uploads)
        answer = original(bucket, key, headers)
        for upload in set(s3._multipart_uploads) - before:
            s3._multipart_uploads[upload]["sandbox_headers"] = {
                name: headers[name] for name in _HEADERS if headers.get(name)
            }
        return answer

    return start


def _completing(original):
    def complete(bucket, key, body, query_params, headers=None):
        upload = s3._multipart_uploads.get(s3._qp(query_params, "uploadId")) or {}
        answer = original(bucket, key, body, query_params, headers)
        # A completion that is asked for again has no upload any more: its version keeps the lock that it has.
        if answer[0] != 200 or "sandbox_headers" not in upload:
            return answer
        kept = upload["sandbox_headers"]
        version = answer[1].get("x-amz-version-id")
        s3._apply_object_lock_from_headers(bucket, key, kept, version)
        if "x-amz-tagging" in kept:
            tags = s3._parse_qs(kept["x-amz-tagging"], keep_blank_values=True)
            s3._object_tags[(bucket, key, version)] = {name: values[0] for name, values in tags.items()}
        return answer

    return complete


def _keeping_versions(original):
    def put(bucket, body):
        element = None
        try:
            element = s3._find_xml_tag(s3.fromstring(body), "Status")
        except Exception:
            pass
        if element is not None and element.text == "Suspended" and s3._bucket_object_lock.get(bucket):
            return s3._error(
                "InvalidBucketState",
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
                409,
            )
        return original(bucket, body)

    return put


def install():
    s3._object_lock_header_error = _checked_headers(s3._object_lock_header_error)
    s3._put_object_retention = _checked_retention(s3._put_object_retention)
    s3._put_bucket_versioning = _keeping_versions(s3._put_bucket_versioning)
    s3._create_multipart_upload = _starting(s3._create_multipart_upload)
    s3._complete_multipart_upload = _completing(s3._complete_multipart_upload)
