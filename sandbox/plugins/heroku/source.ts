import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

/** A path below the source directory, in order of names. */
function walk(root: string, below = ""): string[] {
  return readdirSync(join(root, below), { withFileTypes: true })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory() ? [`${path}/`, ...walk(root, path)] : [path];
    });
}

/**
 * Digest of a source: a build is made again when it changes. A file's is that of its bytes. A folder's is the provider's
 * own: for each entry, in order, its path below the folder's name and a line feed, then the bytes if it is a regular file.
 */
export function sourceDigest(path: string): string {
  const hash = createHash("sha256");
  if (!statSync(path).isDirectory()) return `SHA256:${hash.update(readFileSync(path)).digest("hex")}`;
  const visit = (entry: string) => {
    const below = entry.startsWith(path) ? entry.slice(path.length) : entry;
    hash.update(`${join(basename(path), below)}\n`);
    const stat = lstatSync(entry);
    if (stat.isFile()) hash.update(readFileSync(entry));
    if (!stat.isDirectory()) return;
    for (const name of readdirSync(entry).sort((one, other) => (one < other ? -1 : 1))) visit(join(entry, name));
  };
  visit(path);
  return `SHA256:${hash.digest("hex")}`;
}

/** One header of the ustar format. @throws Error if the name does not fit (100 bytes, or 155 and 100 at a slash) */
function header(name: string, size: number, mode: number, type: "0" | "2" | "5", link = ""): Buffer {
  const block = Buffer.alloc(512);
  let [prefix, rest] = ["", name];
  if (Buffer.byteLength(name) > 100) {
    const slash = name.indexOf("/", Math.max(0, name.length - 101));
    [prefix, rest] = [name.slice(0, slash), name.slice(slash + 1)];
  }
  if (Buffer.byteLength(rest) > 100 || Buffer.byteLength(prefix) > 155 || Buffer.byteLength(link) > 100) {
    throw new Error(`path ${name} is too long for the tar format`);
  }
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  block.write(rest, 0);
  block.write(octal(mode & 0o777, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write(link, 157);
  block.write("ustar\x0000", 257);
  block.write(prefix, 345);
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
  );
  return block;
}

/** Gzipped tar of a directory, below the directory's own name, as the provider uploads it. */
export function tarOf(directory: string): Buffer {
  const top = basename(resolve(directory));
  const parts: Buffer[] = [header(`${top}/`, 0, 0o755, "5")];
  for (const name of walk(directory)) {
    const path = join(directory, name);
    const stat = lstatSync(path);
    if (name.endsWith("/")) parts.push(header(`${top}/${name}`, 0, stat.mode, "5"));
    else if (stat.isSymbolicLink()) parts.push(header(`${top}/${name}`, 0, stat.mode, "2", readlinkSync(path)));
    else {
      const bytes = readFileSync(path);
      parts.push(header(`${top}/${name}`, bytes.length, stat.mode, "0"), bytes, Buffer.alloc(-bytes.length & 511));
    }
  }
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)]));
}
