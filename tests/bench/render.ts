import { table } from "../../cli/output";
import type { Measured } from "./measure";

export interface Result {
  title: string;
  aim?: number | undefined;
  ours: Measured & { name: string; runs: number };
  other: Measured & { name: string; runs: number };
}

/** A comparison as a table: medians of each side, and how many times the other side's figure ours is. */
export function renderComparison({ title, aim, ours, other }: Result): string {
  const row = ({ name, runs, wall, cpu, peak }: Result["ours"]) => [
    name,
    String(runs),
    `${wall.toFixed(2)} s`,
    `${cpu.toFixed(2)} s`,
    `${peak.toFixed(0)} MiB`,
  ];
  const ratio = (key: keyof Measured) => `${(ours[key] / other[key]).toFixed(2)}x`;
  const rows = [row(ours), row(other), ["ratio", "", ratio("wall"), ratio("cpu"), ratio("peak")]];
  const met =
    aim === undefined ? "" : `\naim: ${aim}x of the wall time: ${ours.wall <= aim * other.wall ? "met" : "missed"}`;
  return `${title}\n${table(["median of", "runs", "wall", "processor", "peak of one process"], rows)}${met}`;
}
