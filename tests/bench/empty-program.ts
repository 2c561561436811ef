import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../sandbox/supervisor/paths";

const exec = promisify(execFile);

/** A Pulumi program in TypeScript that declares nothing, with a backend of its own. */
export async function emptyProgram(base: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), "usc-pis-empty-"));
  const stack = "empty";
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    "name: empty\nruntime:\n  name: nodejs\n  options:\n    typescript: true\n    tsconfig: tsconfig.json\n",
  );
  writeFileSync(join(folder, "package.json"), '{ "name": "empty", "main": "index.ts" }\n');
  writeFileSync(
    join(folder, "tsconfig.json"),
    '{ "compilerOptions": { "noCheck": true, "module": "nodenext", "target": "es2023", "rootDir": "." } }\n',
  );
  writeFileSync(join(folder, "index.ts"), "export const nothing = true;\n");
  symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));
  mkdirSync(join(folder, "state"));
  const env: Record<string, string> = { ...base, PULUMI_BACKEND_URL: `file://${join(folder, "state")}` };
  delete env.PULUMI_STACK;
  await exec("pulumi", ["stack", "init", stack, "--non-interactive"], { cwd: folder, env });
  return { folder, stack, env, remove: async () => rmSync(folder, { recursive: true, force: true }) };
}
