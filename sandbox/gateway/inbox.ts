/** The part that shows the mails which left the local AWS: pages at `/_sandbox/inbox` and `/_sandbox/inbox/ID`. */
import { findMail, inboxPage, mailPage, mailsTo, readInbox } from "../aws/mail";
import type { PartStarter } from "./parts";
import { Refusal } from "./routes";

export const inboxPart: PartStarter = async ({ gateway, config }) => {
  const read = async () => {
    const url = gateway.upstream();
    if (url === undefined) throw new Refusal(503, "the local AWS has not started yet");
    return (await readInbox({ url, certificate: config.tls.cert })).mails;
  };
  gateway.mount([
    {
      method: "GET",
      path: "inbox",
      handle: async ({ url }) => ({ body: inboxPage(mailsTo(await read(), url.searchParams.get("to") ?? undefined)) }),
    },
    {
      method: "GET",
      path: "inbox/:id",
      handle: async ({ params }) => {
        const mails = await read();
        try {
          return { body: mailPage(findMail(mails, params.id ?? "")) };
        } catch (error) {
          throw new Refusal(404, (error as Error).message);
        }
      },
    },
  ]);
  return { close: async () => undefined };
};
