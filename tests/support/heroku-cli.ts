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

/** Runs commands of the CLI against an emulator, in a home folder of its own. */
export class HerokuCli {
  private readonly home: string;
  private readonly entry: string;

  /** @throws unless the address is loopback: with any other the CLI would turn to the real Heroku, key included. */
  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {
    if (!/^http:\/\/127\.0\.0\.1:\d+$/.test(url)) throw new Error(`the CLI is for emulators only, not for ${url}`);
    this.entry = ensureHerokuCli();
    this.home = mkdtempSync(join(tmpdir(), "heroku-cli-"));
    mkdirSync(join(this.home, "cache"));
    writeFileSync(join(this.home, "cache", "terms-of-service"), "");
  }

  run(...args: string[]): Promise<CliResult> {
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
    };
    return new Promise((done) => {
      const options = { env, cwd: this.home, timeout: 60_000 };
      execFile(process.execPath, [this.entry, ...args], options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 128;
        done({ code, stdout, stderr });
      });
    });
  }

  close(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
