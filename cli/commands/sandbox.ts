import type { Command } from "commander";

/** The local cloud's own commands; what they need is loaded when one of them runs. */
export function register(program: Command): void {
  (require("../../sandbox/cli") as { registerSandbox(program: Command): void }).registerSandbox(program);
}
