/** Entry of the sample application: `node app.js web | worker | beat | release`. */
import { Client } from "pg";
import { migrate } from "./migrate";
import { connection, readSettings, type Settings } from "./settings";
import { startWeb } from "./web";

declare const RELEASE_VERSION: string;

/** Pause between the signs of life of worker and beat, in milliseconds. */
const TICK_MS = 15_000;

async function release(settings: Settings): Promise<void> {
  const client = new Client({ ...connection(settings.databaseUrl), connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    console.log("Running migrations:");
    const applied = await migrate(client, (line) => console.log(line));
    if (applied.length === 0) console.log("  No migrations to apply.");
    console.log("Default report templates are there.");
    console.log("Static files are collected.");
  } finally {
    await client.end();
  }
}

/** Worker and beat have nothing to do with the data: they show that the processes run. */
function loop(name: string): void {
  console.log(`${name} ${RELEASE_VERSION} is ready`);
  setInterval(() => console.log(`${name} is alive`), TICK_MS);
  process.on("SIGTERM", () => process.exit(0));
}

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const role = process.argv[2];
  if (role === "release") await release(settings);
  else if (role === "web") startWeb(settings);
  else if (role === "worker" || role === "beat") loop(role);
  else throw new Error(`unknown process type ${role}, expected web, worker, beat or release`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
