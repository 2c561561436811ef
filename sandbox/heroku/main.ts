/**
 * Runs the emulator as a process of its own: `node -r ts-node/register/transpile-only sandbox/heroku/main.ts CONFIG.json`.
 * The configuration (HerokuOptions without `log`) comes from a file, since a command line can be read by others. On its
 * standard output it says `{"ready":true,"url":…,"pid":…}` once, then it logs. SIGTERM and SIGINT end it.
 */
import { readFileSync } from "node:fs";
import { type HerokuOptions, startHeroku } from "./index";

async function main(): Promise<void> {
  const file = process.argv[2] ?? process.env.SANDBOX_HEROKU_CONFIG;
  if (!file) throw new Error("no configuration: give the path of a JSON file, or set SANDBOX_HEROKU_CONFIG");
  const options = JSON.parse(readFileSync(file, "utf8")) as HerokuOptions;
  const log = (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`);
  const emulator = await startHeroku({ ...options, log });
  process.stdout.write(`${JSON.stringify({ ready: true, url: emulator.url, pid: process.pid })}\n`);
  let ending = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (ending) return;
      ending = true;
      emulator.close().then(
        () => process.exit(0),
        (error) => {
          log(`could not close: ${error}`);
          process.exit(1);
        },
      );
    });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`heroku emulator: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
});
