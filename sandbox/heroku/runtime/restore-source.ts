/** Where a restore reads from: a backup in the emulator's own storage, or any address that the emulator can fetch. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { Readable } from "node:stream";

/** Scheme of the addresses under which the emulator keeps its dumps. Only the emulator can read them. */
export const STORE_SCHEME = "gof3r://sandbox/";

export interface RestoreSource {
  stream: Readable;
  /** 0 when a server does not tell. */
  bytes: number;
}

/** @param fileOf file of a backup by its uuid; undefined when there is no such backup */
export async function openSource(
  source: string,
  fileOf: (uuid: string) => string | undefined,
  signal: AbortSignal,
): Promise<RestoreSource> {
  if (source.startsWith(STORE_SCHEME)) {
    const file = fileOf(source.slice(STORE_SCHEME.length));
    if (!file || !existsSync(file)) throw new Error(`no backup is stored under ${source}`);
    return { stream: createReadStream(file), bytes: statSync(file).size };
  }
  const response = await fetch(source, { signal });
  if (!response.ok || !response.body) throw new Error(`the source of the restore answered ${response.status}`);
  const stream = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
  return { stream, bytes: Number(response.headers.get("content-length") ?? 0) };
}
