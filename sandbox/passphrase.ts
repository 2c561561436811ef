/**
 * Encrypts configuration values as Pulumi's passphrase provider does (format "v1": PBKDF2-SHA256 with a million rounds,
 * AES-256-GCM). A dozen values through `pulumi config set --secret`, which must not be on a command line, would take as
 * many starts of the engine. A test lets the real engine read what this writes.
 */
import { createCipheriv, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

/** The engine's own figures. */
const ROUNDS = 1_000_000;
const KEY_BYTES = 32;
const SALT_BYTES = 8;
const NONCE_BYTES = 12;

export class PassphraseEncrypter {
  private constructor(
    private readonly key: Buffer,
    private readonly saltBytes: Buffer,
  ) {}

  static async create(passphrase: string): Promise<PassphraseEncrypter> {
    const salt = randomBytes(SALT_BYTES);
    return new PassphraseEncrypter(await promisify(pbkdf2)(passphrase, salt, ROUNDS, KEY_BYTES, "sha256"), salt);
  }

  /** Value of `encryptionsalt`: the salt, and a known word by which the engine sees whether a passphrase is right. */
  get salt(): string {
    return `v1:${this.saltBytes.toString("base64")}:${this.encrypt("pulumi")}`;
  }

  encrypt(text: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.key, nonce);
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
  }
}
