"""EventBridge Scheduler: what MiniStack ignores of a schedule, and when each is due."""

import json
import logging
import re
import threading
import time
from datetime import datetime, timedelta, timezone

from ministack.core.responses import new_uuid
from ministack.services import scheduler

from . import deliveries
from .control import Refused
from .expressions import Expression, Invalid
from .invocations import last_good

logger = logging.getLogger("sandbox")

_lock = threading.Lock()
# The slot that a schedule was last started for, and which schedule that was, by account, region and name.
_consumed = {}


def now():
    return datetime.fromtimestamp(time.time(), timezone.utc)


def _moment(value):
    seconds = scheduler._to_epoch(value)
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)


def _expression(schedule):
    anchor = _moment(schedule.get("StartDate")) or _moment(schedule["CreationDate"])
    return Expression(schedule["ScheduleExpression"], schedule.get("ScheduleExpressionTimezone"), anchor)


def _which(schedule):
    """Tells a schedule from another one of its name, and from itself with another expression."""
    return schedule["CreationDate"], schedule["ScheduleExpression"], schedule.get("ScheduleExpressionTimezone")


def _once(key, schedule, expression):
    """Time of a schedule that is due once: at once if it has passed when it is made, and never a second time."""
    _, started = _consumed.get(key, (None, None))
    return None if started == _which(schedule) else expression.next(datetime.min.replace(tzinfo=timezone.utc))


def _span(key, schedule):
    """Slots after the first and up to the second of these may be due."""
    # A change makes good what it missed while it was disabled: nothing before it is due. A rate is due at once.
    changed = _moment(schedule["LastModificationDate"]) - timedelta(microseconds=1)
    begin = max(changed, _consumed[key][0]) if key in _consumed else changed
    start, end = _moment(schedule.get("StartDate")), _moment(schedule.get("EndDate"))
    if start is not None:
        begin = max(begin, start - timedelta(microseconds=1))
    return begin, end


def due(key, schedule, at):
    """The slot to start now: the latest one of those that have passed, since a run is for now and not for then."""
    begin, end = _span(key, schedule)
    expression = _expression(schedule)
    if expression.once:
        slot = _once(key, schedule, expression)
        return slot if slot is not None and slot <= at else None
    return expression.last(begin, at if end is None else min(at, end))


def upcoming(key, schedule):
    """The next time at which it is due, or nothing."""
    expression = _expression(schedule)
    begin, end = _span(key, schedule)
    if expression.once:
        return _once(key, schedule, expression)
    found = expression.next(begin)
    return found if found is None or end is None or found <= end else None


def _enabled():
    return [(key, found) for key, found in list(scheduler._schedules._data.items()) if found["State"] == "ENABLED"]


def _input(schedule, slot, execution):
    """The target's input, with the placeholders that Scheduler knows."""
    text = (schedule.get("Target") or {}).get("Input")
    if text is None:
        return json.dumps({
            "version": "0",
            "id": execution,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "time": slot.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "resources": [schedule["Arn"]],
            "detail": "{}",
        })
    known = {
        "schedule-arn": schedule["Arn"],
        "scheduled-time": slot.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": execution,
    }
    return re.sub(r"<aws\.scheduler\.([a-z-]+)>", lambda found: known.get(found[1], found[0]), text)


_economy = False


async def economy(body):
    """Whether triggers are left out that follow a good run of their function within the same hour of the clock."""
    global _economy
    if not isinstance(body.get("on"), bool):
        raise Refused(422, 'expected {"on": true or false}')
    _economy = body["on"]
    return {"on": _economy}


def _is_repeat(schedule, slot):
    """Its function looks, finds its hour's work done and ends: nothing but a line in its log would tell of it."""
    good = last_good((schedule.get("Target") or {}).get("Arn", "")) if _economy else None
    return good is not None and good.strftime("%Y%m%d%H") == slot.strftime("%Y%m%d%H") and good <= slot


def tick():
    """Starts what is due and tries again what could not be delivered. One caller at a time: a slot is started once."""
    with _lock:
        at = now()
        for key in [key for key in _consumed if key not in scheduler._schedules._data]:
            del _consumed[key]
        for key, schedule in _enabled():
            slot = due(key, schedule, at)
            if slot is not None:
                _consumed[key] = slot, _which(schedule)
                if _is_repeat(schedule, slot):
                    continue
                execution = new_uuid()
                deliveries.begin(key, schedule, slot, _input(schedule, slot, execution), execution, at)
            if schedule.get("ActionAfterCompletion") == "DELETE" and upcoming(key, schedule) is None:
                scheduler._schedules._data.pop(key, None)
        deliveries.repeat(at)


def next_due():
    """The earliest time at which `tick` has something to do, over all regions, or nothing."""
    with _lock:
        times = [upcoming(key, schedule) for key, schedule in _enabled()]
        return min((found for found in [*times, deliveries.next_due()] if found is not None), default=None)


def _checked(original):
    def save(name, body):
        try:
            if body.get("ScheduleExpression"):
                Expression(body["ScheduleExpression"], body.get("ScheduleExpressionTimezone"))
        except Invalid as error:
            return scheduler._error(400, "ValidationException", str(error))
        return original(name, body)

    return save


def _reset(original):
    def reset():
        with _lock:
            _consumed.clear()
            deliveries.clear()
            original()

    return reset


def install():
    scheduler._create_schedule = _checked(scheduler._create_schedule)
    scheduler._update_schedule = _checked(scheduler._update_schedule)
    scheduler._tick_schedules = tick
    scheduler.reset = _reset(scheduler.reset)
