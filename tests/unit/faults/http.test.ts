import { once } from "node:events";
import { createServer, get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { expect } from "chai";
import fc from "fast-check";
import { DisturbedBody, disturbedLength } from "../../../sandbox/faults/body";
import { Faults } from "../../../sandbox/faults/engine";
import { carryOut, targetOf } from "../../../sandbox/faults/http";
import type { FaultRule } from "../../../sandbox/faults/rule";

const BODY = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));

async function through(rule: FaultRule, chunks: Buffer[]): Promise<Buffer> {
  const out: Buffer[] = [];
  for await (const chunk of Readable.from(chunks).pipe(new DisturbedBody(rule))) out.push(chunk as Buffer);
  return Buffer.concat(out);
}

describe("a disturbed body", () => {
  const chunked = fc.array(fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)));

  it("is what the rule says, however it comes in chunks", async () => {
    await fc.assert(
      fc.asyncProperty(chunked, fc.nat(80), async (chunks, at) => {
        const all = Buffer.concat(chunks);
        const flipped = Buffer.from(all);
        if (at < all.length) flipped[at] = (all[at] as number) ^ 1;
        expect(await through({ flipBitAt: at }, chunks)).to.deep.equal(flipped);
        expect(await through({ truncateTo: at }, chunks)).to.deep.equal(all.subarray(0, at));
        expect(await through({ cutAfter: at }, chunks)).to.deep.equal(all.subarray(0, at));
        expect(await through({ truncateBy: at }, chunks)).to.deep.equal(all.subarray(0, Math.max(0, all.length - at)));
        expect(await through({ replaceBody: "x" }, chunks)).to.deep.equal(Buffer.from("x"));
        expect(await through({ delayMs: 0 }, chunks)).to.deep.equal(all);
      }),
      { numRuns: 50 },
    );
  });

  it("has the length that is announced", async () => {
    for (const rule of [{ truncateTo: 400 }, { truncateTo: 4000 }, { truncateBy: 7 }, { truncateBy: 7000 }, {}])
      expect(disturbedLength(rule, BODY.length)).to.equal((await through(rule, [BODY])).length);
  });

  it("comes in pieces", async () => {
    const pieces: number[] = [];
    const body = new DisturbedBody({ drip: { bytes: 300, pauseMs: 1 } });
    body.on("data", (chunk: Buffer) => pieces.push(chunk.length));
    body.end(BODY);
    await once(body, "end");
    expect(pieces).to.deep.equal([300, 300, 300, 100]);
  });

  it("has fields changed and removed, in an object and in a list", async () => {
    const rule = { merge: { state: "limbo", next_cursor: null } };
    const of = async (value: unknown) => JSON.parse(String(await through(rule, [Buffer.from(JSON.stringify(value))])));
    expect(await of({ a: 1, next_cursor: "x" })).to.deep.equal({ a: 1, state: "limbo" });
    expect(await of([{ a: 1 }, 2])).to.deep.equal([{ a: 1, state: "limbo" }, 2]);
  });
});

describe("a fault of a request", () => {
  const faults = new Faults();
  let server: Server;
  let url: string;
  let handled = 0;
  /** Handlers of three kinds: with a length, in chunks, by a pipeline. */
  const serve: Record<string, (response: import("node:http").ServerResponse) => void> = {
    "/known": (response) => response.writeHead(200, { "Content-Length": BODY.length }).end(BODY),
    "/chunks": (response) => {
      response.setHeader("x-set", "before");
      response.write(BODY.subarray(0, 600));
      response.end(BODY.subarray(600));
    },
    "/piped": (response) => {
      response.writeHead(200, ["Content-Length", String(BODY.length), "X-Case", "kept"]);
      pipeline(Readable.from([BODY.subarray(0, 1), BODY.subarray(1)]), response).catch(() => undefined);
    },
    "/json": (response) => response.writeHead(200, { "Content-Length": 8 }).end('{"a": 1}'),
  };
  before(async () => {
    server = createServer(async (request, response) => {
      const target = targetOf("test", request);
      const rule = faults.meet(target);
      const voice = ({ code, message }: { code: string; message: string }) => ({
        headers: { "content-type": "text/plain" },
        body: `${code}: ${message}`,
      });
      if (rule !== undefined && (await carryOut(rule, target, request, response, voice))) return;
      handled += 1;
      serve[target.path]?.(response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    faults.remove();
    handled = 0;
  });

  interface Seen {
    status?: number;
    headers: IncomingMessage["headers"];
    body: Buffer;
    /** Whether the answer came to its end. */
    whole: boolean;
  }
  function ask(path: string, timeoutMs = 2000): Promise<Seen | string> {
    return new Promise((resolve) => {
      const request = get(url + path, { agent: false, timeout: timeoutMs }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", () => undefined);
        answer.once("close", () => {
          const { statusCode, headers, complete } = answer;
          resolve({ status: statusCode, headers, body: Buffer.concat(chunks), whole: complete });
        });
      });
      request.once("timeout", () => request.destroy(new Error("given up")));
      request.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  }
  const told = async (rule: FaultRule, path: string) => {
    faults.set([rule]);
    return (await ask(path)) as Seen;
  };

  it("is none without a rule", async () => {
    for (const path of ["/known", "/chunks", "/piped"]) {
      const { status, body, whole } = (await ask(path)) as Seen;
      expect({ status, body, whole }, path).to.deep.equal({ status: 200, body: BODY, whole: true });
    }
  });

  it("answers in the request's place", async () => {
    const seen = await told(
      { status: 429, code: "limit", message: "No more.", headers: { "Retry-After": "3" } },
      "/known",
    );
    expect(seen).to.include({ status: 429, whole: true });
    expect(seen.body.toString()).to.equal("limit: No more.");
    expect(seen.headers).to.include({ "retry-after": "3", "content-type": "text/plain" });
    const page = await told({ status: 200, body: "<html>", headers: { "content-type": "text/html" } }, "/known");
    expect([page.body.toString(), page.headers["content-type"]]).to.deep.equal(["<html>", "text/html"]);
    expect((await told({ status: 500, body: { a: 1 } }, "/known")).body.toString()).to.equal('{"a":1}');
    expect(handled).to.equal(0);
  });

  it("cuts the connection before the request is carried out, or before it is answered", async () => {
    faults.set([{ cut: true }]);
    expect(await ask("/known")).to.equal("ECONNRESET");
    expect(handled).to.equal(0);
    faults.set([{ cut: "answer" }]);
    for (const path of ["/known", "/chunks", "/piped"]) expect(await ask(path), path).to.equal("ECONNRESET");
    expect(handled).to.equal(3);
  });

  it("never answers, or late", async () => {
    faults.set([{ hang: true }]);
    expect(await ask("/known", 150)).to.equal("given up");
    const begin = performance.now();
    expect((await told({ delayMs: 120 }, "/known")).body).to.deep.equal(BODY);
    expect(performance.now() - begin).to.be.greaterThan(110);
  });

  for (const path of ["/known", "/chunks", "/piped"]) {
    it(`changes the body of ${path.slice(1)}`, async () => {
      const flipped = Buffer.from(BODY);
      flipped[10] = (flipped[10] as number) ^ 1;
      expect((await told({ flipBitAt: 10 }, path)).body).to.deep.equal(flipped);
      const short = await told({ truncateBy: 100 }, path);
      expect({ body: short.body, whole: short.whole }).to.deep.equal({ body: BODY.subarray(0, 900), whole: true });
      const early = await told({ truncateTo: 900, keepLength: true }, path);
      expect({ body: early.body, whole: early.whole }).to.deep.equal({ body: BODY.subarray(0, 900), whole: false });
      const cut = await told({ cutAfter: 300 }, path);
      expect({ body: cut.body, whole: cut.whole }).to.deep.equal({ body: BODY.subarray(0, 300), whole: false });
      expect(await told({ cutAfter: 0 }, path)).to.include({ status: 200, whole: false });
      expect((await told({ drip: { bytes: 100, pauseMs: 0 } }, path)).body).to.deep.equal(BODY);
      const other = await told({ replaceBody: "other", headers: { "content-type": "text/html" } }, path);
      expect([other.body.toString(), other.headers["content-type"], other.whole]).to.deep.equal([
        "other",
        "text/html",
        true,
      ]);
    });
  }

  it("keeps the lengths and headers true that it should", async () => {
    expect((await told({ truncateBy: 100 }, "/known")).headers["content-length"]).to.equal("900");
    const kept = await told({ truncateBy: 100, keepLength: true }, "/piped");
    expect(kept.headers).to.include({ "content-length": "1000", "x-case": "kept" });
    expect((await told({ flipBitAt: 1 }, "/chunks")).headers).to.include({ "x-set": "before" });
    expect((await told({ merge: { b: 2 } }, "/json")).body.toString()).to.equal('{"a":1,"b":2}');
  });
});
