/** S3 Lifecycle on MiniStack, which only stores its rules. */
import { S3 } from "@aws-sdk/client-s3";
import { carryOut, listKeys, listUploads, readDetails, readSettings } from "./bucket";
import { type Action, planKey, planUploads, released, type StoredVersion } from "./plan";

export { nextRun } from "./plan";

export interface LifecycleOptions {
  regions: readonly string[];
  client: { endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } };
  /** The sandbox's token: with it MiniStack knows these requests, and does not replicate their delete markers. */
  token?: string;
}

/** What a run did to one bucket. */
export interface BucketRun {
  bucket: string;
  expired: number;
  deleted: number;
  aborted: number;
  /** Versions that were due and stayed: locked, held, or not replicated. */
  kept: number;
  unsupported: string[];
}

/** As many versions are planned and carried out at a time: memory does not grow with the bucket. */
const STEP = 5000;

/**
 * Runs the lifecycle of all buckets, as the account's root and without bypassing a lock.
 *
 * ```ts
 * const lifecycle = new LifecycleRunner({ regions, client: { endpoint, credentials: ROOT_CREDENTIALS }, token });
 * await lifecycle.run(now);   // once a day, at nextRun(before)
 * ```
 */
export class LifecycleRunner {
  private readonly clients: Map<string, S3>;

  constructor({ regions, client, token }: LifecycleOptions) {
    this.clients = new Map(regions.map((region) => [region, makeClient(region, client, token)]));
  }

  /** @returns what was done, for each bucket that has rules */
  async run(now: Date): Promise<BucketRun[]> {
    const [first] = this.clients.values();
    const { Buckets = [] } = (await first?.listBuckets({})) ?? {};
    const runs: BucketRun[] = [];
    for (const { Name: bucket = "" } of Buckets) {
      const { LocationConstraint = "us-east-1" } = (await first?.getBucketLocation({ Bucket: bucket })) ?? {};
      const s3 = this.clients.get(LocationConstraint);
      const run = s3 === undefined ? undefined : await runBucket(s3, bucket, now);
      if (run !== undefined) runs.push(run);
    }
    return runs;
  }

  close(): void {
    for (const client of this.clients.values()) client.destroy();
  }
}

function makeClient(region: string, client: LifecycleOptions["client"], token: string | undefined): S3 {
  const s3 = new S3({ ...client, region, forcePathStyle: true });
  s3.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers["x-sandbox-lifecycle"] = token ?? "1";
      return next(args);
    },
    { step: "build", name: "sandboxLifecycle" },
  );
  return s3;
}

async function runBucket(s3: S3, bucket: string, now: Date): Promise<BucketRun | undefined> {
  const settings = await readSettings(s3, bucket);
  if (settings === undefined) return undefined;
  const { rules, unsupported } = settings;
  const withTags = rules.some(({ filter }) => filter.tags.length > 0);
  const run: BucketRun = { bucket, expired: 0, deleted: 0, aborted: 0, kept: 0, unsupported };

  let due: { versions: StoredVersion[]; actions: Action[] }[] = [];
  const work = async () => {
    const wanted = due.flatMap(({ actions }) => actions);
    // Only what is due is looked at closer: on most days that is little of a large bucket.
    if (settings.hasLock || settings.hasReplication || withTags) {
      const versions = wanted.flatMap((action) => (action.kind === "abort" ? [] : [action.version]));
      await readDetails(s3, bucket, versions, withTags);
    }
    const actions = due.flatMap(({ versions }) => planKey(rules, versions, now));
    const free = due.flatMap(({ versions }) => planKey(rules, versions.map(released), now));
    const refused = await carryOut(s3, bucket, actions);
    run.expired += actions.filter(({ kind }) => kind === "expire").length;
    run.deleted += actions.filter(({ kind }) => kind === "delete").length - refused;
    run.kept += free.length - actions.length + refused;
    due = [];
  };
  let waiting = 0;
  for await (const versions of listKeys(s3, bucket)) {
    const actions = planKey(rules, versions, now);
    if (actions.length === 0) continue;
    due.push({ versions, actions });
    waiting += actions.length;
    if (waiting < STEP) continue;
    await work();
    waiting = 0;
  }
  await work();

  const aborts = planUploads(rules, await listUploads(s3, bucket), now);
  await carryOut(s3, bucket, aborts);
  return { ...run, aborted: aborts.length };
}
