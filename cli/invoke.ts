import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { UscPisError } from "../backup/errors";
import type { Io } from "./output";

/** The function may take 15 minutes; the answer comes at their end. */
const INVOKE_MS = 16 * 60_000;

/**
 * Calls one of the app's own functions and waits for its answer, so that a person needs no right to write backups.
 * @param what it does, for messages.
 * @throws UscPisError `invoke_failed`, or `code` with the function's own words
 */
export async function invokeFunction(
  io: Io,
  functionName: string,
  region: string,
  event: object,
  failure: { what: string; code: string },
): Promise<unknown> {
  const lambda = new LambdaClient({
    region,
    // The event carries its own name, so that a repeated request is done once; still, one is enough.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 10_000, requestTimeout: INVOKE_MS, socketTimeout: INVOKE_MS },
  });
  const answer = await lambda
    .send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(event) }), {
      abortSignal: io.signal,
    })
    .catch((cause) => {
      io.signal.throwIfAborted();
      throw new UscPisError("invoke_failed", `calling ${functionName} failed: ${cause.message}`, {
        cause,
        hint: "is the primary stack deployed, and may you call its function? pulumi stack output",
      });
    });
  const payload = parsePayload(answer.Payload);
  if (answer.FunctionError) throw new UscPisError(failure.code, `${failure.what} failed: ${errorMessage(payload)}`);
  return payload;
}

function parsePayload(payload: Uint8Array | undefined): unknown {
  const text = Buffer.from(payload ?? []).toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    throw new UscPisError(
      "unexpected_answer",
      `the function's answer is not JSON: got ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
}

function errorMessage(payload: unknown): string {
  const message = (payload as { errorMessage?: unknown } | null)?.errorMessage;
  return typeof message === "string" ? message : JSON.stringify(payload);
}
