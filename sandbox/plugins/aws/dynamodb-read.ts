import type { TableDescription } from "@aws-sdk/client-dynamodb";
import type { Properties } from "../core/values";
import { type AwsClients, ifFound } from "./clients";
import { tagsOf } from "./shared";

/** A table with its recovery, expiry and tags, each of which is a question of its own. */
export async function readTable(id: string, state: Properties, aws: AwsClients): Promise<Properties | undefined> {
  const dynamodb = await aws.dynamodb(state.region);
  const table = (await ifFound(dynamodb.describeTable({ TableName: id })))?.Table;
  if (!table) return undefined;
  const { ContinuousBackupsDescription: backups } = await dynamodb.describeContinuousBackups({ TableName: id });
  const { TimeToLiveDescription: ttl } = await dynamodb.describeTimeToLive({ TableName: id });
  const { Tags } = await dynamodb.listTagsOfResource({ ResourceArn: table.TableArn });
  const key = (schema: TableDescription["KeySchema"], type: "HASH" | "RANGE") =>
    schema?.find(({ KeyType }) => KeyType === type)?.AttributeName;
  const recovering = backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === "ENABLED";
  const expiring = ttl?.TimeToLiveStatus === "ENABLED" || ttl?.TimeToLiveStatus === "ENABLING";
  const encrypted = table.SSEDescription?.Status === "ENABLED" || table.SSEDescription?.Status === "UPDATING";
  const onDemand = table.BillingModeSummary?.BillingMode === "PAY_PER_REQUEST";
  return {
    name: table.TableName,
    arn: table.TableArn,
    region: table.TableArn?.split(":")[3],
    attributes: table.AttributeDefinitions?.map(({ AttributeName, AttributeType }) => ({
      name: AttributeName,
      type: AttributeType,
    })),
    billingMode: onDemand ? "PAY_PER_REQUEST" : "PROVISIONED",
    readCapacity: table.ProvisionedThroughput?.ReadCapacityUnits ?? 0,
    writeCapacity: table.ProvisionedThroughput?.WriteCapacityUnits ?? 0,
    hashKey: key(table.KeySchema, "HASH"),
    rangeKey: key(table.KeySchema, "RANGE"),
    globalSecondaryIndexes: table.GlobalSecondaryIndexes?.map((index) => ({
      name: index.IndexName,
      hashKey: key(index.KeySchema, "HASH"),
      rangeKey: key(index.KeySchema, "RANGE"),
      projectionType: index.Projection?.ProjectionType,
      nonKeyAttributes: index.Projection?.NonKeyAttributes,
      readCapacity: index.ProvisionedThroughput?.ReadCapacityUnits ?? 0,
      writeCapacity: index.ProvisionedThroughput?.WriteCapacityUnits ?? 0,
    })),
    deletionProtectionEnabled: table.DeletionProtectionEnabled ?? false,
    tableClass: table.TableClassSummary?.TableClass ?? "STANDARD",
    streamEnabled: table.StreamSpecification?.StreamEnabled ?? false,
    streamViewType: table.StreamSpecification?.StreamViewType,
    streamArn: table.LatestStreamArn ?? "",
    streamLabel: table.LatestStreamLabel ?? "",
    pointInTimeRecovery: { enabled: recovering },
    ttl: expiring ? { enabled: true, attributeName: ttl?.AttributeName } : { enabled: false },
    serverSideEncryption: encrypted ? { enabled: true, kmsKeyArn: table.SSEDescription?.KMSMasterKeyArn } : undefined,
    ...tagsOf(Tags),
  };
}
