/** Writes gzipped tar archives (ustar) that are the same bytes for the same contents, on every machine. */
import { gzipSync } from "node:zlib";

export interface ArchiveEntry {
  /** Path in the archive, up to 100 bytes. */
  path: string;
  content: Buffer;
  /** @default false */
  executable?: boolean;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, "0")}\0`;
}

function header(entry: ArchiveEntry): Buffer {
  const block = Buffer.alloc(512);
  if (Buffer.byteLength(entry.path) > 100) throw new Error(`path is too long for an archive: ${entry.path}`);
  block.write(entry.path, 0);
  block.write(octal(entry.executable ? 0o755 : 0o644, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(entry.content.length, 12), 124);
  block.write(octal(0, 12), 136);
  block.write(" ".repeat(8), 148);
  block.write("0", 156);
  block.write("ustar\0", 257);
  block.write("00", 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

export function tarGz(entries: readonly ArchiveEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const entry of [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    parts.push(header(entry), entry.content, Buffer.alloc((512 - (entry.content.length % 512)) % 512));
  }
  parts.push(Buffer.alloc(1024));
  const zipped = gzipSync(Buffer.concat(parts), { level: 9 });
  // Byte 9 names the operating system that packed it: "unknown" is the same everywhere.
  zipped[9] = 255;
  return zipped;
}
