"""The mails that would have left the account: by SNS to confirmed addresses, and by SES."""

import threading
import time
from collections import deque
from datetime import datetime, timezone

from ministack.core.responses import new_uuid
from ministack.services import ses, ses_v2

from .control import Refused

# Enough for a simulated year of alarms and reports; the oldest go first.
KEPT = 5000
MODES = ("ok", "rejected")

_lock = threading.Lock()
_mails = deque(maxlen=KEPT)
_state = {"mode": "ok", "rejected": 0}


def iso(seconds):
    text = datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def put(kind, to, sender, subject, text, region, **more):
    """Keeps a mail, or counts it as rejected. @returns whether it arrived"""
    with _lock:
        if _state["mode"] == "rejected":
            _state["rejected"] += 1
            return False
        _mails.append({
            "id": new_uuid(),
            "time": iso(time.time()),
            "kind": kind,
            "to": [to],
            "from": sender,
            "subject": subject,
            "text": text,
            "region": region,
            **more,
        })
        return True


def _sent_by_ses():
    for (_, region, _), records in list(ses._sent_emails._data.items()):
        for record in list(records):
            yield {
                "id": record["MessageId"],
                "time": iso(record["Timestamp"]),
                "kind": "ses",
                "to": [*record.get("To", []), *record.get("CC", []), *record.get("BCC", [])],
                "from": record["Source"],
                "subject": record.get("RenderedSubject") or record.get("Subject", ""),
                "text": record.get("RenderedBodyText") or record.get("BodyText", ""),
                "html": record.get("RenderedBodyHtml") or record.get("BodyHtml") or None,
                "region": region,
            }


async def show(_body):
    with _lock:
        mails, state = list(_mails), dict(_state)
    mails += _sent_by_ses()
    return {**state, "mails": sorted(mails, key=lambda mail: mail["time"])}


async def switch(body):
    mode = body.get("mode")
    if mode not in MODES:
        raise Refused(400, f"mode is {mode!r}, expected one of {', '.join(MODES)}")
    with _lock:
        _state["mode"] = mode
    return dict(_state)


def _rejecting(original):
    def rejection(source, recipients):
        if _state["mode"] != "rejected":
            return original(source, recipients)
        with _lock:
            _state["rejected"] += 1
        return "Sending is refused: the sandbox's mail is set to rejected."

    return rejection


def clear():
    with _lock:
        _mails.clear()
        _state.update(mode="ok", rejected=0)


def install():
    refuse = _rejecting(ses._message_rejection)
    ses._message_rejection = refuse
    ses_v2._message_rejection = refuse
