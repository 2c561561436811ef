"""What is served: MiniStack, under the sandbox's clock and with what the sandbox adds to it."""

from . import clock

# Before MiniStack reads the time for the first time.
clock.start()

import asyncio  # noqa: E402

from ministack.app import app as ministack  # noqa: E402

from . import activity, alarms_off, control, inbox, invocations, lifecycle, locks  # noqa: E402
from . import notices, replication, schedules, subscriptions  # noqa: E402

# Locks come before replication, which copies a version when its lock is on it.
for part in (alarms_off, inbox, invocations, locks, notices, replication, schedules, subscriptions):
    part.install()


async def _tick(_body):
    # In a thread: delivering must not stop the loop that answers the functions which it starts.
    await asyncio.to_thread(schedules.tick)
    return {}


async def _next(_body):
    found = await asyncio.to_thread(schedules.next_due)
    return {"next": None if found is None else found.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


async def _activity(_body):
    return activity.report()


async def _mail(body):
    told = await inbox.show(body)
    for index, mail in enumerate(told["mails"]):
        if "confirm" in mail:
            told["mails"][index] = {**mail, "awaits": subscriptions.awaits(mail)}
    return told


control.route("POST", "/_sandbox/rest", activity.rest)
control.route("POST", "/_sandbox/scheduler/tick", _tick)
control.route("POST", "/_sandbox/scheduler/economy", schedules.economy)
control.route("GET", "/_sandbox/scheduler/next", _next)
control.route("GET", "/_sandbox/activity", _activity)
control.route("GET", "/_sandbox/mail", _mail)
control.route("POST", "/_sandbox/mail", inbox.switch)
control.route("GET", "/_sandbox/replication", replication.show)
control.route("POST", "/_sandbox/replication", replication.switch)


async def app(scope, receive, send):
    if scope["type"] != "http":
        await ministack(scope, receive, send)
        return
    clock.follow()
    if scope["path"].startswith("/_sandbox/"):
        await control.handle(scope, receive, send)
        return
    lifecycle.look(scope)
    with activity.counted("requests"):
        await ministack(scope, receive, send)
