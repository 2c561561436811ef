/** What a fault makes of an answer's body, chunk by chunk. It holds no more of it than it has to. */
import { Transform } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultRule } from "./rule";

/** A JSON answer larger than this is not changed but refused: faults of that kind are for the API's small answers. */
const MAX_JSON_BYTES = 16 * 1024 * 1024;

/** Bytes that come through of a body of this length; undefined when that can't be told beforehand. */
export function disturbedLength(rule: FaultRule, length: number): number | undefined {
  if (rule.merge !== undefined) return undefined;
  if (rule.replaceBody !== undefined) return Buffer.byteLength(rule.replaceBody);
  if (rule.truncateTo !== undefined) return Math.min(length, rule.truncateTo);
  if (rule.truncateBy !== undefined) return Math.max(0, length - rule.truncateBy);
  return length;
}

/** Whether the connection ends with the body, because more was promised. */
export function endsEarly(rule: FaultRule): boolean {
  return rule.cutAfter !== undefined || rule.keepLength === true;
}

function merged(value: unknown, changes: Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((item) => merged(item, changes));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries({ ...value, ...changes }).filter(([, field]) => field !== null));
}

export class DisturbedBody extends Transform {
  /** Bytes that have come, and that have gone. */
  private seen = 0;
  private sent = 0;
  /** Held back: the last bytes of what came, or all of it. */
  private held = Buffer.alloc(0);

  constructor(private readonly rule: FaultRule) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.disturb(Buffer.from(chunk)).then(() => done(), done);
  }

  override _flush(done: (error?: Error | null) => void): void {
    this.finish().then(() => done(), done);
  }

  private async disturb(chunk: Buffer): Promise<void> {
    const { rule } = this;
    if (rule.flipBitAt !== undefined) flip(chunk, rule.flipBitAt - this.seen);
    this.seen += chunk.length;
    if (rule.replaceBody !== undefined) return;
    const keep = rule.merge !== undefined ? MAX_JSON_BYTES : (rule.truncateBy ?? 0);
    if (keep === 0) return this.send(chunk);
    const all = Buffer.concat([this.held, chunk]);
    if (rule.merge !== undefined && all.length > keep)
      throw new Error(`a fault can't change fields of a body of more than ${keep} bytes`);
    const ready = Math.max(0, all.length - keep);
    this.held = Buffer.from(all.subarray(ready));
    await this.send(all.subarray(0, ready));
  }

  private async finish(): Promise<void> {
    const { rule } = this;
    if (rule.replaceBody !== undefined) return this.send(Buffer.from(rule.replaceBody));
    if (rule.merge === undefined || this.held.length === 0) return;
    return this.send(Buffer.from(JSON.stringify(merged(JSON.parse(this.held.toString("utf8")), rule.merge))));
  }

  private async send(bytes: Buffer): Promise<void> {
    const limit = this.rule.cutAfter ?? this.rule.truncateTo ?? Number.POSITIVE_INFINITY;
    const part = bytes.subarray(0, Math.max(0, limit - this.sent));
    this.sent += part.length;
    const { drip } = this.rule;
    const size = drip?.bytes ?? part.length;
    for (let at = 0; at < part.length && !this.destroyed; at += size) {
      this.push(part.subarray(at, at + size));
      if (drip !== undefined) await sleep(drip.pauseMs);
    }
    // A cut does not wait for the rest of the body.
    if (endsEarly(this.rule) && this.sent >= limit) this.push(null);
  }
}

function flip(chunk: Buffer, at: number): void {
  const byte = chunk[at];
  if (byte !== undefined) chunk[at] = byte ^ 1;
}
