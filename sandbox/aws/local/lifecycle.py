"""Tells requests of the sandbox's lifecycle runner: the delete markers that lifecycle puts are not replicated."""

import contextvars
import hmac
import os

HEADER = b"x-sandbox-lifecycle"

_asking = contextvars.ContextVar("sandbox_lifecycle", default=False)


def look(scope):
    given = next((value for name, value in scope["headers"] if name.lower() == HEADER), None)
    token = os.environ.get("USC_PIS_SANDBOX_TOKEN", "").encode()
    _asking.set(given is not None and (not token or hmac.compare_digest(given, token)))


def asks():
    return _asking.get()
