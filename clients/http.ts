import { UscPisError } from "../backup/errors";
import { backoffMs, type Pace, realPace, retryAfterMs } from "./retry";

/** An answer that says no, or a network that gave none. Never holds a header of the request, so no token. */
export class HttpError extends UscPisError {
  /** The pause that the service asked for, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    /** HTTP status; undefined when no answer came. */
    readonly status: number | undefined,
    /** The service's own word for the failure, such as `not_found`. */
    readonly id: string | undefined,
    /** True when the service may have carried the request out although we saw it fail. */
    readonly ambiguous: boolean,
    details: { hint?: string; cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(status === 401 ? "unauthorized" : status === 404 ? "not_found" : "http_failed", message, details);
    this.name = "HttpError";
    this.retryAfterMs = details.retryAfterMs;
  }
}

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Whether sending it twice does no harm.
   * @default true for all methods but POST
   */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal;
}

export interface HttpOptions {
  readonly baseUrl: string;
  /** Shown in messages in place of the URL. */
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of one attempt, in ms. @default 30000, half of what the official CLI allows, as our retries make up for it */
  readonly timeoutMs?: number;
  /** @default 5 */
  readonly attempts?: number;
  readonly pace?: Pace;
  readonly fetch?: typeof fetch;
  /** What to say on 401. */
  readonly unauthorizedHint?: string;
}

const BACKOFF = { baseMs: 500, capMs: 20_000 };
/** Longest pause that a server may ask for; beyond it the request fails rather than eat up the run's time. */
const LONGEST_RETRY_AFTER_MS = 120_000;
/** Errors of a connection that was never made: nothing can have reached the service. */
const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT", "EHOSTUNREACH"]);

/** JSON over HTTP with time-outs and retries. A POST is repeated only when it cannot have been carried out. */
export class HttpClient {
  private readonly pace: Pace;

  constructor(private readonly options: HttpOptions) {
    this.pace = options.pace ?? realPace;
  }

  /** @returns the parsed body (undefined if empty) and the headers. @throws HttpError */
  async request(request: HttpRequest): Promise<{ body: unknown; headers: Headers; status: number }> {
    const attempts = this.options.attempts ?? 5;
    const repeatable = request.repeatable ?? request.method !== "POST";
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.once(request);
      } catch (error) {
        if (!(error instanceof HttpError) || attempt + 1 >= attempts) throw error;
        const passing = error.status === undefined || error.status === 429 || error.status >= 500;
        if (!passing || (error.ambiguous && !repeatable)) throw error;
        const asked = error.retryAfterMs;
        if (asked !== undefined && asked > LONGEST_RETRY_AFTER_MS) throw error;
        await this.pace.sleep(asked ?? backoffMs(attempt, BACKOFF, this.pace.random()), request.signal);
      }
    }
  }

  private async once(request: HttpRequest) {
    const what = `${this.options.service} ${request.method} ${request.path}`;
    request.signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(this.options.timeoutMs ?? 30_000);
    const signal = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout;
    let response: Response;
    let text: string;
    try {
      const send = this.options.fetch ?? fetch;
      response = await send(new URL(request.path, this.options.baseUrl), {
        method: request.method,
        headers: {
          ...this.options.headers,
          ...request.headers,
          ...(request.body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        signal,
      });
      text = await response.text();
    } catch (cause) {
      request.signal?.throwIfAborted();
      const reason = timeout.aborted
        ? `no answer within ${(this.options.timeoutMs ?? 30_000) / 1000} s`
        : reasonOf(cause);
      throw new HttpError(`${what} failed: ${reason}`, undefined, undefined, !NEVER_SENT.has(codeOf(cause) ?? ""), {
        cause,
      });
    }
    const body = parseJson(text);
    if (response.ok) return { body, headers: response.headers, status: response.status };
    throw this.refusal(what, response, body, text);
  }

  private refusal(what: string, response: Response, body: unknown, text: string): HttpError {
    const said = body as { id?: unknown; message?: unknown; error?: { message?: unknown } } | undefined;
    const id = typeof said?.id === "string" ? said.id : undefined;
    // Heroku says `message`, Cloudinary `error.message`.
    const words = said?.message ?? said?.error?.message;
    const message = typeof words === "string" ? words : text.replace(/\s+/g, " ").slice(0, 160);
    const hint = response.status === 401 ? this.options.unauthorizedHint : undefined;
    const full = `${what} was answered by ${response.status}${id ? ` ${id}` : ""}${message ? `: ${message}` : ""}`;
    const wait = retryAfterMs(response.headers.get("retry-after"), this.pace.now());
    // A limiter answers before the service does anything; every other 5xx may come after the deed.
    return new HttpError(full, response.status, id, response.status >= 500, {
      retryAfterMs: wait,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = (at as NodeJS.ErrnoException).code;
    if (typeof code === "string") return code;
  }
  return undefined;
}

/** The innermost words: fetch itself only says "fetch failed". */
function reasonOf(error: unknown): string {
  let reason = "unknown error";
  for (let at = error; at instanceof Error; at = at.cause) reason = at.message || codeOf(at) || at.name;
  return reason;
}
