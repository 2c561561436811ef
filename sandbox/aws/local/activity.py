"""What is under way: whoever moves the clock waits until everything has come to rest."""

import threading
from contextlib import contextmanager

from ministack.services import lambda_svc

_lock = threading.Lock()
_counts = {"requests": 0, "async": 0, "async_running": 0}


@contextmanager
def counted(name):
    with _lock:
        _counts[name] += 1
    try:
        yield
    finally:
        with _lock:
            _counts[name] -= 1


def accepted():
    """An asynchronous invocation was taken on; `ended` follows when nothing more will be tried."""
    with _lock:
        _counts["async"] += 1


def ended():
    with _lock:
        _counts["async"] -= 1


def report():
    """Invocations running or waiting for their turn, and requests being answered."""
    with _lock:
        running, _ = lambda_svc.executions_in_flight()
        synchronous = max(0, running - _counts["async_running"])
        return {"invocations": _counts["async"] + synchronous, "requests": _counts["requests"]}
