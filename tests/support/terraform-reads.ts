import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { IAM } from "@aws-sdk/client-iam";
import { KMS } from "@aws-sdk/client-kms";
import type { Properties } from "../../sandbox/plugins/core/values";
import { BUCKET_TYPES } from "./terraform-reads-s3";

/**
 * How Terraform's aws provider (hashicorp/aws v6, as wrapped by @pulumi/aws 7) sees one resource: the questions it asks on
 * a refresh or import and what it makes of the answers, attribute by attribute, under the names that Pulumi gives them.
 * Written from the provider's schemas and readers; it shares nothing with the stand-in.
 */
export interface TerraformType {
  /** Module and class of the type's declaration in @pulumi/aws, which lists its attributes. */
  declaration: string;
  read(id: string, region: string): Promise<Properties>;
  /** What an attribute that nobody declares is, by default of the schema or of AWS, if it is not empty. */
  undeclared: Properties;
  /** Attributes that the service fills in and that no declaration can differ from. */
  computed: string[];
  /** Attributes that no answer holds: an import leaves them at their defaults. */
  unread: string[];
  /** What AWS would answer and MiniStack does not. No declaration of the vault names any of it. */
  gaps?: Properties;
}

export const tagMap = (list: { Key?: string; Value?: string }[] | undefined) => {
  const map = Object.fromEntries((list ?? []).map(({ Key = "", Value = "" }) => [Key, Value]));
  return { tags: map, tagsAll: map };
};

/** Every attribute of a type, from its declaration. */
export function attributesOf({ declaration }: TerraformType): string[] {
  const file = join(dirname(require.resolve("@pulumi/aws/package.json")), `${declaration}.d.ts`);
  const [, body = ""] = readFileSync(file, "utf8").split("export declare class");
  return [...body.matchAll(/^ {4}readonly (\w+): pulumi\.Output</gm)].map(([, name]) => name as string);
}

const key: TerraformType = {
  declaration: "kms/key",
  async read(id, region) {
    const kms = new KMS({ region });
    const { KeyMetadata: metadata } = await kms.describeKey({ KeyId: id });
    const { Policy } = await kms.getKeyPolicy({ KeyId: id, PolicyName: "default" });
    const rotation = await kms.getKeyRotationStatus({ KeyId: id });
    const { Tags } = await kms.listResourceTags({ KeyId: id });
    return {
      arn: metadata?.Arn,
      keyId: metadata?.KeyId,
      customKeyStoreId: metadata?.CustomKeyStoreId,
      customerMasterKeySpec: metadata?.KeySpec,
      description: metadata?.Description,
      enableKeyRotation: rotation.KeyRotationEnabled,
      isEnabled: metadata?.Enabled,
      keyUsage: metadata?.KeyUsage,
      multiRegion: metadata?.MultiRegion,
      policy: Policy,
      rotationPeriodInDays: rotation.RotationPeriodInDays,
      xksKeyId: metadata?.XksKeyConfiguration?.Id,
      region,
      ...tagMap(Tags?.map(({ TagKey, TagValue }) => ({ Key: TagKey, Value: TagValue }))),
    };
  },
  undeclared: {
    customerMasterKeySpec: "SYMMETRIC_DEFAULT",
    isEnabled: true,
    keyUsage: "ENCRYPT_DECRYPT",
    rotationPeriodInDays: 365,
  },
  computed: ["arn", "keyId"],
  unread: ["bypassPolicyLockoutSafetyCheck", "deletionWindowInDays"],
};

const alias: TerraformType = {
  declaration: "kms/alias",
  async read(id, region) {
    const { Aliases = [] } = await new KMS({ region }).listAliases({});
    const found = Aliases.find(({ AliasName }) => AliasName === id);
    const targetKeyArn = found?.AliasArn?.replace(/:alias\/.*/, `:key/${found.TargetKeyId}`);
    return { name: found?.AliasName, arn: found?.AliasArn, targetKeyId: found?.TargetKeyId, targetKeyArn, region };
  },
  undeclared: {},
  computed: ["arn", "targetKeyArn"],
  unread: ["namePrefix"],
};

const table: TerraformType = {
  declaration: "dynamodb/table",
  async read(id, region) {
    const dynamodb = new DynamoDB({ region });
    const { Table: live } = await dynamodb.describeTable({ TableName: id });
    const { ContinuousBackupsDescription: backups } = await dynamodb.describeContinuousBackups({ TableName: id });
    const { TimeToLiveDescription: expiry } = await dynamodb.describeTimeToLive({ TableName: id });
    const { Tags } = await dynamodb.listTagsOfResource({ ResourceArn: live?.TableArn });
    const recovery = backups?.PointInTimeRecoveryDescription;
    const of = (type: string) => live?.KeySchema?.find(({ KeyType }) => KeyType === type)?.AttributeName;
    const { SSEDescription: encryption, OnDemandThroughput: onDemand, WarmThroughput: warm } = live ?? {};
    return {
      arn: live?.TableArn,
      name: live?.TableName,
      attributes: live?.AttributeDefinitions?.map((one) => ({ name: one.AttributeName, type: one.AttributeType })),
      billingMode: live?.BillingModeSummary?.BillingMode ?? "PROVISIONED",
      deletionProtectionEnabled: live?.DeletionProtectionEnabled,
      globalSecondaryIndexes: live?.GlobalSecondaryIndexes ?? [],
      localSecondaryIndexes: live?.LocalSecondaryIndexes ?? [],
      replicas: live?.Replicas ?? [],
      hashKey: of("HASH"),
      rangeKey: of("RANGE"),
      readCapacity: live?.ProvisionedThroughput?.ReadCapacityUnits,
      writeCapacity: live?.ProvisionedThroughput?.WriteCapacityUnits,
      onDemandThroughput: onDemand && { maxReadRequestUnits: onDemand.MaxReadRequestUnits },
      warmThroughput: warm && { readUnitsPerSecond: warm.ReadUnitsPerSecond },
      pointInTimeRecovery: {
        enabled: recovery?.PointInTimeRecoveryStatus === "ENABLED",
        recoveryPeriodInDays: recovery?.RecoveryPeriodInDays,
      },
      serverSideEncryption: encryption && {
        enabled: encryption.Status === "ENABLED",
        kmsKeyArn: encryption.KMSMasterKeyArn,
      },
      streamArn: live?.LatestStreamArn ?? "",
      streamLabel: live?.LatestStreamLabel ?? "",
      streamEnabled: live?.StreamSpecification?.StreamEnabled ?? false,
      streamViewType: live?.StreamSpecification?.StreamViewType ?? "",
      tableClass: live?.TableClassSummary?.TableClass ?? "STANDARD",
      ttl: { enabled: expiry?.TimeToLiveStatus === "ENABLED", attributeName: expiry?.AttributeName },
      region,
      ...tagMap(Tags),
    };
  },
  undeclared: { tableClass: "STANDARD" },
  computed: ["arn", "streamArn", "streamLabel", "warmThroughput", "globalTableWitness"],
  // MiniStack 1.5.33 does not know the word: it neither keeps nor answers a period of recovery.
  gaps: { "pointInTimeRecovery.recoveryPeriodInDays": 35 },
  unread: ["importTable"].concat(
    ["BackupArn", "DateTime", "SourceName", "SourceTableArn", "ToLatestTime"].map((end) => `restore${end}`),
  ),
};

const role: TerraformType = {
  declaration: "iam/role",
  async read(id, region) {
    const iam = new IAM({ region });
    const { Role: live } = await iam.getRole({ RoleName: id });
    const { PolicyNames } = await iam.listRolePolicies({ RoleName: id });
    const { AttachedPolicies } = await iam.listAttachedRolePolicies({ RoleName: id });
    return {
      arn: live?.Arn,
      name: live?.RoleName,
      uniqueId: live?.RoleId,
      createDate: live?.CreateDate,
      assumeRolePolicy: decodeURIComponent(live?.AssumeRolePolicyDocument ?? ""),
      description: live?.Description,
      maxSessionDuration: live?.MaxSessionDuration,
      path: live?.Path,
      permissionsBoundary: live?.PermissionsBoundary?.PermissionsBoundaryArn,
      inlinePolicies: PolicyNames,
      managedPolicyArns: AttachedPolicies,
      ...tagMap(live?.Tags),
    };
  },
  undeclared: { maxSessionDuration: 3600, path: "/" },
  computed: ["arn", "uniqueId", "createDate", "inlinePolicies", "managedPolicyArns"],
  unread: ["forceDetachPolicies", "namePrefix"],
};

const rolePolicy: TerraformType = {
  declaration: "iam/rolePolicy",
  async read(id, region) {
    const [RoleName, PolicyName] = id.split(":");
    const live = await new IAM({ region }).getRolePolicy({ RoleName, PolicyName });
    return { role: live.RoleName, name: live.PolicyName, policy: decodeURIComponent(live.PolicyDocument ?? "") };
  },
  undeclared: {},
  computed: [],
  unread: ["namePrefix"],
};

/** By token of the type, for every type of the vault's program. */
export const TERRAFORM_TYPES: { [token: string]: TerraformType } = {
  ...BUCKET_TYPES,
  "aws:kms/key:Key": key,
  "aws:kms/alias:Alias": alias,
  "aws:dynamodb/table:Table": table,
  "aws:iam/role:Role": role,
  "aws:iam/rolePolicy:RolePolicy": rolePolicy,
};
