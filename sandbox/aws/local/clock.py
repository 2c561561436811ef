"""The sandbox's clock under this process: real time plus an offset that a driver writes into a file."""

import os
import sys
import threading
import time
from datetime import timedelta

import time_machine

# The offset in milliseconds, right-aligned in so many characters: one write of a fixed length is never read in half.
LENGTH = 16
LOOK_EVERY_SECONDS = 0.05

_path = os.environ.get("USC_PIS_SANDBOX_CLOCK")
_lock = threading.Lock()
_file = None
_offset = 0
_complained = False
_traveller = None


def _open():
    """The file as it is now: a driver may have put another one in its place."""
    global _file
    try:
        found = os.stat(_path)
        if _file is not None and os.path.samestat(os.fstat(_file), found):
            return
        fresh = os.open(_path, os.O_RDONLY)
    except FileNotFoundError:
        fresh = None
    if _file is not None:
        os.close(_file)
    _file = fresh


def _read():
    """The offset wanted; what can't be read leaves the clock alone, since a wrong time would expire locks."""
    global _complained
    if _file is None:
        return 0
    text = os.pread(_file, LENGTH, 0)
    try:
        _complained, value = False, int(text)
        return value
    except ValueError:
        if not _complained:
            print(f"clock: {_path} holds {text!r}, expected {LENGTH} characters of a number", file=sys.stderr)
        _complained = True
        return _offset


def follow(reopen=False):
    """Moves the clock to where the file says. Monotonic time, by which the event loop waits, is not touched."""
    global _offset
    if _traveller is None:
        return
    with _lock:
        if reopen or _file is None:
            _open()
        wanted = _read()
        if wanted != _offset:
            _traveller.shift(timedelta(milliseconds=wanted - _offset))
            _offset = wanted


def _watch():
    while True:
        time.sleep(LOOK_EVERY_SECONDS)
        follow(reopen=True)


def start():
    """Puts the clock under this process when the environment names a file; without one, time is real."""
    global _traveller
    if not _path:
        return
    _traveller = time_machine.travel(None, tick=True).start()
    # It counts from the first time that somebody asks: until then the clock would stand still.
    time.time()
    follow()
    threading.Thread(target=_watch, daemon=True, name="sandbox-clock").start()
