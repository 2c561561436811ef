/** API keys: which are valid, and how a request carries one. */
import { createHash, timingSafeEqual } from "node:crypto";
import { ApiError } from "./http";
import type { Store } from "./store";

function equal(a: string, b: string): boolean {
  const digest = (value: string) => createHash("sha256").update(value).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** The key of an Authorization header: `Bearer KEY`, or Basic with any e-mail (also none) and the key as password. */
export function keyOfHeader(header: string | undefined): string | undefined {
  const [, scheme, value] = /^(Bearer|Basic)\s+(\S+)$/i.exec(header ?? "") ?? [];
  if (!scheme || !value) return undefined;
  if (scheme.toLowerCase() === "bearer") return value;
  const decoded = Buffer.from(value, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  return colon < 0 ? undefined : decoded.slice(colon + 1);
}

export class Keys {
  constructor(
    private readonly store: Store,
    private readonly configured: readonly string[],
    private readonly controlToken: string,
  ) {}

  private get valid(): readonly string[] {
    return this.store.state.apiKeys ?? this.configured;
  }

  /** Throws the Platform API's 401 unless the header carries a valid key. */
  require(header: string | undefined): void {
    const key = keyOfHeader(header);
    if (key === undefined || !this.valid.some((candidate) => equal(candidate, key)))
      throw new ApiError(401, "unauthorized", "Invalid credentials provided.");
  }

  requireControl(header: string | undefined): void {
    const token = keyOfHeader(header);
    if (token === undefined || !equal(token, this.controlToken))
      throw new ApiError(401, "unauthorized", "The control token is missing or wrong.");
  }

  /** Replaces all valid keys; the old ones get 401 from the next request on. */
  rotate(keys: readonly string[]): void {
    this.store.state.apiKeys = [...keys];
    this.store.save();
  }
}
