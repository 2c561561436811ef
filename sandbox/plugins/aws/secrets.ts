import type { ResourceType } from "../core/types";
import { type AwsClients, ifFound } from "./clients";
import { region, removedTags, tagList, tags, tagsOf } from "./shared";

export const secret: ResourceType<AwsClients> = {
  token: "aws:secretsmanager/secret:Secret",
  inputs: {
    name: { autoname: { max: 512 }, replace: true },
    description: {},
    kmsKeyId: {},
    recoveryWindowInDays: { default: 30 },
    forceOverwriteReplicaSecret: { default: false, values: [false] },
    tags,
    region,
  },
  outputs: { arn: {}, tagsAll: {} },
  async create(inputs, aws) {
    const { ARN } = await (await aws.secrets(inputs.region)).createSecret({
      Name: inputs.name,
      Description: inputs.description,
      KmsKeyId: inputs.kmsKeyId,
      Tags: tagList(inputs.tags),
    });
    return { id: ARN ?? "" };
  },
  async read(id, state, aws) {
    const found = await ifFound((await aws.secrets(state.region)).describeSecret({ SecretId: id }));
    if (!found || found.DeletedDate) return undefined;
    return {
      name: found.Name,
      arn: found.ARN,
      description: found.Description,
      kmsKeyId: found.KmsKeyId,
      region: found.ARN?.split(":")[3],
      ...tagsOf(found.Tags),
    };
  },
  async update({ id, news, olds, changed, client: aws }) {
    const secrets = await aws.secrets(news.region);
    if (changed.has("description") || changed.has("kmsKeyId")) {
      await secrets.updateSecret({ SecretId: id, Description: news.description ?? "", KmsKeyId: news.kmsKeyId ?? "" });
    }
    if (changed.has("tags")) {
      const gone = removedTags(olds, news);
      if (gone.length > 0) await secrets.untagResource({ SecretId: id, TagKeys: gone });
      if (Object.keys(news.tags ?? {}).length > 0) {
        await secrets.tagResource({ SecretId: id, Tags: tagList(news.tags) });
      }
    }
    return {};
  },
  async delete(id, state, aws) {
    const days = state.recoveryWindowInDays;
    await (await aws.secrets(state.region)).deleteSecret({
      SecretId: id,
      ...(days === 0 ? { ForceDeleteWithoutRecovery: true } : { RecoveryWindowInDays: days ?? 30 }),
    });
  },
};

export const secretVersion: ResourceType<AwsClients> = {
  token: "aws:secretsmanager/secretVersion:SecretVersion",
  inputs: {
    secretId: { required: true, replace: true },
    secretString: { secret: true, replace: true },
    region,
  },
  outputs: { arn: {}, hasSecretStringWo: {}, secretArn: {}, versionId: {}, versionStages: {} },
  check(inputs) {
    if (inputs.secretString !== undefined) return [];
    return [{ property: "secretString", reason: "secretString is missing (secretBinary is not carried out)" }];
  },
  async create(inputs, aws) {
    const { VersionId } = await (await aws.secrets(inputs.region)).putSecretValue({
      SecretId: inputs.secretId,
      SecretString: inputs.secretString,
    });
    return { id: `${inputs.secretId}|${VersionId}` };
  },
  async read(id, state, aws) {
    const [SecretId = "", VersionId] = id.split("|");
    const found = await ifFound((await aws.secrets(state.region)).getSecretValue({ SecretId, VersionId }));
    return (
      found && {
        secretId: SecretId,
        arn: found.ARN,
        secretArn: found.ARN,
        secretString: found.SecretString,
        versionId: found.VersionId,
        versionStages: found.VersionStages ?? [],
        hasSecretStringWo: false,
        region: found.ARN?.split(":")[3],
      }
    );
  },
  async delete() {
    // The current version can't be deleted, and an earlier one loses its last stage when it is replaced.
  },
};
