import { createHash } from "node:crypto";
import { InputError } from "./errors";

/** A SHA-256, printed in lower-case hex; S3 speaks base64. */
export class Digest {
  private constructor(readonly hex: string) {}

  /** @throws InputError unless it is 64 hexadecimal digits. */
  static parse(hex: string): Digest {
    if (!/^[0-9a-f]{64}$/i.test(hex)) {
      throw new InputError(`invalid SHA-256: got "${hex}", expected 64 hexadecimal digits`);
    }
    return new Digest(hex.toLowerCase());
  }

  static ofBytes(bytes: Uint8Array | string): Digest {
    return new Digest(createHash("sha256").update(bytes).digest("hex"));
  }

  /** @throws InputError unless the text is the base64 of 32 bytes. */
  static fromBase64(text: string): Digest {
    const bytes = Buffer.from(text, "base64");
    if (bytes.length !== 32) throw new InputError(`invalid SHA-256: got "${text}", expected the base64 of 32 bytes`);
    return new Digest(bytes.toString("hex"));
  }

  get base64(): string {
    return Buffer.from(this.hex, "hex").toString("base64");
  }

  equals(other: Digest): boolean {
    return this.hex === other.hex;
  }

  toString(): string {
    return this.hex;
  }
}
