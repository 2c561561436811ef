export { confirmAll, findMail, type Inbox, type InboxOptions, type Mail, mailsTo, readInbox } from "./inbox";
export { inboxPage, type Links, mailPage } from "./page";
export { renderList, renderMail } from "./text";
