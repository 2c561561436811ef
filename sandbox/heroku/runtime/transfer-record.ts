/** What is written down of a transfer. */
import { uuid } from "../ids";
import type { Addon, App, Transfer, TransferLog } from "../model";

/** Kept of a transfer's log. */
const MAX_LOG_LINES = 200;

/** A transfer that nothing has happened to yet, with the next number of the app's one sequence. */
export function newTransfer(
  app: App,
  addon: Addon,
  kind: Partial<Transfer> & Pick<Transfer, "fromType" | "toType">,
): Transfer {
  app.lastTransfer += 1;
  const at = new Date().toISOString();
  return {
    uuid: uuid(),
    num: app.lastTransfer,
    appId: app.id,
    addonId: addon.id,
    fromName: "",
    fromUrl: "",
    toName: "",
    toUrl: "",
    extensions: [],
    scheduleId: null,
    createdAt: at,
    updatedAt: at,
    startedAt: null,
    finishedAt: null,
    canceledAt: null,
    deletedAt: null,
    succeeded: false,
    warnings: 0,
    processedBytes: 0,
    sourceBytes: 0,
    logs: [],
    ...kind,
  };
}

export function note(transfer: Transfer, level: TransferLog["level"], message: string): void {
  transfer.logs.push({ created_at: new Date().toISOString(), level, message });
  if (transfer.logs.length > MAX_LOG_LINES) transfer.logs.splice(0, transfer.logs.length - MAX_LOG_LINES);
}
