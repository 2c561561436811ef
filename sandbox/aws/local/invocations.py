"""Asynchronous invocations of functions: counted, and ended as AWS ends them.

MiniStack gives a dead-letter queue the envelope of a destination, and says "3 attempts" whatever happened. AWS puts the
raw event into a dead-letter queue, its error into attributes, and counts attempts in a destination's envelope.
"""

import contextvars
import json
import logging
import threading
import time
from datetime import datetime, timezone

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import new_uuid
from ministack.services import cloudwatch, lambda_svc

from . import activity, queues

logger = logging.getLogger("sandbox")

DEFAULT_RETRIES = 2
DEFAULT_EVENT_AGE_SECONDS = 6 * 3600


def _settings(func):
    chosen = func.get("event_invoke_config") or (func.get("event_invoke_configs") or {}).get("$LATEST") or {}
    retries = chosen.get("MaximumRetryAttempts")
    age = chosen.get("MaximumEventAgeInSeconds")
    return {
        "retries": DEFAULT_RETRIES if retries is None else int(retries),
        "age": DEFAULT_EVENT_AGE_SECONDS if age is None else int(age),
        "destination": ((chosen.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination"),
    }


def envelope(config, event, result, request_id, attempts, condition):
    """What a destination for failures is told."""
    return {
        "version": "1.0",
        "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{config.get('FunctionArn', '')}:{config.get('Version', '$LATEST')}",
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": config.get("Version", "$LATEST"),
            "functionError": result.get("function_error") or "Unhandled",
        },
        "responsePayload": result.get("body") if isinstance(result.get("body"), dict) else {},
    }


def _tell(target, config, told):
    try:
        if parse_arn(target).service == "sqs":
            queues.send(target, json.dumps(told))
            return
    except (ArnParseError, queues.QueueMissing) as error:
        logger.warning("failure of %s was not delivered to %s: %s", config.get("FunctionName"), target, error)
        return
    # Topics and functions get MiniStack's own envelope.
    lambda_svc._route_async_failure(
        target, config.get("FunctionName"), told["requestPayload"], {"body": told["responsePayload"]}
    )


def _fail(func, config, event, result, request_id, attempts, condition):
    destination = _settings(func)["destination"]
    if destination:
        _tell(destination, config, envelope(config, event, result, request_id, attempts, condition))
    dead_letters = (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if dead_letters and ":sqs:" in dead_letters:
        body = result.get("body") if isinstance(result.get("body"), dict) else {}
        attributes = {"RequestID": request_id, "ErrorCode": 200, "ErrorMessage": body.get("errorMessage", "")[:1024]}
        try:
            queues.send(dead_letters, json.dumps(event), attributes)
        except (ArnParseError, queues.QueueMissing) as error:
            logger.warning("%s has no dead-letter queue %s: %s", config.get("FunctionName"), dead_letters, error)


# When the last asynchronous run of a function ended well; nothing after one that failed.
_good = {}


def last_good(arn):
    """When the last asynchronous run of the function ended, if it ended well."""
    parts = arn.split(":")
    return _good.get((parts[4], parts[3], parts[6])) if len(parts) > 6 else None


def _measure(config, attempt, result):
    """Counts what MiniStack leaves out: it counts one invocation when an event is accepted, and no error."""
    where = {"FunctionName": config.get("FunctionName", "")}
    if attempt > 1:
        cloudwatch.record_metric("AWS/Lambda", "Invocations", 1, "Count", where)
    if result.get("error") and not result.get("throttle"):
        cloudwatch.record_metric("AWS/Lambda", "Errors", 1, "Count", where)


def _run(func, event):
    config = func.get("config") or func
    account, region = lambda_svc._account_region_from_function_config(config)
    lambda_svc._request_account_id.set(account)
    lambda_svc._request_region.set(region)
    settings = _settings(func)
    request_id = new_uuid()
    # Monotonic: a clock that is moved on must not make an event too old that a moment ago was new.
    started = time.monotonic()
    attempt = 0
    while True:
        attempt += 1
        with activity.counted("async_running"):
            result = lambda_svc._execute_function(func, event)
        if result.get("log"):
            logger.info("function %s, attempt %d:\n%s", config.get("FunctionName"), attempt, result["log"])
        _measure(config, attempt, result)
        if not result.get("error"):
            _good[account, region, config.get("FunctionName")] = datetime.fromtimestamp(time.time(), timezone.utc)
            return
        _good.pop((account, region, config.get("FunctionName")), None)
        if attempt > settings["retries"]:
            condition = "RetriesExhausted"
            break
        delay = min(
            lambda_svc._LAMBDA_ASYNC_RETRY_BASE_SECONDS * 2 ** (attempt - 1),
            lambda_svc._LAMBDA_ASYNC_RETRY_MAX_SECONDS,
        )
        if time.monotonic() - started + delay > settings["age"]:
            condition = "EventAgeExceeded"
            break
        time.sleep(delay)
    _fail(func, config, event, result, request_id, attempt, condition)


def invoke(func, event):
    """Takes an event on and returns; the rest happens in a thread of its own."""
    activity.accepted()

    def work():
        try:
            _run(func, event)
        except Exception:
            logger.exception("asynchronous invocation broke off")
        finally:
            activity.ended()

    try:
        threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True).start()
    except RuntimeError:
        activity.ended()
        raise


def install():
    lambda_svc.invoke_async_with_retry = invoke
