import * as pulumi from "@pulumi/pulumi";
import { parseSettings, type Settings } from "./settings";

/**
 * Reads the configuration of the stack at hand.
 * @throws InputError with all problems; nothing was created yet.
 */
export function readSettings(): Settings {
  return parseSettings(pulumi.runtime.allConfig(), pulumi.getStack(), encryptedKeys(process.env));
}

/** Keys that are encrypted in the stack file. The engine hands them over like this; the SDK's own reader is internal. */
export function encryptedKeys(env: NodeJS.ProcessEnv): Set<string> {
  return new Set(JSON.parse(env.PULUMI_CONFIG_SECRET_KEYS || "[]") as string[]);
}
