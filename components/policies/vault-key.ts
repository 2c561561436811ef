import { accountArn, type PolicyDocument, policyDocument } from "./document";
import { everyoneBut } from "./guard";

/** Actions that make a key, and with it every backup, unusable or (by its alias) not to be found. */
export const KEY_ENDING_ACTIONS = [
  "kms:DeleteAlias",
  "kms:DeleteImportedKeyMaterial",
  "kms:DisableKey",
  "kms:DisableKeyRotation",
  "kms:PutKeyPolicy",
  "kms:ScheduleKeyDeletion",
  "kms:UpdateAlias",
] as const;

/** Policy of a vault key: use is decided by the account's IAM policies, its end only by deployer and break-glass role. */
export function vaultKeyPolicy(account: string, exemptRoleArns: readonly string[]): PolicyDocument {
  return policyDocument(
    { Sid: "AccountDecides", Effect: "Allow", Principal: { AWS: accountArn(account) }, Action: "kms:*", Resource: "*" },
    {
      Sid: "KeyStays",
      Effect: "Deny",
      Principal: "*",
      Action: [...KEY_ENDING_ACTIONS],
      Resource: "*",
      Condition: everyoneBut(exemptRoleArns),
    },
  );
}
