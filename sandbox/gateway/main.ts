/** Runs the gateway as a process: `main.ts CONFIG.json`. Prints one line of JSON when it is ready, then it logs. */
import { readFileSync } from "node:fs";
import { type GatewayConfig, PARTS, type Part } from "./parts";
import { startGateway } from "./server";

async function main(): Promise<void> {
  const file = process.argv[2];
  if (file === undefined) throw new Error("expected the path of a configuration file (JSON) as the only argument");
  const config = JSON.parse(readFileSync(file, "utf8")) as GatewayConfig;
  const log = (line: string) => void process.stdout.write(`${new Date().toISOString()} ${line}\n`);
  const gateway = await startGateway({ host: "127.0.0.1", ...config, log });
  const parts: Part[] = [];
  for (const start of PARTS) parts.unshift(await start({ gateway, config, log }));
  let ending = false;
  const stop = async () => {
    if (ending) return;
    ending = true;
    for (const part of parts) await part.close();
    await gateway.close();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () =>
      stop().then(
        () => process.exit(0),
        (error: Error) => {
          log(`could not close: ${error.message}`);
          process.exit(1);
        },
      ),
    );
  }
  process.stdout.write(`${JSON.stringify({ ready: true, url: gateway.url })}\n`);
}

main().catch((error: Error) => {
  process.stderr.write(`gateway: ${error.message}\n`);
  process.exit(1);
});
