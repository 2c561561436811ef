/** Runs the emulator as a process: `main.ts CONFIG.json`. Prints one line of JSON when it is ready. */
import { readFileSync } from "node:fs";
import { type CloudinaryOptions, startCloudinary } from "./server";

async function main(): Promise<void> {
  const path = process.argv[2];
  if (path === undefined) throw new Error("expected the path of a configuration file (JSON) as the only argument");
  const running = await startCloudinary(JSON.parse(readFileSync(path, "utf8")) as CloudinaryOptions);
  const stop = () => {
    running.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  console.log(JSON.stringify({ ready: true, url: running.url }));
}

main().catch((error: Error) => {
  console.error(`cloudinary emulator: ${error.message}`);
  process.exit(1);
});
