import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * A Python environment below `.tools`, made by the project's Python the first time that a test needs it. Each tool has one
 * of its own, because they pin the same packages differently. Rejects where the package index can't be reached: a test
 * that needs it then fails, it is not passed over.
 *
 * @param name folder below `.tools`
 * @param packages exact versions, `name==version`
 * @returns the environment's folder of programs
 */
export async function ensureVenv(name: string, packages: readonly string[]): Promise<string> {
  const { toolsDir, withLock } = await import("../../scripts/setup.mjs");
  const folder = join(toolsDir, name);
  const bin = join(folder, "bin");
  const stamp = join(folder, "installed");
  const wanted = packages.join("\n");
  const isCurrent = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  if (isCurrent()) return bin;
  await withLock(join(toolsDir, "locks", name), async () => {
    if (isCurrent()) return;
    rmSync(folder, { recursive: true, force: true });
    const python = process.env.USC_PIS_PYTHON ?? join(toolsDir, "python", "bin", "python");
    await run(python, ["-m", "venv", folder]);
    const pip = ["-I", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"];
    await run(join(bin, "python"), [...pip, ...packages], { maxBuffer: 16 * 1024 * 1024 });
    writeFileSync(stamp, wanted);
  });
  return bin;
}
