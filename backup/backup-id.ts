import { randomBytes } from "node:crypto";
import { InputError } from "./errors";

const FORM = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-([0-9a-f]{8})$/;

/** `20260523T141732`: the part of an id that orders it. UTC, to the second. */
function stamp(at: Date): string {
  return at.toISOString().slice(0, 19).replace(/[-:]/g, "");
}

/**
 * Names one backup: the UTC second at which it began, then eight random digits, as `20260523T141732Z-3f9a1c07`.
 * Ids sort by time as text, so that a listing of the vault or a query of the run table is in order by itself.
 */
export class BackupId {
  private constructor(
    readonly text: string,
    readonly startedAt: Date,
  ) {}

  /** @throws InputError when the clock gives a year that the form cannot hold. */
  static create(at: Date, random: Uint8Array = randomBytes(4)): BackupId {
    return BackupId.parse(`${stamp(at)}Z-${Buffer.from(random.subarray(0, 4)).toString("hex")}`);
  }

  /** @throws InputError unless the text has the exact form and names a moment that exists. */
  static parse(text: string): BackupId {
    const match = FORM.exec(text);
    if (match) {
      const [, year, month, day, hour, minute, second] = match;
      const startedAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
      if (!Number.isNaN(startedAt.getTime()) && text.startsWith(stamp(startedAt))) return new BackupId(text, startedAt);
    }
    throw new InputError(`invalid backup id: got "${text}", expected one like 20260523T141732Z-3f9a1c07`, {
      hint: "usc-pis backup list",
    });
  }

  static isValid(text: string): boolean {
    try {
      BackupId.parse(text);
      return true;
    } catch {
      return false;
    }
  }

  /** Smallest text that any id begun at or after this moment can have: where to start a listing. */
  static lowerBound(at: Date): string {
    return stamp(at);
  }

  toString(): string {
    return this.text;
  }
}
