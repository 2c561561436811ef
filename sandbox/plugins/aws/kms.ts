import type { ResourceType } from "../core/types";
import { type AwsClients, ifFound } from "./clients";
import { region, removedTags, tagList, tags, tagsOf } from "./shared";

const kmsTags = (map: { [key: string]: string } | undefined) =>
  tagList(map).map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value }));

export const kmsKey: ResourceType<AwsClients> = {
  token: "aws:kms/key:Key",
  inputs: {
    description: { computed: true },
    // Only the state knows it: it is an argument of the deletion.
    deletionWindowInDays: {},
    enableKeyRotation: { default: false },
    rotationPeriodInDays: { computed: true },
    isEnabled: { default: true },
    policy: { computed: true, compare: "policy" },
    bypassPolicyLockoutSafetyCheck: { default: false },
    keyUsage: { default: "ENCRYPT_DECRYPT", replace: true },
    customerMasterKeySpec: { default: "SYMMETRIC_DEFAULT", replace: true },
    multiRegion: { computed: true, replace: true },
    tags,
    region,
  },
  outputs: { arn: {}, keyId: {}, tagsAll: {} },
  async create(inputs, aws, operation) {
    const kms = await aws.kms(inputs.region);
    const { KeyMetadata } = await kms.createKey({
      Description: inputs.description,
      Policy: inputs.policy,
      BypassPolicyLockoutSafetyCheck: inputs.bypassPolicyLockoutSafetyCheck,
      KeyUsage: inputs.keyUsage,
      KeySpec: inputs.customerMasterKeySpec,
      MultiRegion: inputs.multiRegion,
      Tags: kmsTags(inputs.tags),
    });
    const id = KeyMetadata?.KeyId ?? "";
    operation.created(id);
    if (inputs.enableKeyRotation) {
      await kms.enableKeyRotation({ KeyId: id, RotationPeriodInDays: inputs.rotationPeriodInDays });
    }
    if (!inputs.isEnabled) await kms.disableKey({ KeyId: id });
    return { id };
  },
  async read(id, state, aws) {
    const kms = await aws.kms(state.region);
    const metadata = (await ifFound(kms.describeKey({ KeyId: id })))?.KeyMetadata;
    if (!metadata || metadata.KeyState === "PendingDeletion") return undefined;
    const { Policy } = await kms.getKeyPolicy({ KeyId: id, PolicyName: "default" });
    const rotation = await kms.getKeyRotationStatus({ KeyId: id });
    const { Tags } = await kms.listResourceTags({ KeyId: id });
    return {
      id: metadata.KeyId,
      arn: metadata.Arn,
      keyId: metadata.KeyId,
      description: metadata.Description,
      isEnabled: metadata.Enabled ?? false,
      keyUsage: metadata.KeyUsage,
      customerMasterKeySpec: metadata.KeySpec,
      multiRegion: metadata.MultiRegion ?? false,
      policy: Policy,
      enableKeyRotation: rotation.KeyRotationEnabled ?? false,
      rotationPeriodInDays: rotation.KeyRotationEnabled ? rotation.RotationPeriodInDays : undefined,
      region: metadata.Arn?.split(":")[3],
      ...tagsOf(Tags?.map(({ TagKey, TagValue }) => ({ Key: TagKey, Value: TagValue }))),
    };
  },
  async update({ id, news, olds, changed, client: aws }) {
    const kms = await aws.kms(news.region);
    // A disabled key refuses everything else, so it is woken first and put to sleep last.
    if (changed.has("isEnabled") && news.isEnabled) await kms.enableKey({ KeyId: id });
    if (changed.has("enableKeyRotation") || changed.has("rotationPeriodInDays")) {
      if (news.enableKeyRotation) {
        await kms.enableKeyRotation({ KeyId: id, RotationPeriodInDays: news.rotationPeriodInDays });
      } else await kms.disableKeyRotation({ KeyId: id });
    }
    if (changed.has("description")) await kms.updateKeyDescription({ KeyId: id, Description: news.description });
    if (changed.has("policy")) {
      await kms.putKeyPolicy({
        KeyId: id,
        PolicyName: "default",
        Policy: news.policy,
        BypassPolicyLockoutSafetyCheck: news.bypassPolicyLockoutSafetyCheck,
      });
    }
    if (changed.has("tags")) {
      const gone = removedTags(olds, news);
      if (gone.length > 0) await kms.untagResource({ KeyId: id, TagKeys: gone });
      if (Object.keys(news.tags ?? {}).length > 0) await kms.tagResource({ KeyId: id, Tags: kmsTags(news.tags) });
    }
    if (changed.has("isEnabled") && !news.isEnabled) await kms.disableKey({ KeyId: id });
    return {};
  },
  async delete(id, state, aws) {
    const kms = await aws.kms(state.region);
    await kms.scheduleKeyDeletion({ KeyId: id, PendingWindowInDays: state.deletionWindowInDays });
  },
};

/** The id and the ARN of a key name the same key. */
const sameKey = (one: string, other: string) => one.split("/").pop() === other.split("/").pop();

async function lookUpAlias(aws: AwsClients, name: string, where: string | undefined) {
  const kms = await aws.kms(where);
  let marker: string | undefined;
  do {
    const page = await kms.listAliases({ Marker: marker });
    const found = page.Aliases?.find(({ AliasName }) => AliasName === name);
    if (found?.TargetKeyId) {
      const prefix = found.AliasArn?.split(":alias/")[0];
      return {
        name,
        arn: found.AliasArn,
        targetKeyId: found.TargetKeyId,
        targetKeyArn: `${prefix}:key/${found.TargetKeyId}`,
        region: where ?? aws.region,
      };
    }
    marker = page.NextMarker;
  } while (marker);
  return undefined;
}

/** The function aws.kms.getAlias. */
export async function findAlias(aws: AwsClients, name: string, where: string | undefined) {
  const found = await lookUpAlias(aws, name, where);
  if (!found) throw new Error(`reading KMS alias ${name} in ${where ?? aws.region}: empty result`);
  return { ...found, id: found.arn };
}

export const kmsAlias: ResourceType<AwsClients> = {
  token: "aws:kms/alias:Alias",
  inputs: {
    name: { autoname: { prefix: "alias/", max: 256 }, replace: true },
    targetKeyId: { required: true, compare: sameKey },
    region,
  },
  outputs: { arn: {}, targetKeyArn: {} },
  check({ name }) {
    if (typeof name !== "string" || name.startsWith("alias/")) return [];
    return [{ property: "name", reason: `expected the name to begin with alias/, got ${name}` }];
  },
  async create({ name, targetKeyId, region: where }, aws) {
    await (await aws.kms(where)).createAlias({ AliasName: name, TargetKeyId: targetKeyId });
    return { id: name };
  },
  read: (id, state, aws) => lookUpAlias(aws, id, state.region),
  async update({ id, news, client: aws }) {
    await (await aws.kms(news.region)).updateAlias({ AliasName: id, TargetKeyId: news.targetKeyId });
    return {};
  },
  async delete(id, state, aws) {
    await (await aws.kms(state.region)).deleteAlias({ AliasName: id });
  },
  volatile: () => ["targetKeyArn"],
};
