import { randomBytes } from "node:crypto";
import type { ResourceType } from "../core/types";
import type { Properties } from "../core/values";
import { type AwsClients, ifFound } from "./clients";
import { region } from "./shared";

/** A function is named by its name or its ARN. */
const sameFunction = (one: string, other: string) => one.split(":").pop() === other.split(":").pop();

export const permission: ResourceType<AwsClients> = {
  token: "aws:lambda/permission:Permission",
  inputs: {
    action: { required: true, replace: true },
    function: { required: true, replace: true, compare: sameFunction },
    principal: { required: true, replace: true },
    sourceAccount: { replace: true },
    sourceArn: { replace: true },
    statementId: { computed: true, replace: true },
    region,
  },
  outputs: {},
  async create(inputs, aws) {
    const id: string = inputs.statementId ?? `terraform-${randomBytes(13).toString("hex")}`;
    await (await aws.lambda(inputs.region)).addPermission({
      FunctionName: inputs.function,
      StatementId: id,
      Action: inputs.action,
      Principal: inputs.principal,
      SourceAccount: inputs.sourceAccount,
      SourceArn: inputs.sourceArn,
    });
    return { id };
  },
  async read(id, state, aws) {
    const found = await ifFound((await aws.lambda(state.region)).getPolicy({ FunctionName: state.function }));
    const statements: Properties[] = found?.Policy === undefined ? [] : JSON.parse(found.Policy).Statement;
    const statement = statements.find(({ Sid }) => Sid === id);
    if (!statement) return undefined;
    const { Principal: principal, Condition: condition } = statement;
    return {
      statementId: id,
      function: String(statement.Resource).split(":function:")[1]?.split(":")[0] ?? state.function,
      action: statement.Action,
      principal: typeof principal === "string" ? principal : (principal.Service ?? principal.AWS),
      sourceArn: condition?.ArnLike?.["AWS:SourceArn"] ?? condition?.ArnLike?.["aws:SourceArn"],
      sourceAccount: condition?.StringEquals?.["AWS:SourceAccount"] ?? condition?.StringEquals?.["aws:SourceAccount"],
      region: state.region ?? aws.region,
    };
  },
  async delete(id, state, aws) {
    const lambda = await aws.lambda(state.region);
    await lambda.removePermission({ FunctionName: state.function, StatementId: id });
  },
  async importId(id) {
    const [name, statement] = id.split("/");
    if (!name || !statement) throw new Error(`import id ${id}: expected the form function/statement`);
    return { id: statement, state: { function: name } };
  },
};

const destination = { fields: { destination: { required: true } } };

function invokeRequest(inputs: Properties) {
  const { onFailure, onSuccess } = inputs.destinationConfig ?? {};
  return {
    FunctionName: inputs.functionName,
    MaximumEventAgeInSeconds: inputs.maximumEventAgeInSeconds,
    MaximumRetryAttempts: inputs.maximumRetryAttempts,
    DestinationConfig: {
      OnFailure: onFailure ? { Destination: onFailure.destination } : {},
      OnSuccess: onSuccess ? { Destination: onSuccess.destination } : {},
    },
  };
}

export const eventInvokeConfig: ResourceType<AwsClients> = {
  token: "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
  inputs: {
    functionName: { required: true, replace: true, compare: sameFunction },
    destinationConfig: { fields: { onFailure: destination, onSuccess: destination } },
    maximumEventAgeInSeconds: {},
    maximumRetryAttempts: { default: 2 },
    region,
  },
  outputs: {},
  async create(inputs, aws) {
    await (await aws.lambda(inputs.region)).putFunctionEventInvokeConfig(invokeRequest(inputs));
    return { id: inputs.functionName };
  },
  async read(id, state, aws) {
    const live = await ifFound((await aws.lambda(state.region)).getFunctionEventInvokeConfig({ FunctionName: id }));
    if (!live) return undefined;
    const target = (end: { Destination?: string } | undefined) =>
      end?.Destination ? { destination: end.Destination } : undefined;
    const onFailure = target(live.DestinationConfig?.OnFailure);
    const onSuccess = target(live.DestinationConfig?.OnSuccess);
    return {
      functionName: id,
      destinationConfig: onFailure || onSuccess ? { onFailure, onSuccess } : undefined,
      maximumEventAgeInSeconds: live.MaximumEventAgeInSeconds,
      maximumRetryAttempts: live.MaximumRetryAttempts ?? 2,
      region: state.region ?? aws.region,
    };
  },
  async update({ news, client: aws }) {
    await (await aws.lambda(news.region)).putFunctionEventInvokeConfig(invokeRequest(news));
    return {};
  },
  async delete(id, state, aws) {
    await (await aws.lambda(state.region)).deleteFunctionEventInvokeConfig({ FunctionName: id });
  },
};
