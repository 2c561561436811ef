"""What is under way: whoever moves the clock waits until everything has come to rest."""

import asyncio
import threading
import time
from contextlib import contextmanager

from ministack.services import lambda_svc

from .control import Refused

# Between two looks, in seconds: short against a function's run, long against a look.
PAUSE = 0.003

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


async def rest(body):
    """Answers when no invocation runs or waits any more; 504 after `seconds` of real time."""
    seconds = body.get("seconds", 60)
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or seconds <= 0:
        raise Refused(422, 'expected {"seconds": a number above 0}')
    end = time.monotonic() + seconds
    while (found := report())["invocations"] > 0:
        if time.monotonic() > end:
            raise Refused(504, f"{found['invocations']} invocations have not ended within {seconds} s")
        await asyncio.sleep(PAUSE)
    return found
