import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../backup/errors";
import { parseSettings, type Settings } from "./settings";

/**
 * Reads the configuration of the stack at hand.
 * @throws pulumi.RunError with all problems, which the engine prints without a stack trace: nothing was created yet.
 */
export function readSettings(): Settings {
  const raw = pulumi.runtime.allConfig();
  const encrypted = encryptedKeys(process.env);
  try {
    return parseSettings(raw, pulumi.getStack(), encrypted);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new pulumi.RunError([error.message, error.hint && `hint: ${error.hint}`].filter(Boolean).join("\n"));
  }
}

/** Keys that are encrypted in the stack file. The engine hands them over like this; the SDK's own reader is internal. */
export function encryptedKeys(env: NodeJS.ProcessEnv): Set<string> {
  return new Set(JSON.parse(env.PULUMI_CONFIG_SECRET_KEYS || "[]") as string[]);
}
