/** What goes wrong while the simulated time passes: when, how it is staged, and what it must look like. Pure. */
import { DAY_MS, HOUR_MS } from "../../backup/duration";

export interface Incident {
  id: string;
  title: string;
  begin: Date;
  end: Date;
  /** Named fault of the sandbox that stages it; without one the schedule of captures is switched off. */
  fault?: { name: string; param: readonly string[] };
  /** Whether slots end without a backup; else a later trigger of the slot makes good what an earlier one could not. */
  losesSlots: boolean;
  /** Whether failed runs tell of it; else it is silent, and the dead man's switch alone sees it. */
  isLoud: boolean;
}

interface Sketch extends Omit<Incident, "begin" | "end"> {
  /** Place in the simulated time, from 0 to 1. */
  at: number;
  /** Hour of the day, UTC, at which it begins. */
  hour: number;
  hours: number;
}

const SKETCHES: readonly Sketch[] = [
  {
    id: "token",
    title: "the Heroku token has expired, until an administrator sets a new one",
    at: 0.1,
    hour: 13,
    hours: 3,
    fault: { name: "heroku-token-expired", param: [] },
    losesSlots: true,
    isLoud: true,
  },
  {
    id: "first-trigger",
    title: "Heroku's captures fail for half an hour: the slot's next trigger makes it good",
    at: 0.3,
    hour: 5,
    hours: 0.5,
    fault: { name: "capture-fails", param: [] },
    losesSlots: false,
    isLoud: true,
  },
  {
    id: "silence",
    title: "somebody switches the schedule of captures off",
    at: 0.6,
    hour: 8,
    hours: 4,
    losesSlots: true,
    isLoud: false,
  },
  {
    id: "region",
    title: "the primary region does not answer",
    at: 0.8,
    hour: 20,
    hours: 3,
    fault: { name: "region-lost", param: [] },
    losesSlots: true,
    isLoud: true,
  },
];

/** At least this much of the simulated time lies before an incident, in days: alarms need some to settle. */
const CALM_DAYS = 1;

/** Incidents of a simulated time that begins then. Short ones have fewer: no two on one day, none on the last. */
export function planIncidents(begin: Date, days: number): Incident[] {
  const midnight = Math.ceil(begin.getTime() / DAY_MS) * DAY_MS;
  const taken = new Set<number>();
  return SKETCHES.flatMap(({ at, hour, hours, ...about }) => {
    const day = Math.max(CALM_DAYS, Math.floor(at * days));
    if (taken.has(day) || day > days - 2) return [];
    taken.add(day);
    const start = midnight + day * DAY_MS + hour * HOUR_MS;
    return [{ ...about, begin: new Date(start), end: new Date(start + hours * HOUR_MS) }];
  });
}
