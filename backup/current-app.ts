import { z } from "zod";
import type { Vault } from "../clients/vault";
import { UscPisError } from "./errors";
import { currentAppKey } from "./layout";
import { askSides, onFirstSide, type SideFailure } from "./sides";

const pointerSchema = z.object({
  version: z.literal(1),
  system: z.string(),
  app: z.string(),
  /** Grows with each claim: the larger one counts where the sides of the vault differ. */
  generation: z.number().int().positive(),
  claimedAt: z.iso.datetime(),
  claimedBy: z.string(),
  previous: z.string().optional(),
});
export type CurrentApp = z.infer<typeof pointerSchema>;

export type PointerVault = Pick<Vault, "side" | "bucket" | "getText" | "putText">;

/** Which app of the system is the current one, over both sides; undefined while none has been claimed. */
export async function readCurrentApp(
  vaults: readonly PointerVault[],
  system: string,
  signal?: AbortSignal,
): Promise<{ pointer: CurrentApp | undefined; failures: SideFailure[] }> {
  const { answers, failures } = await askSides(vaults, (vault) => readSide(vault, system, signal), signal);
  let pointer: CurrentApp | undefined;
  for (const { answer } of answers) {
    if (answer && (!pointer || answer.pointer.generation > pointer.generation)) pointer = answer.pointer;
  }
  return { pointer, failures };
}

/**
 * Only the current app's jobs write backups, so that a surviving old app cannot add its own after a recovery.
 * @throws UscPisError `not_current_app`
 */
export function requireCurrentApp(pointer: CurrentApp | undefined, app: string): void {
  if (pointer?.app === app) return;
  const found = pointer
    ? `the current app is ${pointer.app} since ${pointer.claimedAt}`
    : "no app has been claimed yet";
  throw new UscPisError("not_current_app", `app ${app} may not write backups: ${found}`, {
    hint: `usc-pis vault claim --app ${app}${pointer ? " --take-over" : ""}`,
  });
}

export interface Claim {
  readonly system: string;
  readonly app: string;
  readonly claimedBy: string;
  /** Takes the place of another app. Without it another app's claim stands. */
  readonly takeOver: boolean;
  readonly now: Date;
}

/**
 * Makes an app the current one. Of two that claim at once one wins: the write is conditional on what was read.
 * @throws UscPisError `claimed` when another app is current and no take-over was asked for.
 */
export async function claimCurrentApp(
  vaults: readonly PointerVault[],
  claim: Claim,
  signal?: AbortSignal,
): Promise<{ pointer: CurrentApp; changed: boolean }> {
  const { pointer: current } = await readCurrentApp(vaults, claim.system, signal);
  if (current?.app === claim.app) return { pointer: current, changed: false };
  if (current && !claim.takeOver) {
    throw new UscPisError("claimed", `${claim.system} is claimed by app ${current.app} since ${current.claimedAt}`, {
      hint: `if ${current.app} is lost: usc-pis vault claim --app ${claim.app} --take-over`,
    });
  }
  const pointer: CurrentApp = {
    version: 1,
    system: claim.system,
    app: claim.app,
    generation: (current?.generation ?? 0) + 1,
    claimedAt: claim.now.toISOString(),
    claimedBy: claim.claimedBy,
    ...(current ? { previous: current.app } : {}),
  };
  try {
    await onFirstSide(vaults, async (vault) => {
      const seen = await readSide(vault, claim.system, signal);
      const condition = seen ? { etag: seen.etag } : ({ absent: true } as const);
      await vault.putText(currentAppKey(claim.system), JSON.stringify(pointer, null, 2), condition, {
        ...(signal ? { signal } : {}),
      });
    });
  } catch (error) {
    if (!(error instanceof UscPisError) || error.code !== "exists") throw error;
    const { pointer: winner } = await readCurrentApp(vaults, claim.system, signal);
    if (winner?.app === claim.app) return { pointer: winner, changed: false };
    throw new UscPisError("claimed", `${winner?.app ?? "another app"} was claimed at the same moment`, {
      cause: error,
    });
  }
  return { pointer, changed: true };
}

async function readSide(vault: PointerVault, system: string, signal?: AbortSignal) {
  const found = await vault.getText(currentAppKey(system), undefined, signal);
  if (!found) return undefined;
  const parsed = pointerSchema.safeParse(JSON.parse(found.text));
  if (!parsed.success || parsed.data.system !== system) {
    throw new UscPisError("bad_pointer", `${vault.bucket}/${currentAppKey(system)} is not a pointer of ${system}`);
  }
  return { pointer: parsed.data, etag: found.etag };
}
