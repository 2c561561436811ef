/** Takes apart `aws-chunked` bodies, as SDKs send streams: frames of a size and bytes, then a checksum behind them. */
import { Transform } from "node:stream";

const CRLF = Buffer.from("\r\n");
/** A frame's head is its size in hexadecimal, and with signed chunks a signature. */
const MAX_HEAD_BYTES = 1024;

/** Passes on the bytes of the frames; the trailers behind the last one are dropped. */
export class AwsChunkedDecoder extends Transform {
  /** Of the present frame; undefined while its head is read. */
  private left: number | undefined;
  private head = Buffer.alloc(0);
  private over = false;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    try {
      this.decode(chunk);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: (error?: Error | null) => void): void {
    done(this.over ? null : new Error("the aws-chunked body ended within a frame"));
  }

  private decode(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && !this.over) {
      if (this.left === undefined) rest = this.readHead(rest);
      else {
        const part = rest.subarray(0, this.left);
        if (part.length > 0) this.push(part);
        this.left -= part.length;
        rest = rest.subarray(part.length);
        if (this.left === 0) this.left = undefined;
      }
    }
  }

  /** @returns what comes after the head; nothing while it is incomplete */
  private readHead(bytes: Buffer): Buffer {
    const all = Buffer.concat([this.head, bytes]);
    // The line break behind the frame before comes first.
    const start = all.subarray(0, 2).equals(CRLF) ? 2 : 0;
    const end = all.indexOf(CRLF, start);
    if (end < 0) {
      if (all.length > MAX_HEAD_BYTES) throw new Error("the aws-chunked body has a frame without a head");
      this.head = all;
      return Buffer.alloc(0);
    }
    const text = all.subarray(start, end).toString("latin1");
    const [, size] = /^([0-9a-fA-F]+)(;|$)/.exec(text) ?? [];
    if (size === undefined) throw new Error(`the aws-chunked body has a frame head ${JSON.stringify(text)}`);
    this.head = Buffer.alloc(0);
    this.left = Number.parseInt(size, 16);
    this.over = this.left === 0;
    return all.subarray(end + 2);
  }
}
