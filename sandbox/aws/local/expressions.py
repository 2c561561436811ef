"""Schedule expressions of EventBridge Scheduler: what is valid, and when they are due. No state, no clock.

Fields of cron are parsed by MiniStack; ranges, time zones and the changes of summer time are added here.
"""

import re
from datetime import datetime, timedelta, timezone

from dateutil.tz import datetime_exists
from dateutil.zoneinfo import get_zonefile_instance

from ministack.services import eventbridge

_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\((\S+(?: +\S+){5})\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_DAYS_AHEAD = 4 * 366


class Invalid(Exception):
    """An expression or a time zone that AWS refuses."""


def zone(name):
    """A time zone by its name, from the data that comes with the packages: the same on every machine."""
    found = timezone.utc if name in (None, "", "UTC") else get_zonefile_instance().get(name)
    if found is None:
        raise Invalid(f"Invalid ScheduleExpressionTimezone {name}.")
    return found


def _fields(text):
    """MiniStack's parsed fields, after the checks that it leaves out."""
    fields = eventbridge._parse_cron_fields(text)
    refused = Invalid(f"Invalid Schedule Expression {text}.")
    if fields is None:
        raise refused
    minutes, hours, days, months, weekdays, years, day_of_month, day_of_week = fields
    inside = [(minutes, 0, 59), (hours, 0, 23), (months, 1, 12), (days["days"], 1, 31), (weekdays["days"], 1, 7)]
    if years is not None:
        inside.append((years, 1970, 2199))
    some = [minutes, hours, months, *([] if years is None else [years])]
    names_a_day = [any(days.values()), any(weekdays.values())]
    raw = text[len("cron("):-1].split()
    elsewhere = "?" in "".join(raw[index] for index in (0, 1, 3, 5))
    if (
        not all(low <= value <= high for values, low, high in inside for value in values)
        or not all(some)
        or not all(names_a_day)
        or elsewhere
        or (day_of_month == "?") == (day_of_week == "?")
    ):
        raise refused
    return fields


def _moment(wall, zone_of):
    """A time of a clock on the wall as UTC; nothing for the hour that the beginning of summer time leaves out."""
    local = wall.replace(tzinfo=zone_of)
    return local.astimezone(timezone.utc) if datetime_exists(local) else None


class Expression:
    """When a schedule is due. `next` gives the first time after a moment, `last` the latest one of a span."""

    def __init__(self, text, zone_name=None, anchor=None):
        """@param anchor: where a rate counts from, its start date or its creation"""
        self._zone = zone(zone_name)
        self._anchor = anchor
        self._at = self._rate = self._cron = None
        at, rate = _AT.fullmatch(text), _RATE.fullmatch(text)
        try:
            if at:
                self._at = _moment(datetime.fromisoformat(at[1]), self._zone)
                return
        except ValueError as error:
            raise Invalid(f"Invalid Schedule Expression {text}.") from error
        if rate:
            # As in rules of EventBridge: one minute, but five minutes.
            if (rate[1] == "1") == (rate[3] == "s"):
                raise Invalid(f"Invalid Schedule Expression {text}.")
            self._rate = timedelta(seconds=int(rate[1]) * _SECONDS[rate[2]])
        elif _CRON.fullmatch(text):
            self._cron = _fields(text)
        else:
            raise Invalid(f"Invalid Schedule Expression {text}.")

    @property
    def once(self):
        return self._rate is None and self._cron is None

    def next(self, after):
        """The first time after a moment, or nothing."""
        if self._rate is not None:
            passed = (after - self._anchor) // self._rate if after >= self._anchor else -1
            return self._anchor + (passed + 1) * self._rate
        if self._cron is None:
            return self._at if self._at is not None and self._at > after else None
        wall = after.astimezone(self._zone).replace(tzinfo=None)
        until = wall + timedelta(days=_DAYS_AHEAD)
        while wall is not None and wall <= until:
            found = eventbridge._cron_next_fire(self._cron, wall)
            if found is None:
                return None
            wall = found.replace(tzinfo=None)
            moment = _moment(wall, self._zone)
            # At the end of summer time an hour comes twice: its second time is not due again.
            if moment is not None and moment > after:
                return moment
        return None

    def last(self, after, until):
        """The latest time in (after, until], or nothing. Looks at the end of a long span first."""
        for days in (0.05, 1.5, 32, 367, _DAYS_AHEAD):
            start = max(after, until - timedelta(days=days))
            latest, found = None, self.next(start)
            while found is not None and found <= until:
                latest, found = found, self.next(found)
            if latest is not None or start == after:
                return latest
        return None
