#!/usr/bin/env node
// The Node language host of a Pulumi engine that was built from source: the engine starts it to run programs and policy
// packs. A CLI archive brings its own; scripts/lib/language-host.mjs puts this one beside an engine that has none.
//
// It is a single file without packages of its own: gRPC and the messages come from the @pulumi/pulumi of the program.
// The engine reads the port from stdout and passes its own address as the last argument.
"use strict";

const { spawn } = require("node:child_process");
const { existsSync, readFileSync, statSync } = require("node:fs");
const { createRequire } = require("node:module");
const { delimiter, dirname, isAbsolute, join, resolve } = require("node:path");

/** By this exit code a program says that it failed and has told the person why. */
const ALREADY_REPORTED = 32;
/** A program may take so long to end after it was told to, before it is killed. */
const GRACE_MS = 5_000;
/** How often the engine is looked for: nothing of ours may outlive it. */
const PARENT_CHECK_MS = 500;
/** The engine's own limit for a message: programs may carry large assets. */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

const engineAddress = process.argv.slice(2).findLast((arg) => !arg.startsWith("-"));
/** What runs on behalf of the engine at the moment. */
const children = new Set();
const sdk = loadSdk(process.cwd());
const { grpc, language, plugin, empty } = sdk;

/** @param {string} directory where the program lies */
function loadSdk(directory) {
  const fromProgram = createRequire(join(directory, "package.json"));
  try {
    const root = dirname(fromProgram.resolve("@pulumi/pulumi/package.json"));
    const fromSdk = createRequire(join(root, "package.json"));
    return {
      root,
      grpc: fromSdk("@grpc/grpc-js"),
      service: fromSdk("./proto/language_grpc_pb.js").LanguageRuntimeService,
      language: fromSdk("./proto/language_pb.js"),
      plugin: fromSdk("./proto/plugin_pb.js"),
      empty: fromSdk("google-protobuf/google/protobuf/empty_pb.js"),
    };
  } catch (error) {
    process.stderr.write(
      `@pulumi/pulumi could not be loaded from ${directory}: ${error.message}\n` +
        "hint: install the program's packages (npm ci) and run pulumi from its folder\n",
    );
    process.exit(1);
  }
}

/** The file of @pulumi/pulumi that carries out a kind of work, as the program's own folder sees the package. */
function script(directory, name) {
  const fromProgram = createRequire(join(directory, "package.json"));
  return join(dirname(fromProgram.resolve("@pulumi/pulumi/package.json")), "cmd", name);
}

/**
 * The Node for a program: the one that its project brought along by npm, else the one that runs this host.
 * `pulumi up` typed without npx would otherwise run it on whatever the machine has.
 */
function nodeFor(directory) {
  for (let dir = directory; ; dir = dirname(dir)) {
    const own = join(dir, "node_modules", `node-linux-${process.arch}`, "bin", "node");
    if (process.platform === "linux" && existsSync(own)) return own;
    if (dir === dirname(dir)) return process.execPath;
  }
}

/** Starts a child that ends with this host. It stays in our process group: the engine kills that as a whole. */
function start(node, args, options) {
  const env = { ...options.env, PATH: [dirname(node), options.env.PATH ?? ""].join(delimiter) };
  const child = spawn(node, args, { ...options, env });
  return watch(child);
}

function watch(child) {
  children.add(child);
  child.once("close", () => children.delete(child));
  return child;
}

/** How a child ended, in words; undefined for success. */
function ended(child) {
  return new Promise((settle) => {
    child.once("error", (error) => settle({ failure: `could not be started: ${error.message}` }));
    child.once("close", (code, signal) => {
      if (signal) settle({ failure: `was ended by ${signal}` });
      else settle({ code, failure: code === 0 ? undefined : `ended with exit code ${code}` });
    });
  });
}

function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  setTimeout(() => child.kill("SIGKILL"), GRACE_MS).unref();
}

function end(code) {
  for (const child of children) child.kill("SIGKILL");
  process.exit(code);
}

/** Runtime options of Pulumi.yaml. */
function optionsOf(info) {
  return info?.getOptions()?.toJavaScript() ?? {};
}

/** Absolute path of the configured tsconfig: Pulumi.yaml means it from the project's folder, the program from its own. */
function tsconfigOf(info) {
  const { tsconfig } = optionsOf(info);
  if (typeof tsconfig !== "string" || tsconfig === "") return undefined;
  if (isAbsolute(tsconfig)) return tsconfig;
  const fromRoot = resolve(info.getRootDirectory(), tsconfig);
  return existsSync(fromRoot) ? fromRoot : resolve(info.getProgramDirectory(), tsconfig);
}

function typescriptEnvironment(info) {
  const tsconfig = tsconfigOf(info);
  return {
    PULUMI_NODEJS_TYPESCRIPT: String(optionsOf(info).typescript !== false),
    ...(tsconfig === undefined ? {} : { PULUMI_NODEJS_TSCONFIG_PATH: tsconfig }),
  };
}

function nodeArguments(info) {
  const { nodeargs } = optionsOf(info);
  return typeof nodeargs === "string" ? nodeargs.split(" ").filter(Boolean) : [];
}

function runProgram(call, callback) {
  const request = call.request;
  const info = request.getInfo();
  const directory = info?.getProgramDirectory() || request.getPwd();
  const flags = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    pwd: request.getPwd(),
    "root-directory": info?.getRootDirectory(),
    parallel: String(request.getParallel()),
  };
  const args = Object.entries(flags).flatMap(([name, value]) => (value ? [`--${name}`, value] : []));
  if (request.getDryrun()) args.push("--dry-run");
  const entry = info?.getEntryPoint() || request.getProgram() || ".";
  const child = start(
    nodeFor(directory),
    [...nodeArguments(info), script(directory, "run"), ...args, entry, ...request.getArgsList()],
    {
      cwd: directory,
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        ...typescriptEnvironment(info),
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
      },
    },
  );
  call.on("cancelled", () => stop(child));
  ended(child).then(({ code, failure }) => {
    const response = new language.RunResponse();
    if (code === ALREADY_REPORTED) response.setBail(true);
    else if (failure) response.setError(`the program ${failure}`);
    callback(null, response);
  });
}

function runPlugin(call) {
  const request = call.request;
  const info = request.getInfo();
  const directory = info?.getProgramDirectory() || request.getPwd();
  const kind = request.getKind();
  const env = Object.fromEntries(
    request.getEnvList().map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
  // A policy pack's starter takes the engine's address first and the pack last, and reads the pack's tsconfig.json from
  // its own folder; a provider's takes the provider first, which works in the caller's folder.
  const isPolicyPack = kind === "analyzer";
  const args = isPolicyPack ? [...request.getArgsList(), "."] : [directory, ...request.getArgsList()];
  const child = start(
    nodeFor(directory),
    [...nodeArguments(info), script(directory, isPolicyPack ? "run-policy-pack" : "run-plugin"), ...args],
    {
      cwd: isPolicyPack ? directory : request.getPwd(),
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env, ...typescriptEnvironment(info) },
    },
  );
  const send = (set, value) => {
    const response = new language.RunPluginResponse();
    response[set](value);
    call.write(response);
  };
  child.stdout.on("data", (bytes) => send("setStdout", bytes));
  child.stderr.on("data", (bytes) => send("setStderr", bytes));
  call.on("cancelled", () => stop(child));
  ended(child).then(({ code = 1 }) => {
    send("setExitcode", code);
    call.end();
  });
}

function installDependencies(call) {
  const directory = call.request.getDirectory();
  const command = existsSync(join(directory, "package-lock.json")) ? "ci" : "install";
  const npm = watch(
    spawn("npm", [command, "--no-audit", "--no-fund"], { cwd: directory, stdio: ["ignore", "pipe", "pipe"] }),
  );
  const send = (set, bytes) => {
    const response = new language.InstallDependenciesResponse();
    response[set](bytes);
    call.write(response);
  };
  npm.stdout.on("data", (bytes) => send("setStdout", bytes));
  npm.stderr.on("data", (bytes) => send("setStderr", bytes));
  call.on("cancelled", () => stop(npm));
  ended(npm).then(({ failure }) => {
    if (!failure) call.end();
    else call.destroy(Object.assign(new Error(`npm ${command} ${failure}`), { code: grpc.status.INTERNAL }));
  });
}

/** The packages that a program's package.json names, with the versions that are installed. */
function programDependencies(directory) {
  for (let dir = directory; ; dir = dirname(dir)) {
    const manifest = join(dir, "package.json");
    if (existsSync(manifest) && statSync(manifest).isFile()) {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(manifest, "utf8"));
      return Object.entries({ ...devDependencies, ...dependencies }).map(([name, wanted]) => {
        const installed = join(dir, "node_modules", name, "package.json");
        return { name, version: existsSync(installed) ? JSON.parse(readFileSync(installed, "utf8")).version : wanted };
      });
    }
    if (dir === dirname(dir)) return [];
  }
}

/** Answers a call with what `make` returns, a failure with its message. */
function answer(make) {
  return (call, callback) => {
    try {
      callback(null, make(call.request));
    } catch (error) {
      callback({ code: grpc.status.INTERNAL, message: error.message });
    }
  };
}

const handlers = {
  handshake: answer(() => new language.LanguageHandshakeResponse()),
  // The engine asks each provider's plugin for itself when the program registers a resource of it.
  getRequiredPlugins: answer(() => new language.GetRequiredPluginsResponse()),
  getRequiredPackages: answer(() => new language.GetRequiredPackagesResponse()),
  runtimeOptionsPrompts: answer(() => new language.RuntimeOptionsResponse()),
  getPluginInfo: answer(() => {
    const info = new plugin.PluginInfo();
    info.setVersion(JSON.parse(readFileSync(join(sdk.root, "package.json"), "utf8")).version);
    return info;
  }),
  about: answer((request) => {
    const response = new language.AboutResponse();
    const directory = request.getInfo()?.getProgramDirectory() || process.cwd();
    response.setExecutable(nodeFor(directory));
    response.setVersion(process.version);
    return response;
  }),
  getProgramDependencies: answer((request) => {
    const response = new language.GetProgramDependenciesResponse();
    for (const { name, version } of programDependencies(request.getInfo()?.getProgramDirectory() || request.getPwd())) {
      const dependency = new language.DependencyInfo();
      dependency.setName(name);
      dependency.setVersion(version);
      response.addDependencies(dependency);
    }
    return response;
  }),
  installDependencies,
  run: runProgram,
  runPlugin,
  cancel: answer(() => {
    for (const child of children) stop(child);
    return new empty.Empty();
  }),
};

const server = new grpc.Server({
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
});
server.addService(sdk.service, handlers);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) {
    process.stderr.write(`the language host could not listen: ${error.message}\n`);
    process.exit(1);
  }
  process.stdout.write(`${port}\n`);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0));
// A killed engine tells nobody. Its children get a new parent, and by that it is seen.
const engine = process.ppid;
setInterval(() => {
  if (process.ppid !== engine) end(1);
}, PARENT_CHECK_MS);
