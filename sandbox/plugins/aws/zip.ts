import { lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import type { Properties } from "../core/values";

/** 1 January 1980, the zip format's first day: the same files always give the same bytes. */
const DATE = 0x21;

function entries(directory: string, below: string, files: Map<string, Buffer>): void {
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    const inside = below === "" ? name : `${below}/${name}`;
    if (statSync(path).isDirectory()) entries(path, inside, files);
    else files.set(inside, readFileSync(path));
  }
}

/** A zip archive with entries in order of names, without times. */
export function zip(files: Map<string, Buffer>): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of [...files].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const packed = deflateRawSync(bytes, { level: 9 });
    const label = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(DATE, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(label.length, 22);
    bodies.push(Buffer.from("PK\x03\x04", "latin1"), common, label, packed);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((0o100644 << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    const madeBy = Buffer.from([20, 3]);
    directory.push(Buffer.from("PK\x01\x02", "latin1"), madeBy, common, tail, label);
    offset += 4 + common.length + label.length + packed.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(files.size, 8);
  end.writeUInt16LE(files.size, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, listing, end]);
}

function add(name: string, asset: Properties, files: Map<string, Buffer>): void {
  if (asset.assets) {
    for (const [inside, member] of Object.entries(asset.assets as Properties)) {
      add(name === "" ? inside : `${name}/${inside}`, member, files);
    }
  } else if (typeof asset.text === "string") files.set(name, Buffer.from(asset.text));
  else if (typeof asset.path !== "string")
    throw new Error(`${name || "code"}: only files, folders and text can be packed`);
  else if (lstatSync(asset.path).isDirectory()) entries(asset.path, name, files);
  else files.set(name, readFileSync(asset.path));
}

/** The zip that a function's code becomes: a zip file as it is, a folder or a map of assets packed. */
export function codeArchive(archive: Properties): Buffer {
  if (typeof archive.path === "string" && statSync(archive.path).isFile()) return readFileSync(archive.path);
  const files = new Map<string, Buffer>();
  add("", archive, files);
  if (files.size === 0) throw new Error("the function's code is empty");
  return zip(files);
}
