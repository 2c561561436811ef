/** Reading what people type. Everything wrong is refused before anything is done. */
import { InputError } from "../backup/errors";
import type { StackRole } from "./environment";
import type { PostgresSource } from "./postgres/programs";
import { SERVICES, type ServiceName } from "./supervisor/state";

export const SERVICE_NAMES = SERVICES;

/** @throws InputError */
export function parseService(text: string): ServiceName {
  const name = SERVICES.find((candidate) => candidate === text);
  if (name !== undefined) return name;
  throw new InputError(`there is no service ${JSON.stringify(text)}, expected ${SERVICES.join(", ")}`);
}

/** `heroku=5000` as the command line has it. @throws InputError */
export function parsePorts(texts: readonly string[] = []): Partial<Record<ServiceName, number>> {
  return Object.fromEntries(
    texts.map((text) => {
      const match = /^([a-z]+)=(\d{1,5})$/.exec(text);
      const port = Number(match?.[2]);
      if (match === null || port < 1 || port > 65535) {
        throw new InputError(`--port is ${JSON.stringify(text)}, expected SERVICE=NUMBER`, {
          hint: `services: ${SERVICES.join(", ")}; for example --port heroku=5000`,
        });
      }
      return [parseService(match[1] ?? ""), port];
    }),
  );
}

/** @throws InputError */
export function parseFactor(text: string): number {
  const factor = Number(text);
  if (!/^\d+$/.test(text) || factor < 1 || factor > 100_000)
    throw new InputError(`--factor is ${JSON.stringify(text)}, expected a whole number from 1 to 100000`);
  return factor;
}

/** Names people may type for a stack. @throws InputError */
export function parseStack(text: string): StackRole {
  const roles: Record<string, StackRole> = {
    vault: "vault",
    prod: "primary",
    primary: "primary",
    recovery: "recovery",
  };
  const role = roles[text.replace(/^sandbox-/, "")];
  if (role !== undefined) return role;
  throw new InputError(`--stack is ${JSON.stringify(text)}, expected vault, prod or recovery`);
}

/** @throws InputError */
export function parsePostgres(text: string | undefined): PostgresSource | undefined {
  if (text === undefined || text === "installed" || text === "registry") return text;
  throw new InputError(`--postgres is ${JSON.stringify(text)}, expected installed or registry`);
}
