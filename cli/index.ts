import { existsSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { register as registerBackup } from "./commands/backup";
import { register as registerChecks } from "./commands/checks";
import { register as registerMedia } from "./commands/media";
import { register as registerRelease } from "./commands/release";
import { register as registerRestore } from "./commands/restore";
import { register as registerVault } from "./commands/vault";
import { report } from "./output";

/** The whole command line; tests make one of their own. */
export function createProgram(): Command {
  const program = new Command("usc-pis")
    .description("Backups, recovery and infrastructure of the clinic's patient information system")
    .option("--json", "print the result as one line of JSON")
    .showHelpAfterError("(see --help)")
    .exitOverride();
  const commands = [registerBackup, registerMedia, registerRestore, registerVault, registerRelease, registerChecks];
  for (const register of commands) register(program);
  registerSandbox(program);
  inherit(program);
  return program;
}

/** The sandbox is no part of what is shipped to a machine in an emergency: its command is there when its file is. */
function registerSandbox(program: Command): void {
  const file = path.join(__dirname, "commands", "sandbox.ts");
  if (existsSync(file)) (require(file) as { register(program: Command): void }).register(program);
}

/** Commander's own errors must come to us, wherever they arise, so that bad usage exits with 2. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride().showHelpAfterError("(see --help)");
    inherit(child);
  }
}

export async function main(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error, argv.includes("--json"));
  }
}
