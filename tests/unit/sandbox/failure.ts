import type { UscPisError } from "../../../backup/errors";

/** What a promise failed with; a promise that does not fail is the failure of the test. */
export async function failure(work: Promise<unknown> | (() => Promise<unknown>)): Promise<{ error: UscPisError }> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    return { error: error as UscPisError };
  }
  throw new Error("it was expected to fail");
}
