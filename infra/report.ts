import { RunError } from "@pulumi/pulumi";
import { UscPisError } from "../backup/errors";

/**
 * Hands an error of this project to the engine, which prints it without a stack trace: a person's mistake, or a vault
 * that does not answer, is told in its own words. Others keep their stack.
 */
export function report(error: unknown): never {
  if (!(error instanceof UscPisError)) throw error;
  throw new RunError([error.message, error.hint && `hint: ${error.hint}`].filter(Boolean).join("\n"));
}
