"""Sends to a queue as a service of the account does: by its ARN, in its own region."""

import time

from ministack.core.arn import parse_arn
from ministack.core.responses import new_uuid
from ministack.services import sqs


class QueueMissing(Exception):
    pass


def send(arn, body, attributes=None):
    """@raises QueueMissing when there is no such queue: the message is lost then, as on AWS"""
    parse_arn(arn)
    queue = sqs._queue_by_arn(arn)
    if queue is None:
        raise QueueMissing(f"there is no queue {arn}")
    told = {
        name: {"DataType": "Number" if isinstance(value, int) else "String", "StringValue": str(value)}
        for name, value in (attributes or {}).items()
        # AWS refuses attributes without a value.
        if value != ""
    }
    now = time.time()
    message = {
        "id": new_uuid(),
        "body": body,
        "md5_attrs": sqs._md5_msg_attrs(told),
        "sent_at": now,
        "visible_at": now + sqs.queue_delay(queue),
        "message_attributes": told,
    }
    sqs._ensure_msg_fields(message)
    queue["messages"].append(message)
    sqs.esm_wake.set()
