/** What every function does alike: ends in its own words before Lambda does, reads its secret, tells of its errors. */
import type { Logger } from "@aws-lambda-powertools/logger";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Context } from "aws-lambda";
import type { z } from "zod";
import type { Log } from "../backup/capture-ports";
import { UscPisError } from "../backup/errors";
import { AFTERMATH_MS } from "../backup/job";

/** The run ends itself this long before the function's limit, so that it fails in its own words and tidies up. */
const BEFORE_LIMIT_MS = AFTERMATH_MS + 8_000;

/** Runs the work with a signal that aborts with `time_limit` in time. @param hint what to look at then. */
export async function withinLimit<T>(
  context: Pick<Context, "getRemainingTimeInMillis">,
  what: string,
  hint: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const remaining = Math.max(0, context.getRemainingTimeInMillis() - BEFORE_LIMIT_MS);
  const seconds = Math.round(remaining / 1000);
  const error = new UscPisError("time_limit", `the ${what} did not end within its ${seconds} s`, { hint });
  const timer = setTimeout(() => limit.abort(error), remaining);
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Clients of a function that stays warm: a connection takes longer to open than most requests on it. Made anew when the
 * environment, or what the SDK reads from it for itself, is another one.
 */
export function kept<E, T>(make: (environment: E) => T): (environment: E) => T {
  let last: { readonly key: string; readonly made: T } | undefined;
  return (environment) => {
    const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID } = process.env;
    const key = JSON.stringify([environment, AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID]);
    if (last?.key !== key) last = { key, made: make(environment) };
    return last.made;
  };
}

const secretsIn = kept(
  (region: string | undefined) => new SecretsManagerClient({ maxAttempts: 3, ...(region ? { region } : {}) }),
);

/** Read at each run, so that rotated credentials need no deployment. @throws UscPisError `bad_secret`, which shows none */
export async function readSecret<T>(secretArn: string, schema: z.ZodType<T>): Promise<T> {
  const client = secretsIn(secretArn.split(":")[3]);
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
  let fields = "";
  try {
    const parsed = schema.safeParse(JSON.parse(SecretString ?? ""));
    if (parsed.success) return parsed.data;
    fields = `: ${parsed.error.issues.map((issue) => issue.path.join(".")).join(", ")}`;
  } catch {
    // Its text must not be quoted, as the parser's message would.
  }
  throw new UscPisError("bad_secret", `secret ${secretArn} is not JSON as expected${fields}`);
}

/** The jobs' own log in that of the function. */
export function logOf(logger: Logger): Log {
  return {
    info: (message, fields) => logger.info(message, { ...fields }),
    warn: (message, fields) => logger.warn(message, { ...fields }),
  };
}

/** Lambda tells its caller nothing of an error but name and message: the hint goes into the message. */
export function speak(error: unknown): unknown {
  if (!(error instanceof UscPisError)) return error;
  const told = new Error(`${error.message}${error.hint ? ` (hint: ${error.hint})` : ""}`, { cause: error });
  told.name = error.code;
  return told;
}
