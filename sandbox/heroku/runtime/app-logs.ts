/** What apps and the platform say, one file an app, in the line form of Heroku's log. */
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import type { Readable } from "node:stream";
import type { Store } from "../store";

/** A log beyond this size (bytes) is set aside once; the one set aside before goes. */
const MAX_BYTES = 2 * 1024 * 1024;

export class AppLogs {
  constructor(private readonly store: Store) {}

  file(appId: string): string {
    return this.store.path("logs", `${appId}.log`);
  }

  write(appId: string, source: "app" | "heroku", from: string, message: string): void {
    const file = this.file(appId);
    if (existsSync(file) && statSync(file).size > MAX_BYTES) renameSync(file, `${file}.1`);
    appendFileSync(file, `${new Date().toISOString()} ${source}[${from}]: ${message}\n`);
  }

  /** Copies each line of a dyno's output. */
  follow(appId: string, dyno: string, stream: Readable | null): void {
    let rest = "";
    stream?.setEncoding("utf8");
    stream?.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = (lines.pop() ?? "").slice(-10_000);
      for (const line of lines) this.write(appId, "app", dyno, line);
    });
    stream?.on("end", () => {
      if (rest !== "") this.write(appId, "app", dyno, rest);
    });
  }

  tail(appId: string, lines: number): string[] {
    const file = this.file(appId);
    if (!existsSync(file)) return [];
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines);
  }

  remove(appId: string): void {
    rmSync(this.file(appId), { force: true });
    rmSync(`${this.file(appId)}.1`, { force: true });
  }
}
