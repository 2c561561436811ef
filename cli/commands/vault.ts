import { userInfo } from "node:os";
import type { Command } from "commander";
import { claimCurrentApp } from "../../backup/current-app";
import { connectSides, readSettings } from "../context";
import { action } from "../output";

export function register(program: Command): void {
  const vault = program.command("vault").description("the store of backups");
  vault
    .command("claim")
    .description("make an app the current one: only its jobs write backups")
    .requiredOption("--app <name>", "app on Heroku")
    .option("--take-over", "take the place of another app, which then writes no more backups")
    .action(
      action(async (io, options: { app: string; takeOver?: boolean }) => {
        const settings = readSettings();
        const { vaults } = await connectSides(settings, "recovery");
        const claim = {
          system: settings.system,
          app: options.app,
          claimedBy: userInfo().username,
          takeOver: options.takeOver === true,
          now: new Date(),
        };
        const { pointer, changed } = await claimCurrentApp(vaults, claim, io.signal);
        const text = changed
          ? `${options.app} is the current app of ${settings.system} now${pointer.previous ? `, in place of ${pointer.previous}` : ""}`
          : `${options.app} is the current app of ${settings.system} already, since ${pointer.claimedAt}`;
        return { data: { ...pointer, changed }, text };
      }),
    );
}
