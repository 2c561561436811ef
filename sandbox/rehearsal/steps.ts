/** The scenario: a clinic that is provisioned, backed up, lost, and recovered. Each step stands on those before it. */
import { UscPisError } from "../../backup/errors";
import { STACKS, type StackRole } from "../environment";
import { releaseTarball } from "../lifecycle";
import { seedApp } from "../seed";
import { APPS, writeStackFiles } from "../stacks";
import { invokeCapture, readBackup } from "./backup";
import { type Contents, compareTables } from "./compare";
import { readContents } from "./contents";
import type { ActOptions, Workbench } from "./context";
import { type Operation, slowest } from "./events";
import { countResources, type Report } from "./report";

/** What the steps know of each other. */
export interface Rehearsal {
  bench: Workbench;
  report: Report;
  /** Contents of the source before it was backed up. */
  source?: Contents;
  /** Connection of the source's database, to see that it is gone. */
  sourceUrl?: string;
  /** When the loss began, in milliseconds. */
  lostAt?: number;
}

export interface Step {
  id: string;
  title: string;
  run(rehearsal: Rehearsal, act: ActOptions): Promise<void>;
}

function check(report: Report, name: string, passed: boolean, detail: string): void {
  report.checks.push({ name, status: passed ? "pass" : "fail", detail });
}

function needed<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is not known: the step before did not end`);
  return value;
}

async function deploy(rehearsal: Rehearsal, role: StackRole, act: ActOptions): Promise<void> {
  const { bench, report } = rehearsal;
  const operations: Operation[] = await bench.deploy(role, act);
  const resources = countResources(await bench.exportStack(role, { signal: act.signal }));
  const stack = STACKS[role];
  if (resources.length === 0)
    throw new UscPisError("nothing_deployed", `stack ${stack} has no resources after its update`);
  report.stacks.push({ role, stack, resources, slowest: slowest(operations) });
}

/** Vault stack, then the sample application's release in it, pinned in the other stacks' configuration. */
const provisionVault: Step = {
  id: "vault",
  title: "provision the vault stack",
  run: (rehearsal, act) => deploy(rehearsal, "vault", act),
};

const addRelease: Step = {
  id: "release",
  title: "bring the application's release into the vault",
  async run({ bench }, act) {
    const { path, version } = await releaseTarball(bench.paths);
    const { sha256 } = await bench.cli<{ sha256: string }>(["release", "add", version, path], act);
    await writeStackFiles(bench.paths, bench.state, { release: { version, sha256 } });
  },
};

const provisionPrimary: Step = {
  id: "primary",
  title: "provision the primary stack",
  run: (rehearsal, act) => deploy(rehearsal, "primary", act),
};

const seedClinic: Step = {
  id: "seed",
  title: "fill the clinic with synthetic data and media",
  async run(rehearsal, act) {
    const { bench, report } = rehearsal;
    const { media } = await seedApp(bench.state, APPS.primary, report.factor, act.signal);
    report.media = media;
    rehearsal.sourceUrl = await bench.databaseUrl(APPS.primary, act.signal);
    rehearsal.source = await readContents(rehearsal.sourceUrl);
  },
};

const takeBackup: Step = {
  id: "capture",
  title: "take a backup by the deployed function",
  async run({ bench, report }, act) {
    const result = await invokeCapture(bench, APPS.primary, act.signal);
    report.backup = await readBackup(bench, result, act.signal);
    const { backup } = report;
    const manifest = backup.manifest as { dump: { bytes: number }; assessment: { status: string } };
    check(report, "the backup is a success", manifest.assessment.status === "success", manifest.assessment.status);
    const equal = manifest.dump.bytes === backup.bytes;
    check(report, "manifest and vault agree on the bytes", equal, `${manifest.dump.bytes} and ${backup.bytes}`);
    const replication = backup.replication ?? "none";
    check(report, "the backup was replicated", replication === "COMPLETED", replication);
  },
};

const loseEverything: Step = {
  id: "loss",
  title: "lose the app and its database",
  async run(rehearsal, { signal }) {
    const { bench, report } = rehearsal;
    const addons = (await bench.platform("GET", `/apps/${APPS.primary}/addons`, signal)) as {
      name: string;
      plan: { name: string };
    }[];
    rehearsal.lostAt = Date.now();
    await bench.platform("DELETE", `/apps/${APPS.primary}`, signal);
    report.destroyed.push(
      `the Heroku app ${APPS.primary}, with its code, configuration, domain and Heroku's own backups`,
    );
    for (const { name, plan } of addons) report.destroyed.push(`its add-on ${name} (${plan.name}), with all data`);
    const url = needed(rehearsal.sourceUrl, "the source's database");
    const left = await readContents(url).then(
      () => "it still answers",
      (error: Error) => error.message,
    );
    check(report, "the source database is gone", left !== "it still answers", left);
    const takenAt = Date.parse(needed(report.backup, "the backup").takenAt);
    report.rpoSeconds = (rehearsal.lostAt - takenAt) / 1000;
  },
};

const provisionRecovery: Step = {
  id: "recovery",
  title: "recreate everything by the recovery stack",
  run: (rehearsal, act) => deploy(rehearsal, "recovery", act),
};

const compare: Step = {
  id: "compare",
  title: "compare the recovered database with the lost one",
  async run(rehearsal, { signal }) {
    const { bench, report } = rehearsal;
    const recovered = await readContents(await bench.databaseUrl(APPS.recovery, signal));
    report.tables = compareTables(needed(rehearsal.source, "the source's contents"), recovered);
  },
};

const checkApplication: Step = {
  id: "checks",
  title: "check the recovered application by real requests",
  async run(rehearsal, act) {
    const { bench, report } = rehearsal;
    const app = (await bench.platform("GET", `/apps/${APPS.recovery}`, act.signal)) as { web_url: string };
    const result = await bench.cli<{ checks: { name: string; status: "pass" | "fail" | "skip"; detail: string }[] }>(
      ["checks", "app", "--url", app.web_url],
      act,
    );
    for (const { name, status, detail } of result.checks) report.checks.push({ name: `app: ${name}`, status, detail });
    report.rtoSeconds = (Date.now() - needed(rehearsal.lostAt, "the moment of the loss")) / 1000;
  },
};

const backUpAgain: Step = {
  id: "capture-again",
  title: "take a backup of the recovered app",
  async run({ bench, report }, { signal }) {
    const event = { trigger: "manual", requestedBy: "rehearsal" } as const;
    const result = await invokeCapture(bench, APPS.recovery, signal, event);
    const backup = await readBackup(bench, result, signal);
    check(report, "the recovered app is backed up again", backup.bytes > 0, `${backup.id}, ${backup.bytes} bytes`);
  },
};

/** Everything of the scenario, in its order. */
export const SCENARIO: readonly Step[] = [
  provisionVault,
  addRelease,
  provisionPrimary,
  seedClinic,
  takeBackup,
  loseEverything,
  provisionRecovery,
  compare,
  checkApplication,
  backUpAgain,
];

/**
 * Destroys a stack whose app was lost. Heroku's provider can't delete an app that is gone: it is the last of the stack,
 * so that all else goes first, and a refresh, which looks before it believes, forgets it.
 */
async function destroyLost(bench: Workbench, role: StackRole, act: ActOptions): Promise<void> {
  const destroy = () => bench.pulumi(role, ["destroy", "--yes", "--skip-preview"], act);
  await destroy().catch(async (error: Error) => {
    act.signal?.throwIfAborted();
    if (!error.message.includes("Couldn't find that app")) throw error;
    await bench.pulumi(role, ["refresh", "--yes", "--skip-preview"], act);
    await destroy();
  });
}

/** Tidying up afterwards: what a recovery leaves is destroyed, and the vault must not notice. */
export const TEARDOWN: readonly Step[] = [
  {
    id: "destroy",
    title: "destroy the recovery and the primary stack",
    async run({ bench, report }, act) {
      await bench.pulumi("recovery", ["destroy", "--yes", "--skip-preview"], act);
      await destroyLost(bench, "primary", act);
      const apps = (await bench.platform("GET", "/apps", act.signal)) as { name: string }[];
      const left = apps.map(({ name }) => name).join(", ") || "none";
      check(report, "destroy leaves no app", apps.length === 0, left);
      const { backup } = report;
      if (backup === undefined) return;
      const list = await bench.cli<{ id: string }[]>(["backup", "list"], act);
      const found = list.some(({ id }) => id === backup.id);
      check(report, "destroy leaves the backups", found, `${list.length} in the vault`);
    },
  },
];
