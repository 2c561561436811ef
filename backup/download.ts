import { ARCHIVE_HEADER_BYTES } from "./archive";
import { UscPisError } from "./errors";

/** A body that stopped sending for this long is dead, in ms. */
const STALL_MS = 60_000;
/** Enough to recognise an archive, or to quote what came instead. */
const HEAD_BYTES = Math.max(64, ARCHIVE_HEADER_BYTES);

export interface Download {
  /** What the server said that it would send; undefined when it did not say. */
  readonly contentLength: number | undefined;
  /** The server's entity tag as it was sent; undefined when there was none. */
  readonly etag: string | undefined;
  /** The first bytes, looked at before anything is stored. They are part of `body` as well. */
  readonly head: Uint8Array;
  readonly body: AsyncIterable<Uint8Array>;
  /** Lets go of the connection when the body is not wanted after all. */
  cancel(): Promise<void>;
}

export interface DownloadOptions {
  readonly signal?: AbortSignal;
  readonly fetch?: typeof fetch;
  /** @default 60000 */
  readonly stallMs?: number;
  /** What is downloaded, for messages. @default "the dump" */
  readonly what?: string;
}

/** A server that answers, but not with the file. */
export class DownloadRefused extends UscPisError {
  constructor(
    what: string,
    readonly status: number,
  ) {
    super("download_failed", `downloading ${what} was answered by ${status}, expected 200`);
    this.name = "DownloadRefused";
  }
}

/**
 * Opens a URL as a stream. @throws UscPisError `download_failed`; the URL is a secret and never in a message. Errors
 * while reading the body are `download_failed` as well: a connection cut early must not look like an end.
 */
export async function openDownload(url: string, options: DownloadOptions = {}): Promise<Download> {
  const { what = "the dump" } = options;
  const stall = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stall.signal]) : stall.signal;
  const watch = watchdog(stall, options.stallMs ?? STALL_MS);
  const failed = (cause: unknown): UscPisError => {
    watch.stop();
    options.signal?.throwIfAborted();
    if (cause instanceof UscPisError) return cause;
    const reason = stall.signal.aborted ? "no byte came for a minute" : innermost(cause);
    return new UscPisError("download_failed", `downloading ${what} failed: ${reason}`, { cause });
  };
  watch.alive();
  const response = await (options.fetch ?? fetch)(url, { signal, headers: { "accept-encoding": "identity" } }).catch(
    (cause) => {
      throw failed(cause);
    },
  );
  if (response.status !== 200) {
    watch.stop();
    await response.body?.cancel().catch(() => undefined);
    throw new DownloadRefused(what, response.status);
  }
  const reader = response.body?.getReader();
  const read = async () => {
    watch.alive();
    const next = await reader?.read().catch((cause) => {
      throw failed(cause);
    });
    watch.stop();
    return next?.value;
  };
  const first: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  while (length < HEAD_BYTES && !ended) {
    const chunk = await read();
    if (chunk === undefined) ended = true;
    else {
      first.push(chunk);
      length += chunk.byteLength;
    }
  }
  const said = response.headers.get("content-length");
  const cancel = async () => {
    watch.stop();
    await reader?.cancel().catch(() => undefined);
  };
  return {
    etag: response.headers.get("etag") ?? undefined,
    contentLength: said !== null && /^\d+$/.test(said) ? Number(said) : undefined,
    head: Buffer.concat(first).subarray(0, HEAD_BYTES),
    cancel,
    body: (async function* () {
      try {
        yield* first;
        while (!ended) {
          const chunk = await read();
          if (chunk === undefined) ended = true;
          else yield chunk;
        }
      } finally {
        if (!ended) await cancel();
      }
    })(),
  };
}

/** Only runs while a read waits: a slow reader on our side is no stall of the server. */
function watchdog(stall: AbortController, milliseconds: number) {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => clearTimeout(timer);
  return {
    stop,
    alive() {
      stop();
      timer = setTimeout(() => stall.abort(), milliseconds);
    },
  };
}

function innermost(error: unknown): string {
  let reason = "unknown error";
  for (let at = error; at instanceof Error; at = at.cause) reason = at.message || reason;
  return reason;
}
