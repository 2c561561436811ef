import { type Pace, realPace } from "../../clients/retry";

/** A check passes, fails, or is skipped because one before it failed; skipped never counts as passed. */
export interface CheckResult {
  readonly name: string;
  readonly status: "pass" | "fail" | "skip";
  readonly detail: string;
  readonly milliseconds: number;
}

export interface ChecksReport {
  readonly url: string;
  readonly passed: boolean;
  readonly checks: readonly CheckResult[];
}

interface AppCheck {
  readonly name: string;
  readonly path: string;
  /** What is wrong with the answer; undefined when it is as it must be. */
  readonly wrong: (answer: { status: number; type: string; location: string; body: string }) => string | undefined;
}

/** Requests that a working app answers (facts: the application's paths). Redirects are looked at, not followed. */
const APP_CHECKS: readonly AppCheck[] = [
  {
    name: "homepage",
    path: "/",
    wrong: ({ status, type, body }) => {
      if (status !== 200) return `answered by ${status}, expected 200`;
      if (!type.includes("text/html")) return `came as ${type || "no type"}, expected text/html`;
      return body.trim() === "" ? "is empty" : undefined;
    },
  },
  {
    name: "health",
    path: "/api/health/",
    wrong: ({ status, type, body }) => {
      if (status !== 200) return `answered by ${status}, expected 200`;
      if (!type.includes("json")) return `came as ${type || "no type"}, expected JSON`;
      return unhealthy(body);
    },
  },
  {
    name: "admin",
    path: "/admin/",
    wrong: ({ status, location }) => {
      if (status === 200) return undefined;
      const toLogin = (status === 301 || status === 302) && location.includes("login");
      return toLogin ? undefined : `answered by ${status}, expected 200 or a redirect to the login`;
    },
  },
];

/** A state that is not known to be good is not good. A body without one only has to be JSON. */
function unhealthy(body: string): string | undefined {
  let said: unknown;
  try {
    said = JSON.parse(body);
  } catch {
    return "is not JSON";
  }
  const status = (said as { status?: unknown } | null)?.status;
  if (status === undefined || (typeof status === "string" && /^(ok|healthy|up|pass)$/i.test(status))) return undefined;
  return `says ${JSON.stringify(status)}`;
}

export interface CheckAppOptions {
  /** Of one request, in ms. @default 30000: Heroku's router gives up then */
  readonly timeoutMs?: number;
  /** Attempts a check; a dyno that has just started may answer 503. @default 5 */
  readonly attempts?: number;
  readonly fetch?: typeof fetch;
  readonly pace?: Pace;
  readonly signal?: AbortSignal;
}

/** Real requests to a running app. When the homepage gives no answer at all the rest is skipped. */
export async function checkApp(url: string, options: CheckAppOptions = {}): Promise<ChecksReport> {
  const checks: CheckResult[] = [];
  let unreachable = false;
  for (const check of APP_CHECKS) {
    if (unreachable) {
      checks.push({ name: check.name, status: "skip", detail: "the app gives no answer", milliseconds: 0 });
      continue;
    }
    const { result, answered } = await checkOnce(url, check, options);
    checks.push(result);
    unreachable = !answered;
  }
  return { url, passed: checks.every((check) => check.status === "pass"), checks };
}

async function checkOnce(url: string, check: AppCheck, options: CheckAppOptions) {
  const pace = options.pace ?? realPace;
  const attempts = options.attempts ?? 5;
  let result: CheckResult | undefined;
  let answered = false;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const start = pace.now().getTime();
    const done = (status: "pass" | "fail", detail: string): CheckResult => ({
      name: check.name,
      status,
      detail,
      milliseconds: pace.now().getTime() - start,
    });
    try {
      const timeout = AbortSignal.timeout(options.timeoutMs ?? 30_000);
      const response = await (options.fetch ?? fetch)(new URL(check.path, url), {
        redirect: "manual",
        signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      });
      answered = true;
      const wrong = check.wrong({
        status: response.status,
        type: response.headers.get("content-type") ?? "",
        location: response.headers.get("location") ?? "",
        body: await response.text(),
      });
      if (!wrong) return { result: done("pass", `${check.path} answered by ${response.status}`), answered };
      result = done("fail", `${check.path} ${wrong}`);
    } catch (error) {
      options.signal?.throwIfAborted();
      const cause = (error as Error).cause instanceof Error ? ((error as Error).cause as Error) : (error as Error);
      result = done("fail", `${check.path} gave no answer: ${cause.message}`);
    }
    if (attempt < attempts) await pace.sleep(1_000 * attempt, options.signal);
  }
  return { result: result as CheckResult, answered };
}
