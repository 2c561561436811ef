/** What the commands of the sandbox do. cli.ts says how they are called, and loads this when one of them runs. */
import { InputError } from "../backup/errors";
import { type Io, type Outcome, table } from "../cli/output";
import { certificateFiles } from "./aws/certificate";
import { confirmAll, findMail, mailsTo, readInbox, renderList, renderMail } from "./aws/mail";
import { renderEnvironment, sandboxEnvironment, serviceUrl } from "./environment";
import { downSandbox, upSandbox } from "./lifecycle";
import { parseFactor, parsePorts, parsePostgres, parseService, parseStack, SERVICE_NAMES } from "./options";
import { rehearse } from "./rehearsal";
import { seedApp } from "./seed";
import { simulate } from "./simulation";
import { APPS } from "./stacks";
import { follow, logFile, tail } from "./supervisor/logs";
import { sandboxPaths } from "./supervisor/paths";
import { requireState } from "./supervisor/state";
import { type SandboxStatus, status } from "./supervisor/status";

export interface UpArguments {
  readonly port?: readonly string[];
  readonly postgres?: string;
}

function renderStatus(now: SandboxStatus): string {
  const rows = now.services.map(({ name, status: is, pid, url }) => [name, is, String(pid ?? ""), url ?? ""]);
  const parts = [table(["service", "status", "pid", "address"], rows)];
  for (const { name, log, logTail } of now.services) {
    if (logTail === undefined) continue;
    parts.push("", `${name}: the end of ${log}`, ...logTail.map((line) => `  ${line}`));
  }
  if (now.next !== undefined) parts.push("", `next: ${now.next}`);
  return parts.join("\n");
}

export async function up(io: Io, options: UpArguments): Promise<Outcome> {
  const paths = sandboxPaths();
  const postgresSource = parsePostgres(options.postgres);
  const { started, fresh } = await upSandbox(paths, {
    signal: io.signal,
    progress: (line) => io.progress(line),
    ...(options.port === undefined ? {} : { ports: parsePorts(options.port) }),
    ...(postgresSource === undefined ? {} : { postgresSource }),
  });
  const now = await status(paths);
  const said = started.length === 0 ? "everything was running already" : `started ${started.join(", ")}`;
  const shell = 'in your shell: eval "$(npx usc-pis sandbox env)"';
  return { data: { started, fresh, ...now }, text: `${said}\n\n${renderStatus(now)}\n\n${shell}` };
}

export async function down(): Promise<Outcome> {
  const { stopped } = await downSandbox(sandboxPaths());
  return { data: { stopped }, text: stopped.length === 0 ? "nothing was running" : `stopped ${stopped.join(", ")}` };
}

export async function reset(io: Io, options: UpArguments): Promise<Outcome> {
  // Wrong options are refused before anything is taken down.
  parsePorts(options.port);
  parsePostgres(options.postgres);
  await downSandbox(sandboxPaths());
  return up(io, options);
}

export async function showStatus(): Promise<Outcome> {
  const now = await status(sandboxPaths());
  return { data: now, text: renderStatus(now), exitCode: now.up ? 0 : 1 };
}

export async function logs(
  io: Io,
  service: string | undefined,
  options: { follow?: boolean; lines: string },
): Promise<Outcome> {
  if (!/^\d+$/.test(options.lines)) throw new InputError(`--lines is ${options.lines}, expected a number`);
  const names = service === undefined ? SERVICE_NAMES : [parseService(service)];
  const paths = sandboxPaths();
  const lines = names.flatMap((name) =>
    tail(logFile(paths, name), Number(options.lines)).map((line) => `${name} | ${line}`),
  );
  if (options.follow !== true) return { data: { lines }, text: lines.join("\n") };
  process.stdout.write(`${lines.join("\n")}\n`);
  const nameOf = new Map<string, string>(names.map((name) => [logFile(paths, name), name]));
  const write = (path: string, text: string) =>
    process.stdout.write(`${text.trimEnd().replace(/^/gm, `${nameOf.get(path)} | `)}\n`);
  await follow([...nameOf.keys()], write, io.signal);
  return { data: {}, text: "" };
}

export async function showEnvironment(options: { stack?: string; shell: string }): Promise<Outcome> {
  const { shell } = options;
  if (shell !== "sh" && shell !== "fish") throw new InputError(`--shell is ${shell}, expected sh or fish`);
  const paths = sandboxPaths();
  const stack = options.stack === undefined ? {} : { stack: parseStack(options.stack) };
  const environment = sandboxEnvironment(paths, requireState(paths), stack);
  return { data: environment, text: renderEnvironment(environment, shell) };
}

export interface MailArguments {
  readonly to?: string;
  readonly confirm?: boolean;
}

export async function showMail(io: Io, id: string | undefined, options: MailArguments): Promise<Outcome> {
  if (id !== undefined && options.confirm === true) throw new InputError("give an id, or --confirm, not both");
  const paths = sandboxPaths();
  const inbox = {
    url: serviceUrl(requireState(paths), "aws"),
    certificate: certificateFiles(paths.aws).cert,
    signal: io.signal,
  };
  const { mails, ...state } = await readInbox(inbox);
  if (id !== undefined) {
    const mail = findMail(mails, id);
    return { data: mail, text: renderMail(mail) };
  }
  const wanted = mailsTo(mails, options.to);
  if (options.confirm !== true) return { data: { ...state, mails: wanted }, text: renderList(state, wanted) };
  const confirmed = await confirmAll(wanted, inbox);
  const addresses = confirmed.map(({ to, region }) => `${to.join(", ")} in ${region}`);
  const text = addresses.length === 0 ? "no address waits to be confirmed" : `confirmed ${addresses.join("; ")}`;
  return { data: { confirmed }, text };
}

export async function seed(io: Io, options: { factor: string; app?: string }): Promise<Outcome> {
  const factor = parseFactor(options.factor);
  const summary = await seedApp(requireState(sandboxPaths()), options.app ?? APPS.primary, factor, io.signal);
  const rows = Object.entries(summary.tables).map(([name, count]) => [name, String(count)]);
  const media = `${summary.media.assets} media assets, ${summary.media.bytes} bytes`;
  return { data: summary, text: `${table(["table", "rows"], rows)}\n\n${media}` };
}

export async function rehearsal(io: Io, options: { keep?: boolean; factor: string }, json: boolean): Promise<Outcome> {
  const factor = parseFactor(options.factor);
  return rehearse({ paths: sandboxPaths(), keep: options.keep === true, factor, quiet: json, signal: io.signal });
}

export interface SimulationArguments {
  readonly days: string;
  readonly all?: boolean;
  readonly keep?: boolean;
}

export async function simulation(io: Io, options: SimulationArguments, json: boolean): Promise<Outcome> {
  const days = /^\d+$/.test(options.days) ? Number(options.days) : Number.NaN;
  const { keep = false, all = false } = options;
  return simulate({ paths: sandboxPaths(), days, keep, all, quiet: json, signal: io.signal });
}
