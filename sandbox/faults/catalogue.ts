/** All faults by name, and which failures they stage: the rows are those of facts/failures.md. */
import { InputError } from "../../backup/errors";
import { AWS_FAULTS } from "./named/aws";
import { CLOUDINARY_FAULTS } from "./named/cloudinary";
import type { NamedFault } from "./named/define";
import { HEROKU_FAULTS } from "./named/heroku";

export const CATALOGUE: readonly NamedFault[] = [...HEROKU_FAULTS, ...AWS_FAULTS, ...CLOUDINARY_FAULTS];

/** Failures that no service can be told to have: they are mistakes of configuration, code or people. */
export const NOT_OF_A_SERVICE: Readonly<Record<number, string>> = {
  2: "a person's command on the wrong database",
  10: "the part size that our own upload chooses",
  14: "how replication rules are declared",
  15: "how lifecycle rules are declared",
  16: "the lock's mode that is declared",
  21: "what our own retention counts",
};

/** What a service does in the world and the sandbox can't stage, with the reason. */
export const NOT_STAGED: Readonly<Record<string, string>> = {
  "a scheduled trigger delivered twice, late or never":
    "EventBridge Scheduler invokes functions inside MiniStack, where no request passes the gateway; invoke the function twice, or disable the schedule, instead",
  "replication lost with its region":
    "MiniStack copies within the process: set `replication` beside `region-lost` when the copy must not arrive",
};

/** @throws InputError with all that is known */
export function findFault(name: string): NamedFault {
  const found = CATALOGUE.find((fault) => fault.name === name);
  if (found !== undefined) return found;
  throw new InputError(`there is no fault ${JSON.stringify(name)}`, {
    hint: `known are ${CATALOGUE.map((fault) => fault.name).join(", ")}`,
  });
}
