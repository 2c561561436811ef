import type { ResourceType } from "../core/types";
import { type AwsClients, ifFound } from "./clients";
import { removedTags, tagList, tags, tagsOf } from "./shared";

export const role: ResourceType<AwsClients> = {
  token: "aws:iam/role:Role",
  inputs: {
    name: { autoname: { max: 64 }, replace: true },
    assumeRolePolicy: { required: true, compare: "policy" },
    description: {},
    path: { default: "/", replace: true },
    maxSessionDuration: { default: 3600 },
    permissionsBoundary: {},
    forceDetachPolicies: { default: false },
    tags,
  },
  outputs: { arn: {}, createDate: {}, tagsAll: {}, uniqueId: {} },
  async create(inputs, aws) {
    const iam = await aws.iam();
    await iam.createRole({
      RoleName: inputs.name,
      AssumeRolePolicyDocument: inputs.assumeRolePolicy,
      Description: inputs.description,
      Path: inputs.path,
      MaxSessionDuration: inputs.maxSessionDuration,
      PermissionsBoundary: inputs.permissionsBoundary,
      Tags: tagList(inputs.tags),
    });
    return { id: inputs.name };
  },
  async read(id, _state, aws) {
    const iam = await aws.iam();
    const found = (await ifFound(iam.getRole({ RoleName: id })))?.Role;
    if (!found) return undefined;
    return {
      name: found.RoleName,
      arn: found.Arn,
      uniqueId: found.RoleId,
      createDate: found.CreateDate?.toISOString().replace(/\.\d+Z$/, "Z"),
      assumeRolePolicy: decodeURIComponent(found.AssumeRolePolicyDocument ?? ""),
      description: found.Description,
      path: found.Path,
      maxSessionDuration: found.MaxSessionDuration ?? 3600,
      permissionsBoundary: found.PermissionsBoundary?.PermissionsBoundaryArn,
      ...tagsOf(found.Tags),
    };
  },
  async update({ id, news, olds, changed, client: aws }) {
    const iam = await aws.iam();
    const RoleName = id;
    if (changed.has("assumeRolePolicy")) {
      await iam.updateAssumeRolePolicy({ RoleName, PolicyDocument: news.assumeRolePolicy });
    }
    if (changed.has("description") || changed.has("maxSessionDuration")) {
      await iam.updateRole({
        RoleName,
        Description: news.description ?? "",
        MaxSessionDuration: news.maxSessionDuration,
      });
    }
    if (changed.has("permissionsBoundary")) {
      if (news.permissionsBoundary === undefined) await iam.deleteRolePermissionsBoundary({ RoleName });
      else await iam.putRolePermissionsBoundary({ RoleName, PermissionsBoundary: news.permissionsBoundary });
    }
    if (changed.has("tags")) {
      const gone = removedTags(olds, news);
      if (gone.length > 0) await iam.untagRole({ RoleName, TagKeys: gone });
      const wanted = tagList(news.tags);
      if (wanted.length > 0) await iam.tagRole({ RoleName, Tags: wanted });
    }
    return {};
  },
  async delete(id, state, aws) {
    const iam = await aws.iam();
    if (state.forceDetachPolicies) {
      for (const PolicyName of (await iam.listRolePolicies({ RoleName: id })).PolicyNames ?? []) {
        await iam.deleteRolePolicy({ RoleName: id, PolicyName });
      }
      for (const { PolicyArn } of (await iam.listAttachedRolePolicies({ RoleName: id })).AttachedPolicies ?? []) {
        await iam.detachRolePolicy({ RoleName: id, PolicyArn });
      }
    }
    await iam.deleteRole({ RoleName: id });
  },
};

export const rolePolicy: ResourceType<AwsClients> = {
  token: "aws:iam/rolePolicy:RolePolicy",
  inputs: {
    name: { autoname: { max: 128 }, replace: true },
    role: { required: true, replace: true },
    policy: { required: true, compare: "policy" },
  },
  outputs: {},
  async create({ name, role: RoleName, policy }, aws) {
    await (await aws.iam()).putRolePolicy({ RoleName, PolicyName: name, PolicyDocument: policy });
    return { id: `${RoleName}:${name}` };
  },
  async read(id, _state, aws) {
    const [RoleName = "", PolicyName = ""] = id.split(":");
    const found = await ifFound((await aws.iam()).getRolePolicy({ RoleName, PolicyName }));
    return found && { role: RoleName, name: PolicyName, policy: decodeURIComponent(found.PolicyDocument ?? "") };
  },
  async update({ news, client: aws }) {
    const iam = await aws.iam();
    await iam.putRolePolicy({ RoleName: news.role, PolicyName: news.name, PolicyDocument: news.policy });
    return {};
  },
  async delete(id, _state, aws) {
    const [RoleName = "", PolicyName = ""] = id.split(":");
    await (await aws.iam()).deleteRolePolicy({ RoleName, PolicyName });
  },
};
