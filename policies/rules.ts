/** All rules of the pack. */
import { deadMansSwitches, decidedSilence, heardAlarms } from "./alarm-rules";
import { existingPlans, hiddenSecrets, noDebugging, quietCommands, signedUploads } from "./app-rules";
import { endedBackups, frequentCaptures, keptBackups, keptMedia, lockedCaptures } from "./backup-rules";
import { noForcedDestruction, protectedData } from "./data-rules";
import { patientKeys, rotatedKeys } from "./key-rules";
import type { Rule } from "./model";
import {
  awayFromHeroku,
  encryptedBuckets,
  lockedBuckets,
  noPublicPolicies,
  privateBuckets,
  replicatedBuckets,
  replicatedEncryption,
  separateRegions,
  versionedBuckets,
} from "./vault-rules";

export const RULES: readonly Rule[] = [
  privateBuckets,
  noPublicPolicies,
  encryptedBuckets,
  versionedBuckets,
  lockedBuckets,
  replicatedBuckets,
  replicatedEncryption,
  separateRegions,
  awayFromHeroku,
  rotatedKeys,
  patientKeys,
  frequentCaptures,
  keptBackups,
  endedBackups,
  keptMedia,
  lockedCaptures,
  heardAlarms,
  decidedSilence,
  deadMansSwitches,
  noDebugging,
  hiddenSecrets,
  quietCommands,
  existingPlans,
  signedUploads,
  protectedData,
  noForcedDestruction,
];
