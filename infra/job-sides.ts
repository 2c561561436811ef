import { getAlias } from "@pulumi/aws/kms/getAlias";
import { vaultKeyAlias } from "../backup/layout";
import type { JobSide } from "../components/FunctionJob";
import type { ServiceSettings } from "./settings";

/** The side that jobs write to, and the other one. */
export interface JobSides {
  home: Required<JobSide>;
  other: JobSide;
}

/**
 * The vault's keys by their aliases, without the vault's state. After a failover to the replica the primary region is
 * not even asked: it is gone, which is why the jobs were moved.
 */
export async function findJobSides({ aws, backup, system }: ServiceSettings): Promise<JobSides> {
  const name = vaultKeyAlias(system);
  const side = async (region: string) => ({ region, keyArn: (await getAlias({ name, region })).targetKeyArn });
  const { primaryRegion, replicaRegion } = aws;
  if (backup.side === "replica") return { home: await side(replicaRegion), other: { region: primaryRegion } };
  const [home, other] = await Promise.all([side(primaryRegion), side(replicaRegion)]);
  return { home, other };
}
