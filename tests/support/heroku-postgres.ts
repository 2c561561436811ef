/** A throw-away PostgreSQL server for the tests of the Heroku emulator: the sandbox's own, in a temporary folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adminUrl, createCluster, removeCluster, startCluster } from "../../sandbox/postgres/cluster";
import { stopGroup } from "../../sandbox/supervisor/stop";

export interface TestPostgres {
  adminUrl: string;
  /** Folder of pg_dump and pg_restore of the server's version. */
  bin: string;
  stop(): Promise<void>;
}

export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "heroku-pg-"));
  const cluster = await createCluster({ dataDir: join(folder, "server", "data") });
  const server = await startCluster(cluster, { log: join(folder, "postgres.log"), sandboxRoot: folder });
  return {
    adminUrl: adminUrl({ ...cluster, port: server.port }),
    bin: cluster.bin,
    async stop() {
      await stopGroup(server, { signal: "SIGINT" });
      removeCluster(cluster);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
