import type { FunctionConfiguration, Lambda } from "@aws-sdk/client-lambda";
import type { Operation, ResourceType } from "../core/types";
import type { Properties } from "../core/values";
import { type AwsClients, ifFound, waitFor } from "./clients";
import { region, removedTags, tags, tagsFrom } from "./shared";
import { codeArchive } from "./zip";

/** Settings that one call changes together. */
const CONFIGURATION = [
  "deadLetterConfig",
  "description",
  "environment",
  "ephemeralStorage",
  "handler",
  "kmsKeyArn",
].concat(["loggingConfig", "memorySize", "role", "runtime", "timeout", "tracingConfig"]);

function configuration(inputs: Properties) {
  const { loggingConfig: logging } = inputs;
  return {
    FunctionName: inputs.name as string,
    Description: inputs.description ?? "",
    Role: inputs.role,
    Runtime: inputs.runtime,
    Handler: inputs.handler,
    Timeout: inputs.timeout,
    MemorySize: inputs.memorySize,
    Environment: { Variables: inputs.environment?.variables ?? {} },
    DeadLetterConfig: { TargetArn: inputs.deadLetterConfig?.targetArn ?? "" },
    EphemeralStorage: inputs.ephemeralStorage && { Size: inputs.ephemeralStorage.size },
    KMSKeyArn: inputs.kmsKeyArn ?? "",
    TracingConfig: inputs.tracingConfig && { Mode: inputs.tracingConfig.mode },
    LoggingConfig: logging && {
      LogFormat: logging.logFormat,
      LogGroup: logging.logGroup,
      ApplicationLogLevel: logging.applicationLogLevel,
      SystemLogLevel: logging.systemLogLevel,
    },
  };
}

function settled(lambda: Lambda, name: string, operation: Operation): Promise<FunctionConfiguration> {
  return waitFor(operation, `function ${name}`, async () => {
    const live = await lambda.getFunctionConfiguration({ FunctionName: name });
    const states = [live.State ?? "Active", live.LastUpdateStatus ?? "Successful"];
    if (states.includes("Failed"))
      throw new Error(`function ${name}: ${live.StateReason ?? live.LastUpdateStatusReason}`);
    return states[0] === "Active" && states[1] === "Successful" && live;
  });
}

async function writeConcurrency(lambda: Lambda, FunctionName: string, reserved: number): Promise<void> {
  if (reserved < 0) await lambda.deleteFunctionConcurrency({ FunctionName });
  else await lambda.putFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: reserved });
}

async function readFunction(id: string, state: Properties, aws: AwsClients): Promise<Properties | undefined> {
  const where = state.region ?? aws.region;
  const found = await ifFound((await aws.lambda(where)).getFunction({ FunctionName: id }));
  const live = found?.Configuration;
  if (!live) return undefined;
  const { LoggingConfig: logging, FunctionArn: arn = "" } = live;
  const invoke = (target: string) =>
    `arn:aws:apigateway:${where}:lambda:path/2015-03-31/functions/${target}/invocations`;
  const version = live.Version ?? "$LATEST";
  const variables = live.Environment?.Variables ?? {};
  return {
    name: live.FunctionName,
    arn,
    region: where,
    invokeArn: invoke(arn),
    responseStreamingInvokeArn: `arn:aws:apigateway:${where}:lambda:path/2021-11-15/functions/${arn}/response-streaming-invocations`,
    qualifiedArn: `${arn}:${version}`,
    qualifiedInvokeArn: invoke(`${arn}:${version}`),
    version,
    lastModified: live.LastModified,
    sourceCodeHash: live.CodeSha256,
    codeSha256: live.CodeSha256,
    sourceCodeSize: live.CodeSize,
    description: live.Description,
    role: live.Role,
    runtime: live.Runtime,
    handler: live.Handler,
    timeout: live.Timeout,
    memorySize: live.MemorySize,
    architectures: live.Architectures,
    packageType: live.PackageType ?? "Zip",
    kmsKeyArn: live.KMSKeyArn,
    environment: Object.keys(variables).length > 0 ? { variables } : undefined,
    deadLetterConfig: live.DeadLetterConfig?.TargetArn ? { targetArn: live.DeadLetterConfig.TargetArn } : undefined,
    ephemeralStorage: { size: live.EphemeralStorage?.Size ?? 512 },
    tracingConfig: { mode: live.TracingConfig?.Mode ?? "PassThrough" },
    loggingConfig: logging && {
      logFormat: logging.LogFormat,
      logGroup: logging.LogGroup,
      applicationLogLevel: logging.ApplicationLogLevel,
      systemLogLevel: logging.SystemLogLevel,
    },
    reservedConcurrentExecutions: found.Concurrency?.ReservedConcurrentExecutions ?? -1,
    ...tagsFrom(found.Tags),
  };
}

export const lambdaFunction: ResourceType<AwsClients> = {
  token: "aws:lambda/function:Function",
  inputs: {
    name: { autoname: { max: 64 }, replace: true },
    code: { required: true },
    role: { required: true },
    handler: { required: true },
    runtime: { required: true },
    architectures: { computed: true },
    deadLetterConfig: { fields: { targetArn: { required: true } } },
    description: {},
    environment: { fields: { variables: {} } },
    ephemeralStorage: { computed: true, fields: { size: { computed: true } } },
    kmsKeyArn: {},
    loggingConfig: {
      computed: true,
      fields: {
        logFormat: { required: true, values: ["Text", "JSON"] },
        logGroup: { computed: true },
        applicationLogLevel: { computed: true },
        systemLogLevel: { computed: true },
      },
    },
    memorySize: { default: 128 },
    packageType: { default: "Zip", values: ["Zip"], replace: true },
    publish: { default: false, values: [false] },
    reservedConcurrentExecutions: { default: -1 },
    sourceCodeHash: { computed: true },
    tracingConfig: { computed: true, fields: { mode: { required: true, values: ["Active", "PassThrough"] } } },
    timeout: { default: 3 },
    tags,
    region,
  },
  outputs: {
    arn: {},
    codeSha256: {},
    invokeArn: {},
    lastModified: {},
    qualifiedArn: {},
    qualifiedInvokeArn: {},
    responseStreamingInvokeArn: {},
    sourceCodeSize: {},
    tagsAll: {},
    version: {},
  },
  async create(inputs, aws, operation) {
    const lambda = await aws.lambda(inputs.region);
    const archive = codeArchive(inputs.code);
    const { DeadLetterConfig: letters, KMSKeyArn: key, ...rest } = configuration(inputs);
    await lambda.createFunction({
      ...rest,
      // Empty strings mean "take it away" and are for updates only.
      ...(letters.TargetArn ? { DeadLetterConfig: letters } : {}),
      ...(key ? { KMSKeyArn: key } : {}),
      Architectures: inputs.architectures,
      PackageType: inputs.packageType,
      Code: { ZipFile: archive },
      Tags: inputs.tags,
    });
    operation.created(inputs.name);
    await settled(lambda, inputs.name, operation);
    if (inputs.reservedConcurrentExecutions >= 0) {
      await writeConcurrency(lambda, inputs.name, inputs.reservedConcurrentExecutions);
    }
    return { id: inputs.name };
  },
  read: readFunction,
  async update({ id, news, olds, changed, client: aws, ...operation }) {
    const lambda = await aws.lambda(news.region);
    if (CONFIGURATION.some((name) => changed.has(name))) {
      await lambda.updateFunctionConfiguration(configuration(news));
      await settled(lambda, id, operation);
    }
    if (changed.has("code") || changed.has("architectures") || changed.has("sourceCodeHash")) {
      const ZipFile = codeArchive(news.code);
      await lambda.updateFunctionCode({ FunctionName: id, ZipFile, Architectures: news.architectures });
      await settled(lambda, id, operation);
    }
    if (changed.has("reservedConcurrentExecutions")) {
      await writeConcurrency(lambda, id, news.reservedConcurrentExecutions);
    }
    if (changed.has("tags")) {
      const gone = removedTags(olds, news);
      if (gone.length > 0) await lambda.untagResource({ Resource: olds.arn, TagKeys: gone });
      if (Object.keys(news.tags ?? {}).length > 0) await lambda.tagResource({ Resource: olds.arn, Tags: news.tags });
    }
    return {};
  },
  async delete(id, state, aws) {
    await (await aws.lambda(state.region)).deleteFunction({ FunctionName: id });
  },
  volatile: (changed) => [
    "lastModified",
    ...(changed.has("code") ? ["sourceCodeHash", "codeSha256", "sourceCodeSize"] : []),
  ],
};
