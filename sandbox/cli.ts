/** The commands of the local cloud, as they are typed. */
import type { Command } from "commander";
import { action } from "../cli/output";
import type { MailArguments, SimulationArguments, UpArguments } from "./commands";
import { registerFaults } from "./faults/cli";

/** Loaded when a command runs: every other command of `usc-pis` starts without it. */
function commands(): typeof import("./commands") {
  return require("./commands");
}

function clockCommands(): typeof import("./clock/commands") {
  return require("./clock/commands");
}

function withUpOptions(command: Command): Command {
  return command
    .option("--port <service=number...>", "fixed port of a service, instead of a free one")
    .option("--postgres <source>", "installed or registry; else the first that serves");
}

/** Adds `sandbox` with all its commands. */
export function registerSandbox(program: Command): void {
  const sandbox = program.command("sandbox").description("a local cloud to try everything on, without any account");
  withUpOptions(sandbox.command("up").description("start what is not running; sets up what is missing")).action(
    action((io, options: UpArguments) => commands().up(io, options)),
  );
  sandbox
    .command("down")
    .description("stop everything and remove what it kept; logs and reports stay")
    .action(action(() => commands().down()));
  withUpOptions(sandbox.command("reset").description("down, then up: everything anew")).action(
    action((io, options: UpArguments) => commands().reset(io, options)),
  );
  sandbox
    .command("status")
    .description("what runs, and what to do about what doesn't; exit code 1 unless all is up")
    .action(action(() => commands().showStatus()));
  sandbox
    .command("logs")
    .description("the logs of all services, or of one")
    .argument("[service]", "postgres, gateway, aws, cloudinary or heroku")
    .option("-f, --follow", "go on until Ctrl-C")
    .option("-n, --lines <number>", "how many lines of each", "20")
    .action(
      action((io, service: string | undefined, options: { follow?: boolean; lines: string }) =>
        commands().logs(io, service, options),
      ),
    );
  sandbox
    .command("env")
    .description('variables for a shell: eval "$(npx usc-pis sandbox env)"')
    .option("--stack <name>", "vault, prod or recovery: the credentials that deploy it, and Pulumi's current stack")
    .option("--shell <name>", "sh or fish", "sh")
    .action(action((_io, options: { stack?: string; shell: string }) => commands().showEnvironment(options)));
  sandbox
    .command("mail")
    .description("the mails that left the local AWS: a list, or one of them")
    .argument("[id]", "the beginning of one mail's id")
    .option("--to <address>", "only mails to this address")
    .option("--confirm", "follow the links by which addresses are confirmed")
    .action(action((io, id: string | undefined, options: MailArguments) => commands().showMail(io, id, options)));
  sandbox
    .command("seed")
    .description("put the synthetic clinic into the primary app: rows and media")
    .option("--factor <number>", "makes more of everything", "1")
    .option("--app <name>", "another app than the primary stack's")
    .action(action((io, options: { factor: string; app?: string }) => commands().seed(io, options)));
  registerFaults(sandbox);
  sandbox
    .command("rehearse")
    .description("provision, back up, lose everything, recover, compare: what `npm start` runs")
    .option("--keep", "leave everything running afterwards")
    .option("--factor <number>", "makes more of everything", "1")
    .action(
      action((io, options: { keep?: boolean; factor: string }) =>
        commands().rehearsal(io, options, sandbox.optsWithGlobals().json === true),
      ),
    );
  const clock = sandbox
    .command("clock")
    .description("what time it is in the sandbox")
    .action(action(() => clockCommands().showClock()));
  clock
    .command("advance")
    .description("let time pass, with everything that is due on the way: schedules, retries, lifecycle, alarms")
    .argument("<time>", "how long, such as 36h or 7d, or until when")
    .action(action((io, by: string) => clockCommands().advanceBy(io, by)));
  sandbox
    .command("simulate")
    .description(
      "weeks of the clinic in minutes, with incidents; then buckets, alarms and inbox against what AWS would show",
    )
    .option("--days <number>", "simulated days", "91")
    .option("--all", "run also triggers of hours that are done and dumps of a database that has not changed")
    .option("--keep", "leave everything running afterwards")
    .action(
      action((io, options: SimulationArguments) =>
        commands().simulation(io, options, sandbox.optsWithGlobals().json === true),
      ),
    );
}
