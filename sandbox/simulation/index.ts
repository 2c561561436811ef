/** `usc-pis sandbox simulate`: weeks or a quarter of the clinic, with incidents, in minutes; then what AWS would show. */
import { join } from "node:path";
import { DAY_MS, HOUR_MS } from "../../backup/duration";
import { InputError } from "../../backup/errors";
import type { Outcome } from "../../cli/output";
import { certificateFiles } from "../aws/certificate";
import { confirmAll } from "../aws/mail";
import { advanceClock, clockStatus } from "../clock/client";
import { followClock } from "../clock/clock";
import { serviceUrl } from "../environment";
import { downSandbox, upSandbox } from "../lifecycle";
import { Workbench } from "../rehearsal/context";
import { type Progress, runSteps } from "../rehearsal/progress";
import { type Check, newReport, type StepRecord } from "../rehearsal/report";
import { type Rehearsal, SCENARIO } from "../rehearsal/steps";
import { privateFolder, type SandboxPaths, writeWhole } from "../supervisor/paths";
import { SCOPE } from "../supervisor/services";
import { readState } from "../supervisor/state";
import { checkOutcome, type Outcomes } from "./checks";
import { type Incident, planIncidents } from "./incidents";
import { beginIncident, emptyDeadLetters, endIncident, liveDay, sparing } from "./life";
import { renderSimulation } from "./render";
import { readMails } from "./watch";

/** Before anything is measured: alarms get their first data, addresses are confirmed. */
const SETTLE_MS = 4 * HOUR_MS;
/** When administrators empty the queue of failed triggers, after an incident. */
const TIDY_MS = 4 * HOUR_MS;

export interface SimulateOptions {
  paths: SandboxPaths;
  /** Days of simulated time, 2 to 400. */
  days: number;
  /** Runs also what would come to nothing: see `sparing`. @default false */
  all?: boolean;
  /** Leaves everything running. @default false */
  keep?: boolean;
  /** Progress goes to standard error. */
  quiet?: boolean;
  signal?: AbortSignal;
}

export interface SimulationReport {
  days: number;
  begin: string;
  end: string;
  steps: StepRecord[];
  /** Real time of the simulated days, in seconds. */
  seconds: number;
  incidents: { title: string; begin: string; end: string }[];
  outcomes: Outcomes;
  checks: Check[];
  passed: boolean;
}

/** Something that people do at a moment. */
interface Act {
  at: number;
  run(): Promise<void>;
}

function planActs(bench: Workbench, begin: Date, days: number, incidents: readonly Incident[], told: Tidied): Act[] {
  const acts: Act[] = [];
  for (let day = 0; day < days; day++)
    // Eleven in the morning in Manila.
    acts.push({ at: begin.getTime() + day * DAY_MS + 3 * HOUR_MS, run: () => liveDay(bench, day) });
  for (const incident of incidents) {
    acts.push({ at: incident.begin.getTime(), run: () => beginIncident(bench, incident) });
    acts.push({ at: incident.end.getTime(), run: () => endIncident(bench, incident) });
    if (!incident.isLoud) continue;
    const at = incident.end.getTime() + TIDY_MS;
    acts.push({
      at,
      run: async () => {
        told.push(new Date(at));
        await emptyDeadLetters(bench);
      },
    });
  }
  return acts.sort((a, b) => a.at - b.at);
}

/** When the queue was emptied. */
type Tidied = Date[];

async function pass(bench: Workbench, until: Date, tell: (line: string) => void, signal?: AbortSignal): Promise<void> {
  await advanceClock(bench.paths, bench.state, until, {
    ...(signal ? { signal } : {}),
    onProgress: ({ now }) => tell(now.slice(0, 16).replace("T", " ")),
  });
}

async function nowOf(bench: Workbench): Promise<Date> {
  return new Date((await clockStatus(bench.paths, bench.state)).now);
}

/**
 * Runs a fresh sandbox through the days. Its report is written whatever came of it.
 *
 * @throws when it was interrupted; nothing is left running then
 */
export async function simulate(options: SimulateOptions): Promise<Outcome> {
  const { paths, days, signal } = options;
  if (!Number.isInteger(days) || days < 2 || days > 400)
    throw new InputError(`--days is ${days}, expected a whole number from 2 to 400`);
  const rehearsal: Partial<Rehearsal> & Pick<Rehearsal, "report"> = { report: newReport(SCOPE.system, 1) };
  const bench = () => rehearsal.bench as Workbench;
  const tidied: Tidied = [];
  let [begin, end, incidents, seconds]: [Date, Date, Incident[], number] = [new Date(0), new Date(0), [], 0];
  let found: { outcomes: Outcomes; checks: Check[] } | undefined;
  const prepare: Progress[] = [
    {
      id: "up",
      title: "start the local cloud",
      run: async (tell) => {
        if (readState(paths) !== undefined) await downSandbox(paths);
        const { state } = await upSandbox(paths, { ...(signal ? { signal } : {}), progress: tell });
        rehearsal.bench = new Workbench(paths, state);
      },
    },
    ...SCENARIO.filter(({ id }) => ["vault", "release", "primary", "seed"].includes(id)).map(
      (step): Progress => ({
        ...step,
        run: (tell) => step.run(rehearsal as Rehearsal, { ...(signal ? { signal } : {}), onLine: tell }),
      }),
    ),
    {
      id: "settle",
      title: "confirm the addresses, and let the first hours pass",
      run: async (tell) => {
        const mailbox = {
          url: serviceUrl(bench().state, "aws"),
          certificate: certificateFiles(paths.aws).cert,
        };
        await confirmAll(await readMails(bench()), mailbox);
        if (options.all !== true) await sparing(bench());
        await pass(bench(), new Date((await nowOf(bench())).getTime() + SETTLE_MS), tell, signal);
      },
    },
  ];
  const simulated: Progress[] = [
    {
      id: "days",
      title: `let ${days} days pass`,
      run: async (tell) => {
        const started = performance.now();
        // From here on this process signs its requests at the sandbox's time.
        followClock(paths.clock);
        begin = await nowOf(bench());
        end = new Date(begin.getTime() + days * DAY_MS);
        incidents = planIncidents(begin, days);
        for (const act of planActs(bench(), begin, days, incidents, tidied)) {
          if (act.at >= end.getTime()) continue;
          await pass(bench(), new Date(act.at), tell, signal);
          await act.run();
        }
        await pass(bench(), end, tell, signal);
        seconds = (performance.now() - started) / 1000;
      },
    },
    {
      id: "look",
      title: "compare buckets, alarms, inbox and mirror with what AWS would show",
      run: async () => {
        found = await checkOutcome(bench(), { begin, end: await nowOf(bench()), incidents, tidied });
      },
    },
  ];
  let steps: StepRecord[] = [];
  try {
    steps = await runSteps([...prepare, ...simulated], {
      quiet: options.quiet === true,
      ...(signal ? { signal } : {}),
    });
  } finally {
    if (options.keep !== true || signal?.aborted === true) await downSandbox(paths);
  }
  signal?.throwIfAborted();
  const passed = steps.every(({ status }) => status === "done") && (found?.checks ?? []).every(isPass);
  const report: SimulationReport = {
    days,
    begin: begin.toISOString(),
    end: end.toISOString(),
    steps,
    seconds,
    incidents: incidents.map(({ title, ...at }) => ({
      title,
      begin: at.begin.toISOString(),
      end: at.end.toISOString(),
    })),
    outcomes: found?.outcomes ?? {},
    checks: found?.checks ?? [],
    passed: passed && found !== undefined,
  };
  const text = renderSimulation(report);
  const file = join(privateFolder(paths.report), "simulation");
  writeWhole(`${file}.json`, `${JSON.stringify(report, null, 2)}\n`);
  writeWhole(`${file}.txt`, `${text}\n`);
  return { data: report, text: `${text}\n\nReport: ${file}.json`, exitCode: report.passed ? 0 : 1 };
}

function isPass({ status }: Check): boolean {
  return status === "pass";
}
