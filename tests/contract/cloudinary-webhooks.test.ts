import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { ACCOUNT, Bench, dataUri, png } from "./cloudinary-support";

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A webhook receiver that refuses the first `refusals` requests. */
class Receiver {
  readonly received: Received[] = [];
  refusals = 0;
  #server!: Server;
  #waiting: (() => void)[] = [];

  async start(): Promise<string> {
    this.#server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      this.received.push({ headers: request.headers, body });
      response.writeHead(this.received.length <= this.refusals ? 500 : 200).end();
      for (const wake of this.#waiting.splice(0)) wake();
    });
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  async count(wanted: number): Promise<Received[]> {
    while (this.received.length < wanted) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.received;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

describe("Cloudinary emulator, triggers and webhooks", () => {
  const bench = new Bench();
  let receiver: Receiver;
  let uri: string;

  before(() => bench.start({ webhookRetryDelaysMs: [5, 5, 5] }));
  after(() => bench.stop());
  beforeEach(async () => {
    receiver = new Receiver();
    uri = await receiver.start();
  });
  afterEach(() => receiver.close());

  async function trigger(event: string, target = uri): Promise<{ id: string; uri: string }> {
    const body = new URLSearchParams({ uri: target, event_type: event });
    const response = await bench.api("triggers", { method: "POST", body });
    expect(response.status).to.equal(200);
    return (await response.json()) as { id: string; uri: string };
  }

  it("sends a signed notification of an upload and of a deletion", async () => {
    const hooks = [await trigger("upload"), await trigger("delete")];
    await bench.sdk.uploader.upload(dataUri(png(1)), { public_id: "hooked" });
    await receiver.count(1);
    await bench.sdk.uploader.destroy("hooked");
    const [upload, deletion] = await receiver.count(2);
    for (const one of [upload, deletion]) {
      const timestamp = Number(one?.headers["x-cld-timestamp"]);
      const signature = String(one?.headers["x-cld-signature"]);
      const verify = bench.sdk.utils.verifyNotificationSignature;
      expect(verify(one?.body ?? "", timestamp, signature)).to.equal(true);
      expect(verify(`${one?.body} `, timestamp, signature)).to.equal(false);
    }
    expect(JSON.parse(upload?.body ?? "")).to.include({ notification_type: "upload", public_id: "hooked" });
    const deleted = JSON.parse(deletion?.body ?? "") as { notification_type: string; resources: object[] };
    expect(deleted.notification_type).to.equal("delete");
    expect(deleted.resources[0]).to.include({ public_id: "hooked", resource_type: "image", type: "upload" });
    for (const hook of hooks) await bench.api(`triggers/${hook.id}`, { method: "DELETE" });
  });

  it("tries again when it is refused, and stops when it is told to", async () => {
    receiver.refusals = 2;
    const hook = await trigger("upload");
    await bench.sdk.uploader.upload(dataUri(png(2)), { public_id: "retried" });
    const received = await receiver.count(3);
    expect(new Set(received.map((one) => one.body)).size).to.equal(1);
    await bench.api(`triggers/${hook.id}`, { method: "DELETE" });
  });

  it("lists, changes and deletes triggers, and refuses unknown events and doubles", async () => {
    const hook = await trigger("upload");
    const double = new URLSearchParams({ uri, event_type: "upload" });
    expect((await bench.api("triggers", { method: "POST", body: double })).status).to.equal(409);
    const unknown = new URLSearchParams({ uri, event_type: "birthday" });
    expect((await bench.api("triggers", { method: "POST", body: unknown })).status).to.equal(400);
    const body = new URLSearchParams({ new_uri: `${uri}/two` });
    const changed = await bench.api(`triggers/${hook.id}`, { method: "PUT", body });
    expect(await changed.json()).to.include({ id: hook.id, uri: `${uri}/two`, event_type: "upload" });
    const list = (await (await bench.api("triggers")).json()) as { triggers: object[] };
    expect(list.triggers).to.have.lengthOf(1);
    expect((await bench.api("triggers", { auth: `${ACCOUNT.apiKey}:wrong` })).status).to.equal(401);
    await bench.api(`triggers/${hook.id}`, { method: "DELETE" });
    expect((await bench.api(`triggers/${hook.id}`, { method: "DELETE" })).status).to.equal(404);
  });
});
