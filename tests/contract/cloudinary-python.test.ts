import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { runDjango } from "../support/cloudinary-python";
import { ACCOUNT, Bench, dataUri, png } from "./cloudinary-support";

describe("Cloudinary emulator with the application's own Python packages", function () {
  // The first use fetches them (5 MB).
  this.timeout(120_000);
  const bench = new Bench();
  const image = png(1, 16).toString("base64");
  const run = (part: string, job: object = {}) => runDjango(bench.running.url, ACCOUNT, { part, image, ...job });

  before(() => bench.start({ adminLimitPerHour: 100 }));
  after(() => bench.stop());

  it("stores, finds, lists and deletes media through Django's storage", async () => {
    const found = await run("storage");
    expect(found.name).to.match(/^media\/patients\/1\/photo_[a-z0-9]{6}$/);
    expect(found.again).to.not.equal(found.name);
    expect(found.note).to.match(/^media\/patients\/1\/note_[a-z0-9]{6}\.txt$/);
    expect(found).to.deep.include({ same: true, raw: "note", exists: [true, false], tags: ["media"] });
    expect(found.url).to.equal(`${bench.running.url}/clinic/image/upload/v1/${found.name}`);
    expect(found.listed).to.have.members([found.name, found.again].map((name: string) => name.split("/").at(-1)));
    expect(found.deleted).to.deep.equal([true, false, false]);
  });

  it("serves the official SDK: pages, chunks, signed downloads, triggers, limits", async () => {
    const nextHour = () => new Date(Date.now() + 3_600_000).getUTCHours();
    const before = nextHour();
    const found = await run("sdk");
    expect(found.ids).to.deep.equal([0, 1, 2, 3, 4].map((index) => `sdk/${index}`));
    expect(found).to.include({ pages: 3, large: 6_000_000, signed: true, renamed: "sdk/renamed" });
    expect(found.context).to.deep.equal({ custom: { note: "a & b|c=d" } });
    expect(found.open.message).to.match(/HTTP Error 401/);
    const [uri, total, updated, removed] = found.trigger;
    expect([uri, total]).to.deep.equal(["https://hook.example/b", 1]);
    expect([updated.message, removed.message]).to.deep.equal(["updated", "deleted"]);
    expect(found.limit[0]).to.equal(100);
    const [, , , hour, minute, second] = found.limit[2];
    expect([before, nextHour()]).to.include(hour);
    expect([minute, second]).to.deep.equal([0, 0]);
    expect(found.taken).to.deep.include({ kind: "BadRequest" });
    expect(found.eager.message).to.match(/eager is not carried out/);
  });

  it("raises the SDK's own exceptions for what is refused", async () => {
    const refused = await run("refusals");
    expect(refused.wrong.kind).to.equal("AuthorizationRequired");
    expect(refused.wrong.message).to.match(/Invalid Signature/);
    expect(refused.missing.kind).to.equal("NotFound");
    expect(refused.limited.kind).to.equal("RateLimited");
    expect(refused.limited.message).to.match(/Limit of 100 api operations reached/);
  });

  it("sends webhooks that the SDK verifies", async () => {
    const received = new Promise<{ body: string; timestamp: string; signature: string }>((resolve, reject) => {
      const server = createServer(async (request, response) => {
        let body = "";
        for await (const chunk of request) body += String(chunk);
        response.end();
        server.close();
        const header = (name: string) => String(request.headers[name]);
        resolve({ body, timestamp: header("x-cld-timestamp"), signature: header("x-cld-signature") });
      });
      server.listen(0, "127.0.0.1", () => {
        const notification_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
        bench.sdk.uploader.upload(dataUri(png(2)), { notification_url }).catch(reject);
      });
    });
    expect(await run("webhook", await received)).to.deep.equal([true, false]);
  });
});
