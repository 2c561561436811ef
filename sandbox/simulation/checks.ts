/** Compares what the simulated time has left with what AWS would show. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../backup/duration";
import type { RunRecord } from "../../backup/run-record";
import { switchSeconds } from "../../components/Alerting";
import type { Workbench } from "../rehearsal/context";
import type { Check } from "../rehearsal/report";
import { APPS } from "../stacks";
import { SCOPE } from "../supervisor/services";
import type { Incident } from "./incidents";
import {
  type Backup,
  compareEpisodes,
  type Episode,
  expectBackups,
  failures,
  isSettled,
  judgeSlots,
  silences,
} from "./model";
import { type FoundBackups, readMails, readRuns, readVault, toldByAlarm } from "./watch";

/** The alarms' period, and how far beyond its silence CloudWatch may look: see components/Alerting.ts. */
const PERIOD_MS = 5 * MINUTE_MS;
const SWITCH_SLACK_MS = 15 * MINUTE_MS;

export interface Simulated {
  begin: Date;
  end: Date;
  incidents: readonly Incident[];
  /** When the queue of failed triggers was emptied. */
  tidied: readonly Date[];
}

/** Figures for people, by their name. */
export type Outcomes = Record<string, string>;

type GoodRun = RunRecord & { class: NonNullable<RunRecord["class"]>; completedAt: string };

function isGood(run: RunRecord): run is GoodRun {
  return (
    run.type === "database" && run.status === "success" && run.class !== undefined && run.completedAt !== undefined
  );
}

const verdict = (name: string, problems: readonly string[], detail: string): Check =>
  problems.length === 0
    ? { name, status: "pass", detail }
    : { name, status: "fail", detail: problems.slice(0, 5).join("; ") };

export async function checkOutcome(bench: Workbench, time: Simulated) {
  const runs = await readRuns(bench);
  const good = runs.filter(isGood);
  const sides = await Promise.all(
    SCOPE.regions.map(async (region) => ({ region, found: await readVault(bench, region) })),
  );
  const mails = await readMails(bench);
  const media = await bench.cli<{ status: string; listed?: number; mirrored?: number }>(["media", "verify"]);
  const checks: Check[] = [
    checkSlots(time, runs, good),
    checkGaps(time, good),
    ...sides.map(({ region, found }) => checkVault(time, good, region, found)),
    ...checkAlarms(time, runs, good, toldByAlarm(mails, time.begin)),
    checkSyncs(time, runs),
    verdict("the mirror equals Cloudinary", media.status === "pass" ? [] : [JSON.stringify(media)], media.status),
  ];
  const outcomes: Outcomes = {
    "good backups": String(good.length),
    "failed runs": String(runs.filter(({ status }) => status === "failed").length),
    "versions in the vault": sides.map(({ region, found }) => `${found.versions} in ${region}`).join(", "),
    "bytes in the vault": sides.map(({ found }) => String(found.bytes)).join(", "),
    mails: String(mails.length),
  };
  return { checks, outcomes };
}

function checkSlots({ begin, end, incidents }: Simulated, runs: readonly RunRecord[], good: readonly GoodRun[]): Check {
  const lost = incidents.filter(({ losesSlots }) => losesSlots);
  const slots = judgeSlots(
    begin,
    end,
    good.map(({ slot }) => slot ?? ""),
    lost,
  );
  const open = runs.filter(({ status }) => status === "in_progress").map(({ id }) => `${id} is still in progress`);
  const problems = [
    ...slots.missing.map((slot) => `${slot} has no good backup`),
    ...slots.doubled.map((slot) => `${slot} has more than one`),
    ...open,
  ];
  return verdict("every slot that could has one good backup", problems, `${slots.expected.length} slots`);
}

/** O1: what could be restored at any moment was never older than an incident makes it. */
function checkGaps({ incidents }: Simulated, good: readonly GoodRun[]): Check {
  const times = good.map(({ completedAt }) => Date.parse(completedAt)).sort((a, b) => a - b);
  const problems: string[] = [];
  let longest = 0;
  for (const [index, time] of times.entries()) {
    const gap = index === 0 ? 0 : time - (times[index - 1] as number);
    longest = Math.max(longest, gap);
    const during = incidents.some(
      ({ begin, end }) => time > begin.getTime() && (times[index - 1] ?? 0) < end.getTime(),
    );
    if (gap > 1.75 * HOUR_MS && !during) problems.push(`${gap / HOUR_MS} hours before ${new Date(time).toISOString()}`);
  }
  return verdict("no gap outside incidents", problems, `longest ${(longest / HOUR_MS).toFixed(1)} h`);
}

function checkVault({ end }: Simulated, good: readonly GoodRun[], region: string, found: FoundBackups): Check {
  const name = `backups in ${region} are those that lifecycle and locks leave`;
  if (!isSettled(end)) return { name, status: "skip", detail: "lifecycle is at work just now" };
  const backups = good.map(
    ({ id, class: backupClass, completedAt }): Backup => ({ id, backupClass, storedAt: new Date(completedAt) }),
  );
  const counts = { current: 0, hidden: 0, gone: 0 };
  const problems: string[] = [];
  const known = new Set<string>();
  for (const { id, backupClass, state } of expectBackups(backups, end)) {
    known.add(id);
    counts[state]++;
    const is = found.states.get(id) ?? "gone";
    if (is !== state) problems.push(`${backupClass} ${id} is ${is}, expected ${state}`);
  }
  for (const [id, state] of found.states)
    if (!known.has(id) && state !== "gone") problems.push(`${id} is ${state}, and no run made it`);
  const detail = `${counts.current} current, ${counts.hidden} hidden, ${counts.gone} gone`;
  return verdict(name, problems, detail);
}

function checkAlarms(
  time: Simulated,
  runs: readonly RunRecord[],
  good: readonly GoodRun[],
  told: ReadonlyMap<string, { state: "ALARM" | "OK"; at: Date }[]>,
): Check[] {
  const within = (at: Date) => at >= time.begin && at <= time.end;
  const failed = runs
    .filter(({ type, status }) => type === "database" && status === "failed")
    .map(({ completedAt }) => new Date(completedAt ?? 0))
    .filter(within);
  const successes = good.map(({ completedAt }) => new Date(completedAt)).filter(within);
  const expected = new Map<string, Episode[]>([
    [`${APPS.primary}-no-success`, silences(successes, switchSeconds(60) * 1000, SWITCH_SLACK_MS)],
    [`${APPS.primary}-capture-failed`, failures(failed, PERIOD_MS)],
    [`${APPS.primary}-capture-undelivered`, undelivered(time)],
  ]);
  const names = new Set([...expected.keys(), ...told.keys()]);
  return [...names].map((name) => {
    const episodes = expected.get(name) ?? [];
    const problems = compareEpisodes(name, told.get(name) ?? [], episodes);
    return verdict(`alarm ${name} and its mails`, problems, `rang ${episodes.length} times`);
  });
}

/** The queue of failed triggers rings from the first of an incident until it is emptied. */
function undelivered({ incidents, tidied }: Simulated): Episode[] {
  return incidents
    .filter(({ isLoud }) => isLoud)
    .flatMap(({ begin }) => {
      const emptied = tidied.find((at) => at > begin);
      if (emptied === undefined) return [];
      const after = (at: Date, minutes: number) => new Date(at.getTime() + minutes * MINUTE_MS);
      return [{ begin: { from: begin, to: after(begin, 40) }, end: { from: emptied, to: after(emptied, 10) } }];
    });
}

function checkSyncs({ begin, end }: Simulated, runs: readonly RunRecord[]): Check {
  const days = new Set(
    runs
      .filter(({ type, status }) => type === "media" && status === "success")
      .map(({ startedAt }) => startedAt.slice(0, 10)),
  );
  const problems: string[] = [];
  // A day counts when all of its triggers lie in the simulated time: the last is before eight in the morning.
  for (let at = Math.ceil(begin.getTime() / DAY_MS) * DAY_MS; at + 8 * HOUR_MS < end.getTime(); at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10);
    if (!days.has(day)) problems.push(`${day} has no media sync`);
  }
  return verdict("media are synced every day", problems, `${days.size} days`);
}
