import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request as httpsRequest, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Certificate, ensureCertificate } from "../../sandbox/aws/certificate";
import { pythonPath } from "../../sandbox/aws/server";
import type { RequestEnded } from "../../sandbox/gateway/observe";
import { type Gateway, startGateway } from "../../sandbox/gateway/server";

/** What an AWS SDK never does, and what the local AWS never does to it: ends in the middle, trailers, hosts of APIs. */
describe("the gateway as a proxy", () => {
  let folder: string;
  let tls: Certificate;
  let upstream: Server;
  let gateway: Gateway;
  const ended: RequestEnded[] = [];
  let handle: (request: IncomingMessage, response: ServerResponse) => void;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "usc-pis-test-proxy-"));
    tls = await ensureCertificate(folder, pythonPath());
    upstream = createServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, (...both) => handle(...both));
    upstream.listen(0, "127.0.0.1");
    await once(upstream, "listening");
    gateway = await startGateway({ host: "127.0.0.1", tls, controlToken: "token" });
    gateway.events.on("ended", (event) => void ended.push(event));
  });
  after(async () => {
    await gateway?.close();
    upstream?.closeAllConnections();
    upstream?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    ended.length = 0;
  });

  const open = (path: string, options: object = {}) =>
    httpsRequest(gateway.url + path, { ca: readFileSync(tls.cert), agent: false, ...options });
  async function ask(path: string, options: object = {}, body?: string) {
    const request = open(path, options);
    request.end(body);
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    return {
      status: answer.statusCode,
      headers: answer.headers,
      trailers: answer.trailers,
      text: String(Buffer.concat(chunks)),
    };
  }
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => "no failure",
      (error: NodeJS.ErrnoException) => error.code,
    );
  const tell = (url: unknown) =>
    ask("/_sandbox/upstream", { method: "PUT", headers: { authorization: "Bearer token" } }, JSON.stringify({ url }));

  it("says that there is no local AWS yet, then that it does not answer, then answers", async () => {
    expect(await ask("/")).to.include({ status: 503, text: "the local AWS has not started yet\n" });
    expect((await tell("https://127.0.0.1:1")).status).to.equal(200);
    const refused = await ask("/");
    expect([refused.status, refused.text]).to.deep.equal([
      502,
      "the local AWS does not answer; see: npx usc-pis sandbox status\n",
    ]);
    const url = `https://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    await tell(url);
    expect(gateway.upstream()).to.equal(url);
    handle = (_request, response) => void response.end("there");
    expect(await ask("/")).to.include({ status: 200, text: "there" });
  });

  it("keeps headers as they came, each of them, and the trailers behind a body", async () => {
    let seen: IncomingMessage | undefined;
    handle = (request, response) => {
      request.resume().once("end", () => {
        seen = request;
        response.writeHead(201, "Quite So", ["X-Twice", "a", "X-Twice", "b", "Trailer", "X-Sum"]);
        response.write("body");
        response.addTrailers({ "X-Sum": "4" });
        response.end();
      });
    };
    const request = open("/a%2Fb?q=%20&q", {
      method: "POST",
      headers: ["Host", "bucket.s3.localhost", "X-CASE", "Kept", "Trailer", "X-End", "Transfer-Encoding", "chunked"],
    });
    request.write("12345");
    request.addTrailers({ "X-End": "5" });
    request.end();
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    answer.resume();
    await once(answer, "end");
    expect(seen?.url).to.equal("/a%2Fb?q=%20&q");
    expect(seen?.rawHeaders.slice(0, 4)).to.deep.equal(["Host", "bucket.s3.localhost", "X-CASE", "Kept"]);
    expect(seen?.trailers).to.deep.equal({ "x-end": "5" });
    expect([answer.statusCode, answer.statusMessage]).to.deep.equal([201, "Quite So"]);
    expect(answer.rawHeaders.filter((_, at, all) => all[at - 1] === "X-Twice")).to.deep.equal(["a", "b"]);
    expect(answer.trailers).to.deep.equal({ "x-sum": "4" });
  });

  it("breaks off where the local AWS breaks off", async () => {
    handle = (_request, response) => {
      response.writeHead(200, { "Content-Length": 100 });
      response.write("only this", () => response.destroy());
    };
    expect(await failure(ask("/"))).to.equal("ECONNRESET");
    handle = (request) => void request.socket.destroy();
    expect(await failure(ask("/"))).to.equal("ECONNRESET");
    handle = (_request, response) => void response.end("again");
    expect((await ask("/")).text).to.equal("again");
  });

  it("breaks off where the client breaks off, in the request and in the answer", async () => {
    for (const [method, begin] of [
      ["PUT", (response: ServerResponse) => void response],
      ["GET", (response: ServerResponse) => void response.write("endless")],
    ] as const) {
      const broken = new Promise<void>((resolve) => {
        handle = (request, response) => {
          request.resume();
          request.on("error", () => undefined);
          response.once("close", resolve);
          begin(response);
        };
      });
      const request = open("/", { method, ...(method === "PUT" ? { headers: { "content-length": 1000 } } : {}) });
      request.on("error", () => undefined);
      if (method === "PUT") request.write("a beginning");
      else request.end();
      await Promise.race([once(request, "response"), new Promise((resolve) => setTimeout(resolve, 150))]);
      request.destroy();
      await broken;
    }
  });

  it("lets an answer through that comes before the body's end", async () => {
    handle = (_request, response) => void response.writeHead(403, { Connection: "close" }).end("no");
    const request = open("/", { method: "PUT", headers: { "content-length": 50_000_000 } });
    request.on("error", () => undefined);
    request.write(Buffer.alloc(1000));
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    expect(answer.statusCode).to.equal(403);
    request.destroy();
  });

  it("tells others in its process what ended, how, and where", async () => {
    handle = (request, response) => {
      request.resume();
      if (request.url === "/cut") request.socket.destroy();
      else response.writeHead(404).end();
    };
    const headers = { authorization: "AWS4-HMAC-SHA256 Credential=K/20260524/eu-west-1/s3/aws4_request, Signature=0" };
    await ask("/bucket/key", { headers });
    await failure(ask("/cut", { headers }));
    await ask("/_sandbox/health");
    const [one, two, ...more] = ended.map(({ milliseconds, ...event }) => event);
    const about = { service: "s3", region: "eu-west-1", method: "GET" };
    expect(one).to.deep.equal({ ...about, operation: "GetObject", path: "/bucket/key", status: 404 });
    expect(two).to.deep.equal({ ...about, operation: "ListObjects", path: "/cut" });
    expect(more).to.deep.equal([]);
    expect(ended.every(({ milliseconds }) => milliseconds > 0)).to.equal(true);
  });

  it("has room for other parts' pages, which anybody may read and the token's holder may change", async () => {
    gateway.mount([
      { method: "GET", path: "mail/:id", handle: ({ params }) => ({ body: `<p>${params.id}</p>` }) },
      { method: "POST", path: "mail/:id", handle: async ({ json }) => ({ status: 201, body: await json() }) },
    ]);
    const page = await ask("/_sandbox/mail/a%20b");
    expect([page.text, page.headers["content-type"]]).to.deep.equal(["<p>a b</p>", "text/html; charset=utf-8"]);
    expect((await ask("/_sandbox/mail/1", { method: "HEAD" })).text).to.equal("");
    const change = (authorization: string, body: string) =>
      ask("/_sandbox/mail/1", { method: "POST", headers: { authorization } }, body);
    expect((await change("Bearer other", "{}")).status).to.equal(401);
    expect(await change("Bearer token", '{"a":1}')).to.include({ status: 201, text: '{"a":1}' });
    expect((await change("Bearer token", "{")).status).to.equal(400);
    expect((await ask("/_sandbox/mail/1", { method: "DELETE" })).status).to.equal(405);
  });
});
