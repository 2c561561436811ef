import { BackupVault } from "../components/BackupVault";
import type { VaultSettings } from "./settings";

/** Role `vault`: the store itself, deployed rarely and by a role of its own. */
export function composeVault(settings: VaultSettings, account: string) {
  const { system, aws, retentionDays, protect } = settings;
  const vault = new BackupVault("vault", { system, account, ...aws, retentionDays, protect });
  return {
    vault: vault.bucketName,
    vaultReplica: vault.replicaBucketName,
    media: vault.mediaBucketName,
    recoveryRoleArn: vault.recoveryRoleArn,
    breakGlassRoleArn: vault.breakGlassRoleArn,
  };
}
