/** What the supervisor knows of a running sandbox. Holds throw-away secrets of local services, never real ones. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { UscPisError } from "../../backup/errors";
import { passableFolder, type SandboxPaths, writeWhole } from "./paths";

/** Services in the order in which they start; they stop in the opposite one. */
export const SERVICES = ["postgres", "gateway", "aws", "cloudinary", "heroku"] as const;
export type ServiceName = (typeof SERVICES)[number];

const serviceSchema = z.strictObject({
  pid: z.number().int().positive(),
  startTime: z.string().min(1),
  /** When it was started, ISO time. */
  startedAt: z.string(),
  log: z.string(),
  /** Address once it answered; missing while it starts. */
  url: z.string().optional(),
});

const stateSchema = z.strictObject({
  format: z.literal(1),
  /** Differs from one sandbox to the next. */
  id: z.string().min(8),
  createdAt: z.string(),
  /** Whether the last `up` ended well; otherwise the next one starts afresh. */
  ready: z.boolean(),
  services: z.partialRecord(z.enum(SERVICES), serviceSchema),
  postgres: z
    .strictObject({
      source: z.enum(["installed", "registry"]),
      version: z.string(),
      bin: z.string(),
      serverBin: z.string(),
      dataDir: z.string(),
      /** Folder outside of the sandbox that `down` removes, where the project's own can't be reached by the server's user. */
      temporary: z.string().optional(),
      user: z.string(),
      password: z.string(),
      port: z.number().int(),
    })
    .optional(),
  gateway: z.strictObject({ controlToken: z.string() }),
  heroku: z.strictObject({ apiKey: z.string(), controlToken: z.string() }),
  cloudinary: z.strictObject({ cloudName: z.string(), apiKey: z.string(), apiSecret: z.string() }),
  /** Fixed ports that were asked for. */
  ports: z.partialRecord(z.enum(SERVICES), z.number().int()),
});

export type SandboxState = z.infer<typeof stateSchema>;
export type ServiceState = z.infer<typeof serviceSchema>;

/** @throws UscPisError `sandbox_state` when the file is not one of this version's */
export function parseState(text: string, path: string): SandboxState {
  let problem: string;
  try {
    const result = stateSchema.safeParse(JSON.parse(text));
    if (result.success) return result.data;
    problem = z.prettifyError(result.error);
  } catch (error) {
    problem = (error as Error).message;
  }
  throw new UscPisError("sandbox_state", `${path} is not a state of this version's sandbox: ${problem}`, {
    hint: "start anew: npx usc-pis sandbox reset",
  });
}

/** @returns undefined when there is no sandbox */
export function readState(paths: SandboxPaths): SandboxState | undefined {
  let text: string;
  try {
    text = readFileSync(paths.state, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return parseState(text, paths.state);
}

/** Replaces the file at once, so that a reader, or a killed writer, never leaves half of it. */
export function writeState(paths: SandboxPaths, state: SandboxState): void {
  passableFolder(paths.root);
  writeWhole(paths.state, `${JSON.stringify(state, null, 2)}\n`);
}

/**
 * The state of a sandbox that is up.
 *
 * @throws UscPisError `sandbox_down`
 */
export function requireState(paths: SandboxPaths): SandboxState {
  const state = readState(paths);
  if (state?.ready) return state;
  throw new UscPisError("sandbox_down", "the sandbox is not up", { hint: "start it: npx usc-pis sandbox up" });
}
