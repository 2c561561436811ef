"""What an alarm's actions say: to machines CloudWatch's JSON, to people its mail.

MiniStack's own notice has half of the fields, the region's code where AWS puts its name, and publishes to topics that
would refuse it.
"""

import contextvars
import json
import logging
import time
from datetime import datetime, timezone
from pathlib import Path

import botocore

from ministack.core.iam_evaluator import pin_request_origin
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import cloudwatch, sns

logger = logging.getLogger("sandbox")

_PARTITIONS = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text())["partitions"]
_REGIONS = {code: told["description"] for part in _PARTITIONS for code, told in part["regions"].items()}
_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}


def region_name(code):
    return _REGIONS.get(code, code)


def as_json(alarm, old, new, reason, moment):
    """What queues and functions get."""
    trigger = {
        "MetricName": alarm.get("MetricName", ""),
        "Namespace": alarm.get("Namespace", ""),
        "StatisticType": "Statistic",
        "Statistic": str(alarm.get("Statistic", "")).upper(),
        "Unit": alarm.get("Unit"),
        "Dimensions": [{"value": one["Value"], "name": one["Name"]} for one in alarm.get("Dimensions") or []],
        "Period": alarm.get("Period", 60),
        "EvaluationPeriods": alarm.get("EvaluationPeriods", 1),
        "DatapointsToAlarm": alarm.get("DatapointsToAlarm", alarm.get("EvaluationPeriods", 1)),
        "ComparisonOperator": alarm.get("ComparisonOperator", ""),
        "Threshold": float(alarm.get("Threshold", 0)),
        "TreatMissingData": alarm.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": "",
    }
    told = {
        "AlarmName": alarm.get("AlarmName", ""),
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": get_account_id(),
        "AlarmConfigurationUpdatedTimestamp": _stamp(alarm.get("AlarmConfigurationUpdatedTimestamp") or time.time()),
        "NewStateValue": new,
        "NewStateReason": reason,
        "StateChangeTime": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000",
        "Region": region_name(get_region()),
        "AlarmArn": alarm.get("AlarmArn", ""),
        "OldStateValue": old,
        "OKActions": alarm.get("OKActions") or [],
        "AlarmActions": alarm.get("AlarmActions") or [],
        "InsufficientDataActions": alarm.get("InsufficientDataActions") or [],
    }
    if "AlarmRule" in alarm:
        return {**told, "AlarmRule": alarm["AlarmRule"]}
    return {**told, "Trigger": trigger}


def _stamp(seconds):
    return datetime.fromtimestamp(float(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def as_mail(alarm, old, new, reason, moment):
    """What people get: laid out as AWS lays it out."""
    name, region, account = alarm.get("AlarmName", ""), get_region(), get_account_id()
    when = moment.strftime("%A %d %B, %Y %H:%M:%S UTC")
    lines = [
        f'You are receiving this email because your Amazon CloudWatch Alarm "{name}" in the {region_name(region)} '
        f'region has entered the {new} state, because "{reason}" at "{when}".',
        "",
        "View this alarm in the AWS Management Console:",
        f"https://{region}.console.aws.amazon.com/cloudwatch/deeplink.js?region={region}#alarmsV2:alarm/{name}",
        "",
        "Alarm Details:",
        f"- Name:                       {name}",
        f"- Description:                {alarm.get('AlarmDescription') or ''}",
        f"- State Change:               {old} -> {new}",
        f"- Reason for State Change:    {reason}",
        f"- Timestamp:                  {when}",
        f"- AWS Account:                {account}",
        f"- Alarm Arn:                  {alarm.get('AlarmArn', '')}",
    ]
    if "AlarmRule" not in alarm:
        lines += _metric_lines(alarm)
    lines += ["", "State Change Actions:"]
    for state in ("OK", "ALARM", "INSUFFICIENT_DATA"):
        actions = alarm.get(_ACTIONS[state]) or []
        lines.append(f"- {state}: {'' if not actions else '[' + ', '.join(actions) + ']'}")
    return "\n".join(lines) + "\n"


def _metric_lines(alarm):
    period, periods = alarm.get("Period", 60), alarm.get("EvaluationPeriods", 1)
    dimensions = ", ".join(f"{one['Name']} = {one['Value']}" for one in alarm.get("Dimensions") or [])
    return [
        "",
        "Threshold:",
        f"- The alarm is in the ALARM state when the metric is {alarm.get('ComparisonOperator')} "
        f"{float(alarm.get('Threshold', 0))} for at least {alarm.get('DatapointsToAlarm', periods)} of the last "
        f"{periods} period(s) of {period} seconds.",
        "",
        "Monitored Metric:",
        f"- MetricNamespace:                     {alarm.get('Namespace', '')}",
        f"- MetricName:                          {alarm.get('MetricName', '')}",
        f"- Dimensions:                          [{dimensions}]",
        f"- Period:                              {period} seconds",
        f"- Statistic:                           {alarm.get('Statistic', '')}",
        f"- Unit:                                {alarm.get('Unit') or 'not specified'}",
        f"- TreatMissingData:                    {alarm.get('TreatMissingData', 'missing')}",
        "",
    ]


def _may_publish(topic_arn, alarm_arn):
    # A service comes over TLS, whatever brought the request that the alarm's state was set with.
    pin_request_origin("127.0.0.1", True)
    return sns.topic_policy_allows(topic_arn, "cloudwatch.amazonaws.com", alarm_arn, get_account_id())


def _refusal(topic_arn, alarm):
    """Why CloudWatch can't publish there, or nothing."""
    topic = sns._topic_by_arn_any_scope(topic_arn)
    if topic is None:
        return "there is no such topic"
    if topic["attributes"].get("KmsMasterKeyId") == "alias/aws/sns":
        return "CloudWatch has no right to use the key alias/aws/sns"
    if not contextvars.copy_context().run(_may_publish, topic_arn, alarm.get("AlarmArn", "")):
        return "its policy does not allow cloudwatch.amazonaws.com to publish"
    return None


def dispatch(alarm, old, new, reason):
    """Tells the topics of the state that an alarm has entered."""
    if not alarm.get("ActionsEnabled", True):
        return
    moment = datetime.fromtimestamp(time.time(), timezone.utc)
    subject = f'{new}: "{alarm.get("AlarmName", "")}" in {region_name(get_region())}'[:100]
    message = json.dumps({
        "default": json.dumps(as_json(alarm, old, new, reason, moment)),
        "email": as_mail(alarm, old, new, reason, moment),
    })
    for topic in alarm.get(_ACTIONS[new]) or []:
        if not cloudwatch._is_sns_action_arn(topic):
            continue
        refused = _refusal(topic, alarm)
        if refused is not None:
            logger.warning("alarm %s told nobody at %s: %s", alarm.get("AlarmName"), topic, refused)
            continue
        sns._fanout(topic, new_uuid(), message, subject, "json")


def install():
    cloudwatch._dispatch_alarm_actions = dispatch
