import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureEngine, ensureRuntime, linkEngine, projectRoot } from "../../../scripts/setup.mjs";

export interface Outcome {
  code: number | null;
  output: string;
}

/**
 * A Pulumi project of its own in a temporary folder, with its own backend and its own PULUMI_HOME that only links the
 * engine: what `npx pulumi` in it does, it does with the real engine and our language host. Without any provider plugin.
 */
export class TinyProgram {
  readonly folder = mkdtempSync(join(tmpdir(), "usc-pis-tiny-"));
  #env: NodeJS.ProcessEnv = {};

  static async make(source: string, extra: NodeJS.ProcessEnv = {}): Promise<TinyProgram> {
    const program = new TinyProgram();
    const runtime = await ensureRuntime(process.env);
    linkEngine(await ensureEngine(runtime.env), join(program.folder, "home"));
    mkdirSync(join(program.folder, "state"));
    symlinkSync(join(projectRoot, "node_modules"), join(program.folder, "node_modules"));
    program.#env = {
      PATH: runtime.env.PATH,
      HOME: process.env.HOME,
      PULUMI_HOME: join(program.folder, "home"),
      PULUMI_BACKEND_URL: `file://${join(program.folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "tiny",
      PULUMI_SKIP_UPDATE_CHECK: "1",
      TINY_FOLDER: program.folder,
      ...extra,
    };
    program.write(
      "package.json",
      JSON.stringify({ name: "tiny", private: true, dependencies: { "@pulumi/pulumi": "*" } }),
    );
    program.write(
      "Pulumi.yaml",
      "name: tiny\nruntime:\n  name: nodejs\n  options:\n    typescript: true\n    tsconfig: tsconfig.pulumi.json\nmain: src/index.ts\n",
    );
    const compilerOptions = { target: "es2022", module: "nodenext", strict: true, noCheck: true, rootDir: "." };
    program.write("tsconfig.pulumi.json", JSON.stringify({ compilerOptions }));
    program.write("src/index.ts", source);
    await program.pulumi("stack", "init", "dev");
    return program;
  }

  write(path: string, text: string): void {
    const file = join(this.folder, path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, text);
  }

  /** Starts what `npx pulumi` runs, without waiting. */
  start(...args: string[]): ChildProcess {
    const shim = join(projectRoot, "node_modules", "pulumi", "run.js");
    return spawn("node", [shim, ...args, "--non-interactive"], { cwd: this.folder, env: this.#env, stdio: "pipe" });
  }

  async pulumi(...args: string[]): Promise<Outcome> {
    const child = this.start(...args);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => (output += text));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, output };
  }

  /** Command lines of all running processes that belong to this program (Linux only). */
  processes(): string[] {
    return this.#running().map(([, line]) => line);
  }

  #running(): [pid: number, line: string][] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid): [number, string][] => {
        try {
          const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
          if (!environment.includes(`TINY_FOLDER=${this.folder}`)) return [];
          return [[Number(pid), readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")]];
        } catch {
          return [];
        }
      })
      .filter(([, line]) => line !== "");
  }

  /** Ids of those whose command line contains the words. */
  pids(words: string): number[] {
    return this.#running()
      .filter(([, line]) => line.includes(words))
      .map(([pid]) => pid);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
