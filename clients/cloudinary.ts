import { createHash } from "node:crypto";
import { InputError, UscPisError } from "../backup/errors";
import { readAnswer } from "./answer";
import { type Asset, type AssetKind, assetOf, detailsSchema, pageSchema, usageSchema } from "./cloudinary-schemas";
import { HttpClient, HttpError } from "./http";
import { type Pace, realPace } from "./retry";

export interface CloudinaryOptions {
  readonly cloudName: string;
  readonly apiKey: string;
  /** Appears in no message and in no URL. */
  readonly apiSecret: string;
  /** @default https://api.cloudinary.com */
  readonly apiUrl?: string;
  /** Calls of each hour that are left to others: the webhook, people, deployments. @default 50 */
  readonly leave?: number;
  readonly pace?: Pace;
  readonly fetch?: typeof fetch;
  /** Of one attempt, in ms. @default 30000 */
  readonly timeoutMs?: number;
}

/** Calls of the Admin API in the running hour, as the last answer said. */
export interface CallBudget {
  readonly limit: number;
  readonly remaining: number;
  readonly reset: Date;
}

/** The hour's calls are used up, or so few that they are left to others. Nothing failed: it goes on later. */
export class BudgetError extends UscPisError {
  constructor(
    /** When there are calls again. */
    readonly reset: Date,
    details: { cause?: unknown } = {},
  ) {
    super(
      "budget",
      `Cloudinary's calls of this hour are used up, there are new ones at ${reset.toISOString()}`,
      details,
    );
    this.name = "BudgetError";
  }
}

/** The most assets of one page; Cloudinary takes no more. */
export const PAGE_SIZE = 500;
/** The most public ids that one call may name. */
export const MAX_IDS = 100;
/** How long a signed download may be begun, in seconds. */
const DOWNLOAD_SECONDS = 600;
const HOUR_MS = 3_600_000;
/** Cloudinary's word for a limit. */
const RATE_LIMITED = 420;
const SCHEMAS = "clients/cloudinary-schemas.ts";

type Signal = AbortSignal | undefined;

/**
 * Cloudinary's Admin API and signed downloads, as far as mirroring needs them. Plain requests, not the official SDK: that
 * can't be aborted, shows the limit only in answers that succeed, chooses http or https once for the whole process, and
 * would add 207 KB and about 40 ms to each start of a function (measured with 2.11.0), its signing alone 78 KB; ours is the
 * six lines at the end of this file, tested against the SDK's.
 */
export class Cloudinary {
  readonly cloudName: string;
  /** Undefined until the first answer. */
  budget: CallBudget | undefined;
  /** Requests sent to the Admin API, repeated ones too. */
  calls = 0;
  private readonly http: HttpClient;
  private readonly base: string;
  private readonly pace: Pace;

  constructor(private readonly options: CloudinaryOptions) {
    this.cloudName = options.cloudName;
    this.pace = options.pace ?? realPace;
    this.base = (options.apiUrl ?? "https://api.cloudinary.com").replace(/\/+$/, "");
    const account = Buffer.from(`${options.apiKey}:${options.apiSecret}`).toString("base64");
    this.http = new HttpClient({
      service: "Cloudinary",
      baseUrl: this.base,
      headers: { authorization: `Basic ${account}`, "user-agent": "usc-pis-infrastructure" },
      unauthorizedHint: "Cloudinary's key or secret is wrong: pulumi config set --secret usc-pis:cloudinaryApiSecret",
      pace: this.pace,
      fetch: async (url, init) => {
        this.calls++;
        const response = await (options.fetch ?? fetch)(url, init);
        this.budget = budgetOf(response.headers) ?? this.budget;
        return response;
      },
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    });
  }

  /** One page of a kind, newest first, with everything that a listing can tell. No cursor: it was the last one. */
  async page(
    kind: AssetKind,
    cursor?: string,
    signal?: Signal,
  ): Promise<{ assets: Asset[]; next: string | undefined }> {
    const query = new URLSearchParams({
      max_results: String(PAGE_SIZE),
      ...TELL,
      ...(cursor === undefined ? {} : { next_cursor: cursor }),
    });
    const answer = await this.get(`resources/${kind.resourceType}/${kind.type}?${query}`, pageSchema, signal);
    return {
      assets: answer.resources.map((resource) => assetOf(kind, resource)),
      next: answer.next_cursor ?? undefined,
    };
  }

  /** The named assets of a kind, those that are there; up to 100 ids. */
  async byIds(kind: AssetKind, publicIds: readonly string[], signal?: Signal): Promise<Asset[]> {
    const query = new URLSearchParams({ max_results: String(MAX_IDS), ...TELL });
    for (const id of publicIds) query.append("public_ids[]", id);
    const answer = await this.get(`resources/${kind.resourceType}/${kind.type}?${query}`, pageSchema, signal);
    return answer.resources.map((resource) => assetOf(kind, resource));
  }

  /** One asset with its checksum; undefined when it is not there. */
  async details(kind: AssetKind, publicId: string, signal?: Signal): Promise<Asset | undefined> {
    const path = `resources/${kind.resourceType}/${kind.type}/${encodeURIComponent(publicId)}`;
    try {
      return assetOf(kind, await this.get(path, detailsSchema, signal));
    } catch (error) {
      if (error instanceof HttpError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** How many assets Cloudinary counts. */
  async usage(signal?: Signal): Promise<{ resources: number }> {
    return this.get("usage", usageSchema, signal);
  }

  /** A URL under which the original can be fetched for ten minutes, whatever its delivery type or format. A secret. */
  downloadUrl({ resourceType, type, publicId, format }: Asset): string {
    const now = Math.floor(this.pace.now().getTime() / 1000);
    const params = {
      timestamp: String(now),
      expires_at: String(now + DOWNLOAD_SECONDS),
      public_id: publicId,
      type,
      ...(format === undefined || resourceType === "raw" ? {} : { format }),
    };
    const signature = sign(params, this.options.apiSecret);
    const query = new URLSearchParams({ ...params, signature, api_key: this.options.apiKey });
    return `${this.base}/v1_1/${this.cloudName}/${resourceType}/download?${query}`;
  }

  private async get<T>(path: string, schema: Parameters<typeof readAnswer<T>>[0], signal: Signal): Promise<T> {
    const { budget } = this;
    const { leave = 50 } = this.options;
    const now = this.pace.now();
    if (budget && now < budget.reset && budget.remaining <= Math.min(leave, budget.limit / 2)) {
      throw new BudgetError(budget.reset);
    }
    const [name] = path.split("?");
    try {
      const request = {
        method: "GET",
        path: `/v1_1/${this.cloudName}/${path}`,
        ...(signal ? { signal } : {}),
      } as const;
      return readAnswer(schema, (await this.http.request(request)).body, `GET ${name}`, SCHEMAS);
    } catch (error) {
      if (!(error instanceof HttpError) || error.status !== RATE_LIMITED) throw error;
      const reset = this.budget && this.budget.reset > now ? this.budget.reset : new Date(now.getTime() + HOUR_MS);
      throw new BudgetError(reset, { cause: error });
    }
  }
}

/** What a listing tells only when asked. */
const TELL = { tags: "true", context: "true", metadata: "true" };

function budgetOf(headers: Headers): CallBudget | undefined {
  const number = (name: string) => Number(headers.get(`x-featureratelimit-${name}`) ?? Number.NaN);
  const [limit, remaining] = [number("limit"), number("remaining")];
  const reset = new Date(headers.get("x-featureratelimit-reset") ?? Number.NaN);
  if (Number.isNaN(limit) || Number.isNaN(remaining) || Number.isNaN(reset.getTime())) return undefined;
  return { limit, remaining, reset };
}

/**
 * Cloudinary's signature of parameters: sorted by name, `&` in values escaped so that none can pretend to be another
 * parameter, the secret behind them.
 */
export function sign(params: Readonly<Record<string, string>>, secret: string): string {
  const text = Object.entries(params)
    .filter(([, value]) => value !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`.replaceAll("&", "%26"))
    .join("&");
  return createHash("sha1")
    .update(text + secret)
    .digest("hex");
}

/**
 * Account and address from a variable such as `cloudinary://KEY:SECRET@CLOUD`, with `?upload_prefix=` for another address.
 * @throws InputError that shows nothing of it.
 */
export function parseCloudinaryUrl(
  text: string,
): Pick<CloudinaryOptions, "cloudName" | "apiKey" | "apiSecret" | "apiUrl"> {
  const url = URL.parse(text);
  if (url?.protocol !== "cloudinary:" || !url.hostname || !url.username || !url.password) {
    throw new InputError("CLOUDINARY_URL is not as expected: cloudinary://KEY:SECRET@CLOUD");
  }
  const apiUrl = url.searchParams.get("upload_prefix");
  return {
    cloudName: url.hostname,
    apiKey: decodeURIComponent(url.username),
    apiSecret: decodeURIComponent(url.password),
    ...(apiUrl ? { apiUrl } : {}),
  };
}
