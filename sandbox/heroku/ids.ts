/** Identifiers, names and times in the forms that Heroku gives them. */
import { randomBytes, randomInt, randomUUID } from "node:crypto";

const SHAPES = ["angular", "clear", "cubic", "curly", "deep", "flat", "globular", "horizontal", "octagonal", "round"];
const NATURE = ["bastion", "brook", "canyon", "cliff", "forest", "harbor", "lagoon", "meadow", "river", "shore"];
const COLORS = ["AMBER", "AQUA", "BLUE", "BRONZE", "CYAN", "GREEN", "IVORY", "JADE", "OLIVE", "ONYX", "PINK", "TEAL"];

/** Random UUID. */
export function uuid(): string {
  return randomUUID();
}

/** Random lower-case hex digits. */
export function hex(digits: number): string {
  return randomBytes(Math.ceil(digits / 2))
    .toString("hex")
    .slice(0, digits);
}

/** The present time in the form that the Platform API uses: whole seconds, UTC. */
export function now(): string {
  return new Date().toISOString().replace(/\.\d{3}Z$/, "Z");
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? "plain";
}

/** A name for an app that asked for none. */
export function randomAppName(): string {
  return `${pick(SHAPES)}-${pick(NATURE)}-${randomInt(10_000, 99_999)}`;
}

/** A name for an add-on that asked for none, for example `postgresql-cubic-41203`. */
export function randomAddonName(service: string): string {
  return `${service.replace(/^heroku-/, "")}-${pick(SHAPES)}-${randomInt(10_000, 99_999)}`;
}

/** A name for a certificate: they can't ask for one. */
export function randomCertificateName(): string {
  return `${pick(SHAPES)}-${randomInt(10_000, 99_999)}`;
}

/** DNS target of a custom domain. */
export function randomDnsTarget(): string {
  return `${pick(SHAPES)}-${pick(NATURE)}-${hex(20)}.herokudns.com`;
}

/** The first colour whose attachment name is free, for example `HEROKU_POSTGRESQL_PINK`. */
export function colorName(service: string, isTaken: (name: string) => boolean): string {
  const prefix = service.replace(/-/g, "_").toUpperCase();
  const start = randomInt(COLORS.length);
  for (let i = 0; i < COLORS.length; i++) {
    const name = `${prefix}_${COLORS[(start + i) % COLORS.length]}`;
    if (!isTaken(name)) return name;
  }
  return `${prefix}_${hex(6).toUpperCase()}`;
}
