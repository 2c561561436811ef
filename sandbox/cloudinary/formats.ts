/** What the first bytes of a file say about it: enough to accept, name and measure the files of a clinic. */

export type ResourceType = "image" | "video" | "raw";

export interface FileFacts {
  /** Cloudinary's name of the format, for example `jpg`. */
  format: string;
  resourceType: ResourceType;
  width?: number;
  height?: number;
}

/** Bytes that `inspect` wants to see; a JPEG's size may lie behind its embedded preview. */
export const HEAD_BYTES = 64 * 1024;

/** Recognises a file by its content, as Cloudinary does; undefined means that it can only be stored as `raw`. */
export function inspect(head: Buffer): FileFacts | undefined {
  const ascii = (from: number, to: number) => head.toString("latin1", from, to);
  if (ascii(0, 8) === "\x89PNG\r\n\x1a\n" && head.length >= 24) {
    return { format: "png", resourceType: "image", width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
  }
  if ((ascii(0, 6) === "GIF87a" || ascii(0, 6) === "GIF89a") && head.length >= 10) {
    return { format: "gif", resourceType: "image", width: head.readUInt16LE(6), height: head.readUInt16LE(8) };
  }
  if (ascii(0, 3) === "\xff\xd8\xff") return { format: "jpg", resourceType: "image", ...jpegSize(head) };
  if (ascii(0, 4) === "RIFF" && ascii(8, 12) === "WEBP") return { format: "webp", resourceType: "image" };
  if (ascii(0, 5) === "%PDF-") return { format: "pdf", resourceType: "image" };
  if (ascii(0, 2) === "BM") return { format: "bmp", resourceType: "image" };
  if (ascii(0, 4) === "II*\0" || ascii(0, 4) === "MM\0*") return { format: "tiff", resourceType: "image" };
  if (ascii(4, 8) === "ftyp") {
    const brand = ascii(8, 12);
    if (brand === "avif") return { format: "avif", resourceType: "image" };
    if (brand === "heic" || brand === "mif1") return { format: "heic", resourceType: "image" };
    return { format: "mp4", resourceType: "video" };
  }
  if (/^\s*(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)*<svg[\s>]/.test(ascii(0, 1024))) {
    return { format: "svg", resourceType: "image" };
  }
  return undefined;
}

/** Walks a JPEG's segments to its frame header. */
function jpegSize(head: Buffer): { width?: number; height?: number } {
  let at = 2;
  while (at + 9 < head.length && head[at] === 0xff) {
    const marker = head[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: head.readUInt16BE(at + 5), width: head.readUInt16BE(at + 7) };
    at += 2 + head.readUInt16BE(at + 2);
  }
  return {};
}

const CONTENT_TYPES: Record<string, string> = {
  png: "image/png",
  gif: "image/gif",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  pdf: "application/pdf",
  bmp: "image/bmp",
  tiff: "image/tiff",
  avif: "image/avif",
  heic: "image/heic",
  mp4: "video/mp4",
  svg: "image/svg+xml",
  txt: "text/plain",
  csv: "text/csv",
  json: "application/json",
};

/** Content type under which a file of this extension is delivered. */
export function contentType(extension: string): string {
  return CONTENT_TYPES[extension.toLowerCase()] ?? "application/octet-stream";
}
