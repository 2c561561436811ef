/**
 * What AWS would show after the simulated time, told from the runs alone: which objects are left, which alarms rang, which
 * mails came. Written apart from the parts that make it so, by other means, so that one checks the other. Pure.
 */
import { type BackupClass, MINIMUM_RETENTION_DAYS } from "../../backup/classes";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../backup/duration";

export interface Backup {
  id: string;
  backupClass: BackupClass;
  storedAt: Date;
}

export interface ExpectedBackup extends Backup {
  /** `current`; `hidden` below lifecycle's delete marker; `gone` with all its versions. */
  state: "current" | "hidden" | "gone";
}

/** The first midnight UTC that is at least so many days later: how S3 counts days. */
function midnightAfter(at: number, days: number): number {
  return Math.ceil((at + days * DAY_MS) / DAY_MS) * DAY_MS;
}

/** Lifecycle hides a backup when its class's days are over, and ends its versions a day after that, both by midnights. */
export function expectBackups(backups: readonly Backup[], now: Date): ExpectedBackup[] {
  return backups.map((backup) => {
    const hiddenAt = midnightAfter(backup.storedAt.getTime(), MINIMUM_RETENTION_DAYS[backup.backupClass]);
    // The marker is put some time after that midnight: its day is over at the midnight after the next.
    const goneAt = hiddenAt + 2 * DAY_MS;
    const state = now.getTime() < hiddenAt ? "current" : now.getTime() < goneAt ? "hidden" : "gone";
    return { ...backup, state };
  });
}

/** Whether lifecycle may be just at work: what it does at a midnight is not looked at in the hour after it. */
export function isSettled(now: Date): boolean {
  return now.getTime() % DAY_MS > HOUR_MS;
}

export interface Slots {
  expected: string[];
  /** Slots without a good backup that no incident explains. */
  missing: string[];
  /** Slots with more than one. */
  doubled: string[];
}

/** Every full hour of the time must have one good backup, but for those in which nothing could be done. */
export function judgeSlots(
  begin: Date,
  end: Date,
  good: readonly string[],
  lost: readonly { begin: Date; end: Date }[],
): Slots {
  const expected: string[] = [];
  const counts = new Map<string, number>();
  for (const slot of good) counts.set(slot, (counts.get(slot) ?? 0) + 1);
  for (let at = Math.ceil(begin.getTime() / HOUR_MS) * HOUR_MS; at + HOUR_MS <= end.getTime(); at += HOUR_MS) {
    const isLost = lost.some((incident) => at < incident.end.getTime() && at + HOUR_MS > incident.begin.getTime());
    if (!isLost) expected.push(`${new Date(at).toISOString().slice(0, 16)}Z`);
  }
  return {
    expected,
    missing: expected.filter((slot) => !counts.has(slot)),
    doubled: [...counts].filter(([, count]) => count > 1).map(([slot]) => slot),
  };
}

/** A time during which an alarm rings; its bounds are as exact as the alarm's periods. */
export interface Episode {
  begin: { from: Date; to: Date };
  end: { from: Date; to: Date };
}

const between = (from: number, to: number) => ({ from: new Date(from), to: new Date(to) });

/** A dead man's switch rings from so long after a success until the next one. */
export function silences(successes: readonly Date[], silenceMs: number, slackMs: number): Episode[] {
  const times = successes.map((at) => at.getTime()).sort((a, b) => a - b);
  return times.slice(1).flatMap((next, index) => {
    const last = times[index] as number;
    const rings = last + silenceMs;
    if (next <= rings) return [];
    return [{ begin: between(rings - MINUTE_MS, rings + slackMs), end: between(next, next + slackMs) }];
  });
}

/**
 * A counter of failures rings with each one until none is in sight any more. Nothing is reported while nothing fails, so
 * that the last failure decides for as long as CloudWatch looks back: two periods more than the one that it evaluates.
 */
export function failures(failed: readonly Date[], periodMs: number): Episode[] {
  const sight = 3 * periodMs;
  const times = failed.map((at) => at.getTime()).sort((a, b) => a - b);
  const groups: number[][] = [];
  for (const time of times) {
    const group = groups.at(-1);
    if (group !== undefined && time - (group.at(-1) as number) <= sight + MINUTE_MS) group.push(time);
    else groups.push([time]);
  }
  return groups.map((group) => {
    const [first = 0, last = 0] = [group[0], group.at(-1)];
    return {
      begin: between(first - MINUTE_MS, first + 2 * MINUTE_MS),
      end: between(last + sight - 2 * MINUTE_MS, last + sight + 2 * MINUTE_MS),
    };
  });
}

export interface Told {
  state: "ALARM" | "OK";
  at: Date;
}

/** Differences between the mails of an alarm and its episodes; empty when each begin and each end was told once, in time. */
export function compareEpisodes(alarm: string, told: readonly Told[], expected: readonly Episode[]): string[] {
  const wanted = expected
    .flatMap(({ begin, end }) => [
      { state: "ALARM" as const, ...begin },
      { state: "OK" as const, ...end },
    ])
    .sort((a, b) => a.from.getTime() - b.from.getTime());
  const sorted = [...told].sort((a, b) => a.at.getTime() - b.at.getTime());
  // An alarm that rang before the time began, as a new switch does, ends within it.
  const inOrder = sorted[0]?.state === "OK" ? sorted.slice(1) : sorted;
  const say = ({ state, at }: Told) => `${state} at ${at.toISOString()}`;
  const problems: string[] = [];
  for (let index = 0; index < Math.max(wanted.length, inOrder.length); index++) {
    const [want, got] = [wanted[index], inOrder[index]];
    if (want === undefined) problems.push(`${alarm}: ${say(got as Told)} was not expected`);
    else if (got === undefined) problems.push(`${alarm}: no mail of ${want.state} from ${want.from.toISOString()} on`);
    else if (got.state !== want.state || got.at < want.from || got.at > want.to)
      problems.push(
        `${alarm}: ${say(got)}, expected ${want.state} from ${want.from.toISOString()} to ${want.to.toISOString()}`,
      );
    if (problems.length >= 5) break;
  }
  return problems;
}
