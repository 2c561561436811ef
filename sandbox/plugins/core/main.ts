import { EngineLog } from "./engine-log";
import { ProviderServer } from "./server";
import type { Provider } from "./types";

/** How often the plugin looks whether its engine still lives, in milliseconds. */
const PARENT_POLL = 500;

/** How long running operations get to end their children before the plugin leaves, in milliseconds. */
const GRACE = 1500;

/**
 * Runs a provider as the engine's plugin: prints the port and serves until the engine ends. An engine that was killed
 * can't say goodbye, so the plugin also leaves when its parent has changed.
 */
export async function runPlugin<C>(provider: Provider<C>, version: string): Promise<void> {
  const address = process.argv.slice(2).find((argument) => !argument.startsWith("-"));
  const server = new ProviderServer(provider, version, new EngineLog(address));
  const port = await server.listen();
  let leaving = false;
  const leave = () => {
    if (leaving) return;
    leaving = true;
    server.cancel();
    const deadline = Date.now() + GRACE;
    setInterval(() => (server.idle() || Date.now() > deadline) && process.exit(0), 20);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, leave);
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && leave(), PARENT_POLL).unref();
  // The engine closes its end of the pipe when it goes; writing there must not bring down what is being cleaned up.
  process.stdout.on("error", leave);
  process.stderr.on("error", () => {});
  process.stdout.write(`${port}\n`);
}
