/** Small helpers around the streams of child processes. */
import { type Readable, Transform } from "node:stream";

/** Kept of a program's standard error, in characters. */
const MAX_TEXT = 256 * 1024;

/** Passes everything on and tells how much it was. */
export function counter(add: (bytes: number) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      add(chunk.length);
      done(null, chunk);
    },
  });
}

/** Collects a stream's text, up to a limit; the stream is read to its end. */
export function collect(stream: Readable | null): () => string {
  let text = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (chunk: string) => {
    if (text.length < MAX_TEXT) text += chunk;
  });
  return () => text;
}

export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

/** What a PostgreSQL program ended for: its first error, which detail and the query may follow, else its last words. */
export function reason(text: string): string {
  return text.split("\n").find((line) => /^pg_\w+: error: /.test(line)) ?? lastLine(text);
}
