"""Media as the clinic's application handles them: django-cloudinary-storage, and the official SDK under it.

Reads a job as JSON from stdin, prints what happened as JSON. CLOUDINARY_URL says where the emulator is.
"""

import base64
import io
import json
import sys
import urllib.request

import django
from django.conf import settings
from django.core.files.base import ContentFile

settings.configure(
    INSTALLED_APPS=["cloudinary_storage", "cloudinary"],
    STORAGES={"default": {"BACKEND": "cloudinary_storage.storage.MediaCloudinaryStorage"}},
    CLOUDINARY_STORAGE={"SECURE": False},
    MEDIA_URL="/media/",
)
django.setup()

import cloudinary.api  # noqa: E402
import cloudinary.exceptions  # noqa: E402
import cloudinary.uploader  # noqa: E402
import cloudinary.utils  # noqa: E402
from cloudinary_storage.storage import RawMediaCloudinaryStorage  # noqa: E402
from django.core.files.storage import default_storage  # noqa: E402


def refusal(call, *args, **options):
    """The name and words of the exception that a call raises."""
    try:
        call(*args, **options)
    except Exception as error:  # every kind is told to the test
        return {"kind": type(error).__name__, "message": str(error)}
    return None


def storage(job):
    image = base64.b64decode(job["image"])
    name = default_storage.save("patients/1/photo.png", ContentFile(image))
    again = default_storage.save("patients/1/photo.png", ContentFile(image))
    raw = RawMediaCloudinaryStorage()
    note = raw.save("patients/1/note.txt", ContentFile(b"note"))
    with default_storage.open(name) as stored:
        same = stored.read() == image
    found = {
        "name": name,
        "again": again,
        "note": note,
        "url": default_storage.url(name),
        "same": same,
        "raw": raw.open(note).read().decode(),
        "exists": [default_storage.exists(name), default_storage.exists("patients/1/absent")],
        "listed": default_storage.listdir("media/patients/1")[1],
        "tags": cloudinary.api.resource(name)["tags"],
    }
    found["deleted"] = [default_storage.delete(again), default_storage.delete(again), default_storage.exists(again)]
    return found


def sdk(job):
    image = base64.b64decode(job["image"])
    for index in range(5):
        cloudinary.uploader.upload(io.BytesIO(image), public_id="sdk/%d" % index, context={"note": "a & b|c=d"})
    ids, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = cloudinary.api.resources(type="upload", prefix="sdk/", max_results=2, next_cursor=cursor, context=True)
        ids += [resource["public_id"] for resource in page["resources"]]
        cursor, pages = page.get("next_cursor"), pages + 1
    large = cloudinary.uploader.upload_large(
        io.BytesIO(b"x" * 6_000_000), filename="large.bin", public_id="large.bin", resource_type="raw", chunk_size=5_242_880
    )
    sealed = cloudinary.uploader.upload(io.BytesIO(image), public_id="sealed", type="authenticated")
    link = cloudinary.utils.private_download_url("sealed", "png", type="authenticated")
    trigger = cloudinary.api.create_trigger("https://hook.example/a", "upload")
    updated = cloudinary.api.update_trigger(trigger["id"], "https://hook.example/b")
    triggers = cloudinary.api.triggers(event_type="upload")
    removed = cloudinary.api.delete_trigger(trigger["id"])
    usage = cloudinary.api.usage()
    return {
        "ids": ids,
        "pages": pages,
        "context": cloudinary.api.resource("sdk/0")["context"],
        "large": large["bytes"],
        "open": refusal(urllib.request.urlopen, sealed["url"]),
        "signed": urllib.request.urlopen(link).read() == image,
        "trigger": [triggers["triggers"][0]["uri"], triggers["total"], updated, removed],
        "limit": [usage.rate_limit_allowed, usage.rate_limit_remaining, list(usage.rate_limit_reset_at)],
        "renamed": cloudinary.uploader.rename("sdk/0", "sdk/renamed")["public_id"],
        "taken": refusal(cloudinary.uploader.rename, "sdk/1", "sdk/2"),
        "eager": refusal(cloudinary.uploader.upload, io.BytesIO(image), eager={"width": 10, "crop": "scale"}),
    }


def refusals(job):
    image = base64.b64decode(job["image"])
    answer = {
        "wrong": refusal(cloudinary.uploader.upload, io.BytesIO(image), api_secret="wrong"),
        "missing": refusal(cloudinary.api.resource, "absent"),
    }
    while "limited" not in answer:
        told = refusal(cloudinary.api.ping)
        if told is not None:
            answer["limited"] = told
    return answer


def webhook(job):
    verify = cloudinary.utils.verify_notification_signature
    body, timestamp, signature = job["body"], job["timestamp"], job["signature"]
    return [verify(body, timestamp, signature), verify(body + " ", timestamp, signature)]


work = json.load(sys.stdin)
parts = {"storage": storage, "sdk": sdk, "refusals": refusals, "webhook": webhook}
json.dump(parts[work["part"]](work), sys.stdout, default=str)
