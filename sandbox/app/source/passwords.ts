/** Passwords in Django's form `pbkdf2_sha256$iterations$salt$hash`. */
import { pbkdf2Sync, timingSafeEqual } from "node:crypto";

function digest(password: string, salt: string, iterations: number): Buffer {
  return pbkdf2Sync(password, salt, iterations, 32, "sha256");
}

export function hashPassword(password: string, salt: string, iterations: number): string {
  return `pbkdf2_sha256$${iterations}$${salt}$${digest(password, salt, iterations).toString("base64")}`;
}

export function checkPassword(password: string, stored: string): boolean {
  const [algorithm, iterations, salt, hash] = stored.split("$");
  if (algorithm !== "pbkdf2_sha256" || !iterations || !salt || !hash) return false;
  const expected = Buffer.from(hash, "base64");
  const found = digest(password, salt, Number(iterations));
  return expected.length === found.length && timingSafeEqual(expected, found);
}
