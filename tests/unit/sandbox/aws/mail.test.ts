import { expect } from "chai";
import * as fc from "fast-check";
import { InputError } from "../../../../backup/errors";
import {
  findMail,
  inboxPage,
  type Mail,
  mailPage,
  mailsTo,
  renderList,
  renderMail,
} from "../../../../sandbox/aws/mail";

const mail = (more: Partial<Mail> = {}): Mail => ({
  id: "0f8c1d2e-aaaa",
  time: "2027-01-01T12:00:00.123Z",
  kind: "notification",
  to: ["duty@clinic.example"],
  from: "no-reply@sns.amazonaws.com",
  subject: 'ALARM: "no-success" in Asia Pacific (Tokyo)',
  text: "No backup succeeded.\nNext: usc-pis backup create",
  region: "ap-northeast-1",
  ...more,
});
const waiting = mail({
  id: "1bbb",
  kind: "confirmation",
  subject: "AWS Notification - Subscription Confirmation",
  confirm: "https://127.0.0.1:1/?Action=ConfirmSubscription&Token=x",
  awaits: true,
});

describe("the sandbox's inbox", () => {
  it("has the newest mail first, and picks by address and by the beginning of an id", () => {
    const other = mail({ id: "0f8d", to: ["Boss@clinic.example", "duty@clinic.example"] });
    const third = mail({ id: "2", to: ["else@clinic.example"] });
    expect(mailsTo([mail(), other, third]).map(({ id }) => id)).to.deep.equal(["2", "0f8d", "0f8c1d2e-aaaa"]);
    expect(mailsTo([mail(), other, third], "boss@CLINIC.example")).to.deep.equal([other]);
    expect(mailsTo([mail()], "nobody@clinic.example")).to.deep.equal([]);
    expect(findMail([mail(), other], "0f8c")).to.deep.equal(mail());
    expect(() => findMail([mail(), other], "0f8")).to.throw(InputError, "2 mails have an id");
    expect(() => findMail([mail()], "9")).to.throw(InputError, 'no mail has an id that begins with "9"');
  });

  it("is a table in a terminal, and says what waits, what was rejected and what is set", () => {
    expect(renderList({ mode: "ok", rejected: 0 }, [])).to.equal("no mail");
    const lines = renderList({ mode: "rejected", rejected: 2 }, [waiting, mail()]).split("\n");
    expect(lines[1]).to.contain("1bbb").and.to.contain("(not confirmed yet)");
    expect(lines[2]).to.match(/^0f8c1d2e {2}2027-01-01 12:00 {2}duty@clinic\.example {2}ALARM: "no-success"/);
    expect(lines.slice(3).join("\n")).to.contain("2 more were rejected").and.to.contain("set to be rejected");
    expect(lines.at(-1)).to.contain("--confirm");
    expect(renderMail(mail()).split("\n").slice(-2)).to.deep.equal(mail().text.split("\n"));
  });

  it("is a page that leads to each mail, and each mail back to it", () => {
    const list = inboxPage([waiting, mail()]);
    expect(list).to.contain('href="inbox/0f8c1d2e-aaaa"').and.to.contain("waits to be confirmed");
    expect(list).to.contain('content="width=device-width');
    const shown = mailPage(mail());
    expect(shown).to.contain('href="../inbox"').and.to.contain("Next: usc-pis backup create");
    expect(inboxPage([])).to.contain("No mail has left");
    expect(mailPage(waiting)).to.contain('href="https://127.0.0.1:1/?Action=ConfirmSubscription&amp;Token=x"');
    expect(mailPage({ ...waiting, awaits: false })).not.to.contain("Token=x");
    const at = (one?: Mail) => (one === undefined ? "/mail" : `/mail/${one.id}`);
    expect(inboxPage([mail()], at)).to.contain('href="/mail/0f8c1d2e-aaaa"');
  });

  it("runs nothing and loads nothing, whatever a mail says", () => {
    const nasty = fc.constantFrom(
      "<script>alert(1)</script>",
      '"><img src=x onerror=alert(1)>',
      "</pre><h1>",
      "' x='",
      "&lt;",
    );
    const text = fc.tuple(fc.string(), nasty, fc.string()).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, text, text, text, text, (subject, body, to, from, id) => {
        const one = mail({ subject, text: body, to: [to], from, id, topic: subject, time: id });
        for (const html of [inboxPage([one]), mailPage(one), mailPage({ ...one, text: "", html: body })]) {
          const inside = html.slice(html.indexOf("<body>"));
          const tags = [...inside.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, name = ""]) => name.toLowerCase());
          const ours = ["body", "h1", "ol", "li", "a", "span", "time", "p", "dl", "dt", "dd", "pre", "iframe", "html"];
          expect(tags.filter((name) => !ours.includes(name))).to.deep.equal([]);
          expect(tags.filter((name) => name === "h1")).to.have.length(2);
          // Values in quotes are text, whatever they say.
          expect(inside.replace(/"[^"]*"/g, '""')).not.to.match(/<[^>]* on\w+=/i);
        }
      }),
    );
    expect(mailPage(mail())).to.contain("default-src 'none'");
    expect(mailPage(mail({ text: " ", html: "<b>x</b>" })))
      .to.contain('sandbox="" ')
      .and.to.contain("&lt;b&gt;x");
  });
});
