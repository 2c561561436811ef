#!/usr/bin/env node
// Plain JavaScript: it makes the rest, which is TypeScript, loadable.
const path = require("node:path");

if (Number(process.versions.node.split(".")[0]) < 22) {
  console.error(`error: Node ${process.versions.node} is too old, expected at least 22`);
  console.error("hint: run it as `npx usc-pis` in the project's folder, which brings its own Node along");
  process.exit(1);
}
require("ts-node").register({ transpileOnly: true, project: path.join(__dirname, "..", "tsconfig.json") });
require("./index").main(process.argv);
