/**
 * `npm run bench`: what things cost, as ratios side by side in one run. Interleaved, so that a busy machine slows both
 * sides; medians, because single runs lie. It judges nothing: it prints the aim and whether it was met.
 */

import { childEnvironment, STACKS } from "../../sandbox/environment";
import { downSandbox } from "../../sandbox/lifecycle";
import { projectRoot, sandboxPaths } from "../../sandbox/supervisor/paths";
import { readState } from "../../sandbox/supervisor/state";
import { runSteps, startRehearsal } from "../support/sandbox";
import { emptyProgram } from "./empty-program";
import { type Measured, measure, medians } from "./measure";
import { renderComparison } from "./render";

/** Interleaved runs of each side. */
const RUNS = 5;

interface Comparison {
  title: string;
  /** Ratio of wall times that we aim for; undefined where there is nothing to compare with but ourselves. */
  aim?: number;
  ours: { name: string; runs: Measured[] };
  other: { name: string; runs: Measured[] };
}

/** `pulumi preview` of the complete primary stack against a program that declares nothing. */
async function previews(): Promise<Comparison[]> {
  const paths = sandboxPaths();
  const { bench } = await startRehearsal().then(async (rehearsal) => {
    await runSteps(rehearsal, "vault", "release");
    return rehearsal;
  });
  const env = childEnvironment(paths, bench.state, { stack: "primary" });
  const empty = await emptyProgram(env);
  try {
    const preview = ["pulumi", "preview", "--non-interactive"];
    const full = { cwd: projectRoot, env };
    const checked = { cwd: projectRoot, env: { ...env, PULUMI_NODEJS_TRANSPILE_ONLY: "false" } };
    const sides = {
      empty: [] as Measured[],
      primary: [] as Measured[],
      checked: [] as Measured[],
    };
    for (let run = 1; run <= RUNS; run++) {
      process.stderr.write(`previews, run ${run} of ${RUNS}\n`);
      sides.empty.push(await measure([...preview, "--stack", empty.stack], { cwd: empty.folder, env: empty.env }));
      sides.primary.push(await measure([...preview, "--stack", STACKS.primary], full));
      sides.checked.push(await measure([...preview, "--stack", STACKS.primary], checked));
    }
    return [
      {
        title: "pulumi preview: the primary stack against an empty program",
        ours: { name: "primary stack", runs: sides.primary },
        other: { name: "empty program", runs: sides.empty },
      },
      {
        title: "pulumi preview: as it is against type-checking in every preview",
        aim: 1,
        ours: { name: "types checked once, in npm run check", runs: sides.primary },
        other: { name: "types checked in each preview", runs: sides.checked },
      },
    ];
  } finally {
    await empty.remove();
    await downSandbox(paths);
  }
}

async function main(): Promise<void> {
  if (readState(sandboxPaths()) !== undefined) await downSandbox(sandboxPaths());
  const comparisons = await previews();
  const json = process.argv.includes("--json");
  const results = comparisons.map(({ title, aim, ours, other }) => ({
    title,
    aim,
    ours: { name: ours.name, runs: ours.runs.length, ...medians(ours.runs) },
    other: { name: other.name, runs: other.runs.length, ...medians(other.runs) },
  }));
  process.stdout.write(
    json ? `${JSON.stringify(results, null, 2)}\n` : `${results.map(renderComparison).join("\n\n")}\n`,
  );
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
