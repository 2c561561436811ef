/**
 * What lives in the gateway's process beside the proxy: each part sees the requests that pass, speaks to the local AWS
 * past the faults, and may mount pages and controls of its own.
 */
import { inboxPart } from "./inbox";
import type { Gateway } from "./server";
import { timePart } from "./time";

/** The gateway's configuration file. */
export interface GatewayConfig {
  port?: number;
  tls: { cert: string; key: string };
  controlToken: string;
  upstream?: string;
  /** The sandbox's own folder. */
  sandboxRoot: string;
  /** Folder for what a part keeps; it goes with the sandbox. */
  dataDir: string;
}

export interface PartContext {
  /** Its `events`, `upstream()` and `mount(routes)`. */
  readonly gateway: Gateway;
  readonly config: GatewayConfig;
  log(line: string): void;
}

export interface Part {
  close(): Promise<void>;
}

/** Starts a part. One that can't start ends the process: half a local AWS would look like a whole one. */
export type PartStarter = (context: PartContext) => Promise<Part>;

/** All parts, in the order in which they start; they close in the opposite one. */
export const PARTS: readonly PartStarter[] = [inboxPart, timePart];
