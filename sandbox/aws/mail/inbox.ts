/** The mails that left the sandbox's AWS: read from MiniStack's wrapper, sought, and their links followed. */
import { readFileSync } from "node:fs";
import { request as plainRequest } from "node:http";
import { request } from "node:https";
import { z } from "zod";
import { InputError, UscPisError } from "../../../backup/errors";

const mailSchema = z.object({
  id: z.string(),
  /** ISO time, on the sandbox's clock. */
  time: z.string(),
  kind: z.enum(["notification", "confirmation", "ses"]),
  to: z.array(z.string()),
  from: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string().nullish(),
  region: z.string(),
  /** ARN of the topic that sent it. */
  topic: z.string().optional(),
  /** Link that confirms the address. */
  confirm: z.string().optional(),
  /** Whether that link still waits for somebody. */
  awaits: z.boolean().optional(),
});
export type Mail = z.infer<typeof mailSchema>;

const answerSchema = z.object({ mode: z.string(), rejected: z.number(), mails: z.array(mailSchema) });
export type Inbox = z.infer<typeof answerSchema>;

export interface InboxOptions {
  /** Address of the local AWS. */
  url: string;
  /** File of its certificate, where it is asked over TLS. */
  certificate?: string;
  signal?: AbortSignal;
}

const SILENCE_MS = 10_000;

/** Not `fetch`: it keeps the authorities of a process's first connection, and would refuse a later sandbox. */
function get(url: string, { certificate, signal }: InboxOptions): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const common = { signal, timeout: SILENCE_MS, agent: false as const };
    const asked =
      new URL(url).protocol === "http:"
        ? plainRequest(url, common)
        : request(url, { ...common, ...(certificate === undefined ? {} : { ca: readFileSync(certificate) }) });
    asked.once("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("error", reject);
      answer.once("end", () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    asked.once("timeout", () => asked.destroy(new Error(`no answer within ${SILENCE_MS / 1000} s`)));
    asked.once("error", reject);
    asked.end();
  });
}

/** @throws UscPisError `mail_unread` */
export async function readInbox(options: InboxOptions): Promise<Inbox> {
  const url = `${options.url}/_sandbox/mail`;
  const { status, text } = await get(url, options).catch((error: Error) => ({ status: 0, text: error.message }));
  if (status !== 200) {
    throw new UscPisError("mail_unread", `the inbox can't be read: ${url} says ${status || "nothing"}: ${text}`, {
      hint: "is it up? npx usc-pis sandbox status",
    });
  }
  return answerSchema.parse(JSON.parse(text));
}

/** Mails to an address, or to all; the newest first. */
export function mailsTo(mails: readonly Mail[], address?: string): Mail[] {
  const wanted = address?.toLowerCase();
  const own = mails.filter(({ to }) => wanted === undefined || to.some((one) => one.toLowerCase() === wanted));
  return own.reverse();
}

/** One mail by the beginning of its id. @throws InputError */
export function findMail(mails: readonly Mail[], id: string): Mail {
  const found = mails.filter((mail) => mail.id.startsWith(id));
  const [mail] = found;
  if (mail !== undefined && found.length === 1) return mail;
  const problem = found.length === 0 ? "no mail has" : `${found.length} mails have`;
  throw new InputError(`${problem} an id that begins with ${JSON.stringify(id)}`, {
    hint: "list them: npx usc-pis sandbox mail",
  });
}

/**
 * Follows the links that still wait, each as somebody who reads the mail would: without credentials.
 * @returns the mails whose link was followed
 */
export async function confirmAll(mails: readonly Mail[], options: InboxOptions): Promise<Mail[]> {
  const waiting = mails.filter(({ awaits }) => awaits === true);
  // A mail that was asked for twice has one link.
  const links = new Map(waiting.map((mail) => [mail.confirm ?? "", mail]));
  for (const [link, { to }] of links) {
    const { status, text } = await get(link, options);
    if (status !== 200) {
      const said = /<Message>([^<]*)/.exec(text)?.[1] ?? text;
      throw new UscPisError("mail_unconfirmed", `the link of ${to.join(", ")} leads nowhere: ${status} ${said}`, {
        hint: "an address that was not confirmed within two days has to subscribe again",
      });
    }
  }
  return [...links.values()];
}
