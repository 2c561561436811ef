/** `npm start`: the whole scenario on a fresh sandbox, its report, and nothing left running. */
import { join } from "node:path";
import { UscPisError } from "../../backup/errors";
import { downSandbox, upSandbox } from "../lifecycle";
import { privateFolder, type SandboxPaths, writeWhole } from "../supervisor/paths";
import { SCOPE } from "../supervisor/services";
import { readState } from "../supervisor/state";
import { Workbench } from "./context";
import { type Progress, runSteps } from "./progress";
import { renderMarkdown, renderTerminal } from "./render";
import { newReport, type Report, type StepRecord, verdict } from "./report";
import { type Rehearsal, SCENARIO, TEARDOWN } from "./steps";

export interface RehearseOptions {
  paths: SandboxPaths;
  /** Leaves everything running. @default false */
  keep?: boolean;
  /** Makes more of all data. @default 1 */
  factor?: number;
  /** Progress goes to standard error as plain lines, so that standard output holds the result alone. */
  quiet?: boolean;
  signal?: AbortSignal;
}

export interface RehearseOutcome {
  data: Report & { passed: boolean; failures: string[] };
  text: string;
  exitCode: 0 | 1;
}

/**
 * Runs the scenario. A failed step ends it; its report is written all the same.
 *
 * @throws when it was interrupted; nothing is left running then
 */
export async function rehearse(options: RehearseOptions): Promise<RehearseOutcome> {
  const { paths, signal } = options;
  const report = newReport(SCOPE.system, options.factor ?? 1);
  const rehearsal: Partial<Rehearsal> & Pick<Rehearsal, "report"> = { report };
  try {
    const prepare: Progress = {
      id: "up",
      title: "start the local cloud",
      run: async (tell) => {
        if (readState(paths) !== undefined) {
          tell("taking down an earlier sandbox");
          await downSandbox(paths);
        }
        const { state } = await upSandbox(paths, { signal, progress: tell });
        rehearsal.bench = new Workbench(paths, state);
      },
    };
    const scenario = [...SCENARIO, ...(options.keep === true ? [] : TEARDOWN)].map(
      (step): Progress => ({
        id: step.id,
        title: step.title,
        run: (tell) => step.run(rehearsal as Rehearsal, { signal, onLine: tell }),
      }),
    );
    report.steps = await runSteps([prepare, ...scenario], { quiet: options.quiet === true, signal });
  } finally {
    if (options.keep !== true || signal?.aborted === true) await downSandbox(paths);
  }
  signal?.throwIfAborted();
  report.finishedAt = new Date().toISOString();
  const { passed, failures } = verdict(report);
  const files = writeReport(paths, report);
  const kept = options.keep === true ? `\n\nStill running: npx usc-pis sandbox status, env, down` : "";
  const text = `${renderTerminal(report)}\n${failed(report.steps)}Report: ${files.markdown}${kept}`;
  return { data: { ...report, passed, failures }, text, exitCode: passed ? 0 : 1 };
}

function failed(steps: readonly StepRecord[]): string {
  const step = steps.find(({ status }) => status === "failed");
  return step === undefined ? "" : `Failed at "${step.title}": ${step.error}\n`;
}

function writeReport(paths: SandboxPaths, report: Report): { markdown: string } {
  const folder = privateFolder(paths.report);
  const markdown = join(folder, "report.md");
  writeWhole(join(folder, "report.json"), `${JSON.stringify({ ...report, ...verdict(report) }, null, 2)}\n`);
  writeWhole(markdown, renderMarkdown(report));
  return { markdown };
}

/** What failed, as an error: for callers that want a complete rehearsal or none. */
export function requirePassed(outcome: RehearseOutcome): Report {
  if (outcome.exitCode === 0) return outcome.data;
  throw new UscPisError("rehearsal_failed", `the rehearsal failed: ${outcome.data.failures.join("; ")}`);
}
