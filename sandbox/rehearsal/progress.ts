/** Showing the steps while they run: a task list on a terminal, plain lines elsewhere; and measuring them. */
import { duration, type StepRecord } from "./report";

export interface Progress {
  id: string;
  title: string;
  /** @param tell shows what is being done, a line at a time */
  run(tell: (line: string) => void): Promise<void>;
}

export interface ProgressOptions {
  /** Plain lines on standard error, whatever standard output is. */
  quiet: boolean;
  signal?: AbortSignal;
}

/** Runs the steps one after another; after a failed one the others are skipped. Never throws for a step's failure. */
export async function runSteps(steps: readonly Progress[], options: ProgressOptions): Promise<StepRecord[]> {
  const records: StepRecord[] = [];
  const show = !options.quiet && process.stdout.isTTY === true && process.env.CI === undefined;
  if (show) await runOnTerminal(steps, records, options.signal);
  else await runInLines(steps, records, options);
  for (const { id, title } of steps.slice(records.length)) records.push({ id, title, status: "skipped", seconds: 0 });
  return records;
}

async function measure(step: Progress, records: StepRecord[], tell: (line: string) => void): Promise<void> {
  const { id, title } = step;
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    await step.run(tell);
    records.push({ id, title, status: "done", seconds: seconds() });
  } catch (error) {
    const { message } = error as Error;
    records.push({ id, title, status: "failed", seconds: seconds(), error: message });
    throw error;
  }
}

async function runInLines(steps: readonly Progress[], records: StepRecord[], options: ProgressOptions): Promise<void> {
  const write = (line: string) => (options.quiet ? process.stderr : process.stdout).write(`${line}\n`);
  for (const [index, step] of steps.entries()) {
    if (options.signal?.aborted === true) return;
    const number = `[${index + 1}/${steps.length}]`;
    write(`${number} ${step.title} …`);
    try {
      // What programs print is in their logs: without a terminal it would bury these lines.
      await measure(step, records, () => undefined);
    } catch {
      write(`${number} ${step.title}: FAILED (${duration(records.at(-1)?.seconds ?? 0)})`);
      return;
    }
    write(`${number} ${step.title}: done (${duration(records.at(-1)?.seconds ?? 0)})`);
  }
}

async function runOnTerminal(steps: readonly Progress[], records: StepRecord[], signal?: AbortSignal): Promise<void> {
  const { Listr } = await import("listr2");
  const list = new Listr(
    steps.map(({ title }, index) => ({
      title,
      task: async (_context: unknown, task: { title: string; output: string }) => {
        signal?.throwIfAborted();
        const step = steps[index] as Progress;
        await measure(step, records, (line) => {
          task.output = line.trim().slice(0, 200);
        });
        task.title = `${title} (${duration(records.at(-1)?.seconds ?? 0)})`;
      },
    })),
    // Our own handler stops everything in order; listr2's would end the process at once.
    { registerSignalListeners: false, exitOnError: true, rendererOptions: { collapseErrors: false } },
  );
  await list.run().catch(() => undefined);
}
