"""Subscriptions of e-mail addresses: pending until the link in a mail is followed, and served into the inbox.

MiniStack confirms them at once and writes a log line for each message.
"""

import os
import time
from urllib.parse import urlencode

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import get_account_id, new_uuid, request_scope
from ministack.services import cloudwatch, sns

from . import inbox

ACCOUNT = "000000000000"
SENDER = "no-reply@sns.amazonaws.com"
DEFAULT_SUBJECT = "AWS Notification Message"
# A link is good for two days; a subscription that nobody confirmed goes with it.
TOKEN_SECONDS = 2 * 86400
_CONFIRM_AT_ONCE = os.environ.get("USC_PIS_SANDBOX_CONFIRM_MAIL") == "1"


def _is_mail(subscription):
    return subscription["protocol"] in ("email", "email-json")


def _link(topic, token):
    scheme = "https" if os.environ.get("USE_SSL") == "1" else "http"
    host = f"{os.environ.get('MINISTACK_HOST', 'localhost')}:{os.environ.get('GATEWAY_PORT', '4566')}"
    return f"{scheme}://{host}/?" + urlencode({"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token})


def _ask(subscription):
    topic = subscription["topic_arn"]
    link = _link(topic, subscription["token"])
    text = (
        f"You have chosen to subscribe to the topic:\n{topic}\n\n"
        f"To confirm this subscription, click or visit the link below "
        f"(If this was in error no action is necessary):\n{link}\n"
    )
    inbox.put(
        "confirmation",
        subscription["endpoint"],
        SENDER,
        "AWS Notification - Subscription Confirmation",
        text,
        parse_arn(topic).region,
        topic=topic,
        confirm=link,
    )


def _find(topic, protocol, endpoint):
    found = sns._topic_by_arn_any_scope(topic)
    matching = (one for one in (found or {}).get("subscriptions", []) if one["protocol"] == protocol)
    return next((one for one in matching if one["endpoint"] == endpoint), None)


def _subscribing(original):
    def subscribe(params):
        protocol, endpoint = sns._p(params, "Protocol"), sns._p(params, "Endpoint")
        topic = sns._normalize_arn(sns._p(params, "TopicArn"))
        before = _find(topic, protocol, endpoint)
        status, headers, body = original(params)
        subscription = _find(topic, protocol, endpoint)
        if status != 200 or subscription is None or not _is_mail(subscription):
            return status, headers, body
        if before is None and not _CONFIRM_AT_ONCE:
            # As long as AWS's: a token goes into links and command lines.
            token = (new_uuid() + new_uuid()).replace("-", "")
            subscription.update(confirmed=False, token=token, asked_at=time.time())
            subscription["attributes"].update(PendingConfirmation="true", ConfirmationWasAuthenticated="false")
            sns._refresh_subscription_counts(sns._topic_by_arn_any_scope(topic))
        if subscription["confirmed"]:
            return status, headers, body
        # Asked for again, the same mail is sent again.
        _ask(subscription)
        if sns._p(params, "ReturnSubscriptionArn") == "true":
            return status, headers, body
        return status, headers, body.replace(subscription["arn"].encode(), b"pending confirmation")

    return subscribe


def _confirming(original):
    def confirm(params):
        arn = sns._normalize_arn(sns._p(params, "TopicArn"))
        try:
            spec = parse_arn(arn)
        except ArnParseError:
            return original(params)
        # A link carries no signature, and so no region: on AWS the host's name tells it.
        with request_scope(spec.account_id, spec.region):
            status, headers, body = original(params)
            if status == 200:
                for one in sns._topic_by_arn_any_scope(arn)["subscriptions"]:
                    # Following a link proves nothing about who did.
                    if _is_mail(one) and f">{one['arn']}<".encode() in body:
                        one["attributes"]["ConfirmationWasAuthenticated"] = "false"
            return status, headers, body

    return confirm


def awaits(mail):
    """Whether the link of a confirmation still leads somewhere."""
    _expire()
    found = sns._topics._data.get((ACCOUNT, mail["region"], mail["topic"])) or {}
    tokens = [one["token"] for one in found.get("subscriptions", []) if not one["confirmed"]]
    return any(f"Token={token}" in mail["confirm"] for token in tokens)


def _expire():
    for topic in list(sns._topics._data.values()):
        late = [
            one
            for one in topic["subscriptions"]
            if not one["confirmed"] and one.get("asked_at", time.time()) + TOKEN_SECONDS <= time.time()
        ]
        if late:
            topic["subscriptions"] = [one for one in topic["subscriptions"] if one not in late]
            sns._refresh_subscription_counts(topic)


def _without_late(original):
    def call(params):
        _expire()
        return original(params)

    return call


def _listing(original):
    """While it is pending, a list shows a word in place of the ARN."""

    def call(params):
        status, headers, body = original(params)
        for topic in list(sns._topics._data.values()):
            for one in topic["subscriptions"]:
                if _is_mail(one) and not one["confirmed"]:
                    body = body.replace(f">{one['arn']}<".encode(), b">PendingConfirmation<")
        return status, headers, body

    return call


def _fanning_out(original):
    def fan_out(topic_arn, msg_id, message, subject, message_structure="", message_attributes=None, **more):
        _expire()
        original(topic_arn, msg_id, message, subject, message_structure, message_attributes, **more)
        for one in (sns._topic_by_arn_any_scope(topic_arn) or {}).get("subscriptions", []):
            if not _is_mail(one) or not one["confirmed"]:
                continue
            text = sns._resolve_message_for_protocol(message, message_structure, one["protocol"])
            if not sns._matches_filter_policy(one, message_attributes or {}, text):
                continue
            if one["protocol"] == "email-json":
                text = sns._build_envelope(topic_arn, msg_id, text, subject, message_attributes or {}, False)
            region, name = parse_arn(topic_arn).region, topic_arn.rsplit(":", 1)[-1]
            arrived = inbox.put(
                "notification", one["endpoint"], SENDER, subject or DEFAULT_SUBJECT, text, region, topic=topic_arn
            )
            metric = "NumberOfNotificationsDelivered" if arrived else "NumberOfNotificationsFailed"
            with request_scope(get_account_id(), region):
                cloudwatch.record_metric("AWS/SNS", metric, 1, "Count", {"TopicName": name})

    return fan_out


def _reset(original):
    def reset():
        inbox.clear()
        original()

    return reset


def install():
    sns._subscribe = _without_late(_subscribing(sns._subscribe))
    sns._confirm_subscription = _without_late(_confirming(sns._confirm_subscription))
    sns._list_subscriptions = _without_late(_listing(sns._list_subscriptions))
    sns._list_subscriptions_by_topic = _without_late(_listing(sns._list_subscriptions_by_topic))
    sns._get_subscription_attributes = _without_late(sns._get_subscription_attributes)
    sns._get_topic_attributes = _without_late(sns._get_topic_attributes)
    sns._fanout = _fanning_out(sns._fanout)
    sns.reset = _reset(sns.reset)
