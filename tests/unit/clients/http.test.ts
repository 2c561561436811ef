import { expect } from "chai";
import { Heroku } from "../../../clients/heroku";
import { transferState } from "../../../clients/heroku-schemas";
import { HttpClient, type HttpError } from "../../../clients/http";
import { backoffMs, type Pace, realPace, retryAfterMs } from "../../../clients/retry";

const TOKEN = "HRKU-very-secret";

/** A server that gives the answers in turn, the last one for ever, and a clock that only notes pauses. */
function staged(...answers: (Response | Error | (() => Response))[]) {
  const pauses: number[] = [];
  const requests: { method: string; path: string; body: string; headers: Headers }[] = [];
  const pace: Pace = {
    now: () => new Date("2026-05-23T14:00:00Z"),
    random: () => 1,
    sleep: async (milliseconds) => void pauses.push(milliseconds),
  };
  const send: typeof fetch = async (url, init) => {
    requests.push({
      method: init?.method ?? "GET",
      path: new URL(String(url)).pathname,
      body: String(init?.body ?? ""),
      headers: new Headers(init?.headers),
    });
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) throw answer;
    return typeof answer === "function" ? answer() : (answer as Response).clone();
  };
  return { pauses, requests, pace, fetch: send };
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });
const network = (code: string) => new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) });

async function failure(work: Promise<unknown>): Promise<HttpError> {
  try {
    await work;
  } catch (error) {
    return error as HttpError;
  }
  throw new Error("it did not fail");
}

function client(stage: ReturnType<typeof staged>, more = {}) {
  const { pace, fetch } = stage;
  return new HttpClient({ baseUrl: "https://api.invalid", service: "Heroku", headers: {}, pace, fetch, ...more });
}

describe("HttpClient", () => {
  it("repeats reads over limits, server errors and lost connections, waiting longer each time", async () => {
    const stage = staged(json({}, 503), network("ECONNRESET"), json({}, 429), json({ ok: true }));
    const { body } = await client(stage).request({ method: "GET", path: "/x" });
    expect(body).to.deep.equal({ ok: true });
    expect(stage.pauses).to.deep.equal([500, 1000, 2000]);
  });

  it("waits as long as it is asked to, but not for ever", async () => {
    const stage = staged(json({}, 429, { "retry-after": "7" }), json({}));
    await client(stage).request({ method: "GET", path: "/x" });
    expect(stage.pauses).to.deep.equal([7000]);
    const patient = staged(json({}, 429, { "retry-after": "3600" }));
    expect((await failure(client(patient).request({ method: "GET", path: "/x" }))).status).to.equal(429);
    expect(patient.requests).to.have.lengthOf(1);
  });

  it("repeats a POST only when it cannot have been carried out", async () => {
    for (const [answer, sent] of [
      [json({}, 429), 5],
      [network("ECONNREFUSED"), 5],
      [json({}, 503), 1],
      [network("ECONNRESET"), 1],
      [json({}, 422), 1],
    ] as const) {
      const stage = staged(answer);
      const error = await failure(client(stage).request({ method: "POST", path: "/x" }));
      expect(stage.requests, error.message).to.have.lengthOf(sent);
    }
    const safe = staged(json({}, 503), json({}));
    await client(safe).request({ method: "POST", path: "/x", repeatable: true });
    expect(safe.requests).to.have.lengthOf(2);
  });

  it("gives up on what will not change", async () => {
    for (const status of [400, 401, 403, 404, 422]) {
      const stage = staged(json({ id: "word", message: "No." }, status));
      const error = await failure(client(stage).request({ method: "GET", path: "/x" }));
      expect(error.message).to.equal(`Heroku GET /x was answered by ${status} word: No.`);
      expect(stage.requests).to.have.lengthOf(1);
    }
  });

  it("ends on a signal, also while it waits, and on its own time-out", async () => {
    const stop = new AbortController();
    const stage = staged(json({}, 503));
    stage.pace.sleep = async (milliseconds, signal) => {
      stop.abort(new Error("enough"));
      await realPace.sleep(milliseconds, signal);
    };
    expect((await failure(client(stage).request({ method: "GET", path: "/x", signal: stop.signal }))).message).to.equal(
      "enough",
    );
    const silent: typeof fetch = (_url, init) =>
      new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
    const late = client(staged(json({})), { fetch: silent, timeoutMs: 20, attempts: 1 });
    const hold = setTimeout(() => undefined, 2_000); // AbortSignal.timeout alone keeps no process alive
    expect((await failure(late.request({ method: "GET", path: "/x" }))).message).to.contain("no answer within 0.02 s");
    clearTimeout(hold);
  });
});

describe("Heroku", () => {
  const heroku = (stage: ReturnType<typeof staged>) =>
    new Heroku({
      apiKey: TOKEN,
      apiUrl: "https://api.invalid",
      dataApiUrl: "https://data.invalid",
      pace: stage.pace,
      fetch: stage.fetch,
    });

  it("sends the token as Bearer and shows it in no error", async () => {
    const stage = staged(json({ id: "unauthorized", message: "Invalid credentials provided." }, 401));
    const error = await failure(heroku(stage).app("usc-pis"));
    expect(stage.requests[0]?.headers.get("authorization")).to.equal(`Bearer ${TOKEN}`);
    expect(error.code).to.equal("unauthorized");
    expect(error.hint).to.contain("expired");
    expect(JSON.stringify([error, error.message, error.stack, error.cause])).to.not.contain(TOKEN);
  });

  it("starts captures and restores once", async () => {
    const starts = [
      (api: Heroku) => api.startCapture("db"),
      (api: Heroku) => api.startRestore("db", "https://dump.invalid", []),
    ];
    for (const start of starts) {
      const stage = staged(network("ECONNRESET"));
      const error = await failure(start(heroku(stage)));
      expect(error.ambiguous).to.equal(true);
      expect(stage.requests).to.have.lengthOf(1);
    }
  });

  it("follows pages", async () => {
    const transfer = { uuid: "u", num: 1, from_type: "pg_dump", to_type: "gof3r" };
    const stage = staged(json([transfer], 206, { "next-range": "id ]u.." }), json([{ ...transfer, num: 2 }]));
    expect((await heroku(stage).transfers("app")).map((each) => each.num)).to.deep.equal([1, 2]);
    expect(stage.requests[1]?.headers.get("range")).to.equal("id ]u..");
  });

  it("refuses an answer that it does not know, without repeating its values", async () => {
    const stage = staged(
      json([{ uuid: "u", num: 1, from_type: "teleport", to_type: "gof3r", from_url: "postgres://secret" }]),
    );
    const error = await failure(heroku(stage).transfers("app"));
    expect(error.code).to.equal("unexpected_answer");
    expect(error.message).to.contain("0.from_type").and.not.contain("secret");
  });

  it("takes what is gone for deleted", async () => {
    await heroku(staged(json({ id: "not_found", message: "gone" }, 404))).deleteTransfer("app", 1);
    await failure(heroku(staged(json({}, 403))).deleteTransfer("app", 1));
  });
});

describe("the state of a transfer", () => {
  const transfer = { uuid: "u", num: 1, from_type: "pg_dump", to_type: "gof3r" } as const;
  it("is a success only when Heroku says so in so many words", () => {
    expect(transferState(transfer)).to.equal("waiting");
    expect(transferState({ ...transfer, finished_at: "t", succeeded: true })).to.equal("succeeded");
    expect(transferState({ ...transfer, finished_at: "t" })).to.equal("failed");
    expect(transferState({ ...transfer, finished_at: "t", succeeded: null })).to.equal("failed");
    expect(transferState({ ...transfer, finished_at: "t", succeeded: true, canceled_at: "t" })).to.equal("failed");
  });
});

describe("pauses", () => {
  it("grow, stay below their cap, and are spread over their whole length", () => {
    expect(backoffMs(0, { baseMs: 500, capMs: 20_000 }, 1)).to.equal(500);
    expect(backoffMs(20, { baseMs: 500, capMs: 20_000 }, 1)).to.equal(20_000);
    expect(backoffMs(3, { baseMs: 500, capMs: 20_000 }, 0)).to.equal(0);
  });
  it("understand seconds, dates and nonsense", () => {
    const now = new Date("2026-05-23T14:00:00Z");
    expect(retryAfterMs("5", now)).to.equal(5000);
    expect(retryAfterMs("Sat, 23 May 2026 14:00:09 GMT", now)).to.equal(9000);
    expect(retryAfterMs("soon", now)).to.equal(undefined);
    expect(retryAfterMs(null, now)).to.equal(undefined);
  });
});
