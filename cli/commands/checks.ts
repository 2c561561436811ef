import type { Command } from "commander";
import { checkApp } from "../../backup/checks/app";
import { InputError } from "../../backup/errors";
import { action, table } from "../output";

export function register(program: Command): void {
  const checks = program.command("checks").description("look whether things work, with real requests");
  checks
    .command("app")
    .description("homepage, health endpoint and admin site of a running app")
    .requiredOption("--url <url>", "address of the app")
    .option("--attempts <number>", "attempts a check", "5")
    .action(
      action(async (io, options: { url: string; attempts: string }) => {
        if (!URL.canParse(options.url)) throw new InputError(`--url is not a URL: got "${options.url}"`);
        const attempts = Number(options.attempts);
        if (!Number.isInteger(attempts) || attempts < 1) {
          throw new InputError(`--attempts is not a number of attempts: got "${options.attempts}"`);
        }
        const report = await checkApp(options.url, { attempts, signal: io.signal });
        const rows = report.checks.map(({ name, status, detail, milliseconds }) => [
          name,
          status,
          `${milliseconds} ms`,
          detail,
        ]);
        return {
          data: report,
          text: table(["check", "result", "time", "detail"], rows),
          exitCode: report.passed ? 0 : 1,
        };
      }),
    );
}
