/** What a rehearsal found, and whether it held. Pure: the shell is in index.ts. */
import type { TableCheck } from "./compare";

/** The promises of requirements O1 and O2, in seconds. */
export const RPO_PROMISE_SECONDS = 4 * 3600;
export const RTO_PROMISE_SECONDS = 2 * 3600;

export interface StepRecord {
  id: string;
  title: string;
  status: "done" | "failed" | "skipped";
  seconds: number;
  error?: string;
}

export interface Check {
  name: string;
  /** `skip` never counts as passed. */
  status: "pass" | "fail" | "skip";
  detail: string;
}

export interface StackRecord {
  role: string;
  stack: string;
  /** Resources of each type, most first. */
  resources: { type: string; count: number }[];
  /** The operations that took longest. */
  slowest: { name: string; type: string; seconds: number }[];
}

export interface BackupRecord {
  id: string;
  class: string;
  bytes: number;
  sha256: string;
  takenAt: string;
  bucket: string;
  key: string;
  replication?: string;
  retainUntil?: string;
  manifest: unknown;
}

export interface Report {
  system: string;
  startedAt: string;
  finishedAt: string;
  factor: number;
  steps: StepRecord[];
  stacks: StackRecord[];
  media?: { assets: number; bytes: number };
  backup?: BackupRecord;
  /** What was taken away before the recovery. */
  destroyed: string[];
  tables: TableCheck[];
  checks: Check[];
  /** Data of this time before the loss were in no backup. */
  rpoSeconds?: number;
  /** From the loss to the verified service. */
  rtoSeconds?: number;
}

/** A report of a rehearsal that begins now. */
export function newReport(system: string, factor: number): Report {
  return {
    system,
    startedAt: new Date().toISOString(),
    finishedAt: "",
    factor,
    steps: [],
    stacks: [],
    destroyed: [],
    tables: [],
    checks: [],
  };
}

/** Resources of a stack's deployment, counted by type. Pulumi's own and providers are no resources of ours. */
export function countResources(deployment: unknown): { type: string; count: number }[] {
  const resources = (deployment as { deployment?: { resources?: { type?: string; delete?: boolean }[] } }).deployment
    ?.resources;
  const counts = new Map<string, number>();
  for (const { type, delete: pending } of resources ?? []) {
    if (type === undefined || pending === true || type.startsWith("pulumi:")) continue;
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return [...counts]
    .map(([type, count]) => ({ type, count }))
    .sort((a, b) => b.count - a.count || a.type.localeCompare(b.type));
}

/** Whether everything held: all steps done, tables compared and equal, every check passed. */
export function verdict(report: Report): { passed: boolean; failures: string[] } {
  const failures: string[] = [];
  for (const step of report.steps) {
    if (step.status !== "done") failures.push(`step "${step.title}": ${step.error ?? step.status}`);
  }
  if (report.tables.length === 0) failures.push("no table was compared");
  for (const { table, status, reason } of report.tables) {
    if (status !== "pass") failures.push(`table ${table}: ${reason ?? "differs"}`);
  }
  for (const { name, status, detail } of report.checks) {
    if (status !== "pass") failures.push(`check "${name}": ${status === "skip" ? "skipped" : detail}`);
  }
  if (report.backup === undefined) failures.push("there is no backup");
  failures.push(...overPromise("RPO", report.rpoSeconds, RPO_PROMISE_SECONDS));
  failures.push(...overPromise("RTO", report.rtoSeconds, RTO_PROMISE_SECONDS));
  return { passed: failures.length === 0, failures };
}

function overPromise(name: string, seconds: number | undefined, promise: number): string[] {
  if (seconds === undefined) return [`${name} was not measured`];
  return seconds <= promise ? [] : [`${name} is ${duration(seconds)}, promised are ${duration(promise)}`];
}

/** `1 h 02 min 03 s`, `2 min 03 s`, `4.5 s`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const pad = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  const rest = `${pad(whole % 60)} s`;
  return hours > 0 ? `${hours} h ${pad(minutes)} min ${rest}` : `${minutes} min ${rest}`;
}
