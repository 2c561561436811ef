/** A simulation's report as text. Pure. */
import { table } from "../../cli/output";
import { duration } from "../rehearsal/report";
import type { SimulationReport } from "./index";

const MARK = { pass: "pass", fail: "FAIL", skip: "skip" } as const;

export function renderSimulation(report: SimulationReport): string {
  const perDay = report.days > 0 ? report.seconds / report.days : 0;
  const lines = [
    `Simulation of ${report.days} days: ${report.passed ? "as AWS would show it" : "FAILED"}`,
    `${report.begin} to ${report.end} in ${duration(report.seconds)} (${perDay.toFixed(1)} s a day)`,
    ...report.steps
      .filter(({ status }) => status !== "done")
      .map(({ title, status, error }) => `${status.toUpperCase()}: ${title}${error === undefined ? "" : `: ${error}`}`),
    "",
    table(
      ["incident", "from", "until"],
      report.incidents.map(({ title, begin, end }) => [title, begin.slice(0, 16), end.slice(0, 16)]),
    ),
    "",
    table(
      ["check", "", "found"],
      report.checks.map(({ name, status, detail }) => [name, MARK[status], detail]),
    ),
    "",
    table(["figure", ""], Object.entries(report.outcomes)),
  ];
  return lines.join("\n");
}
