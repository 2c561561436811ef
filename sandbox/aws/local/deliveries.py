"""Delivery of a schedule's event to its target, by the schedule's own retry policy and dead-letter queue."""

import json
import logging
from datetime import timedelta

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import request_scope
from ministack.services import eventbridge, lambda_svc

from . import queues, roles

logger = logging.getLogger("sandbox")

DEFAULT_ATTEMPTS = 185
DEFAULT_AGE_SECONDS = 86400
# AWS says "exponential backoff" and no figures: these are the sandbox's.
FIRST_PAUSE_SECONDS = 60
LONGEST_PAUSE_SECONDS = 3600

_waiting = []


class Undelivered(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def _group(schedule):
    """ARN of a schedule's group, which the trust policy of its role may name."""
    return schedule["Arn"].replace(":schedule/", ":schedule-group/").rsplit("/", 1)[0]


def _must(schedule, action, resource):
    """@raises Undelivered unless the schedule's role may do so"""
    try:
        role = roles.take(schedule["Target"]["RoleArn"], "scheduler.amazonaws.com", _group(schedule))
        if role is not None:
            role.must(action, resource, parse_arn(resource).region)
    except roles.Denied as denied:
        raise Undelivered("AccessDeniedException", str(denied)) from denied


def _deliver(target, payload, schedule):
    """@raises Undelivered when the target is not there, or the role may not use it"""
    arn = target.get("Arn", "")
    try:
        service = parse_arn(arn).service
    except ArnParseError as error:
        raise Undelivered("InvalidArn", str(error)) from error
    if service == "lambda":
        func, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if not func or not config:
            raise Undelivered("AWSLambda.ResourceNotFoundException", f"Function not found: {arn}")
        _must(schedule, "lambda:InvokeFunction", arn)
        # As on AWS the call is asynchronous: what the function then does is its own affair.
        record = lambda_svc._execution_record_for_config(func, config)
        try:
            event = json.loads(payload)
        except json.JSONDecodeError:
            event = payload
        lambda_svc.invoke_async_with_retry(record, event)
        lambda_svc._emit_lambda_metrics(config["FunctionName"], duration_ms=0.0, error=False, throttle=False)
    elif service == "sqs":
        _must(schedule, "sqs:SendMessage", arn)
        try:
            queues.send(arn, payload)
        except queues.QueueMissing as error:
            raise Undelivered("AWS.SimpleQueueService.NonExistentQueue", str(error)) from error
    else:
        event = {"Source": "aws.scheduler", "DetailType": "Scheduled Event", "Detail": "{}"}
        eventbridge._invoke_target({**target, "Input": payload}, event, schedule)


class Delivery:
    def __init__(self, key, schedule, slot, payload, execution, at):
        self.key, self.schedule, self.slot = key, schedule, slot
        self.payload, self.execution = payload, execution
        self.attempts = 0
        self.started = self.due = at
        policy = (schedule.get("Target") or {}).get("RetryPolicy") or {}
        self._retries = int(policy.get("MaximumRetryAttempts", DEFAULT_ATTEMPTS))
        self._age = timedelta(seconds=int(policy.get("MaximumEventAgeInSeconds", DEFAULT_AGE_SECONDS)))

    def attempt(self, at):
        """Whether it is done with: delivered, or given up."""
        account, region, _ = self.key
        with request_scope(account, region):
            return self._attempt(at)

    def _attempt(self, at):
        self.attempts += 1
        target = self.schedule.get("Target") or {}
        payload = self.payload.replace("<aws.scheduler.attempt-number>", str(self.attempts))
        try:
            _deliver(target, payload, self.schedule)
            return True
        except Undelivered as error:
            logger.warning("schedule %s, attempt %d: %s", self.schedule["Name"], self.attempts, error)
            pause = min(FIRST_PAUSE_SECONDS * 2 ** min(self.attempts - 1, 10), LONGEST_PAUSE_SECONDS)
            self.due = at + timedelta(seconds=pause)
            if self.attempts > self._retries:
                exhausted = "MaximumRetryAttempts"
            elif self.due - self.started > self._age:
                exhausted = "MaximumEventAgeInSeconds"
            else:
                return False
            self._give_up(target, payload, error, exhausted)
            return True

    def _give_up(self, target, payload, error, exhausted):
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            return
        attributes = {
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": str(error),
            "EXECUTION_ID": self.execution,
            "EXHAUSTED_RETRY_CONDITION": exhausted,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(self.attempts - 1),
            "SCHEDULED_TIME": self.slot.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "SCHEDULE_ARN": self.schedule["Arn"],
            "TARGET_ARN": target.get("Arn", ""),
        }
        try:
            _must(self.schedule, "sqs:SendMessage", queue)
            queues.send(queue, payload, attributes)
        except (ArnParseError, Undelivered, queues.QueueMissing) as missing:
            logger.warning("schedule %s has no dead-letter queue: %s", self.schedule["Name"], missing)


def begin(key, schedule, slot, payload, execution, at):
    delivery = Delivery(key, schedule, slot, payload, execution, at)
    if not delivery.attempt(at):
        _waiting.append(delivery)


def repeat(at):
    """Tries again what is due."""
    for delivery in [found for found in _waiting if found.due <= at]:
        if delivery.attempt(at):
            _waiting.remove(delivery)


def next_due():
    return min((delivery.due for delivery in _waiting), default=None)


def clear():
    _waiting.clear()
