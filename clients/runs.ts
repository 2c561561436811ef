import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { DAY_MS } from "../backup/duration";
import { RUN_RECORD_DAYS, type RunRecord, type RunStore, runRecordSchema } from "../backup/run-record";

export interface RunTableOptions {
  readonly table: string;
  readonly region: string;
  readonly credentials?: DynamoDBClientConfig["credentials"];
}

/**
 * The table of runs in DynamoDB. Keys: `pk` and `sk`; runs lie under `run` by id, locks under `lock#<kind>`;
 * `expiresAt` (epoch seconds) is the table's time-to-live attribute.
 */
export class RunTable implements RunStore {
  private readonly client: DynamoDBClient;
  private readonly table: string;

  constructor(options: RunTableOptions) {
    this.table = options.table;
    this.client = new DynamoDBClient({
      region: options.region,
      maxAttempts: 4,
      requestHandler: { connectionTimeout: 5_000, socketTimeout: 15_000 },
      ...(options.credentials ? { credentials: options.credentials } : {}),
    });
  }

  async acquireLock(kind: string, owner: string, now: Date, leaseMs: number): Promise<boolean> {
    const until = now.getTime() + leaseMs;
    return conditional(() =>
      this.client.send(
        new PutItemCommand({
          TableName: this.table,
          Item: {
            ...lockKey(kind),
            owner: { S: owner },
            leaseUntil: { N: String(until) },
            expiresAt: { N: String(Math.ceil((until + DAY_MS) / 1000)) },
          },
          // The same owner may ask again: the SDK repeats a request whose answer was lost.
          ConditionExpression: "attribute_not_exists(pk) OR leaseUntil < :now OR #owner = :owner",
          ExpressionAttributeNames: { "#owner": "owner" },
          ExpressionAttributeValues: { ":now": { N: String(now.getTime()) }, ":owner": { S: owner } },
        }),
      ),
    );
  }

  async renewLock(kind: string, owner: string, now: Date, leaseMs: number): Promise<boolean> {
    return conditional(() =>
      this.client.send(
        new UpdateItemCommand({
          TableName: this.table,
          Key: lockKey(kind),
          UpdateExpression: "SET leaseUntil = :until",
          ConditionExpression: "#owner = :owner",
          ExpressionAttributeNames: { "#owner": "owner" },
          ExpressionAttributeValues: { ":until": { N: String(now.getTime() + leaseMs) }, ":owner": { S: owner } },
        }),
      ),
    );
  }

  async releaseLock(kind: string, owner: string): Promise<void> {
    await conditional(() =>
      this.client.send(
        new DeleteItemCommand({
          TableName: this.table,
          Key: lockKey(kind),
          ConditionExpression: "#owner = :owner",
          ExpressionAttributeNames: { "#owner": "owner" },
          ExpressionAttributeValues: { ":owner": { S: owner } },
        }),
      ),
    );
  }

  async put(record: RunRecord): Promise<void> {
    const expires = Math.ceil((Date.parse(record.startedAt) + RUN_RECORD_DAYS * DAY_MS) / 1000);
    await this.client.send(
      new PutItemCommand({
        TableName: this.table,
        Item: {
          pk: { S: "run" },
          sk: { S: record.id },
          type: { S: record.type },
          status: { S: record.status },
          record: { S: JSON.stringify(record) },
          expiresAt: { N: String(expires) },
        },
      }),
    );
  }

  async get(id: string): Promise<RunRecord | undefined> {
    const answer = await this.client.send(
      new GetItemCommand({ TableName: this.table, Key: { pk: { S: "run" }, sk: { S: id } }, ConsistentRead: true }),
    );
    const text = answer.Item?.record?.S;
    return text === undefined ? undefined : runRecordSchema.parse(JSON.parse(text));
  }

  async newest(limit: number): Promise<RunRecord[]> {
    const answer = await this.client.send(
      new QueryCommand({
        TableName: this.table,
        KeyConditionExpression: "pk = :run",
        ExpressionAttributeValues: { ":run": { S: "run" } },
        ScanIndexForward: false,
        ConsistentRead: true,
        Limit: limit,
      }),
    );
    return (answer.Items ?? []).flatMap((item) =>
      item.record?.S === undefined ? [] : [runRecordSchema.parse(JSON.parse(item.record.S))],
    );
  }
}

function lockKey(kind: string) {
  return { pk: { S: `lock#${kind}` }, sk: { S: "lock" } };
}

async function conditional(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
