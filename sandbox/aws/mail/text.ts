/** The inbox in a terminal. */
import { table } from "../../../cli/output";
import type { Inbox, Mail } from "./inbox";

/** Characters of an id that tell mails apart, as people type them. */
const SHORT_ID = 8;

function time(mail: Mail): string {
  return mail.time.slice(0, 16).replace("T", " ");
}

export function renderList({ mode, rejected }: Omit<Inbox, "mails">, mails: readonly Mail[]): string {
  const rows = mails.map((mail) => [
    mail.id.slice(0, SHORT_ID),
    time(mail),
    mail.to.join(", "),
    mail.awaits === true ? `${mail.subject} (not confirmed yet)` : mail.subject,
  ]);
  const parts = [mails.length === 0 ? "no mail" : table(["id", "time (UTC)", "to", "subject"], rows)];
  if (rejected > 0) parts.push("", `${rejected} more ${rejected === 1 ? "was" : "were"} rejected on the way`);
  if (mode !== "ok") parts.push("", `mail is set to be ${mode}`);
  if (mails.some(({ awaits }) => awaits === true))
    parts.push("", "follow the links of those that wait: npx usc-pis sandbox mail --confirm");
  return parts.join("\n");
}

export function renderMail(mail: Mail): string {
  const headings = [
    ["from", mail.from],
    ["to", mail.to.join(", ")],
    ["subject", mail.subject],
    ["time", mail.time],
    ...(mail.topic === undefined ? [] : [["topic", mail.topic]]),
  ];
  return `${headings.map(([name = "", value]) => `${`${name}:`.padEnd(9)}${value}`).join("\n")}\n\n${mail.text.trimEnd()}`;
}
