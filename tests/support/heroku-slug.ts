/** Sources that are a Procfile and nothing else: enough for releases, dynos and their order. */
import { tarGz } from "../../sandbox/app/archive";

/** A web process that tells which database it was started with. */
export const WEB = `node -e 'require("http").createServer((_, r) => r.end(String(process.env.DATABASE_URL))).listen(process.env.PORT)'`;

export function procfile(processes: Record<string, string>): Buffer {
  const lines = Object.entries(processes).map(([type, command]) => `${type}: ${command}\n`);
  return tarGz([{ path: "Procfile", content: Buffer.from(lines.join("")) }]);
}
