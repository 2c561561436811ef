// @ts-check
// The door of every npm script: node scripts/run.mjs start|test|check|bench [arguments…]
//
// Sets up what the task needs and is not there yet, then runs the real command. This file has to load on any Node that
// knows modules, so that an old one gets a sentence instead of a syntax error: all else is imported after the check.

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `error: this project is started by Node 20.19 or newer, found ${process.versions.node} (${process.execPath})\n` +
      "hint: install Node 24: https://nodejs.org\n",
  );
  process.exit(1);
}

const { main } = await import("./lib/main.mjs");
process.exitCode = await main(process.argv.slice(2), process.env);
