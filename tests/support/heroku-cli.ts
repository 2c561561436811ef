/** The official Heroku CLI, installed on demand into `.tools/heroku-cli`: it is 395 MB and no dependency of the project. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** The version whose requests the emulator was built by. */
const VERSION = "11.10.0";
const FOLDER = resolve(__dirname, "../../.tools/heroku-cli");
const STAMP = join(FOLDER, "version");

/** Path of the CLI's entry; installs it when the stamp is missing or of another version (about half a minute). */
export function ensureHerokuCli(): string {
  const entry = join(FOLDER, "node_modules/heroku/bin/run.js");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === VERSION && existsSync(entry)) return entry;
  rmSync(FOLDER, { recursive: true, force: true });
  const next = `${FOLDER}.${process.pid}`;
  mkdirSync(next, { recursive: true });
  writeFileSync(join(next, "package.json"), '{"private":true}\n');
  const args = [
    "install",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--save-exact",
    "--prefix",
    next,
    `heroku@${VERSION}`,
  ];
  const options = { cwd: next, stdio: "pipe" as const, timeout: 300_000, env: { ...process.env, PATH: toolPath() } };
  try {
    execFileSync("npm", args, options);
    writeFileSync(join(next, "version"), VERSION);
    renameSync(next, FOLDER);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
  return entry;
}

function toolPath(): string {
  return `${dirname(process.execPath)}:${process.env.PATH ?? ""}`;
}

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  /** File of a certificate that the CLI is to trust (it fetches backups by https only). */
  certificate?: string;
}

/** A CLI that never comes back is a failure of the test, not of the machine. */
const PATIENCE_MS = 60_000;

/** Runs commands of the CLI against an emulator, in a home folder of its own. */
export class HerokuCli {
  /** Its home and working folder: what it downloads lies here. */
  readonly home: string;
  private readonly entry: string;

  /** @throws unless the address is loopback: with any other the CLI would turn to the real Heroku, key included. */
  constructor(
    private readonly url: string,
    private readonly key: string,
    private readonly options: CliOptions = {},
  ) {
    if (!/^http:\/\/127\.0\.0\.1:\d+$/.test(url)) throw new Error(`the CLI is for emulators only, not for ${url}`);
    this.entry = ensureHerokuCli();
    this.home = mkdtempSync(join(tmpdir(), "heroku-cli-"));
    mkdirSync(join(this.home, "cache"));
    writeFileSync(join(this.home, "cache", "terms-of-service"), "");
  }

  /** Runs a command with its standard input closed: it asks nobody. */
  run(...args: string[]): Promise<CliResult> {
    return this.answer("", ...args);
  }

  /** Runs a command and types `text` into it. */
  answer(text: string, ...args: string[]): Promise<CliResult> {
    const { certificate } = this.options;
    const env = {
      PATH: toolPath(),
      HOME: this.home,
      HEROKU_CACHE_DIR: join(this.home, "cache"),
      HEROKU_HOST: this.url,
      HEROKU_DATA_HOST: "127.0.0.1",
      HEROKU_PARTICLEBOARD_URL: this.url,
      HEROKU_API_KEY: this.key,
      HEROKU_DISABLE_AUTOUPDATE: "1",
      HEROKU_SKIP_NEW_VERSION_CHECK: "1",
      HEROKU_NOTIFICATIONS: "0",
      DISABLE_TELEMETRY: "true",
      NO_COLOR: "1",
      // A tenth less time for each start.
      NODE_COMPILE_CACHE: join(FOLDER, "compile-cache"),
      // Wide enough that no message is broken over two lines.
      COLUMNS: "400",
      OCLIF_COLUMNS: "400",
      ...(certificate === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificate }),
    };
    return new Promise((done) => {
      const options = { env, cwd: this.home, timeout: PATIENCE_MS };
      const child = execFile(process.execPath, [this.entry, ...args], options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 128;
        done({ code, stdout, stderr });
      });
      child.stdin?.end(text);
    });
  }

  close(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** Runs a command, which has to exit with 0. Exit 0 alone proves nothing: look at what it did, too. */
export async function succeeds(cli: HerokuCli, ...args: string[]): Promise<CliResult> {
  const result = await cli.run(...args);
  if (result.code !== 0) throw new Error(`heroku ${args.join(" ")} exited with ${result.code}: ${result.stderr}`);
  return result;
}

/** Runs a command, which has to fail with this code; returns its words on one line. */
export async function fails(cli: HerokuCli, code: number, ...args: string[]): Promise<string> {
  const result = await cli.run(...args);
  if (result.code !== code)
    throw new Error(`heroku ${args.join(" ")} exited with ${result.code}, expected ${code}: ${result.stderr}`);
  return result.stderr.replace(/\s+/g, " ");
}
