// @ts-check
import { ensureDependencies } from "./dependencies.mjs";
import { engineEnvironment, ensureEngine } from "./engine.mjs";
import { describeError, Interrupted } from "./errors.mjs";
import { projectRoot, withHome } from "./paths.mjs";
import { runInForeground, signalExitCode } from "./processes.mjs";
import { ensurePython } from "./python.mjs";
import { ensureRuntime } from "./runtime.mjs";
import { tasks } from "./tasks.mjs";

/**
 * Runs a task: sets up what it needs, then its commands.
 *
 * @param {readonly string[]} argv the task's name and its arguments
 * @param {NodeJS.ProcessEnv} outer the environment of the caller
 * @returns {Promise<number>} exit code: that of the first command that failed, 1 when the set-up failed, 2 for a wrong name
 */
export async function main(argv, outer) {
  const [name = "", ...args] = argv;
  const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  if (!task) {
    const found = name ? `unknown task ${JSON.stringify(name)}` : "no task given";
    process.stderr.write(`error: ${found}, expected one of: ${Object.keys(tasks).join(", ")}\n`);
    return 2;
  }
  try {
    const home = withHome(outer);
    await ensureDependencies(home);
    const runtime = await ensureRuntime(home);
    let env = runtime.env;
    if (task.needsCloud) {
      env = engineEnvironment(await ensureEngine(env), env);
      await ensurePython(env);
    }
    return await runAll(runtime.node, task.commands(args, env), env);
  } catch (error) {
    if (error instanceof Interrupted) return signalExitCode(error.signal);
    process.stderr.write(`${describeError(error)}\n`);
    return 1;
  }
}

/**
 * @param {string} node
 * @param {readonly string[][]} commands
 * @param {NodeJS.ProcessEnv} env
 */
async function runAll(node, commands, env) {
  let failure = 0;
  for (const command of commands) {
    const code = await runInForeground(node, command, { cwd: projectRoot, env });
    // After a signal nothing more is started.
    if (code >= 128) return code;
    failure ||= code;
  }
  return failure;
}
