/** A report as text for a terminal and as Markdown. Pure. */
import { duration, type Report, RPO_PROMISE_SECONDS, RTO_PROMISE_SECONDS, verdict } from "./report";

/** Builds a document of headings, lines and tables; terminal and Markdown differ in the dress only. */
interface Writer {
  heading(text: string): void;
  line(text: string): void;
  table(headings: readonly string[], rows: readonly (readonly string[])[]): void;
  code(text: string): void;
  text(): string;
}

const MARK = { pass: "pass", fail: "FAIL", skip: "skip", done: "done", failed: "FAILED", skipped: "skipped" } as const;

export function renderTerminal(report: Report): string {
  return write(report, terminalWriter());
}

export function renderMarkdown(report: Report): string {
  return write(report, markdownWriter());
}

function write(report: Report, out: Writer): string {
  const { passed, failures } = verdict(report);
  out.heading(`Rehearsal of a complete loss of ${report.system}: ${passed ? "recovered" : "FAILED"}`);
  out.line(`${report.startedAt} to ${report.finishedAt}, on local services; data of factor ${report.factor}`);
  for (const failure of failures) out.line(`FAIL: ${failure}`);
  writeStacks(report, out);
  writeBackup(report, out);
  if (report.destroyed.length > 0) {
    out.heading("What was destroyed");
    for (const what of report.destroyed) out.line(`- ${what}`);
  }
  writeTables(report, out);
  writeTimes(report, out);
  return out.text();
}

function writeStacks(report: Report, out: Writer): void {
  for (const { role, stack, resources, slowest } of report.stacks) {
    const total = resources.reduce((sum, { count }) => sum + count, 0);
    out.heading(`Stack ${stack} (${role}): ${total} resources`);
    out.table(
      ["type", "count"],
      resources.map(({ type, count }) => [type, String(count)]),
    );
    if (slowest.length > 0) {
      out.line("Longest:");
      out.table(
        ["resource", "type", "time"],
        slowest.map(({ name, type, seconds }) => [name, type, duration(seconds)]),
      );
    }
  }
}

function writeBackup(report: Report, out: Writer): void {
  const { backup, media } = report;
  if (backup === undefined) return;
  out.heading("The backup");
  out.table(
    ["", ""],
    [
      ["id", backup.id],
      ["class", backup.class],
      ["bytes", String(backup.bytes)],
      ["SHA-256", backup.sha256],
      ["taken at", backup.takenAt],
      ["lies at", `s3://${backup.bucket}/${backup.key}`],
      ...(backup.retainUntil === undefined ? [] : [["locked until", backup.retainUntil]]),
      ...(backup.replication === undefined ? [] : [["replication", backup.replication]]),
      ...(media === undefined ? [] : [["media at Cloudinary", `${media.assets} assets, ${media.bytes} bytes`]]),
    ],
  );
  out.line("Manifest:");
  out.code(JSON.stringify(backup.manifest, null, 2));
}

function writeTables(report: Report, out: Writer): void {
  if (report.tables.length > 0) {
    out.heading("Rows at the source and after the recovery");
    out.table(
      ["table", "source", "recovered", "check"],
      report.tables.map(({ table, source, recovered, status, reason }) => [
        table,
        String(source ?? "-"),
        String(recovered ?? "-"),
        reason === undefined ? MARK[status] : `${MARK[status]}: ${reason}`,
      ]),
    );
  }
  if (report.checks.length > 0) {
    out.heading("Checks");
    out.table(
      ["check", "result", "detail"],
      report.checks.map(({ name, status, detail }) => [name, MARK[status], detail]),
    );
  }
}

function writeTimes(report: Report, out: Writer): void {
  out.heading("Times");
  const promised = (seconds: number | undefined, promise: number) =>
    seconds === undefined ? "not measured" : `${duration(seconds)} (promised: ${duration(promise)})`;
  out.table(
    ["", ""],
    [
      ["RPO, data lost", promised(report.rpoSeconds, RPO_PROMISE_SECONDS)],
      ["RTO, loss to verified service", promised(report.rtoSeconds, RTO_PROMISE_SECONDS)],
    ],
  );
  out.table(
    ["step", "result", "time"],
    report.steps.map(({ title, status, seconds }) => [title, MARK[status], duration(seconds)]),
  );
}

function terminalWriter(): Writer {
  const lines: string[] = [];
  return {
    heading: (text) => void lines.push("", text, "-".repeat(text.length)),
    line: (text) => void lines.push(text),
    code: (text) => void lines.push(...text.split("\n").map((line) => `  ${line}`)),
    table: (headings, rows) => {
      const all = headings.some((heading) => heading !== "") ? [headings, ...rows] : rows;
      const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
      const line = (row: readonly string[]) =>
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd();
      lines.push(...all.map((row) => `  ${line(row)}`));
    },
    text: () => `${lines.join("\n").trim()}\n`,
  };
}

function markdownWriter(): Writer {
  const parts: string[] = [];
  const cell = (text: string) => text.replace(/\|/g, "\\|").replace(/\n/g, " ");
  const row = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return {
    heading: (text) => void parts.push(`${parts.length === 0 ? "#" : "##"} ${text}`),
    line: (text) => void parts.push(text),
    code: (text) => void parts.push(`\`\`\`json\n${text}\n\`\`\``),
    table: (headings, rows) =>
      void parts.push([row(headings), row(headings.map(() => "---")), ...rows.map(row)].join("\n")),
    text: () => `${parts.join("\n\n").replace(/^(- .*)\n\n(?=- )/gm, "$1\n")}\n`,
  };
}
