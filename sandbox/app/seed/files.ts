/** Small real files, made in code: PNG, JPEG, PDF and CSV. Equal dice give equal bytes. */
import { crc32, deflateSync } from "node:zlib";
import type { Dice } from "./random";

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A picture of coloured tiles, RGB, 8 bits. */
export function png(dice: Dice, width: number, height: number): Buffer {
  const tile = 16;
  const columns = Math.ceil(width / tile);
  const colors = Array.from({ length: columns * Math.ceil(height / tile) }, () => [
    dice.below(256),
    dice.below(256),
    dice.below(256),
  ]);
  const raw = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const color = colors[Math.floor(y / tile) * columns + Math.floor(x / tile)] ?? [0, 0, 0];
      color.forEach((value, channel) => {
        raw[y * (width * 3 + 1) + 1 + x * 3 + channel] = value;
      });
    }
  }
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  size.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    pngChunk("IHDR", size),
    pngChunk("IDAT", deflateSync(raw, { level: 9 })),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

function segment(marker: number, data: number[]): number[] {
  const length = data.length + 2;
  return [0xff, marker, length >> 8, length & 0xff, ...data];
}

/**
 * A baseline grey JPEG of flat 8 x 8 blocks. Its Huffman tables are the simplest that work: twelve DC categories of four
 * bits each, and one AC code, "end of block".
 */
export function jpeg(dice: Dice, columns: number, rows: number): Buffer {
  const bytes: number[] = [];
  let pending = 0;
  let filled = 0;
  const put = (value: number, bits: number) => {
    for (let bit = bits - 1; bit >= 0; bit--) {
      pending = (pending << 1) | ((value >> bit) & 1);
      if (++filled < 8) continue;
      bytes.push(pending);
      if (pending === 0xff) bytes.push(0);
      pending = 0;
      filled = 0;
    }
  };
  let previous = 0;
  for (let block = 0; block < columns * rows; block++) {
    const level = dice.below(240) - 120;
    const difference = level - previous;
    previous = level;
    const category = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1;
    put(category, 4);
    if (category > 0) put(difference > 0 ? difference : difference + (1 << category) - 1, category);
    put(0, 1);
  }
  if (filled > 0) put(0xff, 8 - filled);
  const width = columns * 8;
  const height = rows * 8;
  return Buffer.from([
    0xff,
    0xd8,
    ...segment(0xe0, [0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]),
    ...segment(0xdb, [0, ...new Array<number>(64).fill(8)]),
    ...segment(0xc0, [8, height >> 8, height & 0xff, width >> 8, width & 0xff, 1, 1, 0x11, 0]),
    ...segment(0xc4, [0, 0, 0, 0, 12, ...new Array<number>(12).fill(0), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ...segment(0xc4, [0x10, 1, ...new Array<number>(15).fill(0), 0]),
    ...segment(0xda, [1, 1, 0, 0, 63, 0]),
    ...bytes,
    0xff,
    0xd9,
  ]);
}

/** One page with one line of text. */
export function pdf(title: string): Buffer {
  const content = `BT /F1 18 Tf 72 720 Td (${title.replace(/[()\\]/g, "")}) Tj ET`;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const xref = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}`;
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
  return Buffer.from(text + xref + trailer, "latin1");
}

export function csv(dice: Dice, rows: number): Buffer {
  const lines = Array.from({ length: rows }, (_, row) => `${row + 1},${dice.below(200)},${dice.hex(8)}`);
  return Buffer.from(`row,value,code\n${lines.join("\n")}\n`);
}
