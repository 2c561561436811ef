import { randomBytes } from "node:crypto";
import type { Operation, Provider, ResourceType } from "../core/types";
import type { Properties } from "../core/values";
import { run } from "./process";

async function perform(command: string | undefined, inputs: Properties, previous: Properties, operation: Operation) {
  if (!command) return {};
  const logging: string = inputs.logging ?? "stdoutAndStderr";
  const environment: { [name: string]: string } = { ...inputs.environment };
  if (inputs.addPreviousOutputInEnv !== false) {
    if (previous.stdout) environment.PULUMI_COMMAND_STDOUT = previous.stdout;
    if (previous.stderr) environment.PULUMI_COMMAND_STDERR = previous.stderr;
  }
  return run({
    command,
    interpreter: inputs.interpreter?.length > 0 ? inputs.interpreter : ["/bin/sh", "-c"],
    dir: inputs.dir,
    environment,
    stdin: inputs.stdin,
    signal: operation.signal,
    line(stream, text) {
      const shown = logging === "stdoutAndStderr" || logging === stream;
      operation.log(shown ? "info" : "debug", text);
    },
  });
}

/** A local command. It has no read: nobody can ask a command whether its effect is still there. */
const command: ResourceType<null> = {
  token: "command:local:Command",
  inputs: {
    create: {},
    update: {},
    delete: {},
    environment: {},
    stdin: {},
    dir: {},
    interpreter: {},
    triggers: { replace: true },
    logging: { values: ["stdout", "stderr", "stdoutAndStderr", "none"] },
    addPreviousOutputInEnv: { default: true },
  },
  outputs: { stdout: {}, stderr: {} },
  secretsSpread: true,
  async create(inputs, _client, operation) {
    const output = await perform(inputs.create, inputs, {}, operation);
    const state = { stdout: "", stderr: "", ...output };
    return { id: `create${randomBytes(5).toString("hex").slice(0, 9)}`, state };
  },
  /** Without a command of its own an update runs `create` again, whatever has changed. */
  update: ({ news, olds, ...operation }) => perform(news.update ?? news.create, news, olds, operation),
  async delete(_id, state, _client, operation) {
    await perform(state.delete, state, state, operation);
  },
  volatile: () => ["stdout", "stderr"],
};

/** The stand-in for pulumi-command: local commands. */
export const commandProvider: Provider<null> = {
  name: "command",
  config: {},
  configure: () => null,
  resources: [command],
};
