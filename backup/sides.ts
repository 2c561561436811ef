import type { Vault } from "../clients/vault";
import { UscPisError } from "./errors";

/** A side that could not be asked, and why. */
export interface SideFailure {
  readonly side: string;
  readonly error: Error;
}

/**
 * Asks every side of the vault at once and goes on with those that answer: in an emergency one of them may be gone, and
 * after a failover the newest may lie on either.
 * @throws UscPisError `vault_unreachable` when no side answers.
 */
export async function askSides<T, V extends Pick<Vault, "side" | "bucket">>(
  vaults: readonly V[],
  ask: (vault: V) => Promise<T>,
  signal?: AbortSignal,
): Promise<{ answers: { vault: V; answer: T }[]; failures: SideFailure[] }> {
  const settled = await Promise.allSettled(vaults.map(ask));
  signal?.throwIfAborted();
  const answers: { vault: V; answer: T }[] = [];
  const failures: SideFailure[] = [];
  settled.forEach((result, index) => {
    const vault = vaults[index] as V;
    if (result.status === "fulfilled") answers.push({ vault, answer: result.value });
    else failures.push({ side: vault.side, error: toError(result.reason) });
  });
  if (answers.length === 0) {
    const words = failures.map(({ side, error }) => `${side}: ${error.message}`).join("; ");
    throw new UscPisError("vault_unreachable", `no side of the vault answers: ${words}`, {
      cause: failures[0]?.error,
      hint: "check the AWS credentials and the regions (USC_PIS_PRIMARY_REGION, USC_PIS_REPLICA_REGION)",
    });
  }
  return { answers, failures };
}

/** Tries one side after the other until one does it. @throws the first side's error when none does. */
export async function onFirstSide<T, V extends Pick<Vault, "side">>(
  vaults: readonly V[],
  act: (vault: V) => Promise<T>,
): Promise<{ vault: V; result: T }> {
  let first: unknown;
  for (const vault of vaults) {
    try {
      return { vault, result: await act(vault) };
    } catch (error) {
      // The condition of a write did not hold: that is an answer, not an absent side.
      if (error instanceof UscPisError && error.code === "exists") throw error;
      first ??= error;
    }
  }
  throw first ?? new UscPisError("vault_unreachable", "no side of the vault was given");
}

export function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
