#!/usr/bin/env node
// Starts the provider of dynamic resources, which @pulumi/pulumi carries; the engine looks for this program under the
// name pulumi-resource-pulumi-nodejs. In one process, unlike the SDK's shell script, so that it ends with the engine.
"use strict";

const { createRequire } = require("node:module");
const { dirname, join } = require("node:path");

/** How often the engine is looked for: a killed one tells nobody. */
const PARENT_CHECK_MS = 500;

const fromProgram = createRequire(join(process.cwd(), "package.json"));
let provider;
try {
  provider = join(dirname(fromProgram.resolve("@pulumi/pulumi/package.json")), "cmd", "dynamic-provider", "index.js");
} catch (error) {
  process.stderr.write(`@pulumi/pulumi could not be loaded from ${process.cwd()}: ${error.message}\n`);
  process.exit(1);
}

const engine = process.ppid;
setInterval(() => {
  if (process.ppid !== engine) process.exit(1);
}, PARENT_CHECK_MS);
require(provider);
