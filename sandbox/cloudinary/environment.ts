import type { Faults } from "./faults";
import type { Notifications } from "./notifications";
import type { SignatureAlgorithm } from "./signature";
import type { Store } from "./store";

/** What every part of the emulator needs: the account, the time, what is stored and who is told. */
export interface Environment {
  readonly cloudName: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Calls of the Admin API in an hour. */
  readonly adminLimitPerHour: number;
  /** Whether PDF and ZIP files are delivered by plain URLs; new free accounts start with this switched off. */
  readonly deliverPdf: boolean;
  /** Largest files by resource type, in bytes. */
  readonly maxBytes: Readonly<Record<"image" | "video" | "raw", number>>;
  /** How long a `next_cursor` is good, in milliseconds. */
  readonly cursorLifetimeMs: number;
  /** Digest of webhooks' and answers' signatures; requests may use either. */
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly store: Store;
  readonly notifications: Notifications;
  /** Failures that it has been told to have. */
  readonly faults: Faults;
  /** Milliseconds since 1970. */
  now(): number;
  /** Base of delivery URLs; it changes when the emulator restarts on another port. */
  url(): string;
}
