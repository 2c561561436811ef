import { downSandbox, upSandbox } from "../../sandbox/lifecycle";
import { Workbench } from "../../sandbox/rehearsal/context";
import { newReport } from "../../sandbox/rehearsal/report";
import { type Rehearsal, SCENARIO, TEARDOWN } from "../../sandbox/rehearsal/steps";
import { sandboxPaths } from "../../sandbox/supervisor/paths";
import { SCOPE } from "../../sandbox/supervisor/services";
import { readState } from "../../sandbox/supervisor/state";

/** A fresh sandbox of this checkout. One that is running is taken down first: a checkout has one. */
export async function startRehearsal(): Promise<Rehearsal> {
  const paths = sandboxPaths();
  if (readState(paths) !== undefined) await downSandbox(paths);
  const { state } = await upSandbox(paths);
  return { bench: new Workbench(paths, state), report: newReport(SCOPE.system, 1) };
}

/** Runs steps of `npm start` by their ids. A check of theirs that did not pass throws. */
export async function runSteps(rehearsal: Rehearsal, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    const step = [...SCENARIO, ...TEARDOWN].find((each) => each.id === id);
    if (step === undefined) throw new Error(`the rehearsal has no step ${id}`);
    await step.run(rehearsal, {});
  }
  const failed = rehearsal.report.checks.filter(({ status }) => status !== "pass");
  if (failed.length > 0) throw new Error(failed.map(({ name, detail }) => `${name}: ${detail}`).join("; "));
}

/** The Heroku emulator's control endpoint, or its API with a body. */
export async function herokuRequest({ state }: Workbench, method: string, path: string, body?: unknown): Promise<any> {
  const url = state.services.heroku?.url;
  const token = path.startsWith("/_control") ? state.heroku.controlToken : state.heroku.apiKey;
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      accept: "application/vnd.heroku+json; version=3",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered by ${answer.status}: ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}
