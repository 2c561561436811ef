import type { z } from "zod";
import { UscPisError } from "../backup/errors";

/**
 * Reads a service's answer by its schema.
 * @param file that holds the schema: where to look when the service has changed.
 * @throws UscPisError `unexpected_answer` with the path of what is not as expected.
 */
export function readAnswer<T>(schema: z.ZodType<T>, body: unknown, what: string, file: string): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new UscPisError(
    "unexpected_answer",
    `unexpected answer to ${what}: ${issue?.path.join(".") || "body"}: ${issue?.message ?? "not as expected"}`,
    { hint: `the service's API may have changed: compare with ${file}` },
  );
}
