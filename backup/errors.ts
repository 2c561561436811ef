/** What a person needs to go on after a failure: where it lies and what to type next. */
export interface ErrorDetails {
  /** The next command to run, or the next thing to look at. */
  hint?: string;
  /** The error below this one. It is kept, never swallowed. */
  cause?: unknown;
}

/**
 * Base of every error that this project raises on purpose. The message says what failed, what was found and what was
 * expected; `code` is for machines and never changes for a given kind of failure.
 */
export class UscPisError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "UscPisError";
    this.code = code;
    this.hint = details.hint;
  }
}

/** Bad input of a person or of a configuration: refused before anything changed. */
export class InputError extends UscPisError {
  constructor(message: string, details: ErrorDetails = {}) {
    super("bad_input", message, details);
    this.name = "InputError";
  }
}
