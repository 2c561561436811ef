/** Alarms that somebody hears, and that take silence for what it is (A3; failure 23). */
import type { ResourceRule } from "./model";
import { isOrUnknown, items, peek, shown, UNKNOWN } from "./peek";
import { ALARM } from "./types";

export const heardAlarms: ResourceRule = {
  name: "alarms-notify-someone",
  description: "Every alarm has an action, and its actions are on.",
  remediation: "Make alarms by the factory of Alerting, which gives them the topic",
  severity: "critical",
  requirement: "A3",
  types: [ALARM],
  check: ({ props }) => {
    if (peek(props, "actionsEnabled") === false) return "its actions are switched off";
    const actions = items(props, "alarmActions");
    return actions === UNKNOWN || actions.length > 0 ? undefined : "it notifies no one";
  },
};

export const decidedSilence: ResourceRule = {
  name: "alarms-decide-on-missing-data",
  description: "Every alarm says what missing data mean; CloudWatch's default keeps it quiet.",
  remediation: "Set treatMissingData",
  severity: "high",
  requirement: "A3",
  types: [ALARM],
  check: ({ props }) =>
    peek(props, "treatMissingData") === undefined ? "it does not say what missing data mean" : undefined,
};

export const deadMansSwitches: ResourceRule = {
  name: "dead-mans-switches-alarm-on-silence",
  description: "An alarm on too few successes takes missing data for a failure: silence is what it is there for.",
  remediation: "Set treatMissingData to breaching",
  severity: "critical",
  requirement: "A3",
  types: [ALARM],
  check: ({ props }) => {
    const metric = peek(props, "metricName");
    const fires = peek(props, "comparisonOperator");
    const isSwitch =
      typeof metric === "string" &&
      /(Succeeded|Synced)$/.test(metric) &&
      typeof fires === "string" &&
      fires.startsWith("LessThan");
    const missing = peek(props, "treatMissingData");
    if (!isSwitch || isOrUnknown(missing, "breaching")) return undefined;
    return `missing data are ${shown(missing)}, expected "breaching"`;
  },
};
