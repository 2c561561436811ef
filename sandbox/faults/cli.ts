/** `usc-pis sandbox fault …`, as it is typed. */
import type { Command } from "commander";
import { action } from "../../cli/output";
import type { SetArguments } from "./commands";

/** Loaded when a command runs. */
function commands(): typeof import("./commands") {
  return require("./commands");
}

export function registerFaults(sandbox: Command): void {
  const fault = sandbox.command("fault").description("let the local cloud fail, as the real one has failed others");
  fault
    .command("list")
    .description("the faults that are known, with their parameters")
    .action(action(() => commands().list()));
  fault
    .command("set")
    .description("let it happen from now on; setting it again replaces it")
    .argument("<name>", "as in the list")
    .option("--param <key=value...>", "parameters, as in the list")
    .option("--times <number>", "how often; until it is reset without it")
    .option("--skip <number>", "after how many")
    .action(action((_io, name: string, options: SetArguments) => commands().set(name, options)));
  fault
    .command("show")
    .description("what is set now, and how often it has happened")
    .action(action(() => commands().show()));
  fault
    .command("reset")
    .description("all is well again")
    .argument("[name]", "only this one")
    .action(action((_io, name: string | undefined) => commands().reset(name)));
}
