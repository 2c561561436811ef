import type { Vault } from "../clients/vault";
import type { Uploaded } from "../clients/vault-upload";
import { UscPisError } from "./errors";

type StoreVault = Pick<Vault, "head" | "ensureRetention" | "putText" | "getText">;

/** Bytes sent, bytes stored and the checksum stored must agree, and the lock must hold, before anything is good. */
export async function verifyStored(
  key: string,
  stored: Uploaded,
  until: Date,
  vault: Pick<StoreVault, "head" | "ensureRetention">,
  signal: AbortSignal,
): Promise<void> {
  // Without the version's id: the function may not read versions, and another one on top of ours is wrong as well.
  const head = await vault.head(key, undefined, signal);
  const ours = stored.versionId === undefined || head?.versionId === stored.versionId;
  if (!head || !ours || head.bytes !== stored.bytes || head.checksum !== stored.checksum) {
    const found = head
      ? `${head.bytes} bytes with checksum ${head.checksum ?? "none"}${ours ? "" : ", written by somebody else"}`
      : "nothing";
    throw new UscPisError(
      "stored_differs",
      `the vault holds something else than was sent: got ${found}, expected ${stored.bytes} bytes with checksum ${stored.checksum}`,
    );
  }
  // S3 keeps whole seconds.
  const held =
    head.retainUntil !== undefined && head.retainUntil.getTime() >= Math.floor(until.getTime() / 1000) * 1000;
  if (!held) await vault.ensureRetention(key, stored.versionId, until, signal);
}

/**
 * Writes a manifest; its lock comes with the same request. When the write seems to fail, what the vault holds decides:
 * the SDK repeats a write whose answer was lost, and then finds its own text.
 */
export async function writeOnce(
  key: string,
  text: string,
  until: Date,
  vault: Pick<StoreVault, "putText" | "getText">,
  signal: AbortSignal,
): Promise<void> {
  try {
    await vault.putText(key, text, { absent: true }, { retainUntil: until, signal });
  } catch (error) {
    signal.throwIfAborted();
    const found = await vault.getText(key, undefined, signal).catch(() => undefined);
    if (found?.text !== text) throw error;
  }
}
