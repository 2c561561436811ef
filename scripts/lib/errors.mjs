// @ts-check

/**
 * A failure of the set-up that a person can do something about. `message` says what failed, what was found and what was
 * expected; `hint` is the next thing to do; `output` is the end of what a failed command printed.
 */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {{ hint?: string, output?: string, cause?: unknown }} [details]
   */
  constructor(message, details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "SetupError";
    this.code = "setup_failed";
    this.hint = details.hint;
    this.output = details.output;
  }
}

/** The set-up was stopped by a signal. Not a failure: nothing is reported but the exit code. */
export class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`stopped by ${signal}`);
    this.name = "Interrupted";
    this.signal = signal;
  }
}

/**
 * The text a person sees: message, the end of the failed command's output, hint. No stack.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function describeError(error) {
  if (!(error instanceof SetupError)) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const lines = [`error: ${error.message}`];
  if (error.output)
    lines.push(
      "",
      ...error.output
        .trimEnd()
        .split("\n")
        .map((line) => `    ${line}`),
      "",
    );
  if (error.hint) lines.push(`hint: ${error.hint}`);
  return lines.join("\n");
}
