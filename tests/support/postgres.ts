import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  adminUrl,
  createCluster,
  type PostgresCluster,
  removeCluster,
  startCluster,
} from "../../sandbox/postgres/cluster";
import type { PostgresSource } from "../../sandbox/postgres/programs";
import type { ProcessIdentity } from "../../sandbox/supervisor/identity";
import { stopGroup } from "../../sandbox/supervisor/stop";

export interface RunningPostgres {
  cluster: PostgresCluster;
  process: ProcessIdentity;
  adminUrl: string;
  /** Folder of pg_dump and pg_restore of the server's version. */
  bin: string;
  log: string;
  stop(): Promise<void>;
}

/** A server of its own for a test; `stop` leaves nothing. */
export async function runPostgres(source?: PostgresSource): Promise<RunningPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "usc-pis-test-postgres-"));
  const log = join(folder, "postgres.log");
  const cluster = await createCluster({ dataDir: join(folder, "postgres", "data"), source });
  const process = await startCluster(cluster, { log, sandboxRoot: folder });
  cluster.port = process.port;
  return {
    cluster,
    process,
    adminUrl: adminUrl(cluster),
    bin: cluster.bin,
    log,
    stop: async () => {
      await stopGroup(process, { signal: "SIGINT" });
      removeCluster(cluster);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
