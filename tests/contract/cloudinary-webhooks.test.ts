import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import type { NotificationOverview } from "../../sandbox/cloudinary/notifications";
import { sign } from "../../sandbox/cloudinary/signature";
import { ACCOUNT, Bench, dataUri, png } from "./cloudinary-support";

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** In the place of a status: the receiver never answers. */
const SILENT = 0;

/** A webhook receiver that answers the first requests with `answers`, and later ones with 200. */
class Receiver {
  readonly received: Received[] = [];
  answers: number[] = [];
  #server!: Server;

  async start(): Promise<string> {
    this.#server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      this.received.push({ headers: request.headers, body });
      const status = this.answers[this.received.length - 1] ?? 200;
      if (status === SILENT) return;
      response.writeHead(status, status === 302 ? { location: "/elsewhere" } : {}).end();
    });
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  bodies(): any[] {
    return this.received.map(({ body }) => JSON.parse(body));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const MINUTE = 60_000;

describe("Cloudinary emulator, triggers and webhooks", () => {
  const bench = new Bench();
  let now = Date.now();
  let receiver: Receiver;
  let uri: string;

  // The clock is looked at once an hour, so that what is delivered is what the test asks for.
  const options = { now: () => now, webhookPollMs: 3_600_000 };
  before(() => bench.start(options));
  after(() => bench.stop());
  beforeEach(async () => {
    receiver = new Receiver();
    uri = await receiver.start();
  });
  afterEach(async () => {
    receiver.close();
    const { triggers } = (await (await bench.api("triggers")).json()) as { triggers: { id: string }[] };
    for (const { id } of triggers) await bench.api(`triggers/${id}`, { method: "DELETE" });
  });

  async function create(form: Record<string, string>): Promise<Response> {
    return bench.api("triggers", { method: "POST", body: new URLSearchParams(form) });
  }

  async function trigger(event: string, more: Record<string, string> = {}): Promise<{ id: string; uri: string }> {
    const response = await create({ uri, event_type: event, ...more });
    expect(response.status).to.equal(200);
    return (await response.json()) as { id: string; uri: string };
  }

  const control = `Basic ${Buffer.from(`${ACCOUNT.apiKey}:${ACCOUNT.apiSecret}`).toString("base64")}`;

  /** Delivers what is due by the test's clock; answers what is left. */
  async function deliver(): Promise<NotificationOverview> {
    const url = `${bench.running.url}/_control/webhooks/deliver`;
    const response = await fetch(url, { method: "POST", headers: { authorization: control } });
    expect(response.status).to.equal(200);
    return (await response.json()) as NotificationOverview;
  }

  it("signs each notification, so that the SDK accepts it and nothing that was changed", async () => {
    await trigger("upload");
    await bench.sdk.uploader.upload(dataUri(png(1)), { public_id: "hooked", tags: "a" });
    await deliver();
    const [{ headers, body } = { headers: {}, body: "" }] = receiver.received;
    const timestamp = Number(headers["x-cld-timestamp"]);
    const signature = String(headers["x-cld-signature"]);
    const verify = bench.sdk.utils.verifyNotificationSignature;
    expect(verify(body, timestamp, signature)).to.equal(true);
    expect(verify(`${body} `, timestamp, signature)).to.equal(false);
    expect(verify(body, timestamp - 1, signature)).to.equal(false);
    const upload = JSON.parse(body);
    expect(upload).to.include({ notification_type: "upload", public_id: "hooked", format: "png" });
    expect(upload).to.include({ signature_key: ACCOUNT.apiKey, api_key: ACCOUNT.apiKey });
    expect(upload.tags).to.deep.equal(["a"]);
    expect(upload.notification_context.triggered_at).to.equal(new Date(now).toISOString());
    expect(body).to.not.contain(ACCOUNT.apiSecret);
  });

  it("tells of deletions, renames, restores, folders and changed attributes", async () => {
    await bench.sdk.uploader.upload(dataUri(png(2)), { public_id: "told", backup: true });
    await bench.sdk.api.add_metadata_field({ external_id: "ward", label: "Ward", type: "string" } as never);
    await trigger("all");
    await bench.sdk.uploader.rename("told", "told/again");
    await bench.sdk.uploader.add_tag("x,y", ["told/again"]);
    await bench.sdk.uploader.remove_tag("x", ["told/again"]);
    await bench.sdk.uploader.add_context("k=v", ["told/again"]);
    await bench.sdk.uploader.add_context("k=w", ["told/again"]);
    await bench.sdk.uploader.update_metadata("ward=A", ["told/again"]);
    await bench.sdk.api.update("told/again", { display_name: "Told", asset_folder: "told" } as never);
    await bench.sdk.uploader.add_tag("y", ["told/again"]);
    await bench.sdk.uploader.destroy("told/again");
    await bench.sdk.api.restore(["told/again"]);
    await bench.sdk.api.create_folder("new");
    await bench.sdk.api.delete_folder("new");
    await deliver();
    const bodies = receiver.bodies();
    const said = (type: string) => bodies.filter((one) => one.notification_type === type);
    const kinds = new Set(bodies.map((one) => one.notification_type));
    expect(bodies, [...kinds].join()).to.have.lengthOf(12);
    expect(said("rename")[0]).to.include({ from_public_id: "told", to_public_id: "told/again", type: "upload" });
    const tags = said("resource_tags_changed").map(({ resources: [one] }) => [one.added, one.removed]);
    expect(tags).to.have.deep.members([
      [["x", "y"], []],
      [[], ["x"]],
    ]);
    const contexts = said("resource_context_changed").map(({ resources }) => resources["told/again"]);
    expect(contexts.map(({ added }) => added)).to.deep.include([{ name: "k", value: "v" }]);
    expect(contexts.map(({ updated }) => updated)).to.deep.include([{ name: "k", value: "w" }]);
    expect(said("resource_metadata_changed")[0].resources["told/again"]).to.deep.include({
      previous_metadata: {},
      new_metadata: { ward: "A" },
    });
    const [names, moves] = [said("resource_display_name_changed")[0], said("move")[0]];
    expect(names.resources["told/again"]).to.include({ previous_display_name: "told", new_display_name: "Told" });
    expect(moves.resources["told/again"]).to.include({ from_asset_folder: "", to_asset_folder: "told" });
    expect(said("delete")[0].resources[0]).to.include({ public_id: "told/again", resource_type: "image" });
    expect(said("restore_asset_version")[0].resources[0]).to.include({ public_id: "told/again" });
    expect(said("create_folder")[0]).to.include({ folder_path: "new", folder_name: "new" });
    expect(said("delete_folder")).to.have.lengthOf(1);
  });

  it("prefers the request's own address, besides triggers that are additive", async () => {
    await trigger("upload");
    const own = `${uri}/own`;
    await bench.sdk.uploader.upload(dataUri(png(3)), { public_id: "own", notification_url: own });
    await deliver();
    expect(receiver.received).to.have.lengthOf(1);
    await create({ uri: `${uri}/additive`, event_type: "upload", additive: "true" });
    await bench.sdk.uploader.upload(dataUri(png(4)), { public_id: "own", notification_url: own });
    await deliver();
    expect(receiver.received).to.have.lengthOf(3);
  });

  it("tries again 3, 6 and 9 minutes after anything but a 200, and then gives up", async () => {
    receiver.answers = [500, 302, 204, 404];
    await trigger("upload");
    await bench.sdk.uploader.upload(dataUri(png(5)), { public_id: "retried" });
    for (const [index, minutes] of [3, 6, 9].entries()) {
      const { pending, nextDueAt } = await deliver();
      expect(receiver.received).to.have.lengthOf(index + 1);
      expect(pending[0]).to.include({ attempts: index + 1, problem: `answered ${receiver.answers[index]}` });
      expect(nextDueAt).to.equal(new Date(now + minutes * MINUTE).toISOString());
      now += minutes * MINUTE - 1;
      await deliver();
      expect(receiver.received).to.have.lengthOf(index + 1);
      now += 1;
    }
    const { pending, lost, nextDueAt } = await deliver();
    expect(receiver.received).to.have.lengthOf(4);
    expect({ pending, nextDueAt }).to.deep.equal({ pending: [], nextDueAt: null });
    expect(lost.at(-1)).to.include({ event: "upload", attempts: 4, problem: "answered 404" });
    expect(new Set(receiver.received.map(({ body }) => body)).size).to.equal(1);
    // Each attempt is signed anew: a receiver that refuses old timestamps still takes the last one.
    expect(new Set(receiver.received.map(({ headers }) => headers["x-cld-timestamp"])).size).to.equal(4);
  });

  it("looks at the clock by itself, and keeps what was not delivered across a restart", async () => {
    receiver.answers = [503];
    await trigger("upload");
    await bench.sdk.uploader.upload(dataUri(png(6)), { public_id: "kept" });
    await deliver();
    await bench.running.close();
    await bench.start({ ...options, webhookPollMs: 10 });
    try {
      const waiting = await deliver();
      expect(waiting.pending).to.have.lengthOf(1);
      expect(receiver.received).to.have.lengthOf(1);
      now += 5 * 24 * 60 * MINUTE;
      const end = Date.now() + 5000;
      while (receiver.received.length < 2 && Date.now() < end) await new Promise((done) => setTimeout(done, 10));
      expect(receiver.received).to.have.lengthOf(2);
      expect(receiver.received[1]?.body).to.equal(receiver.received[0]?.body);
      now -= 5 * 24 * 60 * MINUTE;
    } finally {
      await bench.running.close();
      await bench.start({ ...options, signatureAlgorithm: "sha256", webhookTimeoutMs: 500 });
    }
    // The same account, set to SHA-256, and a receiver that is silent at first.
    receiver.answers = [503, 200, SILENT];
    await bench.sdk.uploader.upload(dataUri(png(7)), { public_id: "kept" });
    expect((await deliver()).pending[0]?.problem).to.match(/timeout/);
    now += 3 * MINUTE;
    expect((await deliver()).pending).to.deep.equal([]);
    const { headers, body } = receiver.received.at(-1) as Received;
    const expected = sign(`${body}${headers["x-cld-timestamp"]}`, ACCOUNT.apiSecret, "sha256");
    expect(headers["x-cld-signature"]).to.equal(expected);
  });

  it("shows what waits to everyone on this machine, but delivers only for the holder of the key", async () => {
    const overview = await fetch(`${bench.running.url}/_control/webhooks`);
    expect(overview.status).to.equal(200);
    const refused = await fetch(`${bench.running.url}/_control/webhooks/deliver`, { method: "POST" });
    expect(refused.status).to.equal(401);
  });

  it("lists, changes and deletes triggers, and refuses unknown events, doubles, bad addresses and too many", async () => {
    const hook = await trigger("upload");
    expect((await create({ uri, event_type: "upload" })).status).to.equal(409);
    expect((await create({ uri, event_type: "birthday" })).status).to.equal(400);
    const unsent = await create({ uri, event_type: "moderation" });
    expect(await unsent.text()).to.match(/the event moderation is not carried out/);
    for (const bad of ["", "hook.example", "ftp://hook.example/x"]) {
      expect((await create({ uri: bad, event_type: "upload" })).status, bad).to.equal(400);
    }
    expect((await create({ uri, event_type: "delete", filter: "{}" })).status).to.equal(400);
    expect((await create({ uri, event_type: "delete", uri_type: "poll" })).status).to.equal(400);
    // What brings a version back is told as `restore_asset_version`.
    expect((await create({ uri, event_type: "restore" })).status).to.equal(400);
    const body = new URLSearchParams({ new_uri: `${uri}/two` });
    const changed = await bench.api(`triggers/${hook.id}`, { method: "PUT", body });
    expect(await changed.json()).to.deep.equal({ message: "updated" });
    const list = (await (await bench.api("triggers?event_type=upload")).json()) as { triggers: object[] };
    expect(list).to.include({ total: 1 });
    expect(list.triggers[0]).to.include({ id: hook.id, uri: `${uri}/two`, event_type: "upload", uri_type: "webhook" });
    expect((await bench.api("triggers", { auth: `${ACCOUNT.apiKey}:wrong` })).status).to.equal(401);
    for (let index = 1; index < 30; index++) await trigger("upload", { uri: `${uri}/${index}` });
    const tooMany = await create({ uri: `${uri}/31`, event_type: "upload" });
    expect(await tooMany.text()).to.match(/Maximum number of triggers \(30\)/);
    await bench.api(`triggers/${hook.id}`, { method: "DELETE" });
    expect((await bench.api(`triggers/${hook.id}`, { method: "DELETE" })).status).to.equal(404);
    await trigger("upload", { uri: `${uri}/31` });
  });
});
