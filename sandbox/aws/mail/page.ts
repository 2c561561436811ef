/** The inbox as pages of HTML: no scripts, nothing from elsewhere, readable on a phone, light or dark. */
import type { Mail } from "./inbox";

/** Where one mail is shown. @param mail none for the list */
export type Links = (mail?: Mail) => string;

/** @default the pages lie at `.../inbox` and `.../inbox/ID` */
const LINKS: Links = (mail) => (mail === undefined ? "../inbox" : `inbox/${encodeURIComponent(mail.id)}`);

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (one) => ENTITIES[one] ?? one);
}

const STYLE = `
:root { color-scheme: light dark; --line: #8886; --quiet: #6b7280; --mark: #b91c1c; --good: #15803d; --card: #8881; }
@media (prefers-color-scheme: dark) { :root { --quiet: #9ca3af; --mark: #f87171; --good: #4ade80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 52rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 1rem; font-size: 1.25rem; overflow-wrap: anywhere; }
ol { margin: 0; padding: 0; list-style: none; border-top: 1px solid var(--line); }
li { border-bottom: 1px solid var(--line); }
li a { display: block; padding: .75rem .25rem; color: inherit; text-decoration: none; }
li a:hover, li a:focus-visible { background: var(--card); }
.subject { display: block; font-weight: 600; overflow-wrap: anywhere; }
.about, dl, .none { color: var(--quiet); font-size: .875rem; }
.about { display: flex; flex-wrap: wrap; gap: 0 1rem; overflow-wrap: anywhere; }
.alarm { color: var(--mark); } .ok { color: var(--good); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: 0 0 1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
pre { margin: 0; padding: 1rem; border-radius: .5rem; background: var(--card); font: .875rem/1.5 ui-monospace, monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; }
iframe { width: 100%; height: 70vh; border: 1px solid var(--line); border-radius: .5rem; background: #fff; }
.confirm { display: inline-block; margin: 0 0 1rem; padding: .5rem 1rem; border: 1px solid currentColor; border-radius: .5rem; }
`;

function page(title: string, body: string): string {
  // Whatever a mail says, the page loads nothing and runs nothing.
  const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'none'; base-uri 'none'";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

function time(iso: string): string {
  return `<time datetime="${escapeHtml(iso)}">${escapeHtml(iso.slice(0, 16).replace("T", " "))}</time>`;
}

function tone({ subject }: Mail): string {
  if (subject.startsWith("ALARM:")) return " alarm";
  return subject.startsWith("OK:") ? " ok" : "";
}

/** The list. @param mails in the order in which they are shown */
export function inboxPage(mails: readonly Mail[], links: Links = LINKS): string {
  const items = mails.map(
    (mail) =>
      `<li><a href="${escapeHtml(links(mail))}"><span class="subject${tone(mail)}">${escapeHtml(mail.subject)}</span>` +
      `<span class="about"><span>${escapeHtml(mail.to.join(", "))}</span>${time(mail.time)}` +
      `${mail.awaits === true ? "<span>waits to be confirmed</span>" : ""}</span></a></li>`,
  );
  const list =
    mails.length === 0 ? '<p class="none">No mail has left the sandbox yet.</p>' : `<ol>${items.join("\n")}</ol>`;
  const count = mails.length === 0 ? "" : ` (${mails.length})`;
  return page("Inbox of the sandbox", `<h1>Inbox of the sandbox${count}</h1>\n${list}`);
}

/** One mail. */
export function mailPage(mail: Mail, links: Links = LINKS): string {
  const rows = [
    ["From", escapeHtml(mail.from)],
    ["To", escapeHtml(mail.to.join(", "))],
    ["Time", `${time(mail.time)} UTC`],
    ...(mail.topic === undefined ? [] : [["Topic", escapeHtml(mail.topic)]]),
  ];
  const headings = rows.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join("");
  const confirm =
    mail.awaits === true && mail.confirm !== undefined
      ? `<a class="confirm" href="${escapeHtml(mail.confirm)}" rel="noreferrer">Confirm the subscription</a>`
      : "";
  // A frame without any rights: what a mail brings along can neither run nor leave it.
  const body =
    mail.text.trim() === "" && mail.html
      ? `<iframe sandbox="" title="text of the mail" srcdoc="${escapeHtml(mail.html)}"></iframe>`
      : `<pre>${escapeHtml(mail.text)}</pre>`;
  const title = `<h1 class="${tone(mail).trim()}">${escapeHtml(mail.subject)}</h1>`;
  const back = `<p><a href="${escapeHtml(links())}">All mail</a></p>`;
  return page(mail.subject, [back, title, `<dl>${headings}</dl>`, confirm, body].join("\n"));
}
