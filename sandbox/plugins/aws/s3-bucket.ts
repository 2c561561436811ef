import type { BucketLocationConstraint, S3 } from "@aws-sdk/client-s3";
import type { ResourceType } from "../core/types";
import type { Properties } from "../core/values";
import { type AwsClients, ifFound } from "./clients";
import { region, tagList, tags, tagsOf } from "./shared";

/** Zone ids of S3's own host names, from AWS's table of endpoints; for regions that this project may use. */
const HOSTED_ZONES: { [region: string]: string } = {
  "us-east-1": "Z3AQBSTGFYJSTF",
  "us-east-2": "Z2O1EMRO9K5GLX",
  "us-west-2": "Z3BJ6K6RIION7M",
  "ap-southeast-1": "Z3O0J2DXBE1FTB",
  "ap-southeast-2": "Z1WCIGYICN2BYD",
  "ap-northeast-1": "Z2M4EHUR26P7ZW",
  "eu-central-1": "Z21DNDUVLTQW6Q",
  "eu-west-1": "Z1BKCTXD74EZPE",
};

/** Deletes every version and marker, locked ones too: that is what forceDestroy means in the provider. */
async function empty(s3: S3, bucket: string, locked: boolean): Promise<void> {
  const bypass = locked ? { BypassGovernanceRetention: true } : {};
  for (;;) {
    const page = await s3.listObjectVersions({ Bucket: bucket });
    const all = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    if (all.length === 0) return;
    const objects = all.map(({ Key, VersionId }) => ({ Key, VersionId }));
    const answer = await s3.deleteObjects({ Bucket: bucket, Delete: { Objects: objects, Quiet: true }, ...bypass });
    for (const { Key, VersionId, Code, Message } of answer.Errors ?? []) {
      if (!locked || Code !== "AccessDenied") throw new Error(`deleting ${Key} (${VersionId}): ${Code} ${Message}`);
      await s3.putObjectLegalHold({ Bucket: bucket, Key, VersionId, LegalHold: { Status: "OFF" } });
      await s3.deleteObject({ Bucket: bucket, Key, VersionId, ...bypass });
    }
  }
}

async function readBucket(id: string, aws: AwsClients, where: string | undefined): Promise<Properties | undefined> {
  const s3 = await aws.s3(where);
  const head = await ifFound(s3.headBucket({ Bucket: id }));
  if (!head) return undefined;
  const location = head.BucketRegion ?? where ?? aws.region;
  const lock = await ifFound(s3.getObjectLockConfiguration({ Bucket: id }));
  const tagging = await ifFound(s3.getBucketTagging({ Bucket: id }));
  return {
    bucket: id,
    region: location,
    arn: `arn:aws:s3:::${id}`,
    bucketDomainName: `${id}.s3.amazonaws.com`,
    bucketRegionalDomainName: `${id}.s3.${location}.amazonaws.com`,
    bucketRegion: location,
    hostedZoneId: HOSTED_ZONES[location],
    objectLockEnabled: lock?.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled",
    ...tagsOf(tagging?.TagSet),
  };
}

async function writeTags(s3: S3, bucket: string, wanted: Properties | undefined): Promise<void> {
  const TagSet = tagList(wanted);
  if (TagSet.length > 0) await s3.putBucketTagging({ Bucket: bucket, Tagging: { TagSet } });
  else await s3.deleteBucketTagging({ Bucket: bucket });
}

export const bucket: ResourceType<AwsClients> = {
  token: "aws:s3/bucket:Bucket",
  inputs: {
    bucket: { autoname: { max: 63 }, replace: true },
    forceDestroy: { default: false },
    objectLockEnabled: { computed: true, replace: true },
    tags,
    region,
  },
  outputs: {
    arn: {},
    bucketDomainName: {},
    bucketRegion: {},
    bucketRegionalDomainName: {},
    hostedZoneId: {},
    tagsAll: {},
  },
  async create(inputs, aws, operation) {
    const s3 = await aws.s3(inputs.region);
    // Creating one's own bucket again succeeds in us-east-1; the provider looks first for that reason.
    if (await ifFound(s3.headBucket({ Bucket: inputs.bucket }))) {
      throw new Error(`bucket ${inputs.bucket} already exists: import it, or choose another name`);
    }
    await s3.createBucket({
      Bucket: inputs.bucket,
      ObjectLockEnabledForBucket: inputs.objectLockEnabled ?? undefined,
      ...(inputs.region === "us-east-1"
        ? {}
        : { CreateBucketConfiguration: { LocationConstraint: inputs.region as BucketLocationConstraint } }),
    });
    operation.created(inputs.bucket);
    if (inputs.tags) await writeTags(s3, inputs.bucket, inputs.tags);
    return { id: inputs.bucket };
  },
  read: (id, state, aws) => readBucket(id, aws, state.region),
  async update({ id, news, changed, client: aws }) {
    if (changed.has("tags")) await writeTags(await aws.s3(news.region), id, news.tags);
    return {};
  },
  async delete(id, state, aws) {
    const s3 = await aws.s3(state.region);
    try {
      await s3.deleteBucket({ Bucket: id });
    } catch (error) {
      if (!state.forceDestroy || !(error instanceof Error) || error.name !== "BucketNotEmpty") throw error;
      await empty(s3, id, state.objectLockEnabled === true);
      await s3.deleteBucket({ Bucket: id });
    }
  },
};
