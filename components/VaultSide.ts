import { Table } from "@pulumi/aws/dynamodb/table";
import { Alias } from "@pulumi/aws/kms/alias";
import { Key } from "@pulumi/aws/kms/key";
import * as pulumi from "@pulumi/pulumi";
import { BACKUP_CLASSES, type RetentionDays } from "../backup/classes";
import { mediaBucketName, runTableName, vaultBucketName, vaultKeyAlias } from "../backup/layout";
import { MEDIA_LOCK_DAYS } from "../backup/media/ports";
import { mediaLifecycleRules, vaultLifecycleRules } from "./lifecycle-rules";
import { dataOptions, type Tags } from "./options";
import { policyJson } from "./policies/document";
import { vaultKeyPolicy } from "./policies/vault-key";
import { VaultBucket } from "./VaultBucket";

/** Arguments of {@link VaultSide}. */
export interface VaultSideArgs {
  /** The system whose backups lie here. */
  system: string;
  /** Account number of twelve digits; part of the buckets' names. */
  account: string;
  /** Region of everything in this side. */
  region: string;
  /** Whole days by class. */
  retentionDays: RetentionDays;
  /** ARNs of the deployer and the break-glass role. */
  exemptRoleArns: readonly string[];
  /** Whether the engine may destroy it. */
  protect: boolean;
  tags: Tags;
}

/** One region of the vault: its key, the buckets of backups and of media, the table of runs. */
export class VaultSide extends pulumi.ComponentResource {
  readonly keyArn: pulumi.Output<string>;
  readonly tableArn: pulumi.Output<string>;
  readonly nodes: { key: Key; alias: Alias; backups: VaultBucket; media: VaultBucket; runs: Table };

  constructor(name: string, args: VaultSideArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:vault:VaultSide", name, {}, opts);
    const { system, account, region, protect, tags, exemptRoleArns } = args;

    const key = new Key(
      `${name}-key`,
      {
        description: `Backups and media of ${system} in ${region}`,
        enableKeyRotation: true,
        // The longest wait there is: a lost key is a lost vault.
        deletionWindowInDays: 30,
        policy: policyJson(vaultKeyPolicy(account, exemptRoleArns)),
        region,
        tags,
      },
      dataOptions(this, protect),
    );
    const alias = new Alias(
      `${name}-alias`,
      { name: vaultKeyAlias(system), targetKeyId: key.keyId, region },
      dataOptions(this, protect),
    );

    const common = { region, keyArn: key.arn, exemptRoleArns, protect, tags };
    const backups = new VaultBucket(
      `${name}-backups`,
      {
        ...common,
        bucketName: vaultBucketName(system, account, region),
        lockDays: Math.min(...BACKUP_CLASSES.map((backupClass) => args.retentionDays[backupClass])),
        lifecycleRules: vaultLifecycleRules(args.retentionDays),
      },
      { parent: this },
    );
    const media = new VaultBucket(
      `${name}-media`,
      {
        ...common,
        bucketName: mediaBucketName(system, account, region),
        lockDays: MEDIA_LOCK_DAYS,
        lifecycleRules: mediaLifecycleRules(),
      },
      { parent: this },
    );

    // One in each region instead of a global table: it is a convenience that can be rebuilt from the vault.
    const runs = new Table(
      `${name}-runs`,
      {
        name: runTableName(system),
        billingMode: "PAY_PER_REQUEST",
        hashKey: "pk",
        rangeKey: "sk",
        attributes: [
          { name: "pk", type: "S" },
          { name: "sk", type: "S" },
        ],
        ttl: { attributeName: "expiresAt", enabled: true },
        pointInTimeRecovery: { enabled: true },
        serverSideEncryption: { enabled: true, kmsKeyArn: key.arn },
        deletionProtectionEnabled: protect,
        region,
        tags,
      },
      dataOptions(this, protect),
    );

    this.nodes = { key, alias, backups, media, runs };
    this.keyArn = key.arn;
    this.tableArn = runs.arn;
    this.registerOutputs({ keyArn: this.keyArn, tableArn: this.tableArn });
  }
}
