import type {
  CreateTableCommandInput,
  DynamoDB,
  GlobalSecondaryIndex,
  TableDescription,
} from "@aws-sdk/client-dynamodb";
import type { Inputs, Operation, ResourceType } from "../core/types";
import { canonical, type Properties } from "../core/values";
import { type AwsClients, ifFound, waitFor } from "./clients";
import { readTable } from "./dynamodb-read";
import { region, removedTags, tagList, tags } from "./shared";

const indexFields: Inputs = {
  name: { required: true },
  hashKey: { required: true },
  rangeKey: {},
  projectionType: { required: true, values: ["ALL", "KEYS_ONLY", "INCLUDE"] },
  nonKeyAttributes: { compare: "set" },
  readCapacity: { computed: true },
  writeCapacity: { computed: true },
};

const keySchema = (hashKey: string, rangeKey: string | undefined) => [
  { AttributeName: hashKey, KeyType: "HASH" as const },
  ...(rangeKey ? [{ AttributeName: rangeKey, KeyType: "RANGE" as const }] : []),
];

const throughput = ({ readCapacity, writeCapacity }: Properties) =>
  readCapacity && writeCapacity
    ? { ProvisionedThroughput: { ReadCapacityUnits: readCapacity, WriteCapacityUnits: writeCapacity } }
    : {};

const definitions = (list: Properties[] | undefined) =>
  (list ?? []).map(({ name, type }) => ({ AttributeName: name, AttributeType: type }));

function indexTo(index: Properties): GlobalSecondaryIndex {
  return {
    IndexName: index.name,
    KeySchema: keySchema(index.hashKey, index.rangeKey),
    Projection: { ProjectionType: index.projectionType, NonKeyAttributes: index.nonKeyAttributes },
    ...throughput(index),
  };
}

const encryption = (wanted: Properties | undefined) =>
  wanted && {
    Enabled: wanted.enabled,
    ...(wanted.enabled && wanted.kmsKeyArn ? { SSEType: "KMS" as const, KMSMasterKeyId: wanted.kmsKeyArn } : {}),
  };

/** The table, once neither it nor an index is changing any more. */
function ready(dynamodb: DynamoDB, name: string, operation: Operation): Promise<TableDescription> {
  return waitFor(operation, `table ${name}`, async () => {
    const { Table } = await dynamodb.describeTable({ TableName: name });
    const busy = [Table?.TableStatus, ...(Table?.GlobalSecondaryIndexes ?? []).map(({ IndexStatus }) => IndexStatus)];
    return busy.every((status) => status === undefined || status === "ACTIVE") && Table;
  });
}

async function writeRecovery(dynamodb: DynamoDB, TableName: string, wanted: Properties | undefined): Promise<void> {
  await dynamodb.updateContinuousBackups({
    TableName,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: wanted?.enabled ?? false },
  });
}

async function writeExpiry(dynamodb: DynamoDB, TableName: string, wanted: Properties | undefined, old?: Properties) {
  await dynamodb.updateTimeToLive({
    TableName,
    TimeToLiveSpecification: {
      Enabled: wanted?.enabled ?? false,
      AttributeName: wanted?.attributeName ?? old?.attributeName,
    },
  });
}

/** Indexes are made and removed one at a time; one that changes is removed and made again, as the provider does. */
async function writeIndexes(dynamodb: DynamoDB, olds: Properties, news: Properties, operation: Operation) {
  const byName = (list: Properties[] | undefined) => new Map((list ?? []).map((index) => [index.name, index]));
  const [before, after] = [byName(olds.globalSecondaryIndexes), byName(news.globalSecondaryIndexes)];
  const TableName: string = news.name;
  const same = (one: Properties, other: Properties) =>
    canonical(indexTo(one).KeySchema) === canonical(indexTo(other).KeySchema) &&
    canonical(indexTo(one).Projection) === canonical(indexTo(other).Projection);
  for (const [name, index] of before) {
    const wanted = after.get(name);
    if (wanted && same(index, wanted)) continue;
    await dynamodb.updateTable({ TableName, GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: name } }] });
    before.delete(name);
    await ready(dynamodb, TableName, operation);
  }
  for (const [name, index] of after) {
    if (before.has(name)) continue;
    await dynamodb.updateTable({
      TableName,
      AttributeDefinitions: definitions(news.attributes),
      GlobalSecondaryIndexUpdates: [
        {
          Create: {
            ...indexTo(index),
            IndexName: name,
            KeySchema: keySchema(index.hashKey, index.rangeKey),
            Projection: indexTo(index).Projection,
          },
        },
      ],
    });
    await ready(dynamodb, TableName, operation);
  }
}

export const table: ResourceType<AwsClients> = {
  token: "aws:dynamodb/table:Table",
  inputs: {
    name: { autoname: { max: 255 }, replace: true },
    attributes: {
      compare: "set",
      fields: { name: { required: true }, type: { required: true, values: ["S", "N", "B"] } },
    },
    billingMode: { default: "PROVISIONED", values: ["PROVISIONED", "PAY_PER_REQUEST"] },
    hashKey: { required: true, replace: true },
    rangeKey: { replace: true },
    readCapacity: { computed: true },
    writeCapacity: { computed: true },
    globalSecondaryIndexes: { compare: "set", fields: indexFields },
    // A period of recovery is refused: MiniStack neither keeps nor answers one.
    pointInTimeRecovery: { computed: true, fields: { enabled: { required: true } } },
    serverSideEncryption: { computed: true, fields: { enabled: { required: true }, kmsKeyArn: { computed: true } } },
    ttl: { fields: { enabled: {}, attributeName: {} } },
    deletionProtectionEnabled: {},
    tableClass: { computed: true, values: ["STANDARD", "STANDARD_INFREQUENT_ACCESS"] },
    streamEnabled: {},
    streamViewType: { computed: true },
    tags,
    region,
  },
  outputs: { arn: {}, streamArn: {}, streamLabel: {}, tagsAll: {} },
  async create(inputs, aws, operation) {
    const dynamodb = await aws.dynamodb(inputs.region);
    const TableName: string = inputs.name;
    const request: CreateTableCommandInput = {
      TableName,
      AttributeDefinitions: definitions(inputs.attributes),
      KeySchema: keySchema(inputs.hashKey, inputs.rangeKey),
      BillingMode: inputs.billingMode,
      ...throughput(inputs),
      DeletionProtectionEnabled: inputs.deletionProtectionEnabled,
      TableClass: inputs.tableClass,
      GlobalSecondaryIndexes: inputs.globalSecondaryIndexes?.map(indexTo),
      SSESpecification: encryption(inputs.serverSideEncryption),
      StreamSpecification: inputs.streamEnabled
        ? { StreamEnabled: true, StreamViewType: inputs.streamViewType }
        : undefined,
      Tags: inputs.tags && tagList(inputs.tags),
    };
    await dynamodb.createTable(request);
    operation.created(TableName);
    await ready(dynamodb, TableName, operation);
    if (inputs.ttl?.enabled) await writeExpiry(dynamodb, TableName, inputs.ttl);
    if (inputs.pointInTimeRecovery?.enabled) await writeRecovery(dynamodb, TableName, inputs.pointInTimeRecovery);
    return { id: TableName };
  },
  read: readTable,
  async update({ id, news, olds, changed, client: aws, ...operation }) {
    const dynamodb = await aws.dynamodb(news.region);
    const settle = () => ready(dynamodb, id, operation);
    if (changed.has("billingMode") || changed.has("readCapacity") || changed.has("writeCapacity")) {
      await dynamodb.updateTable({ TableName: id, BillingMode: news.billingMode, ...throughput(news) });
      await settle();
    }
    if (changed.has("deletionProtectionEnabled")) {
      const DeletionProtectionEnabled = news.deletionProtectionEnabled ?? false;
      await dynamodb.updateTable({ TableName: id, DeletionProtectionEnabled });
      await settle();
    }
    if (changed.has("tableClass")) {
      await dynamodb.updateTable({ TableName: id, TableClass: news.tableClass });
      await settle();
    }
    if (changed.has("streamEnabled") || changed.has("streamViewType")) {
      const StreamSpecification = news.streamEnabled
        ? { StreamEnabled: true, StreamViewType: news.streamViewType }
        : { StreamEnabled: false };
      await dynamodb.updateTable({ TableName: id, StreamSpecification });
      await settle();
    }
    if (changed.has("globalSecondaryIndexes")) await writeIndexes(dynamodb, olds, news, operation);
    if (changed.has("serverSideEncryption")) {
      const SSESpecification = encryption(news.serverSideEncryption) ?? { Enabled: false };
      await dynamodb.updateTable({ TableName: id, SSESpecification });
      await settle();
    }
    if (changed.has("ttl")) await writeExpiry(dynamodb, id, news.ttl, olds.ttl);
    if (changed.has("pointInTimeRecovery")) await writeRecovery(dynamodb, id, news.pointInTimeRecovery);
    if (changed.has("tags")) {
      const gone = removedTags(olds, news);
      if (gone.length > 0) await dynamodb.untagResource({ ResourceArn: olds.arn, TagKeys: gone });
      if (Object.keys(news.tags ?? {}).length > 0) {
        await dynamodb.tagResource({ ResourceArn: olds.arn, Tags: tagList(news.tags) });
      }
    }
    return {};
  },
  async delete(id, state, aws, operation) {
    const dynamodb = await aws.dynamodb(state.region);
    await dynamodb.deleteTable({ TableName: id });
    await waitFor(operation, `deletion of table ${id}`, async () => {
      return (await ifFound(dynamodb.describeTable({ TableName: id }))) === undefined;
    });
  },
  volatile: (changed) => (changed.has("streamEnabled") ? ["streamArn", "streamLabel"] : []),
};
