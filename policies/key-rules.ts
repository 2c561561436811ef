/** Keys: a lost KMS key is a lost vault (D8). That they are protected is a rule of data-rules.ts. */
import type { ResourceRule } from "./model";
import { isOrUnknown, peek, shown, UNKNOWN } from "./peek";
import { KEY } from "./types";

/** The longest wait that KMS offers; it is also what KMS takes when none is given. */
export const DELETION_WINDOW_DAYS = 30;

export const rotatedKeys: ResourceRule = {
  name: "keys-rotate",
  description: "Every key rotates by itself each year.",
  remediation: "Set enableKeyRotation",
  severity: "high",
  requirement: "D8",
  types: [KEY],
  check: ({ props }) => {
    const rotates = peek(props, "enableKeyRotation");
    return isOrUnknown(rotates, true) ? undefined : `key rotation is ${shown(rotates)}, expected true`;
  },
};

export const patientKeys: ResourceRule = {
  name: "keys-wait-before-deletion",
  description: `A key that is to be deleted can be saved for ${DELETION_WINDOW_DAYS} days.`,
  remediation: `Set deletionWindowInDays to ${DELETION_WINDOW_DAYS}`,
  severity: "high",
  requirement: "D8",
  types: [KEY],
  check: ({ props }) => {
    const days = peek(props, "deletionWindowInDays") ?? DELETION_WINDOW_DAYS;
    if (days === UNKNOWN || (typeof days === "number" && days >= DELETION_WINDOW_DAYS)) return undefined;
    return `deletion waits ${shown(days)} days, expected ${DELETION_WINDOW_DAYS}`;
  },
};
