import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import * as pulumi from "@pulumi/pulumi";
import type { RetentionDays } from "../backup/classes";
import {
  breakGlassRoleName,
  mediaBucketName,
  recoveryRoleName,
  vaultBucketName,
  vaultDeployerRoleName,
} from "../backup/layout";
import { BucketReplication } from "./BucketReplication";
import { dataOptions, projectTags } from "./options";
import { breakGlassPolicy, breakGlassTrust } from "./policies/break-glass";
import { policyJson, roleArn, type TrustDocument } from "./policies/document";
import { recoveryPolicy, recoveryTrust } from "./policies/recovery";
import { VaultSide } from "./VaultSide";

/** Arguments of {@link BackupVault}. */
export interface BackupVaultArgs {
  /** The system whose backups the vault keeps; every name is derived from it. */
  system: string;
  /** Account number of twelve digits. */
  account: string;
  /** Region in which jobs write. */
  primaryRegion: string;
  /** Region that holds the replicas. Another one than the first, and than Heroku's: settings see to it. */
  replicaRegion: string;
  /** Retention in whole days by class, at least those of D3; lifecycle ends it, Object Lock guards it. */
  retentionDays: RetentionDays;
  /** ARN of the role that deploys this stack. @default the account's role `<system>-vault-deployer` */
  vaultDeployerArn?: string;
  /** ARNs of those who may assume the break-glass role, with a second factor. @default whom the account's IAM allows */
  breakGlassPrincipals?: readonly string[];
  /** Protects and retains everything. @default true: only drills and staging have reason to say false */
  protect?: boolean;
}

/**
 * The vault: buckets of backups and media in two regions, their keys, replication, tables of runs, and the two roles that
 * an emergency uses.
 *
 * @example new BackupVault("vault", { system: "usc-pis", account, primaryRegion, replicaRegion, retentionDays });
 */
export class BackupVault extends pulumi.ComponentResource {
  readonly bucketName: pulumi.Output<string>;
  readonly replicaBucketName: pulumi.Output<string>;
  readonly mediaBucketName: pulumi.Output<string>;
  readonly recoveryRoleArn: pulumi.Output<string>;
  readonly breakGlassRoleArn: pulumi.Output<string>;
  readonly nodes: {
    primary: VaultSide;
    replica: VaultSide;
    backupReplication: BucketReplication;
    mediaReplication: BucketReplication;
    recoveryRole: Role;
    breakGlassRole: Role;
  };

  constructor(name: string, args: BackupVaultArgs, opts?: pulumi.ComponentResourceOptions) {
    super("usc-pis:vault:BackupVault", name, {}, opts);
    const exemptRoleArns = exemptRoles(args);

    const primary = this.side(`${name}-primary`, args.primaryRegion, args, exemptRoleArns);
    const replica = this.side(`${name}-replica`, args.replicaRegion, args, exemptRoleArns);
    const backupReplication = this.replication(`${name}-backups`, "backups", primary, replica, args);
    const mediaReplication = this.replication(`${name}-media`, "media", primary, replica, args);
    const recoveryRole = this.recoveryRole(`${name}-recovery`, primary, replica, args);
    const breakGlassRole = this.breakGlassRole(`${name}-break-glass`, primary, replica, args);

    this.nodes = { primary, replica, backupReplication, mediaReplication, recoveryRole, breakGlassRole };
    this.bucketName = primary.nodes.backups.bucketName;
    this.replicaBucketName = replica.nodes.backups.bucketName;
    this.mediaBucketName = primary.nodes.media.bucketName;
    this.recoveryRoleArn = recoveryRole.arn;
    this.breakGlassRoleArn = breakGlassRole.arn;
    this.registerOutputs({
      bucketName: this.bucketName,
      replicaBucketName: this.replicaBucketName,
      mediaBucketName: this.mediaBucketName,
      recoveryRoleArn: this.recoveryRoleArn,
      breakGlassRoleArn: this.breakGlassRoleArn,
    });
  }

  private side(name: string, region: string, args: BackupVaultArgs, exemptRoleArns: string[]): VaultSide {
    const { system, account, retentionDays, protect = true } = args;
    const tags = projectTags(system);
    return new VaultSide(
      name,
      { system, account, region, retentionDays, exemptRoleArns, protect, tags },
      { parent: this },
    );
  }

  private replication(
    name: string,
    kind: "backups" | "media",
    from: VaultSide,
    to: VaultSide,
    args: BackupVaultArgs,
  ): BucketReplication {
    const { system, account, protect = true } = args;
    const bucketName = kind === "backups" ? vaultBucketName : mediaBucketName;
    const end = (side: VaultSide, region: string) => ({
      bucket: side.nodes[kind],
      bucketName: bucketName(system, account, region),
      keyArn: side.keyArn,
      region,
    });
    return new BucketReplication(
      `${name}-replication`,
      {
        roleName: `${system}-vault-${kind}-replication`,
        source: end(from, args.primaryRegion),
        destination: end(to, args.replicaRegion),
        deleteMarkers: kind === "media",
        protect,
        tags: projectTags(system),
      },
      { parent: this },
    );
  }

  private recoveryRole(name: string, primary: VaultSide, replica: VaultSide, args: BackupVaultArgs): Role {
    const { system, account } = args;
    const buckets = regions(args).map((region) => vaultBucketName(system, account, region));
    const mediaBuckets = regions(args).map((region) => mediaBucketName(system, account, region));
    const document = pulumi
      .all([primary.keyArn, replica.keyArn, primary.tableArn, replica.tableArn])
      .apply(([key, replicaKey, table, replicaTable]) =>
        policyJson(
          recoveryPolicy({
            ...{ system, buckets, mediaBuckets },
            keyArns: [key, replicaKey],
            tableArns: [table, replicaTable],
          }),
        ),
      );
    return this.role(name, recoveryRoleName(system), recoveryTrust(account), document, args);
  }

  private breakGlassRole(name: string, primary: VaultSide, replica: VaultSide, args: BackupVaultArgs): Role {
    const { system, account, breakGlassPrincipals = [] } = args;
    const buckets = [vaultBucketName, mediaBucketName].flatMap((nameOf) =>
      regions(args).map((region) => nameOf(system, account, region)),
    );
    const document = pulumi
      .all([primary.keyArn, replica.keyArn])
      .apply((keyArns) => policyJson(breakGlassPolicy(buckets, keyArns)));
    const trust = breakGlassTrust(account, breakGlassPrincipals);
    return this.role(name, breakGlassRoleName(system), trust, document, args);
  }

  private role(
    name: string,
    roleName: string,
    trust: TrustDocument,
    document: pulumi.Output<string>,
    { system, protect = true }: BackupVaultArgs,
  ): Role {
    const role = new Role(
      `${name}-role`,
      { name: roleName, assumeRolePolicy: policyJson(trust), maxSessionDuration: 3600, tags: projectTags(system) },
      dataOptions(this, protect),
    );
    new RolePolicy(
      `${name}-role-policy`,
      { name: "vault", role: role.name, policy: document },
      dataOptions(this, protect),
    );
    return role;
  }
}

/** The roles that the vault's denials don't bind. */
export function exemptRoles(args: Pick<BackupVaultArgs, "account" | "system" | "vaultDeployerArn">): string[] {
  const deployer = args.vaultDeployerArn ?? roleArn(args.account, vaultDeployerRoleName(args.system));
  return [deployer, roleArn(args.account, breakGlassRoleName(args.system))];
}

function regions(args: BackupVaultArgs): string[] {
  return [args.primaryRegion, args.replicaRegion];
}
